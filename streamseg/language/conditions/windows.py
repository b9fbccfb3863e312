"""The windows of event conditions: they say during which time an occurrence is in the window.

Every window turns an occurrence at t into a half-open span [enter, leave) of *now*. So counts, aggregates,
selections and sequences all age in the same way.
"""

from __future__ import annotations

from typing import Any

from streamseg.times import MIN_MS, NEVER_MS, Period

# These values stand for an open end in the keys of conditions. They are the first and last instants of an
# earlier calendar, which was a day shorter at both ends. They must not change, because states refer to
# conditions by ids that are made from the keys.
_OPEN_START = -62_135_510_400_000
_OPEN_END = 253_402_214_400_000


class Window:
    """The window of all history: an occurrence counts for good from the time at which it occurred."""

    __slots__ = ()

    fixed = True
    """Whether an occurrence that is in the window stays in it for good."""

    @property
    def key(self) -> tuple[Any, ...]:
        return ("all",)

    def span(self, at_ms: int) -> tuple[int, int] | None:
        """Return the span [enter, leave) of now for an occurrence at `at_ms`; None if it never counts."""
        return at_ms, NEVER_MS

    def reaches(self, at_ms: int, now_ms: int) -> bool:
        """Return whether an occurrence at `at_ms` or before may be in the window at `now_ms` or later."""
        return True

    def bounds(self, now_ms: int) -> tuple[int, int]:
        """Return the instants [first, end) at which an occurrence is in the window at `now_ms`, whether they
        have come yet or not; MIN_MS and NEVER_MS: it has no such bound."""
        return MIN_MS, NEVER_MS


class BetweenWindow(Window):
    """The window start <= t < end between fixed instants. MIN_MS and NEVER_MS stand for no bound."""

    __slots__ = ("end_ms", "start_ms")

    def __init__(self, start_ms: int, end_ms: int) -> None:
        self.start_ms = start_ms
        self.end_ms = end_ms

    @property
    def key(self) -> tuple[Any, ...]:
        start = _key_of(self.start_ms, MIN_MS, _OPEN_START)
        return ("between", start, _key_of(self.end_ms, NEVER_MS, _OPEN_END))

    def span(self, at_ms: int) -> tuple[int, int] | None:
        return (at_ms, NEVER_MS) if self.start_ms <= at_ms < self.end_ms else None

    def reaches(self, at_ms: int, now_ms: int) -> bool:
        return self.start_ms <= at_ms

    def bounds(self, now_ms: int) -> tuple[int, int]:
        return self.start_ms, self.end_ms


def _key_of(bound_ms: int, open_ms: int, open_key: int) -> int | str:
    if bound_ms == open_ms:
        return open_key
    return str(bound_ms) if bound_ms == open_key else bound_ms


class RollingWindow(Window):
    """The sliding window now - far < t <= now - near."""

    fixed = False

    __slots__ = ("far_ms", "near_ms")

    def __init__(self, far_ms: int, near_ms: int) -> None:
        self.far_ms = far_ms
        self.near_ms = near_ms

    @property
    def key(self) -> tuple[Any, ...]:
        return ("rolling", self.far_ms, self.near_ms)

    def span(self, at_ms: int) -> tuple[int, int] | None:
        return at_ms + self.near_ms, at_ms + self.far_ms

    def reaches(self, at_ms: int, now_ms: int) -> bool:
        return now_ms < at_ms + self.far_ms

    def bounds(self, now_ms: int) -> tuple[int, int]:
        # Whole milliseconds: after one instant means at the next.
        return now_ms - self.far_ms + 1, now_ms - self.near_ms + 1


class PeriodWindow(Window):
    """The window of whole local calendar units, relative to the unit that contains now."""

    fixed = False

    __slots__ = ("period",)

    def __init__(self, period: Period) -> None:
        self.period = period

    @property
    def key(self) -> tuple[Any, ...]:
        return ("period", *self.period.key)

    def span(self, at_ms: int) -> tuple[int, int] | None:
        return self.period.span(at_ms)

    def reaches(self, at_ms: int, now_ms: int) -> bool:
        return now_ms < self.period.span(at_ms)[1]

    def bounds(self, now_ms: int) -> tuple[int, int]:
        return self.period.bounds(now_ms)


ALL_HISTORY = Window()
