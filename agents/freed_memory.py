"""Gives memory that this process has freed back to the system."""

from __future__ import annotations

import asyncio
import ctypes
import sys
from typing import Any

from mode import Service

from agents.pacing import DEFAULT_PACING, Pacing


def give_back_freed_memory() -> None:
    """Have the C library give freed memory back, where it can (glibc). By itself it keeps it for later
    allocations, since most of it lies between memory that is in use.

    Cost: 2 ms if there is little to give back, 20 ms for 150 MiB; the interpreter's lock is free meanwhile,
    but other threads that allocate may wait."""
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class FreedMemory(Service):
    """Gives freed memory back from time to time. A catch-up, a recovery and a rebalance free some hundred
    MiB, which the worker does not need again for long."""

    mundane_level = "debug"

    def __init__(self, pacing: Pacing = DEFAULT_PACING, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._pacing = pacing

    @Service.task
    async def _go_on(self) -> None:
        while not self.should_stop:
            await self.sleep(self._pacing.give_back_seconds)
            await asyncio.to_thread(give_back_freed_memory)
