"""A worker's time for questions: short slices, one at a time, with rests between them.

Contacts, events and answers are read on the event loop, which partitions need for their work. So a question
that takes long gives it up every few milliseconds, and what cannot be cut is done in a thread.
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
"""Turns of the loop without work after which there is none: more than partitions leave between steps."""
_IDLE_SECONDS: Final = 0.0003
"""What a turn without work takes at most."""


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
    """Hands out slices: never two at a time, and after each a rest, in which others work."""

    def __init__(
        self,
        timer: Callable[[], float] = time.perf_counter,
        rest: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        """Both in seconds; a `rest` is as long as the slice before it at most."""
        self._timer = timer
        self._rest = self._give_way if rest is None else rest
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def slice(self) -> AsyncIterator[Slice]:
        """The next slice. Whoever has it leaves it once it is `over`; it ends with a rest."""
        async with self._turn:
            one = Slice(self._timer)
            yield one
            await self._rest(one.spent)

    async def _give_way(self, seconds: float) -> None:
        """Let others work for so long, or until there is nothing for them to do: so that all questions
        together take at most half of a worker that is busy, and all that is left of one that is not."""
        began = now = self._timer()
        idle = 0
        while idle < _IDLE_TURNS and now - began < seconds:
            await asyncio.sleep(0)
            before, now = now, self._timer()
            idle = idle + 1 if now - before < _IDLE_SECONDS else 0


class _StoppedError(Exception):
    """Ends work that nobody waits for any more."""


async def in_thread(work: Callable[[Callable[[], None]], T]) -> T:
    """What `work` gives, done in a thread.

    Work that may take long calls what it is given every few milliseconds: that ends it where the caller of
    this is cancelled, who waits for its end, so that work that nobody asks for any more cannot pile up."""
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
            # Looked at, since the caller is not there to do it.
            task.exception()
