"""Decides how far this host's clock can be trusted."""

from __future__ import annotations

from typing import NamedTuple

STEP_MS = 1_000
"""A clock may be corrected by so many ms between two readings without being doubted."""

_DRIFT = 0.001
_ANCHOR_MS = 60_000


class Evidence(NamedTuple):
    """One reading of a broker's clock: the broker's time (epoch ms), and the times at which it was asked and
    at which its answer arrived, by this host's monotonic clock (ms)."""

    broker_ms: int
    asked_ms: float
    answered_ms: float

    def distance(self, time_ms: float, at_ms: float) -> float:
        """Return how far the broker's clock is ahead of `time_ms` at the monotonic time `at_ms`, in ms. It is
        negative if the broker's clock is behind, and 0 if the difference is within the time that the answer
        took."""
        least = self.broker_ms + (at_ms - self.answered_ms)
        most = self.broker_ms + (at_ms - self.asked_ms)
        return max(0.0, least - time_ms) + min(0.0, most - time_ms)


class BelievableClock:
    """Computes the time of day from the clocks, as far as they can be trusted.

    There are three clocks: the host's wall clock, which may be set wrong at any moment; the host's
    monotonic clock, which has no time of day, but whose seconds are right; and the brokers' clock, which is
    read now and then.

    * The wall clock is trusted while it moves as the monotonic clock does.
    * If the wall clock jumps, it is doubted. The time then follows the monotonic clock until the wall clock
      is back in step, or until a broker's clock is nearer to the wall clock (which then was wrong before and
      is right now). A jump back is followed, unless a broker's clock contradicts it: it can do no harm.
    * If the clocks of host and brokers differ by more than a tolerance from the start, it is not known which
      is right. The earlier one is used: stream time never goes back, so a clock that is behind can be
      corrected later, and a clock that is ahead cannot.

    This class reads no clock. The caller passes the readings.
    """

    def __init__(self, tolerance_ms: int) -> None:
        """`tolerance_ms`: how far the host's and the brokers' clocks may differ."""
        self._tolerance_ms = tolerance_ms
        self._offset_ms: float | None = None
        """The trusted time minus the monotonic clock."""
        self._anchored_ms = 0.0
        self._jump_ms = 0.0
        self._backed = False
        self._evidence: Evidence | None = None
        self._apart_ms = 0.0

    @property
    def doubt(self) -> str | None:
        """The reason why the wall clock is not trusted, in words; None if it is trusted."""
        if self._jump_ms:
            side = "ahead" if self._jump_ms > 0 else "back"
            return f"the clock of this host jumped {_seconds(self._jump_ms)} {side}"
        if self._apart_ms:
            side = "ahead of" if self._apart_ms > 0 else "behind"
            return f"the clock of this host is {_seconds(self._apart_ms)} {side} the brokers' clock"
        return None

    def look(self, wall_ms: int, steady_ms: float) -> int:
        """Return the trusted time, epoch ms, for these readings of the wall and the monotonic clock."""
        if self._offset_ms is None:
            self._believe(wall_ms, steady_ms)
            return wall_ms
        expected_ms = steady_ms + self._offset_ms
        difference = wall_ms - expected_ms
        passed = steady_ms - self._anchored_ms
        if abs(difference) <= STEP_MS + _DRIFT * passed:
            self._jump_ms = 0.0
            if passed >= _ANCHOR_MS:
                self._believe(wall_ms, steady_ms)
            return self._not_past_brokers(wall_ms, steady_ms)
        if not self._jump_ms:
            self._backed = False
        self._jump_ms = difference
        believed = expected_ms if self._backed else min(expected_ms, wall_ms)
        return self._not_past_brokers(believed, steady_ms)

    def compare(self, evidence: Evidence, wall_ms: int) -> None:
        """Take a reading of a broker's clock into account; `wall_ms` was read right after the answer."""
        at_ms = evidence.answered_ms
        self.look(wall_ms, at_ms)
        if self._offset_ms is None:
            return
        self._evidence = evidence
        if self._jump_ms:
            wall_off = abs(evidence.distance(wall_ms, at_ms))
            believed_off = abs(evidence.distance(at_ms + self._offset_ms, at_ms))
            if wall_off < believed_off:
                self._believe(wall_ms, at_ms)
            else:
                self._backed = believed_off < wall_off
        ahead = -evidence.distance(at_ms + self._offset_ms, at_ms)
        self._apart_ms = ahead if abs(ahead) > self._tolerance_ms else 0.0

    def _believe(self, wall_ms: int, steady_ms: float) -> None:
        self._offset_ms = wall_ms - steady_ms
        self._anchored_ms = steady_ms
        self._jump_ms = 0.0

    def _not_past_brokers(self, believed_ms: float, steady_ms: float) -> int:
        if self._apart_ms and self._evidence is not None:
            believed_ms += min(0.0, self._evidence.distance(believed_ms, steady_ms))
        return int(believed_ms)


def _seconds(difference_ms: float) -> str:
    return f"{abs(difference_ms) / 1000:,.1f} s"
