"""How far this host's clock may be believed."""

from __future__ import annotations

from typing import NamedTuple

STEP_MS = 1_000
"""What a clock may be corrected by between two looks without being doubted."""

_DRIFT = 0.001
_ANCHOR_MS = 60_000


class Evidence(NamedTuple):
    """A broker's clock, read once: what it said (epoch ms), and when it was asked and had answered, by this
    host's monotonic clock (ms)."""

    broker_ms: int
    asked_ms: float
    answered_ms: float

    def distance(self, time_ms: float, at_ms: float) -> float:
        """How far the broker's clock is ahead of `time_ms` at the monotonic moment `at_ms`, in ms; negative
        where it is behind, 0 where the time that the answer took leaves it open."""
        least = self.broker_ms + (at_ms - self.answered_ms)
        most = self.broker_ms + (at_ms - self.asked_ms)
        return max(0.0, least - time_ms) + min(0.0, most - time_ms)


class BelievableClock:
    """Tells what time it is as far as there is evidence.

    There are three clocks: the host's wall clock, which may be set wrong at any moment; the host's
    monotonic clock, which tells no time of day, but whose seconds are right; and the brokers' clock, which is
    heard now and then.

    * The wall clock is believed while it moves as the monotonic clock does.
    * Where it jumps, it is doubted. The time goes on by the monotonic clock until the wall clock is back in
      step, or until a broker's clock is nearer to the wall clock (which was wrong before and is right now).
      A jump back that no broker has spoken against is followed: it can do no harm.
    * Where host and brokers differ by more than a tolerance from the start, nobody knows which of them is
      right, and the earlier is taken: stream time never goes back, so what comes late can be made good, and
      what comes early cannot.

    Nothing is read here: whoever looks gives both readings.
    """

    def __init__(self, tolerance_ms: int) -> None:
        """`tolerance_ms`: how far the host's and the brokers' clocks may differ."""
        self._tolerance_ms = tolerance_ms
        self._offset_ms: float | None = None
        """The believed time less the monotonic clock."""
        self._anchored_ms = 0.0
        self._jump_ms = 0.0
        self._backed = False
        self._evidence: Evidence | None = None
        self._apart_ms = 0.0

    @property
    def doubt(self) -> str | None:
        """Why the wall clock is not believed, in words; None where it is."""
        if self._jump_ms:
            side = "ahead" if self._jump_ms > 0 else "back"
            return f"the clock of this host jumped {_seconds(self._jump_ms)} {side}"
        if self._apart_ms:
            side = "ahead of" if self._apart_ms > 0 else "behind"
            return f"the clock of this host is {_seconds(self._apart_ms)} {side} the brokers' clock"
        return None

    def look(self, wall_ms: int, steady_ms: float) -> int:
        """The time that can be believed, epoch ms, where the wall clock and the monotonic clock say so."""
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

    def hear(self, evidence: Evidence, wall_ms: int) -> None:
        """A broker's clock was heard; `wall_ms` was read right after the answer."""
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
