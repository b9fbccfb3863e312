"""Programs that some tests need and a machine may lack."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

_SKIPPED = "this machine lacks "


def lacks(program: str, why: str) -> NoReturn:
    """Skip the test that asks, since a program is missing. With CI=true the test fails, because there nobody
    reads which tests were skipped."""
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(f"CI needs {program}: {why}", pytrace=False)
    pytest.skip(f"{_SKIPPED}{program}: {why}")


def report(terminal: pytest.TerminalReporter) -> None:
    """Say at the end of a run what the machine lacks, and why the tests that need it did not run."""
    # The reports, unlike what a fixture stores, also come from the processes of a run with several of them.
    missing = {
        one.longrepr[2].partition(_SKIPPED)[2]
        for one in terminal.stats.get("skipped", [])
        if isinstance(one.longrepr, tuple) and _SKIPPED in one.longrepr[2]
    }
    for what in sorted(missing):
        program, _, why = what.partition(": ")
        terminal.section(f"WITHOUT {program.upper()}", sep="!", red=True, bold=True)
        terminal.line(f"WARNING: the tests that need {program} did not run: {why}", red=True)
