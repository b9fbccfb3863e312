"""Beside the changes of a story: what was refused and suppressed, and one operator asked of many values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pytest

from schemas.operands import TABLE
from streamseg.records.outputs import MembershipChange, Suppression
from streamseg.replay import Replay
from streamseg.settings import Settings
from streamseg.times import format_ms
from tests.engine.story import Condition, Line, Replayed, all_of, event, ms, said, segment, told, update


class _Absence(Enum):
    ABSENT = "absent"


ABSENT = _Absence.ABSENT
"""Stands for a value that is not given at all; a test with it has the same name in every process."""
MISSING: tuple[Any, ...] = (None, "", [], {}, ABSENT)
NEGATIVE = {row.name: row.complement for row in TABLE if row.complement is not None}
"""Positive operator -> its complement."""
NOON = "05-15 12:00"
EVERYBODY = {"attribute": "contact_id", "operator": "is_set"}


def case(sentence: str, *values: Any) -> Any:
    """A row of a table of cases, named by its sentence."""
    return pytest.param(*values, id=sentence)


def op(operator: str, operand: Any = None, **beside: Any) -> Condition:
    """A condition without what it is about; no operand for None."""
    return {"operator": operator, **({} if operand is None else {"value": operand}), **beside}


def passing(
    changes_of: Replayed, test: Condition, values: Sequence[Any], *, at: str = NOON, **settings: Any
) -> list[Any]:
    """Which of the values pass a test at `at`, as an attribute and as a property of an event.

    Asserts that both agree, and that `not` and the negative operator are the exact complements."""
    zone = {"timezone": settings.pop("zone")} if "zone" in settings else {}
    tests = {"": test, "-not": {**test, "not": True}}
    if test["operator"] in NEGATIVE:
        tests["-negative"] = {**test, "operator": NEGATIVE[test["operator"]]}
    lines: list[Line] = []
    for suffix, one in tests.items():
        lines.append(segment({"attribute": "v", **one}, of=f"attribute{suffix}", **zone))
        where = {"event": "buy", "where": all_of({"property": "v", **one})}
        lines.append(segment(where, of=f"property{suffix}", **zone))
    everybody = [f"c{number}" for number in range(len(values))]
    for contact_id, value in zip(everybody, values, strict=True):
        body = {} if value is ABSENT else {"v": value}
        lines.append(update(at, body, of=contact_id))
        lines.append(event(at, "buy", body, of=contact_id))
    members: dict[str, set[str]] = {}
    for change in changes_of.raw(*lines, **settings):
        assert change["change"] == "entered"
        members.setdefault(change["segment_id"], set()).add(change["contact_id"])
    found = members.get("attribute", set())
    for suffix in tests:
        expected = found if suffix == "" else set(everybody) - found
        assert members.get(f"attribute{suffix}", set()) == expected, suffix
        assert members.get(f"property{suffix}", set()) == expected, suffix
    return [value for contact_id, value in zip(everybody, values, strict=True) if contact_id in found]


def flips(changes: Sequence[str]) -> list[str]:
    """The told changes of one segment and contact as `05-01 in` and `05-03 12:00 out`."""
    short = []
    for change in changes:
        at, _, verb, _ = change.rsplit(" ", 3)
        short.append(f"{at} {'in' if verb == 'entered' else 'out'}")
    return short


@dataclass
class Heard:
    """Everything that came of a replay, written as in a story."""

    run: Replay
    changes: list[str]
    refusals: list[tuple[str, str]] = field(default_factory=list)
    lines_refused: list[int] = field(default_factory=list)
    suppressions: list[str] = field(default_factory=list)
    memberships: dict[tuple[str, str], Line | None] = field(default_factory=dict)

    def members(self) -> list[tuple[str, str]]:
        """(segment, contact) pairs at the end."""
        return [(member["segment_id"], member["contact_id"]) for member in self.run.members()]


class _Listening(Replay):
    """A replay that also keeps the values of segment-memberships as they were last written."""

    def __init__(self, settings: Settings, heard: Heard | None = None) -> None:
        self.written: dict[tuple[str, str], Line | None] = {}
        self.letters: list[tuple[int, str, str]] = []
        self.flags: list[Suppression] = []
        super().__init__(
            settings=settings,
            on_dead_letter=lambda line, letter: self.letters.append((line, letter.code, letter.path)),
            on_suppression=self.flags.append,
        )

    def change(self, change: MembershipChange) -> None:
        super().change(change)
        self.membership(change)

    def membership(self, change: MembershipChange) -> None:
        self.written[change.segment_id, change.contact_id] = change.membership()


def heard(*lines: Line | bytes, until: str | None = None, **settings: Any) -> Heard:
    """Replay the lines, as text or parsed, with the engine alone."""
    run = _Listening(Settings(**{"timezone": "Asia/Shanghai", **settings}))
    for line in lines:
        run.line(line)
    run.settle_definitions()
    if until is not None:
        run.run_to(ms(until))
    return Heard(
        run,
        [told(change.wire()) for change in run.changes],
        [(code, path) for _, code, path in run.letters],
        [line for line, _, _ in run.letters],
        [
            f"{said(format_ms(flag.effective_ms))} {flag.contact_id} {flag.channel} "
            f"{'off' if flag.suppressed else 'on'}"
            for flag in run.flags
        ],
        run.written,
    )


def _engine_changes(*lines: Line, **settings: Any) -> list[Line]:
    return [change.wire() for change in heard(*lines, **settings).run.changes]


engine_changes = Replayed(_engine_changes)
"""Stands in for `changes_of` where the reference has no answer: it knows no RE2."""


def refused(condition: Condition, **more: Any) -> tuple[str, str] | None:
    """Why a definition with this condition is refused: its code, and the path within the condition."""
    found = heard(segment(condition, **more)).refusals
    if not found:
        return None
    ((code, path),) = found
    return code, path.removeprefix("clusters[0].conditions[0]").removeprefix(".")
