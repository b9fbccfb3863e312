"""An event loop whose time goes on only by its timers: nothing is waited for, and every run is the same."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

from agents.partitions.worker_clock import HostClock


class VirtualLoop(asyncio.SelectorEventLoop):
    """Where the loop would sleep until its next timer, `now` (s) moves to that timer instead."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_Selector(self))

    def time(self) -> float:
        return self.now


class _Selector(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise AssertionError("everybody waits, and no timer is set")
        self._loop.now += max(0.0, timeout)
        return super().select(0)


class VirtualClock(HostClock):
    """The clocks of a host on which a virtual loop runs."""

    def __init__(self, loop: VirtualLoop, start_ms: int) -> None:
        self._loop = loop
        self._start_ms = start_ms

    def wall_ms(self) -> int:
        return self._start_ms + int(self._loop.now * 1000)

    def steady_ms(self) -> float:
        return self._loop.now * 1000


def clock_module(loop: VirtualLoop) -> SimpleNamespace:
    """Return what takes the place of the module `time` in a module that runs on the loop."""
    return SimpleNamespace(monotonic=loop.time, perf_counter=loop.time, thread_time=lambda: 0.0)


def run(loop: VirtualLoop, story: Coroutine[Any, Any, None]) -> None:
    """Run the coroutine, then close the loop."""
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(story)
