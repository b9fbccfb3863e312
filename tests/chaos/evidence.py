"""The output of a run: the faults that were injected and, if a check failed, all the data that it used."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from tests.chaos.checks import Difference
from tests.chaos.plan import Action
from tests.chaos.truth import Truth


@dataclass
class Figures:
    """The one line that a run prints. `done` counts the actions, by kind and target."""

    seed: int
    seconds: float = 0.0
    done: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    records: int = 0
    aborted: int = 0
    changes: int = 0
    letters: int = 0
    definitions: int = 0
    disk: str = ""
    differences: Counter[str] = field(default_factory=Counter)

    @property
    def kills(self) -> int:
        return sum(count for what, count in self.done.items() if what.startswith("kill"))

    def line(self) -> str:
        return (
            f"seed {self.seed}: {self.seconds:.0f} s, {self.kills} kills ({_counts(self.done)}; "
            f"disk by {self.disk}), "
            f"ended by themselves: {_counts(self.endings)}; {self.records} records and {self.aborted} "
            f"transactions aborted, {self.definitions} definitions, {self.changes} changes, "
            f"{self.letters} dead letters; differences: {_counts(self.differences)}"
        )


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items())) or "none"


def keep(
    folder: Path,
    *,
    figures: Figures,
    plan: Iterable[Action],
    log: Iterable[str],
    found: Iterable[Difference],
    truth: Truth | None,
    records: Iterable[Path],
    worker_logs: Iterable[Path],
    definitions: bytes,
) -> None:
    """Write all evidence into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "figures.txt").write_text(figures.line() + "\n")
    (folder / "plan.txt").write_text(
        "".join(f"{one.at_seconds:8.2f} {one.deed} {one.target}\n" for one in plan)
    )
    (folder / "done.txt").write_text("".join(f"{line}\n" for line in log))
    (folder / "differences.txt").write_text(
        "".join(f"{one.check}\t{one.subject}\t{one.detail}\n" for one in found)
    )
    (folder / "definitions.ndjson").write_bytes(definitions)
    for file in (*records, *worker_logs):
        if file.exists():
            shutil.copy(file, folder / file.name)
    if truth is None:
        return
    with (folder / "changes.ndjson").open("wb") as out:
        out.writelines(raw + b"\n" for raw, _ in truth.changes)
    for name, value in (
        ("memberships", truth.memberships),
        ("suppressions", truth.suppressions),
        ("catalogue", truth.catalogue),
        ("definitions-in-force", truth.definitions),
    ):
        (folder / f"{name}.json").write_bytes(orjson.dumps(value, option=orjson.OPT_INDENT_2))
    with (folder / "dead-letters.ndjson").open("wb") as out:
        for letter in truth.letters:
            text = letter.value.decode(errors="replace") if letter.value is not None else None
            out.write(
                orjson.dumps({"source": list(letter.source), "code": letter.code, "value": text}) + b"\n"
            )
