"""A worker's time for questions: short slices, one at a time, with rests between them.

Contacts, events and answers are read on the event loop, which partitions need for their work. So a question
that takes long gives it up every few milliseconds, and what cannot be cut is done in a thread.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

T = TypeVar("T")

SLICE_SECONDS: Final = 0.005


class Slice:
    """One slice: `over` once it has taken its time."""

    def __init__(self, timer: Callable[[], float]) -> None:
        self._timer = timer
        self._began = timer()

    @property
    def over(self) -> bool:
        return self.spent >= SLICE_SECONDS

    @property
    def spent(self) -> float:
        """How long (s) it has taken so far."""
        return self._timer() - self._began


class Slices:
    """Hands out slices: never two at a time, and after each as long a rest, so that all questions together
    take at most half of a worker."""

    def __init__(
        self,
        timer: Callable[[], float] = time.perf_counter,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Both in seconds."""
        self._timer = timer
        self._rest = rest
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def slice(self) -> AsyncIterator[Slice]:
        """The next slice. Whoever has it leaves it once it is `over`; it ends with a rest."""
        async with self._turn:
            one = Slice(self._timer)
            yield one
            await self._rest(one.spent)


async def in_thread(work: Callable[[], T]) -> T:
    """What `work` gives, done in a thread. A caller that is cancelled waits for its end, so that work that
    nobody asks for any more cannot pile up."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    finally:
        if not task.done():
            await asyncio.wait([task])
            # Looked at, since the caller is not there to do it.
            task.exception()
