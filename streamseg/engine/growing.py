"""The growth of a segment by hour or by day: how many contacts entered and left, and how many were in it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from streamseg.json_text import Json
from streamseg.store.growth import CAUSES, Counts, add
from streamseg.times import HOUR_MS, offset_ms, unit_boundary_ms

By = Literal["hour", "day"]

MOST_BUCKETS: Final = 1_000


def edges(since_ms: int, until_ms: int, by: By, zone: ZoneInfo) -> list[int]:
    """Return the instants (epoch ms) between which the buckets lie: the first bucket has `since_ms` in it,
    and the last one ends at or after `until_ms`. Raises ValueError for more than MOST_BUCKETS."""
    found = [_bucket_start(since_ms, by, zone)]
    while found[-1] < until_ms:
        if len(found) > MOST_BUCKETS:
            raise ValueError(f"more than {MOST_BUCKETS} buckets; give a later since, or by=day")
        found.append(_next_start(found[-1], by, zone))
    return found if len(found) > 1 else [*found, _next_start(found[0], by, zone)]


def _bucket_start(at_ms: int, by: By, zone: ZoneInfo) -> int:
    if by == "day":
        return unit_boundary_ms(at_ms, "day", 0, zone)
    return at_ms - (at_ms + offset_ms(at_ms, zone)) % HOUR_MS


def _next_start(start_ms: int, by: By, zone: ZoneInfo) -> int:
    if by == "day":
        return unit_boundary_ms(start_ms, "day", 1, zone)
    # Where clocks are set by half an hour, one hour has half of its length, or one and a half.
    following_ms = _bucket_start(start_ms + HOUR_MS, by, zone)
    return following_ms if following_ms > start_ms else following_ms + HOUR_MS


class Growth(NamedTuple):
    """The growth of a segment in some partitions.

    contacts     how many contacts are members now
    buckets      the changes in each bucket
    later        the changes after the last bucket
    clock_ms     up to when all changes are known
    complete_ms  since when all changes are counted
    """

    contacts: int
    buckets: list[Counts]
    later: Counts
    clock_ms: int
    complete_ms: int

    def wire(self) -> Json:
        return self._asdict()

    def plus(self, other: Growth) -> Growth:
        """Return the growth in the partitions of both."""
        for mine, theirs in zip((*self.buckets, self.later), (*other.buckets, other.later), strict=True):
            add(mine, theirs)
        return Growth(
            self.contacts + other.contacts,
            self.buckets,
            self.later,
            min(self.clock_ms, other.clock_ms),
            max(self.complete_ms, other.complete_ms),
        )

    def sizes(self) -> list[int]:
        """Return how many contacts were members at the end of each bucket."""
        size = self.contacts - net(self.later)
        found: list[int] = []
        for counts in reversed(self.buckets):
            found.append(size)
            size -= net(counts)
        return found[::-1]


def divided(quarters: dict[int, Counts], bounds: Sequence[int]) -> tuple[list[Counts], Counts]:
    """Return the counts of each bucket between the bounds, and those after the last one."""
    buckets: list[Counts] = [[] for _ in bounds]
    for quarter_ms, counts in quarters.items():
        place = bisect_right(bounds, quarter_ms) - 1
        if place >= 0:
            add(buckets[place], counts)
    return buckets[:-1], buckets[-1]


def net(counts: Counts) -> int:
    """Return by how many contacts the segment grew."""
    return sum(counts[::2]) - sum(counts[1::2])


def by_cause(counts: Counts, *, entered: bool) -> dict[str, int]:
    """Return cause -> how many contacts entered, or left; causes without any are left out."""
    numbers = counts[0 if entered else 1 :: 2]
    return {cause: number for cause, number in zip(CAUSES, numbers, strict=False) if number}
