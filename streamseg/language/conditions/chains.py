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


class _Union:
    """The union of sets of chains, as bits, that were added within the last `longest_ms`.

    Sets are added in the order of their times. `_front` holds earlier ones, the earliest last, each as the
    union with the later ones in it. So no union is made again when a set leaves."""

    __slots__ = ("_back", "_back_union", "_front", "_longest_ms")

    def __init__(self, longest_ms: int) -> None:
        self._longest_ms = longest_ms
        self._front: list[tuple[int, int]] = []
        self._back: list[tuple[int, int]] = []
        self._back_union = 0

    def add(self, at_ms: int, chains: int) -> None:
        self._back.append((at_ms, chains))
        self._back_union |= chains

    def at(self, now_ms: int) -> int:
        front, since_ms = self._front, now_ms - self._longest_ms
        while front and front[-1][0] < since_ms:
            front.pop()
        if not front and self._back and self._back[0][0] < since_ms:
            union = 0
            for at_ms, chains in reversed(self._back):
                if at_ms < since_ms:
                    break
                union |= chains
                front.append((at_ms, union))
            self._back = []
            self._back_union = 0
        return (front[-1][1] if front else 0) | self._back_union


class Absence:
    """The chains of `count` steps that no occurrence of the absent step follows until the deadline, which is
    `within_ms` after the first step. An occurrence at the same time as the last step follows the chain,
    unless it is a step of the chain.
    """

    __slots__ = ("_absent", "_count", "_occurrences", "_step_within_ms", "_within_ms")

    def __init__(
        self, occurrences: Sequence[Occurrence], count: int, within_ms: int, step_within_ms: int | None
    ) -> None:
        self._occurrences = occurrences
        self._count = count
        self._within_ms = within_ms
        self._step_within_ms = step_within_ms
        self._absent = [one.at_ms for one in occurrences if one.steps >> count & 1]

    def deadlines(self) -> list[int]:
        """Return the deadlines of the chains that were not followed, in no order.

        Chains are told apart by their first step, which is a bit. Cost: O(steps · occurrences) unions of
        bits, and more only if occurrences of the absent step have the same time as other steps."""
        firsts = [index for index, one in enumerate(self._occurrences) if one.steps & 1]
        times = [self._occurrences[index].at_ms for index in firsts]
        longest_ms = self._within_ms if self._step_within_ms is None else self._step_within_ms
        recent = [_Union(longest_ms) for _ in range(self._count)]
        begun = found = 0
        for group in _by_place(self._occurrences):
            reached: list[tuple[int, int, int]] = []
            for one in group:
                for step in range(self._count):
                    if not one.steps >> step & 1:
                        continue
                    if step == 0:
                        chains = 1 << begun
                        begun += 1
                    else:
                        chains = recent[step - 1].at(one.at_ms)
                    reached.append((step, one.at_ms, chains))
                    if chains and step == self._count - 1:
                        found |= self._not_followed(one, chains, firsts, times)
            for step, at_ms, chains in reached:
                recent[step].add(at_ms, chains)
        return [times[number] + self._within_ms for number in _numbers(found)]

    def _not_followed(self, last: Occurrence, chains: int, firsts: list[int], times: list[int]) -> int:
        """Return those of the chains that may end with the occurrence `last` and are not followed."""
        low = bisect_left(times, last.at_ms - self._within_ms)
        start, end = bisect_left(self._absent, last.at_ms), bisect_right(self._absent, last.at_ms)
        # Deadlines of earlier chains come before the next occurrence of the absent step.
        high = len(times)
        if end < len(self._absent):
            high = bisect_left(times, self._absent[end] - self._within_ms)
        if low >= high:
            return 0
        chains &= (1 << high) - (1 << low)
        if start == end or (end - start == 1 and last.steps >> self._count & 1):
            return chains
        found = 0
        for number in _numbers(chains):
            if self._takes_all(firsts[number], last.at_ms):
                found |= 1 << number
        return found

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


def _numbers(bits: int) -> list[int]:
    """Return the numbers of the bits that are set, ascending."""
    return [number for number, bit in enumerate(reversed(f"{bits:b}")) if bit == "1"]


def _time(one: Occurrence) -> int:
    return one.at_ms
