"""The command of an earlier release, run with the libraries of this installation."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tests.kafka.live import PROGRAMS

RELEASES = Path(__file__).parent / "releases"

_COMMAND = """#!/bin/sh
PYTHONPATH='{library}' exec '{python}' -P -c 'from streamseg.cli import main; main()' "$@"
"""


def earlier_release(version: str, folder: Path) -> Path:
    """Unpack a release below `folder`. Return the folder of its command `streamseg`."""
    library, programs = folder / "library", folder / "bin"
    with zipfile.ZipFile(RELEASES / f"streamseg-{version}-py3-none-any.whl") as wheel:
        wheel.extractall(library)
    programs.mkdir()
    command = programs / "streamseg"
    command.write_text(_COMMAND.format(library=library, python=PROGRAMS / "python"))
    command.chmod(0o755)
    return programs
