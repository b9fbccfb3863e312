"""Conditions on the number of occurrences in a window.

If the tests do not depend on the clock, the summary is a list of times: the latest n (n + 1 for exactly n)
times that have entered the window, and all times that have not entered it yet. In a fixed window the summary
is a counter that stops at that number.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush
from typing import Any

from streamseg.contact.contact import Contact
from streamseg.language.answer import NO, YES, Answer
from streamseg.language.conditions.base import Forecast
from streamseg.language.conditions.logs import LogCondition
from streamseg.language.conditions.matched import WindowCondition
from streamseg.language.conditions.matching import Matcher
from streamseg.language.conditions.occurrences import Sorting
from streamseg.language.conditions.windows import Window
from streamseg.records.inputs import Event
from streamseg.times import MAX_MS, NEVER_MS

_NEVER = (MAX_MS, 0)
"""The span of now for a time that is never in the window."""


class _PlainCount(WindowCondition):
    """The condition that at least (`exact`: exactly) `number` occurrences are in the window. Its tests do not
    depend on the clock.

    kept  how many occurrences in the window have to be known to answer
    """

    __slots__ = ("exact", "kept", "number")

    def __init__(self, matcher: Matcher, window: Window, number: int, *, exact: bool) -> None:
        key = ("count", matcher.key, window.key, number, exact)
        super().__init__(key, matcher, window, false_for_unknown=number > 0)
        self.number = number
        self.exact = exact
        self.kept = number + 1 if exact else number

    def _holds(self, count: int) -> bool:
        return count == self.number if self.exact else count >= self.number


class CounterCondition(_PlainCount):
    """A count in a fixed window. The summary is a counter that stops at `kept`."""

    __slots__ = ()

    def age(self, contact: Contact, now_ms: int) -> None:
        """Drop nothing. No part of a counter ever becomes superfluous."""

    def feed(self, contact: Contact, event: Event, now_ms: int) -> bool:
        if not self.matcher.matches(event):
            return False
        span = self.window.span(event.occurred_ms)
        if span is None or span[1] <= now_ms:
            return False
        summaries = contact.body.summaries
        count = summaries.get(self.id, 0)
        if count >= self.kept:
            return False
        summaries[self.id] = count + 1
        return True

    def answer_from(self, summary: Any, now_ms: int) -> Answer:
        return YES if self._holds(summary or 0) else NO

    def evidence(self, contact: Contact, events: Iterable[Event], now_ms: int) -> dict[str, Any]:
        sorting = self.sorting(events, now_ms)
        # An event that was counted stays counted, also when it is no longer kept.
        count = max(len(sorting.inside), contact.body.summaries.get(self.id, 0))
        return {"reached": {"what": "count", "value": count}, **sorting.wire()}


class CountCondition(_PlainCount):
    """A count in a sliding window. The summary is the latest `kept` times in the window, and all times that
    have not entered it yet, ascending."""

    __slots__ = ()

    def feed(self, contact: Contact, event: Event, now_ms: int) -> bool:
        if not self.matcher.matches(event):
            return False
        span = self.window.span(event.occurred_ms)
        if span is None or span[1] <= now_ms:
            return False
        summaries = contact.body.summaries
        times = summaries.get(self.id)
        if times is None:
            summaries[self.id] = [event.occurred_ms]
        else:
            insort(times, event.occurred_ms)
        return True

    def aged(self, summary: Any, now_ms: int) -> Any:
        times: list[int] = summary
        span = self.window.span
        if len(times) <= self.kept and (span(times[0]) or _NEVER)[1] > now_ms:
            return times
        gone, entered = 0, 0
        for at_ms in times:
            enter_ms, leave_ms = span(at_ms) or _NEVER
            if leave_ms <= now_ms:
                gone += 1
            elif enter_ms <= now_ms:
                entered += 1
            else:
                break
        dropped = gone + max(entered - self.kept, 0)
        return (times[dropped:] or None) if dropped else times

    def answer_from(self, summary: Any, now_ms: int) -> Answer:
        times: list[int] = summary or []
        span = self.window.span
        leaves: list[int] = []
        enters_ms = MAX_MS
        # Times enter and leave the window in their order.
        for at_ms in times:
            enter_ms, leave_ms = span(at_ms) or _NEVER
            if enter_ms > now_ms:
                enters_ms = enter_ms
                break
            if leave_ms > now_ms:
                leaves.append(leave_ms)
        entered = len(leaves)
        if entered > self.kept:
            entered = self.kept
        next_ms = enters_ms
        # If too few times are in the window, only a time that enters it can change the answer.
        if entered and (self.exact or entered >= self.number) and leaves[-entered] < enters_ms:
            next_ms = leaves[-entered]
        return Answer(self._holds(entered), next_ms if next_ms < MAX_MS else None)

    def evidence(self, contact: Contact, events: Iterable[Event], now_ms: int) -> dict[str, Any]:
        return _counted(self.sorting(events, now_ms))


class LoggedCount(LogCondition):
    """A count whose `where` depends on the clock."""

    __slots__ = ("exact", "number")

    def __init__(self, matcher: Matcher, window: Window, number: int, *, exact: bool, cap: int) -> None:
        super().__init__(
            ("logged count", number, exact),
            matcher,
            window,
            cap,
            false_for_unknown=number > 0,
            moving=matcher.moving,
        )
        self.number = number
        self.exact = exact

    def entries(self, event: Event) -> Iterator[tuple[Any, Any]]:
        yield True, self.matcher.payload(event)

    def holds_for(self, occurrences: list[list[Any]]) -> bool:
        return self.holds(len(occurrences))

    def holds(self, count: int) -> bool:
        """Return whether the condition holds if `count` occurrences count."""
        return count == self.number if self.exact else count >= self.number

    def forecast(self, contact: Contact) -> Forecast:
        return _CountForecast(self, contact)

    def evidence(self, contact: Contact, events: Iterable[Event], now_ms: int) -> dict[str, Any]:
        return _counted(self.sorting(events, now_ms))


def _counted(sorting: Sorting) -> dict[str, Any]:
    """Return the evidence of a count that is made anew from the events in the window."""
    return {"reached": {"what": "count", "value": len(sorting.inside)}, **sorting.wire()}


class _CountForecast(Forecast):
    """A forecast that evaluates only what changes. Occurrences with the same tested values change together,
    so the cost depends on the number of different values, also if they change for ever, as anniversaries
    do."""

    __slots__ = ("_answers", "_count", "_inside", "_logged", "_passing", "_times", "_turns")

    def __init__(self, condition: LoggedCount, contact: Contact) -> None:
        super().__init__(condition, contact)
        self._logged = condition
        self._count = 0
        # Key of tested values -> the values; -> the number of occurrences with them in the window; the keys
        # of the values that count now.
        self._answers: dict[str, Any] = {}
        self._inside: Counter[str] = Counter()
        self._passing: set[str] = set()
        # Two heaps by time: when tested values have to be evaluated; when an occurrence enters (1) or leaves
        # (-1) the window.
        self._turns: list[tuple[int, str]] = []
        self._times: list[tuple[int, int, str]] = []
        for at_ms, _, _, tested in contact.body.summaries.get(condition.id, []):
            key = repr(tested)
            self._answers[key] = tested
            enter_ms, leave_ms = condition.window.span(at_ms) or (NEVER_MS, 0)
            if enter_ms < leave_ms:
                self._times += ((enter_ms, 1, key), (leave_ms, -1, key))
        heapify(self._times)

    def at(self, now_ms: int) -> Answer:
        self.cost = 0
        times, turns = self._times, self._turns
        while times and times[0][0] <= now_ms:
            _, more, key = heappop(times)
            if not self._inside[key]:
                heappush(turns, (now_ms, key))
            self._inside[key] += more
            if key in self._passing:
                self._count += more
            self.cost += 1
        while turns and turns[0][0] <= now_ms:
            _, key = heappop(turns)
            self._turn(key, now_ms)
            self.cost += 1
        next_ms = min(times[0][0] if times else NEVER_MS, turns[0][0] if turns else NEVER_MS)
        return Answer(self._logged.holds(self._count), next_ms if next_ms < NEVER_MS else None)

    def _turn(self, key: str, now_ms: int) -> None:
        if not self._inside[key]:
            # The values are evaluated again when the next occurrence with them enters.
            self._passing.discard(key)
            return
        counts, next_ms = self._logged.counts(self._answers[key], now_ms)
        if counts != (key in self._passing):
            self._count += self._inside[key] if counts else -self._inside[key]
            self._passing ^= {key}
        if next_ms is not None:
            heappush(self._turns, (next_ms, key))
