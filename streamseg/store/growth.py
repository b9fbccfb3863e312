"""How many contacts entered and left a segment, counted by quarter of an hour and by reason.

A quarter of an hour is the longest span of which the days of all time zones are made: the offsets from UTC
that are in use are whole quarters of an hour.
"""

from __future__ import annotations

from typing import Final

from streamseg.records.outputs import Cause
from streamseg.times import MINUTE_MS

QUARTER_MS: Final = 15 * MINUTE_MS

Counts = list[int]
"""For each cause, in the order of `CAUSES`, how many contacts entered and how many left. Causes at the end
may be missing."""

CAUSES: Final = tuple(cause.value for cause in Cause)
"""The order is part of the layout: a new cause goes to the end."""

_PLACES: Final = {cause: 2 * index for index, cause in enumerate(CAUSES)}


def quarter_of(at_ms: int) -> int:
    """Return the first instant (epoch ms) of the quarter of an hour in which `at_ms` lies."""
    return at_ms - at_ms % QUARTER_MS


def place_of(kind: str, entered: bool) -> int:
    """Return the place in `Counts` of changes for this reason."""
    return _PLACES[kind] + (not entered)


def count(counts: Counts, place: int) -> None:
    """Add one change."""
    if place >= len(counts):
        counts += [0] * (place + 1 - len(counts))
    counts[place] += 1


def add(counts: Counts, more: Counts) -> None:
    """Add other counts."""
    if len(more) > len(counts):
        counts += [0] * (len(more) - len(counts))
    for place, number in enumerate(more):
        counts[place] += number
