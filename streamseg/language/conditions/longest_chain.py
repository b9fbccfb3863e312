"""The search for the longest chain of occurrences that begins with the first step of a sequence.

The sequence, cut to its first steps, is evaluated for parts of the events. The shortest part at the end of
the events in which the steps have happened begins with the first step of the chain. The shortest part at the
beginning of that part ends with the last step. Cost: O(steps · log(events)) times the cost of feeding the
events.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

from streamseg.records.inputs import Event

Happened = Callable[[int, list[Event]], bool]
"""A function (number of steps, events) -> whether the first steps have happened in these events."""


def longest_chain(events: list[Event], steps: int, happened: Happened) -> list[Event]:
    """Return the latest of the longest chains, one event for each step; an empty list if the first step has
    not happened.

    events  the events that some step of the sequence matches, ascending
    """
    count = next((number for number in range(steps, 0, -1) if happened(number, events)), 0)
    if count == 0:
        return []
    start = _last(range(len(events)), lambda at: happened(count, events[at:]))
    rest = events[start:]
    chain: list[Event] = []
    for number in range(count, 0, -1):
        rest = _shortest(rest, number, happened)
        if not rest:
            break
        chain.append(rest.pop())
    return chain[::-1]


def _shortest(events: list[Event], steps: int, happened: Happened) -> list[Event]:
    """Return the fewest of the first events in which the steps have happened; an empty list if they have
    not."""
    if not happened(steps, events):
        return []
    count = len(events)
    spare = _last(range(count), lambda less: happened(steps, events[: count - less]))
    return events[: count - spare]


def _last(numbers: range, holds: Callable[[int], bool]) -> int:
    """Return the last number for which `holds` is true. It must be true for 0 and up to some number."""
    return bisect_left(numbers, True, key=lambda number: not holds(number)) - 1
