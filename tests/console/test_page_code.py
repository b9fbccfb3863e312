"""The page's own checks: format, lint, types, and its tests of functions (`npm run check`)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONSOLE = Path(__file__).parents[2] / "console"


def test_the_page_passes_its_checks() -> None:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    if not (CONSOLE / "node_modules").is_dir():
        if os.environ.get("CI"):
            pytest.fail("the console's packages are not installed: make console")
        pytest.skip("the console's packages are not installed: make console")
    npm = shutil.which("npm", path=path)
    assert npm is not None
    done = subprocess.run(
        [npm, "run", "check"],
        cwd=CONSOLE,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
