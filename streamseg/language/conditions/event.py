"""Event conditions: counts, aggregates and selections over matching occurrences.

Each keeps a summary in the contact that answers it exactly at any later time:

count, window that slides   the latest n (or n + 1) times that have entered the window, and those to come
count, fixed window         a counter that stops at n (or n + 1)
aggregate, fixed window     the running sum, count, extreme or set of distinct values
anything else               the occurrences that may still count: [t, event id, value, tested values]
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Any

from streamseg.contact.contact import Contact
from streamseg.language.conditions.aggregates import Aggregate, RunningAggregate
from streamseg.language.conditions.base import EventFed, Forecast
from streamseg.language.conditions.matching import Matcher, Where
from streamseg.language.conditions.windows import Window
from streamseg.records.inputs import Event
from streamseg.times import MAX_MS, NEVER_MS


class CountCondition(EventFed):
    """At least (`exact`: exactly) `number` occurrences lie in the window; tests do not move."""

    __slots__ = ("exact", "kept", "matcher", "number", "window")

    def __init__(self, matcher: Matcher, window: Window, number: int, *, exact: bool) -> None:
        super().__init__(("count", matcher.key, window.key, number, exact), inert=number > 0)
        self.matcher = matcher
        self.window = window
        self.number = number
        self.exact = exact
        self.kept = number + 1 if exact else number

    def _answer(self, count: int) -> bool:
        return count == self.number if self.exact else count >= self.number

    def reaches(self, at_ms: int, now_ms: int) -> bool:
        return self.window.reaches(at_ms, now_ms)

    def feed(self, contact: Contact, event: Event, now_ms: int) -> bool:
        if not self.matcher.matches(event):
            return False
        span = self.window.span(event.occurred_ms)
        if span is None or span[1] <= now_ms:
            return False
        summaries = contact.body.summaries
        if self.window.fixed:
            count = summaries.get(self.id, 0)
            if count >= self.kept:
                return False
            summaries[self.id] = count + 1
            return True
        times = summaries.get(self.id)
        if times is None:
            summaries[self.id] = [event.occurred_ms]
        else:
            insort(times, event.occurred_ms)
        return True

    def evaluate(self, contact: Contact, now_ms: int) -> tuple[bool, int | None]:
        summaries = contact.body.summaries
        if self.window.fixed:
            return self._answer(summaries.get(self.id, 0)), None
        times: list[int] | None = summaries.get(self.id)
        if times is None:
            return self._answer(0), None
        active, next_ms = self._age(times, now_ms)
        if not times:
            del summaries[self.id]
        return self._answer(active), next_ms

    def _age(self, times: list[int], now_ms: int) -> tuple[int, int | None]:
        """Drop the times that can no longer matter; count those in the window, and when that changes."""
        span = self.window.span
        entered, gone, next_ms = 0, 0, MAX_MS
        for at_ms in times:
            enter_ms, leave_ms = span(at_ms) or (MAX_MS, 0)
            if leave_ms <= now_ms:
                gone += 1
            elif enter_ms <= now_ms:
                entered += 1
                next_ms = min(next_ms, leave_ms)
            else:
                next_ms = min(next_ms, enter_ms)
                break
        surplus = max(entered - self.kept, 0)
        if gone or surplus:
            del times[: gone + surplus]
        if surplus:
            entered -= surplus
            leaves = (span(times[0]) or (0, MAX_MS))[1] if entered else MAX_MS
            enters = (span(times[entered]) or (MAX_MS, 0))[0] if len(times) > entered else MAX_MS
            next_ms = min(leaves, enters)
        if not self.exact and entered < self.number:
            # Too few are in the window: only one that is still to enter can change the answer.
            next_ms = (span(times[entered]) or (MAX_MS, 0))[0] if len(times) > entered else MAX_MS
        return entered, next_ms if next_ms < MAX_MS else None


class RunningCondition(EventFed):
    """An aggregate over a fixed window: the summary is the running aggregate; tests do not move."""

    __slots__ = ("judge", "matcher", "running", "window")

    def __init__(self, matcher: Matcher, window: Window, running: RunningAggregate) -> None:
        super().__init__(
            ("running", matcher.key, window.key, running.key), inert=not running.judge(running.result(None))
        )
        self.matcher = matcher
        self.window = window
        self.running = running

    def reaches(self, at_ms: int, now_ms: int) -> bool:
        return self.window.reaches(at_ms, now_ms)

    def feed(self, contact: Contact, event: Event, now_ms: int) -> bool:
        if not self.matcher.matches(event) or self.window.span(event.occurred_ms) is None:
            return False
        summaries = contact.body.summaries
        fed = False
        for value, _ in self.running.values.of(event.properties):
            summaries[self.id] = self.running.add(summaries.get(self.id), value)
            fed = True
        return fed

    def evaluate(self, contact: Contact, now_ms: int) -> tuple[bool, int | None]:
        return self.running.judge(self.running.result(contact.body.summaries.get(self.id))), None


class LogCondition(EventFed):
    """A condition that keeps its occurrences, [t, event id, value, tested values], ordered, and judges
    those in the window; `cap` of them at most, the oldest dropped first."""

    __slots__ = ("cap", "matcher", "moving", "window")

    def __init__(
        self, key: tuple[Any, ...], matcher: Matcher, window: Window, cap: int, *, inert: bool, moving: bool
    ) -> None:
        super().__init__((*key, matcher.key, window.key), inert=inert)
        self.matcher = matcher
        self.window = window
        self.cap = cap
        self.moving = moving

    def entries(self, event: Event) -> Iterator[tuple[Any, Any]]:
        """What to keep of an occurrence besides its time, as value and tested values; none where it is left
        out."""
        raise NotImplementedError

    def counts(self, tested: Any, now_ms: int) -> tuple[bool, int | None]:
        """Whether what is kept counts at `now_ms` by its tested values, and when that may change."""
        return self.matcher.at(tested, now_ms)

    def judge(self, occurrences: list[list[Any]]) -> bool:
        """The answer over what is kept in the window, in its order."""
        raise NotImplementedError

    def reaches(self, at_ms: int, now_ms: int) -> bool:
        return self.window.reaches(at_ms, now_ms)

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
        """Of the entries that lie in the window, those that can still decide the answer: all leave the
        window in their order, unless a test moves."""
        return entered

    def evaluate(self, contact: Contact, now_ms: int) -> tuple[bool, int | None]:
        summaries = contact.body.summaries
        log: list[list[Any]] = summaries.get(self.id, [])
        entered: list[list[Any]] = []
        coming: list[list[Any]] = []
        for entry in log:
            enter_ms, leave_ms = self.window.span(entry[0]) or (MAX_MS, 0)
            if leave_ms > now_ms:
                (entered if enter_ms <= now_ms else coming).append(entry)
        if not self.moving:
            entered = self.thin(entered)
        if len(entered) + len(coming) != len(log):
            summaries[self.id] = entered + coming
        if log and not entered and not coming:
            del summaries[self.id]
        counted: list[list[Any]] = []
        next_ms = (self.window.span(coming[0][0]) or (MAX_MS, 0))[0] if coming else MAX_MS
        answers: dict[str, tuple[bool, int | None]] = {}
        for entry in entered:
            # Occurrences with the same tested values have the same answer.
            key = repr(entry[3])
            answer = answers.get(key)
            if answer is None:
                answer = answers[key] = self.counts(entry[3], now_ms)
            counts, flips_ms = answer
            next_ms = min(next_ms, (self.window.span(entry[0]) or (0, MAX_MS))[1], flips_ms or MAX_MS)
            if counts:
                counted.append(entry)
        return self.judge(counted), next_ms if next_ms < MAX_MS else None


class LoggedCount(LogCondition):
    """A count whose `where` moves with the clock."""

    __slots__ = ("exact", "number")

    def __init__(self, matcher: Matcher, window: Window, number: int, *, exact: bool, cap: int) -> None:
        super().__init__(
            ("logged count", number, exact),
            matcher,
            window,
            cap,
            inert=number > 0,
            moving=matcher.moving,
        )
        self.number = number
        self.exact = exact

    def entries(self, event: Event) -> Iterator[tuple[Any, Any]]:
        yield True, self.matcher.payload(event)

    def judge(self, occurrences: list[list[Any]]) -> bool:
        return self.answer(len(occurrences))

    def answer(self, count: int) -> bool:
        """The answer where so many occurrences count."""
        return count == self.number if self.exact else count >= self.number

    def forecast(self, contact: Contact) -> Forecast:
        return _CountForecast(self, contact)


class _CountForecast(Forecast):
    """Looks again only at what changes. Occurrences with the same tested values turn together, so those that
    turn for ever, as anniversaries do, cost as much as there are different ones."""

    __slots__ = ("_answers", "_count", "_inside", "_logged", "_passing", "_times", "_turns")

    def __init__(self, condition: LoggedCount, contact: Contact) -> None:
        super().__init__(condition, contact)
        self._logged = condition
        self._count = 0
        # By tested values: those, how many occurrences with them lie in the window, and whether they count.
        self._answers: dict[str, Any] = {}
        self._inside: Counter[str] = Counter()
        self._passing: set[str] = set()
        # What is to be looked at, by time: an answer on tested values; an occurrence that enters or leaves.
        self._turns: list[tuple[int, str]] = []
        self._times: list[tuple[int, int, str]] = []
        for at_ms, _, _, tested in contact.body.summaries.get(condition.id, []):
            key = repr(tested)
            self._answers[key] = tested
            enter_ms, leave_ms = condition.window.span(at_ms) or (NEVER_MS, 0)
            if enter_ms < leave_ms:
                self._times += ((enter_ms, 1, key), (leave_ms, -1, key))
        heapify(self._times)

    def at(self, now_ms: int) -> tuple[bool, int | None]:
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
        return self._logged.answer(self._count), next_ms if next_ms < NEVER_MS else None

    def _turn(self, key: str, now_ms: int) -> None:
        if not self._inside[key]:
            # Asked again when the next occurrence enters.
            self._passing.discard(key)
            return
        counts, next_ms = self._logged.counts(self._answers[key], now_ms)
        if counts != (key in self._passing):
            self._count += self._inside[key] if counts else -self._inside[key]
            self._passing ^= {key}
        if next_ms is not None:
            heappush(self._turns, (next_ms, key))


class AggregateCondition(LogCondition):
    """An aggregate over a window that slides, or over tests that move.

    The tested values are those of `where`; where tests inside elements move, [those, those of the element].
    """

    __slots__ = ("aggregate",)

    def __init__(self, matcher: Matcher, window: Window, aggregate: Aggregate, cap: int) -> None:
        super().__init__(
            ("aggregate", aggregate.key),
            matcher,
            window,
            cap,
            inert=not aggregate.judge(aggregate.over([])),
            moving=matcher.moving or aggregate.values.moving,
        )
        self.aggregate = aggregate

    def entries(self, event: Event) -> Iterator[tuple[Any, Any]]:
        payload, inside = self.matcher.payload(event), self.aggregate.values.moving
        for value, tested in self.aggregate.values.of(event.properties):
            yield value, [payload, tested] if inside else payload

    def counts(self, tested: Any, now_ms: int) -> tuple[bool, int | None]:
        if not self.aggregate.values.moving:
            return self.matcher.at(tested, now_ms)
        answers = (self.matcher.at(tested[0], now_ms), self.aggregate.values.at(tested[1], now_ms))
        nexts = [next_ms for _, next_ms in answers if next_ms is not None]
        return all(answer for answer, _ in answers), min(nexts, default=None)

    def judge(self, occurrences: list[list[Any]]) -> bool:
        return self.aggregate.judge(self.aggregate.over([entry[2] for entry in occurrences]))

    def overflow(self, log: list[list[Any]]) -> None:
        """What was counted stays counted: the oldest value is added to the one after it, and ages with it."""
        if not self.moving and self.aggregate.adds:
            log[1][2] = self.aggregate.together(log[0][2], log[1][2])
        del log[0]

    def thin(self, entered: list[list[Any]]) -> list[list[Any]]:
        """An extreme that a later occurrence equals or beats, and an earlier one of a distinct value, can
        decide nothing any more."""
        return self.aggregate.thin(entered, lambda entry: entry[2])


class SelectCondition(EventFed):
    """Of all occurrences that pass `where`, the first or last must lie in the window and pass `has`.

    Summary: the one occurrence, [t, event id, tested values of where, of has]; all of them where `where`
    moves with the clock.
    """

    __slots__ = ("cap", "has", "last", "matcher", "window")

    def __init__(self, matcher: Matcher, window: Window, *, last: bool, has: Where | None, cap: int) -> None:
        super().__init__(
            ("select", matcher.key, window.key, last, has.key if has is not None else None), inert=True
        )
        self.matcher = matcher
        self.window = window
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

    def evaluate(self, contact: Contact, now_ms: int) -> tuple[bool, int | None]:
        chosen, next_ms = None, MAX_MS
        for entry in contact.body.summaries.get(self.id, []):
            matches, flips_ms = self.matcher.at(entry[2], now_ms)
            next_ms = min(next_ms, flips_ms or MAX_MS)
            if matches and (self.last or chosen is None):
                chosen = entry
        if chosen is None:
            return False, next_ms if next_ms < MAX_MS else None
        enter_ms, leave_ms = self.window.span(chosen[0]) or (MAX_MS, 0)
        holds = enter_ms <= now_ms < leave_ms
        if now_ms < leave_ms:
            next_ms = min(next_ms, leave_ms if enter_ms <= now_ms else enter_ms)
        if self.has is not None:
            passes, flips_ms = self.has.at(chosen[3], now_ms)
            next_ms = min(next_ms, flips_ms or MAX_MS)
            holds = holds and passes
        return holds, next_ms if next_ms < MAX_MS else None
