"""Conditions that compare an aggregate of the occurrences in a window with a bound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from streamseg.contact.contact import Contact
from streamseg.language.answer import NO, YES, Answer, earliest_ms
from streamseg.language.conditions.aggregates import Aggregate, Result, RunningAggregate, Total, total_of
from streamseg.language.conditions.base import Forecast
from streamseg.language.conditions.logs import LogCondition
from streamseg.language.conditions.matched import WindowCondition
from streamseg.language.conditions.matching import Matcher
from streamseg.language.conditions.occurrences import Sorting, outside
from streamseg.language.conditions.readings import no_number
from streamseg.language.conditions.windows import Window
from streamseg.language.numbers import compact, exact, exact_sum
from streamseg.records.inputs import Event
from streamseg.times import MAX_MS


class RunningCondition(WindowCondition):
    """An aggregate over a fixed window, with tests that do not depend on the clock. The summary is the
    running aggregate."""

    __slots__ = ("running",)

    def __init__(self, matcher: Matcher, window: Window, running: RunningAggregate) -> None:
        key = ("running", matcher.key, window.key, running.key)
        super().__init__(
            key, matcher, window, false_for_unknown=not running.meets_bound(running.result(None))
        )
        self.running = running

    def feed(self, contact: Contact, event: Event, now_ms: int) -> bool:
        if not self.matcher.matches(event) or self.window.span(event.occurred_ms) is None:
            return False
        summaries = contact.body.summaries
        fed = False
        for value, _ in self.running.values.of(event.properties):
            summaries[self.id] = self.running.add(summaries.get(self.id), value)
            fed = True
        return fed

    def age(self, contact: Contact, now_ms: int) -> None:
        """Drop nothing. No part of a running aggregate ever becomes superfluous."""

    def answer_from(self, summary: Any, now_ms: int) -> Answer:
        return YES if self.running.meets_bound(self.running.result(summary)) else NO

    def evidence(self, contact: Contact, events: Iterable[Event], now_ms: int) -> dict[str, Any]:
        result = self.running.result(contact.body.summaries.get(self.id))
        return _evidence(self.running, result, self.sorting(events, now_ms))


class AggregateCondition(LogCondition):
    """An aggregate over a sliding window, or with tests that depend on the clock.

    The tested values of an entry are those of `where`. If tests inside elements depend on the clock, they are
    [values of `where`, values of the element].
    """

    __slots__ = ("aggregate",)

    def __init__(self, matcher: Matcher, window: Window, aggregate: Aggregate, cap: int) -> None:
        super().__init__(
            ("aggregate", aggregate.key),
            matcher,
            window,
            cap,
            false_for_unknown=not aggregate.meets_bound(aggregate.over([])),
            moving=matcher.moving or aggregate.values.moving,
        )
        self.aggregate = aggregate

    def entries(self, event: Event) -> Iterator[tuple[Any, Any]]:
        payload, inside = self.matcher.payload(event), self.aggregate.values.moving
        for value, tested in self.aggregate.values.of(event.properties):
            yield value, [payload, tested] if inside else payload

    def counts(self, tested: Any, now_ms: int) -> Answer:
        if not self.aggregate.values.moving:
            return self.matcher.at(tested, now_ms)
        answers = (self.matcher.at(tested[0], now_ms), self.aggregate.values.at(tested[1], now_ms))
        return Answer(all(one.holds for one in answers), earliest_ms(*answers))

    def holds_for(self, occurrences: list[list[Any]]) -> bool:
        return self.aggregate.meets_bound(self.aggregate.over([entry[2] for entry in occurrences]))

    def overflow(self, log: list[list[Any]]) -> None:
        """Make the log one entry shorter. If values can be added, the oldest value is added to the next one,
        so that it still counts until that one leaves the window."""
        if not self.moving and self.aggregate.adds:
            log[1][2] = self.aggregate.together(log[0][2], log[1][2])
        del log[0]

    def forecast(self, contact: Contact) -> Forecast:
        log = contact.body.summaries.get(self.id)
        if self.moving or not self.aggregate.adds or not log:
            return super().forecast(contact)
        return _TotalForecast(self, contact, log)

    def thin(self, entered: list[list[Any]]) -> list[list[Any]]:
        """Return the entries that can still decide the answer. For `min` and `max`, a value that a later
        entry equals or beats cannot; for `distinct`, a value that a later entry repeats cannot."""
        return self.aggregate.thin(entered, lambda entry: entry[2])

    def evidence(self, contact: Contact, events: Iterable[Event], now_ms: int) -> dict[str, Any]:
        sorting = self.sorting(events, now_ms)
        kept = contact.body.summaries.get(self.id, [])
        counted = [
            entry[2]
            for entry in kept
            if outside(self.window, entry[0], now_ms) is None and self.counts(entry[3], now_ms).holds
        ]
        return _evidence(self.aggregate, self.aggregate.over(counted), sorting)


class _TotalForecast(Forecast):
    """A forecast of a sum or an average. Occurrences enter the window and leave it in their order, so each is
    added once and taken away once."""

    __slots__ = ("_aggregate", "_entered", "_left", "_spans", "_sum", "_totals", "_values")

    def __init__(self, condition: AggregateCondition, contact: Contact, log: list[list[Any]]) -> None:
        super().__init__(condition, contact)
        self._aggregate = condition.aggregate
        self._spans = [condition.window.span(entry[0]) or (MAX_MS, 0) for entry in log]
        self._totals = [total_of(entry[2]) for entry in log]
        self._entered = self._left = self._values = 0
        self._sum = Decimal(0)

    def at(self, now_ms: int) -> Answer:
        spans, count, before = self._spans, len(self._spans), self._entered + self._left
        while self._entered < count and spans[self._entered][0] <= now_ms:
            self._add(self._totals[self._entered], 1)
            self._entered += 1
        while self._left < self._entered and spans[self._left][1] <= now_ms:
            self._add(self._totals[self._left], -1)
            self._left += 1
        self.cost = self._entered + self._left - before + 1
        next_ms = MAX_MS
        if self._entered < count:
            next_ms = min(next_ms, spans[self._entered][0])
        if self._left < self._entered:
            next_ms = min(next_ms, spans[self._left][1])
        holds = self._aggregate.meets_bound(self._aggregate.of_total(Total(self._sum, self._values)))
        return Answer(holds, next_ms if next_ms < MAX_MS else None)

    def _add(self, total: Total, sign: int) -> None:
        self._sum = exact_sum(self._sum, total.sum if sign > 0 else total.sum.copy_negate())
        self._values += sign * total.values


def _evidence(aggregate: Aggregate, result: Result, sorting: Sorting) -> dict[str, Any]:
    """Return the evidence of an aggregate. Values in the window that do not count are left out."""
    for event in sorting.inside:
        for why, value in aggregate.values.left_out(event.properties, sorting.now_ms):
            more = no_number(value) if why == "no_number" else {}
            sorting.leave_out(more.pop("why", why), event, value, **more)
    return {"reached": {"what": aggregate.function, "value": _figure(result)}, **sorting.wire()}


def _figure(result: Result) -> int | float | str | None:
    """Return a result as JSON: a number, or its text if no JSON number is written as it."""
    if isinstance(result, Total):
        return compact(exact(float(result.average())))
    return compact(result) if isinstance(result, Decimal) else result
