"""Compares the cost per record with another checkout of streamseg, for instance of an earlier release.

    git worktree add ../earlier v0.1.0 && make -C ../earlier install
    python -m benchmarks.against ../earlier

Both checkouts do the same work in the process, without Kafka: one partition's task over RocksDB, with
checkpoints as a worker makes them (benchmarks/peers/streamseg_here.py). First each contact gets its first
update, then the stream of events and updates is applied. Each round is a process of the checkout's own
virtualenv, and the checkouts take turns on one core. CPU time is measured, not wall time. Other programs on
the machine slow both down, so only the ratios count. The last lines say whether both emitted the same
membership changes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from benchmarks.figures import Figure, about_the_machine, command, table

_HERE = Path(__file__).resolve().parent.parent
_ROUND = Path(__file__).resolve().with_name("against_round.py")
_PHASES = ("first updates", "stream", "stream's checkpoints")


@dataclass
class Checkout:
    """A checkout, and the figures of its rounds: for each phase the µs of CPU time per record."""

    folder: Path
    phases: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in _PHASES})
    digests: set[str] = field(default_factory=set)

    def measure(self, arguments: list[str]) -> None:
        """Do one round in a process of this checkout."""
        python = self.folder / ".venv" / "bin" / "python"
        # The text is passed, not the file, so that all imports come from the checkout.
        run = [str(python), "-c", _ROUND.read_text(encoding="utf-8"), *arguments]
        out = subprocess.run(run, cwd=self.folder, check=True, stdout=subprocess.PIPE).stdout
        found = orjson.loads(out)
        for name, values in self.phases.items():
            values.append(found[name])
        self.digests.add(found["digest"])


def report(other: Checkout, here: Checkout) -> str:
    """Return the table: best and median of both checkouts, and how many times as fast this one is."""
    rows = []
    for name in _PHASES:
        theirs, ours = Figure(other.phases[name]), Figure(here.phases[name])
        ratio = Figure([one / two for one, two in zip(theirs.values, ours.values, strict=True)])
        best = min(theirs.values) / min(ours.values)
        rows.append([name, theirs.text(1), ours.text(1), f"{best:.2f}", ratio.text(2)])
    heading = ["µs of CPU a record", other.folder.name, "here", "times as fast, best rounds", "each round"]
    return table(heading, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("checkout", type=Path, help="a folder with its own .venv")
    parser.add_argument("--contacts", type=int, default=5_000)
    parser.add_argument("--records", type=int, default=40_000)
    parser.add_argument("--segments", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), help="runs all rounds")
    wanted = parser.parse_args()
    os.sched_setaffinity(0, {wanted.core})
    other, here = Checkout(wanted.checkout.resolve()), Checkout(_HERE)
    arguments = [str(wanted.contacts), str(wanted.records), str(wanted.segments)]
    for _ in range(wanted.repeats):
        other.measure(arguments)
        here.measure(arguments)
    print(command("benchmarks.against"))
    print(report(other, here))
    same = len(other.digests | here.digests) == 1
    print(f"\nmembership changes: {'the same' if same else 'NOT the same'}")
    print(about_the_machine())


if __name__ == "__main__":
    main()
