"""How far a sequence has come: the longest chain of occurrences that begins with its first step.

The engine's own condition, cut to its first steps, is asked whether it has happened in a part of the events.
The shortest such part at the end begins with the chain's first step; the shortest one in that ends with its
last. Cost: O(steps · log(events)) times what feeding the events costs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable

from streamseg.contact.contact import Contact
from streamseg.language.conditions.sequence import SequenceCondition
from streamseg.records.inputs import Event


def longest_chain(sequence: SequenceCondition, events: list[Event], now_ms: int) -> list[Event]:
    """The latest of the longest chains, one event a step; empty where not even the first step happened.

    events  those that some step of the sequence matches, ascending
    """
    every = range(len(sequence.steps), 0, -1)
    count = next((number for number in every if _happened(sequence.prefix(number), events, now_ms)), 0)
    if count == 0:
        return []
    whole = sequence.prefix(count)
    start = _last(range(len(events)), lambda at: _happened(whole, events[at:], now_ms))
    rest = events[start:]
    chain: list[Event] = []
    for number in range(count, 0, -1):
        rest = _shortest(sequence.prefix(number), rest, now_ms)
        if not rest:
            break
        chain.append(rest.pop())
    return chain[::-1]


def _shortest(sequence: SequenceCondition, events: list[Event], now_ms: int) -> list[Event]:
    """As few of the first events as it takes for the sequence to happen; none where it has not."""
    if not _happened(sequence, events, now_ms):
        return []
    count = len(events)
    spare = _last(range(count), lambda less: _happened(sequence, events[: count - less], now_ms))
    return events[: count - spare]


def _happened(sequence: SequenceCondition, events: Iterable[Event], now_ms: int) -> bool:
    nobody = Contact("")
    for event in events:
        sequence.feed(nobody, event, now_ms)
    return sequence.evaluate(nobody, now_ms)[0]


def _last(numbers: range, holds: Callable[[int], bool]) -> int:
    """The last number for which something holds that holds up to some number, 0 included."""
    return bisect_left(numbers, True, key=lambda number: not holds(number)) - 1
