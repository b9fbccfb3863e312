"""The occurrences of an event, those that count and those that do not, for explanations.

Of many occurrences the latest are named, and what is left out is counted by its reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from streamseg.json_text import Json
from streamseg.language.conditions.matching import Matcher, Where
from streamseg.language.conditions.windows import Window
from streamseg.records.inputs import Event
from streamseg.times import format_ms

MOST_OCCURRENCES: Final = 100
"""Occurrences that are named of one condition, the latest ones."""

_LONGEST_VALUE: Final = 100
"""Characters of a value that are shown."""


def named(event_id: str, occurred_ms: int) -> Json:
    """How an occurrence is named."""
    return {"event_id": event_id, "occurred_at": format_ms(occurred_ms)}


@dataclass(slots=True)
class Sorting:
    """The occurrences of an event, ascending.

    passed    those that pass `where`
    inside    those of them that lie in the window now
    left_out  why -> how many of the others there are, and the latest of them
    """

    now_ms: int
    passed: list[Event] = field(default_factory=list)
    inside: list[Event] = field(default_factory=list)
    left_out: dict[str, Json] = field(default_factory=dict)

    def leave_out(self, why: str, event: Event, value: Any = None, **more: Any) -> None:
        """Count an occurrence as left out; `value` is what made it so, `more` goes with its name."""
        entry = self.left_out.setdefault(why, {"why": why, "count": 0})
        entry["count"] += 1
        entry["latest"] = {**named(event.event_id, event.occurred_ms), **more}
        if isinstance(value, (str, bool)):
            # Lists and objects may be long; that they are no numbers goes without saying.
            entry["latest"]["value"] = _cut(value)

    def sort(self, events: Iterable[Event], matcher: Matcher, window: Window) -> None:
        """Take in those of the events that bear the matcher's name."""
        for event in events:
            if not matcher.named(event):
                continue
            passes, _ = matcher.at(matcher.payload(event), self.now_ms)
            if not (passes and matcher.matches(event)):
                self.leave_out("not_passed", event, failed=failed_tests(matcher.where, event, self.now_ms))
                continue
            self.passed.append(event)
            why = outside(window, event.occurred_ms, self.now_ms)
            if why is None:
                self.inside.append(event)
            else:
                self.leave_out(why, event)

    def wire(self) -> Json:
        """The occurrences that passed and what was left out, as they stand in an explanation."""
        shown = self.passed[-MOST_OCCURRENCES:]
        told: Json = {"occurrences": [named(one.event_id, one.occurred_ms) for one in shown]}
        if self.left_out:
            told["left_out"] = list(self.left_out.values())
        return told


def failed_tests(where: Where | None, event: Event, now_ms: int) -> list[int]:
    """Which tests an occurrence fails, by their places in `where`."""
    if where is None:
        return []
    kept = where.extract(event.properties)
    tests = enumerate(zip(where.tests, kept, strict=True))
    return [index for index, (test, value) in tests if not test.at_kept(value, now_ms)[0]]


def _cut(value: str | bool) -> str | bool:
    if isinstance(value, str) and len(value) > _LONGEST_VALUE:
        return value[:_LONGEST_VALUE] + "…"
    return value


def outside(window: Window, at_ms: int, now_ms: int) -> str | None:
    """Why a time does not lie in a window now; None where it does."""
    span = window.span(at_ms)
    if span is None:
        return "outside_window"
    enter_ms, leave_ms = span
    if now_ms < enter_ms:
        return "not_yet"
    return "too_old" if leave_ms <= now_ms else None
