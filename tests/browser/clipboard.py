"""What a page copies, and what becomes of it in a shell."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Any

import orjson
from playwright.sync_api import Page, expect

from tests.lacking import lacks


def copied(page: Page, button: str) -> str:
    """Return the text that a button copies."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name=button).click()
    expect(page.get_by_text("已复制")).to_be_visible()
    return str(page.evaluate("navigator.clipboard.readText()"))


def pasted(command: str, token: str = "") -> Any:
    """Return the answer to a command that is pasted into a shell, which has a token in its variable."""
    if shutil.which("curl") is None:
        lacks("curl", "it is not on the PATH")
    done = subprocess.run(
        ["bash", "-c", command],
        env=os.environ | {"STREAMSEG_API_TOKEN": token},
        capture_output=True,
        check=True,
        timeout=60,
    )
    return orjson.loads(done.stdout)
