"""A worker's time for questions: short slices, one at a time, with pauses between them.

Contacts, events and answers are read on the event loop, which the partitions need for their work. So a long
question leaves the loop every few milliseconds, and work that cannot be divided is done in a thread.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

T = TypeVar("T")

SLICE_SECONDS: Final = 0.005

_IDLE_TURNS: Final = 8
"""The number of turns of the loop without work after which the loop counts as idle. It is larger than the
number of turns that partitions leave between their steps."""
_IDLE_SECONDS: Final = 0.0003
"""The longest time of a turn without work, in s."""


class Slice:
    """One slice; `over` is true when its time is used up."""

    def __init__(self, timer: Callable[[], float]) -> None:
        self._timer = timer
        self._began = timer()

    @property
    def over(self) -> bool:
        return self.spent >= SLICE_SECONDS

    @property
    def spent(self) -> float:
        """The time used so far, in s."""
        return self._timer() - self._began


class Slices:
    """Gives out slices, never two at a time. After each slice there is a pause, in which others work."""

    def __init__(
        self,
        timer: Callable[[], float] = time.perf_counter,
        rest: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        """`timer` returns seconds, and `rest` gets the slice's length in seconds; a pause is at most that
        long."""
        self._timer = timer
        self._rest = self._give_way if rest is None else rest
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def slice(self) -> AsyncIterator[Slice]:
        """Yield the next slice. The user must leave it when it is `over`; then the pause follows."""
        async with self._turn:
            one = Slice(self._timer)
            yield one
            await self._rest(one.spent)

    async def _give_way(self, seconds: float) -> None:
        """Let others work for `seconds`, or until they have nothing to do. So all questions together take at
        most half of a busy worker, and all spare time of an idle one."""
        began = now = self._timer()
        idle = 0
        while idle < _IDLE_TURNS and now - began < seconds:
            await asyncio.sleep(0)
            before, now = now, self._timer()
            idle = idle + 1 if now - before < _IDLE_SECONDS else 0


class _StoppedError(Exception):
    """Ends work for which no caller waits any more."""


async def in_thread(work: Callable[[Callable[[], None]], T]) -> T:
    """Return the result of `work`, done in a thread.

    Work that may take long must call the given function every few milliseconds. It raises when the caller of
    `in_thread` has been cancelled. The caller then waits for the end of the work, so that work without a
    caller cannot pile up.
    """
    stopped = threading.Event()

    def check() -> None:
        if stopped.is_set():
            raise _StoppedError

    task = asyncio.ensure_future(asyncio.to_thread(work, check))
    try:
        return await asyncio.shield(task)
    finally:
        stopped.set()
        if not task.done():
            await asyncio.wait([task])
            # The exception is retrieved here, since no caller will do it.
            task.exception()
