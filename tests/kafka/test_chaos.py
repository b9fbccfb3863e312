"""A short run of `python -m tests.chaos`: most kinds of faults occur, and all checks pass at the end."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.run import Options, Run

SEED = 39
SECONDS = 45.0


def test_a_short_chaos_leaves_everything_right(kafka_script: Path, tmp_path: Path) -> None:
    run = Run(Options(SEED, SECONDS, quiet_contacts=1_000), tmp_path / "run", say=print)
    right = run()
    if not right:
        run.keep(tmp_path / "kept")
    assert right, f"{run.figures.line()}; all of it is in {tmp_path / 'kept'}"
    assert run.figures.kills >= 5
