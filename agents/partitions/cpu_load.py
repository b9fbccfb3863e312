"""Measures how busy the worker's thread is."""

from __future__ import annotations

import time
from collections.abc import Callable

_SAMPLE_SECONDS = 0.1


class CpuLoad:
    """The share of one core that the calling thread has used lately: 0 is idle, 1 is without a pause.

    Each sample counts as much as all samples before it together, so the share follows a change within a few
    tenths of a second."""

    __slots__ = ("_busy", "_cpu", "_sampled", "_share", "_wall")

    def __init__(
        self,
        busy: Callable[[], float] = time.thread_time,
        wall: Callable[[], float] = time.monotonic,
    ) -> None:
        """`busy` returns the thread's CPU time, `wall` the monotonic time, both in s."""
        self._busy = busy
        self._wall = wall
        self._cpu = busy()
        self._sampled = wall()
        self._share = 0.0

    def share(self) -> float:
        """Return the share, at most a tenth of a second old. To be called from one thread only."""
        now = self._wall()
        passed = now - self._sampled
        if passed >= _SAMPLE_SECONDS:
            cpu = self._busy()
            self._share = (self._share + min((cpu - self._cpu) / passed, 1.0)) / 2
            self._cpu, self._sampled = cpu, now
        return self._share
