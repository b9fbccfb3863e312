"""The condition on the first or the last of all occurrences."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Any

from streamseg.contact.contact import Contact
from streamseg.language.answer import Answer
from streamseg.language.conditions.matched import MatchedCondition
from streamseg.language.conditions.matching import Matcher, Where
from streamseg.language.conditions.occurrences import failed_tests, named, outside
from streamseg.language.conditions.windows import Window
from streamseg.records.inputs import Event
from streamseg.times import MAX_MS


class SelectCondition(MatchedCondition):
    """The condition that the first or last of all occurrences that pass `where` is in the window and passes
    `has`.

    The summary has one entry, [t, event id, tested values of where, of has], for the first or last
    occurrence. If `where` depends on the clock, it has an entry for every occurrence.
    """

    __slots__ = ("cap", "has", "last")

    def __init__(self, matcher: Matcher, window: Window, *, last: bool, has: Where | None, cap: int) -> None:
        key = ("select", matcher.key, window.key, last, has.key if has is not None else None)
        super().__init__(key, matcher, window, false_for_unknown=True)
        self.last = last
        self.has = has
        self.cap = cap

    def feed(self, contact: Contact, event: Event, now_ms: int) -> bool:
        if not self.matcher.matches(event):
            return False
        tested = self.has.extract(event.properties) if self.has is not None else None
        entry = [event.occurred_ms, event.event_id, self.matcher.payload(event), tested]
        log = contact.body.summaries.setdefault(self.id, [])
        log.insert(bisect_left(log, entry[:2]), entry)
        if not self.matcher.moving and len(log) > 1:
            del log[1 - self.last]
        if len(log) > self.cap:
            del log[0 if self.last else -1]
            contact.capped += 1
        return True

    def age(self, contact: Contact, now_ms: int) -> None:
        """Drop nothing. The entry of the first or last occurrence never becomes superfluous."""

    def answer_from(self, summary: Any, now_ms: int) -> Answer:
        chosen, next_ms = None, MAX_MS
        for entry in summary or ():
            matches, flips_ms = self.matcher.at(entry[2], now_ms)
            next_ms = min(next_ms, MAX_MS if flips_ms is None else flips_ms)
            if matches and (self.last or chosen is None):
                chosen = entry
        if chosen is None:
            return Answer(False, next_ms if next_ms < MAX_MS else None)
        enter_ms, leave_ms = self.window.span(chosen[0]) or (MAX_MS, 0)
        holds = enter_ms <= now_ms < leave_ms
        if now_ms < leave_ms:
            next_ms = min(next_ms, leave_ms if enter_ms <= now_ms else enter_ms)
        if self.has is not None:
            passes, flips_ms = self.has.at(chosen[3], now_ms)
            next_ms = min(next_ms, MAX_MS if flips_ms is None else flips_ms)
            holds = holds and passes
        return Answer(holds, next_ms if next_ms < MAX_MS else None)

    def evidence(self, contact: Contact, events: Iterable[Event], now_ms: int) -> dict[str, Any]:
        sorting = self.sorting(events, now_ms)
        chosen = None if not sorting.passed else sorting.passed[-1 if self.last else 0]
        reached: dict[str, Any] = {"what": "selected", "value": None}
        if chosen is not None:
            reached["value"] = named(chosen.event_id, chosen.occurred_ms)
            why = outside(self.window, chosen.occurred_ms, now_ms)
            if why is not None:
                reached["why"] = why
            elif self.has is not None:
                passes, _ = self.has.at(self.has.extract(chosen.properties), now_ms)
                if not passes:
                    reached["why"] = "not_passed"
                    reached["failed"] = failed_tests(self.has, chosen, now_ms)
        return {"reached": reached, **sorting.wire()}
