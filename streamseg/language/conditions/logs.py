"""Conditions that keep a log of all occurrences that may still count."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

from streamseg.contact.contact import Contact
from streamseg.language.answer import Answer
from streamseg.language.conditions.matched import WindowCondition
from streamseg.language.conditions.matching import Matcher
from streamseg.language.conditions.windows import Window
from streamseg.records.inputs import Event
from streamseg.times import MAX_MS


class LogCondition(WindowCondition):
    """A condition whose summary is a log of its occurrences, and whose answer follows from the entries in the
    window. An entry is [t, event id, value, tested values]; entries are ordered.

    cap     the greatest number of entries; the oldest one is dropped first
    moving  whether a test depends on the clock
    """

    __slots__ = ("cap", "moving")

    def __init__(
        self,
        key: tuple[Any, ...],
        matcher: Matcher,
        window: Window,
        cap: int,
        *,
        false_for_unknown: bool,
        moving: bool,
    ) -> None:
        super().__init__(
            (*key, matcher.key, window.key), matcher, window, false_for_unknown=false_for_unknown
        )
        self.cap = cap
        self.moving = moving

    def entries(self, event: Event) -> Iterator[tuple[Any, Any]]:
        """Yield a value and tested values for each entry that an occurrence gives; nothing if it does not
        count."""
        raise NotImplementedError

    def counts(self, tested: Any, now_ms: int) -> Answer:
        """Return whether an entry counts at `now_ms` by its tested values, with the time at which this may
        change."""
        return self.matcher.at(tested, now_ms)

    def holds_for(self, occurrences: list[list[Any]]) -> bool:
        """Return the answer from the entries that count, in their order."""
        raise NotImplementedError

    def feed(self, contact: Contact, event: Event, now_ms: int) -> bool:
        if not self.matcher.matches(event):
            return False
        span = self.window.span(event.occurred_ms)
        if span is None or span[1] <= now_ms:
            return False
        fed = False
        for value, tested in self.entries(event):
            entry = [event.occurred_ms, event.event_id, value, tested]
            log = contact.body.summaries.setdefault(self.id, [])
            log.insert(bisect_left(log, entry[:2]), entry)
            if len(log) > self.cap:
                self.overflow(log)
                contact.capped += 1
            fed = True
        return fed

    def overflow(self, log: list[list[Any]]) -> None:
        """Make the log one entry shorter."""
        del log[0]

    def thin(self, entered: list[list[Any]]) -> list[list[Any]]:
        """Return the entries in the window that can still decide the answer. It is called only if no test
        depends on the clock, so entries leave the window in their order."""
        return entered

    def aged(self, summary: Any, now_ms: int) -> Any:
        entered: list[list[Any]] = []
        coming: list[list[Any]] = []
        for entry in summary:
            enter_ms, leave_ms = self.window.span(entry[0]) or (MAX_MS, 0)
            if leave_ms > now_ms:
                (entered if enter_ms <= now_ms else coming).append(entry)
        if not self.moving:
            entered = self.thin(entered)
        if len(entered) + len(coming) == len(summary):
            return summary
        return entered + coming or None

    def answer_from(self, summary: Any, now_ms: int) -> Answer:
        counted: list[list[Any]] = []
        next_ms = MAX_MS
        answers: dict[str, Answer] = {}
        for entry in summary or ():
            enter_ms, leave_ms = self.window.span(entry[0]) or (MAX_MS, 0)
            if leave_ms <= now_ms:
                continue
            if enter_ms > now_ms:
                next_ms = min(next_ms, enter_ms)
                continue
            next_ms = min(next_ms, leave_ms)
            if self.moving:
                # Occurrences with the same tested values have the same answer.
                key = repr(entry[3])
                answer = answers.get(key)
                if answer is None:
                    answer = answers[key] = self.counts(entry[3], now_ms)
                next_ms = min(next_ms, MAX_MS if answer.next_ms is None else answer.next_ms)
                if not answer.holds:
                    continue
            counted.append(entry)
        return Answer(self.holds_for(counted), next_ms if next_ms < MAX_MS else None)
