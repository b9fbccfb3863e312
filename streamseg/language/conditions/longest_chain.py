"""How far a sequence has come: the longest chain of occurrences that begins with its first step.

The condition itself, cut to its first steps, is asked whether these have happened in a part of the events.
The shortest such part at the end begins with the chain's first step; the shortest one in that ends with its
last. Cost: O(steps · log(events)) times what feeding the events costs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

from streamseg.records.inputs import Event

Happened = Callable[[int, list[Event]], bool]
"""Whether the first so many steps have happened in some events."""


def longest_chain(events: list[Event], steps: int, happened: Happened) -> list[Event]:
    """The latest of the longest chains, one event a step; empty where not even the first step happened.

    events  those that some step of the sequence matches, ascending
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
    """As few of the first events as it takes for the steps to happen; none where they have not."""
    if not happened(steps, events):
        return []
    count = len(events)
    spare = _last(range(count), lambda less: happened(steps, events[: count - less]))
    return events[: count - spare]


def _last(numbers: range, holds: Callable[[int], bool]) -> int:
    """The last number for which something holds that holds up to some number, 0 included."""
    return bisect_left(numbers, True, key=lambda number: not holds(number)) - 1
