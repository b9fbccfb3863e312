"""Tests of this checkout, run on the compiled copy of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SECONDS = 1_800


def call(checkout: Path, *command: str, **environment: str) -> str:
    """The output of a Python command that imports the packages of the checkout. It must succeed."""
    # A run of its own must not believe that it is one of several processes of this run.
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    called = subprocess.run(
        [sys.executable, *command],
        cwd=checkout,
        env={**own, "PYTHONPATH": str(checkout), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    assert called.returncode == 0, called.stdout
    return called.stdout


def run_tests(checkout: Path, *tests: str, **environment: str) -> None:
    """Run these tests, none of which may be skipped."""
    told = call(checkout, "-m", "pytest", "-q", "-x", *tests, **environment)
    assert " skipped" not in told, told
