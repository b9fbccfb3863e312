"""How busy the worker's thread is."""

from __future__ import annotations

import time
from collections.abc import Callable

_SAMPLE_SECONDS = 0.1


class CpuLoad:
    """The share of one core that the calling thread has used lately: 0 idle, 1 without a pause.

    Each sample counts as much as all before it together, so that it follows within a few tenths of a
    second."""

    __slots__ = ("_busy", "_cpu", "_sampled", "_share", "_wall")

    def __init__(
        self,
        busy: Callable[[], float] = time.thread_time,
        wall: Callable[[], float] = time.monotonic,
    ) -> None:
        """`busy` tells the thread's CPU time, `wall` the time, both in s."""
        self._busy = busy
        self._wall = wall
        self._cpu = busy()
        self._sampled = wall()
        self._share = 0.0

    def share(self) -> float:
        """The share, as of the last tenth of a second. To be called from one thread only."""
        now = self._wall()
        passed = now - self._sampled
        if passed >= _SAMPLE_SECONDS:
            cpu = self._busy()
            self._share = (self._share + min((cpu - self._cpu) / passed, 1.0)) / 2
            self._cpu, self._sampled = cpu, now
        return self._share
