"""The occurrences of an event in an explanation: the ones that count and the ones that do not.

If there are many, only the latest ones are named. Occurrences that do not count are counted by their reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from streamseg.json_text import Json
from streamseg.language.conditions.matching import Matcher, Where
from streamseg.language.conditions.windows import Window
from streamseg.records.inputs import Event
from streamseg.times import format_ms

MOST_OCCURRENCES: Final = 100
"""How many occurrences of one condition are named, the latest ones."""

_LONGEST_VALUE: Final = 100
"""How many characters of a value are shown."""


def named(event_id: str, occurred_ms: int) -> Json:
    """Return the name of an occurrence in an explanation: its id and its time."""
    return {"event_id": event_id, "occurred_at": format_ms(occurred_ms)}


class Sorting:
    """The occurrences of an event, ascending.

    passed    the occurrences that pass `where`
    inside    the occurrences of `passed` that are in the window now
    left_out  reason -> the number of occurrences left out for it, and the latest of them
    """

    __slots__ = ("inside", "left_out", "now_ms", "passed")

    def __init__(
        self,
        now_ms: int,
    ) -> None:
        self.now_ms = now_ms
        self.passed: list[Event] = []
        self.inside: list[Event] = []
        self.left_out: dict[str, Json] = {}

    def leave_out(self, why: str, event: Event, value: Any = None, **more: Any) -> None:
        """Count an occurrence as left out. `value` is the value that was the reason; `more` is added to the
        name of the occurrence."""
        entry = self.left_out.setdefault(why, {"why": why, "count": 0})
        entry["count"] += 1
        entry["latest"] = {**named(event.event_id, event.occurred_ms), **more}
        if isinstance(value, (str, bool)):
            # Lists and objects may be long, and it is clear without them that they are not numbers.
            entry["latest"]["value"] = _cut(value)

    def sort(self, events: Iterable[Event], matcher: Matcher, window: Window) -> None:
        """Sort the events that have the matcher's name."""
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
        """Return the occurrences that passed and those that were left out, as JSON of an explanation."""
        shown = self.passed[-MOST_OCCURRENCES:]
        found: Json = {"occurrences": [named(one.event_id, one.occurred_ms) for one in shown]}
        if self.left_out:
            found["left_out"] = list(self.left_out.values())
        return found


def failed_tests(where: Where | None, event: Event, now_ms: int) -> list[int]:
    """Return the indexes in `where` of the tests that an occurrence fails."""
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
    """Return why a time is not in a window now; None if it is."""
    span = window.span(at_ms)
    if span is None:
        return "outside_window"
    enter_ms, leave_ms = span
    if now_ms < enter_ms:
        return "not_yet"
    return "too_old" if leave_ms <= now_ms else None
