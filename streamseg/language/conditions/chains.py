"""Chains of occurrences: when they end, and which of them no occurrence of an absent step follows.

A chain has one occurrence for each step, each at a later place than the one before. Occurrences that were
derived from one record have the same place, so none of them follows another.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple


class Occurrence(NamedTuple):
    """An occurrence that matches some steps.

    at_ms   when it occurred (epoch ms)
    place   its rank in the order of all occurrences; equal for occurrences at the same place
    steps   the steps that it matches, as bits; the absent step has the last bit
    """

    at_ms: int
    place: int
    steps: int


def _by_place(occurrences: Iterable[Occurrence]) -> Iterator[list[Occurrence]]:
    return (list(group) for _, group in groupby(occurrences, key=lambda one: one.place))


class _Starts:
    """The chains that have reached one step. It finds the latest start of those that reached the step within
    the last `longest_ms`.

    Chains are added in the order of their ends. A deque keeps only the chains whose start is later than the
    start of every chain that ends after them, the latest start first."""

    __slots__ = ("_entries", "_longest_ms")

    def __init__(self, longest_ms: int | None) -> None:
        self._entries: deque[tuple[int, int]] = deque()
        self._longest_ms = longest_ms

    def add(self, end_ms: int, start_ms: int) -> None:
        entries = self._entries
        while entries and entries[-1][1] <= start_ms:
            entries.pop()
        entries.append((end_ms, start_ms))

    def latest(self, now_ms: int) -> int | None:
        entries = self._entries
        if self._longest_ms is not None:
            while entries and entries[0][0] < now_ms - self._longest_ms:
                entries.popleft()
        return entries[0][1] if entries else None


def chain_ends(
    occurrences: Sequence[Occurrence], count: int, within_ms: int, step_within_ms: int | None
) -> list[int]:
    """Return the times at which some chain of `count` steps ends. The last step is at most `within_ms` after
    the first, and each step at most `step_within_ms` (None: no limit) after the one before.

    Cost: O(steps · occurrences)."""
    starts = [_Starts(step_within_ms) for _ in range(count)]
    ends: list[int] = []
    for group in _by_place(occurrences):
        reached: list[tuple[int, int, int]] = []
        for one in group:
            for step in range(count):
                if not one.steps >> step & 1:
                    continue
                start_ms = one.at_ms if step == 0 else starts[step - 1].latest(one.at_ms)
                if start_ms is not None:
                    reached.append((step, one.at_ms, start_ms))
        for step, end_ms, start_ms in reached:
            starts[step].add(end_ms, start_ms)
            if step == count - 1 and end_ms - start_ms <= within_ms:
                ends.append(end_ms)
    return ends


class Absence:
    """The chains of `count` steps that no occurrence of the absent step follows until the deadline, which is
    `within_ms` after the first step. An occurrence at the same time as the last step follows the chain,
    unless it is a step of the chain.

    Of all chains with the same first step only the one that ends last has to be checked, because the fewest
    occurrences follow it.
    """

    __slots__ = ("_absent", "_count", "_occurrences", "_step_within_ms", "_steps", "_within_ms")

    def __init__(
        self, occurrences: Sequence[Occurrence], count: int, within_ms: int, step_within_ms: int | None
    ) -> None:
        self._occurrences = occurrences
        self._count = count
        self._within_ms = within_ms
        self._step_within_ms = step_within_ms
        self._steps = [[one for one in occurrences if one.steps >> step & 1] for step in range(count)]
        self._absent = [one.at_ms for one in occurrences if one.steps >> count & 1]

    def deadlines(self) -> list[int]:
        """Return the deadlines of the chains that were not followed, in no order.

        Cost: O(first steps · steps · log) without `step_within_ms`, else O(first steps · steps · occurrences
        within `within_ms`)."""
        return [
            first.at_ms + self._within_ms
            for index, first in enumerate(self._occurrences)
            if first.steps & 1 and self._is_not_followed(index)
        ]

    def _is_not_followed(self, index: int) -> bool:
        """Return whether some chain that begins with the occurrence at `index` was not followed."""
        first = self._occurrences[index]
        deadline_ms = first.at_ms + self._within_ms
        followers = bisect_right(self._absent, deadline_ms)
        latest_ms = self._absent[followers - 1] if followers else None
        end_ms = self._latest_end(index, deadline_ms, latest_ms)
        if end_ms is None:
            return False
        if latest_ms is None or latest_ms < end_ms:
            return True
        return latest_ms == end_ms and self._takes_all(index, end_ms)

    def _latest_end(self, index: int, deadline_ms: int, not_before_ms: int | None) -> int | None:
        """Return the latest end of a chain that begins at `index` and ends by the deadline. Return None if
        there is no chain, or none that ends at `not_before_ms` or later."""
        first = self._occurrences[index]
        if self._count == 1:
            return first.at_ms
        finals = self._steps[-1]
        last = bisect_right(finals, deadline_ms, key=_time) - 1
        if last < 0 or (not_before_ms is not None and finals[last].at_ms < not_before_ms):
            return None
        if self._step_within_ms is not None:
            return self._reached(index, deadline_ms + 1)[-1]
        place = first.place
        for step in self._steps[1:-1]:
            following = bisect_right(step, place, key=_place)
            if following == len(step):
                return None
            place = step[following].place
        return finals[last].at_ms if finals[last].place > place else None

    def _reached(self, index: int, before_ms: int) -> list[int | None]:
        """Return for each step the latest time before `before_ms` at which a chain that begins at `index`
        reaches it; None: no chain reaches it."""
        first = self._occurrences[index]
        longest_ms = self._within_ms if self._step_within_ms is None else self._step_within_ms
        reached: list[int | None] = [first.at_ms] + [None] * (self._count - 1)
        end = bisect_left(self._occurrences, before_ms, lo=index, key=_time)
        later = (one for one in self._occurrences[index + 1 : end] if one.place > first.place)
        for group in _by_place(later):
            found: list[int] = []
            for one in group:
                for step in range(1, self._count):
                    before = reached[step - 1]
                    if one.steps >> step & 1 and before is not None and one.at_ms - before <= longest_ms:
                        found.append(step)
            for step in found:
                reached[step] = group[0].at_ms
        return reached

    def _takes_all(self, index: int, end_ms: int) -> bool:
        """Return whether some chain that begins at `index` and ends at `end_ms` has all occurrences of the
        absent step at `end_ms` among its steps. Then none of them followed it."""
        first = self._occurrences[index]
        start = bisect_left(self._occurrences, end_ms, key=_time)
        end = bisect_right(self._occurrences, end_ms, key=_time)
        there = range(start, end)
        absent = [number for number in there if self._occurrences[number].steps >> self._count & 1]
        if len(absent) > self._count:
            return False
        # A state is the number of steps of a chain, and how many of the absent occurrences are among them. No
        # absent occurrence may be left out, so a chain takes them in their order.
        states: set[tuple[int, int]]
        if first.at_ms == end_ms:
            states = {(1, int(absent[0] == index))}
            there = range(index + 1, end)
        else:
            longest_ms = self._within_ms if self._step_within_ms is None else self._step_within_ms
            reached = self._reached(index, end_ms)
            states = {
                (step + 1, 0)
                for step, at_ms in enumerate(reached)
                if at_ms is not None and end_ms - at_ms <= longest_ms
            }
        numbers = (number for number in there if self._occurrences[number].place > first.place)
        for _, group in groupby(numbers, key=lambda number: self._occurrences[number].place):
            found: set[tuple[int, int]] = set()
            for number in group:
                for steps, taken in states:
                    if steps == self._count or not self._occurrences[number].steps >> steps & 1:
                        continue
                    if number not in absent:
                        found.add((steps + 1, taken))
                    elif absent.index(number) == taken:
                        found.add((steps + 1, taken + 1))
            states |= found
        return (self._count, len(absent)) in states


def _time(one: Occurrence) -> int:
    return one.at_ms


def _place(one: Occurrence) -> int:
    return one.place
