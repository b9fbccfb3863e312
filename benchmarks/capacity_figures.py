"""The file with the figures of deploy/capacity.md: benchmarks/capacity.json."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure

FILE = Path(__file__).with_name("capacity.json")


@dataclass(frozen=True)
class Measured:
    """One measurement of several rounds.

    command     the command line that repeats it
    date        the day in UTC
    commit      the commit that was measured
    machine     cores, system and Python
    loads       the load of the machine at the begin and the end of each round
    parameters  the sizes
    figures     the value of each figure in each round, by its name, which ends in its unit
    """

    command: str
    date: str
    commit: str
    machine: str
    loads: Sequence[float]
    parameters: Mapping[str, Any]
    figures: Mapping[str, Sequence[float]]

    @classmethod
    def of(
        cls,
        command: str,
        machine: str,
        loads: Sequence[float],
        parameters: Mapping[str, Any],
        figures: Mapping[str, Sequence[float]],
    ) -> Measured:
        """Return a measurement of now, of the commit that is checked out."""
        git = ["git", "-C", str(FILE.parent), "rev-parse", "--short", "HEAD"]
        commit = subprocess.run(git, check=True, capture_output=True, text=True).stdout.strip()
        day = time.strftime("%Y-%m-%d", time.gmtime())
        return cls(command, day, commit, machine, loads, parameters, figures)

    def figure(self, name: str) -> Figure:
        return Figure(self.figures[name])

    def __getitem__(self, name: str) -> float:
        """Return the median of a figure."""
        return self.figure(name).median


def keep(name: str, measured: Measured, file: Path = FILE) -> None:
    """Put a measurement into the file in place of the one with the same name."""
    kept = {**read(file), name: measured} if file.exists() else {name: measured}
    rows = {one: asdict(kept[one]) for one in sorted(kept)}
    file.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def read(file: Path = FILE) -> dict[str, Measured]:
    """Return all measurements of the file by their names."""
    return {name: Measured(**one) for name, one in json.loads(file.read_text(encoding="utf-8")).items()}
