"""Which browser is started, and with which fonts.

Debian's Chromium brings other Latin fonts with it than a container that lacks recommended packages, so that
one page has different widths on two machines. Here it sees one family alone.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Playwright

_FONTS: Final = Path(__file__).with_name("fonts.conf")
_FAMILY: Final = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")


def chromium() -> str | None:
    """Return the path of the program; None if there is none."""
    return shutil.which("chromium") or shutil.which("google-chrome")


def has_fonts() -> bool:
    """Return whether pages look here as they do on other machines."""
    return _FAMILY.is_file()


def launch(playwright: Playwright) -> Browser:
    fonts = {"FONTCONFIG_FILE": str(_FONTS)} if has_fonts() else {}
    # Containers forbid the sandbox's namespaces; the page is our own.
    return playwright.chromium.launch(
        executable_path=chromium(), args=["--no-sandbox"], env={**os.environ, **fonts}
    )
