"""Gives memory that this process has freed back to the system."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import sys


async def free_what_was_released() -> None:
    """Free the objects of partitions that were released, and give their memory back.

    Some of them refer to each other, and the collector of a worker never examines old objects by itself
    (`agents.worker.garbage`). To be called while no partition is at work: the contacts that are in memory
    take the most time to examine."""
    gc.collect()
    await asyncio.to_thread(give_back_freed_memory)


def give_back_freed_memory() -> None:
    """Have the C library give freed memory back, where it can (glibc).

    While a changelog is read, librdkafka's queue and RocksDB's memory tables take some hundred MB. The C
    library keeps them for later allocations, which never become as many. Cost: some ms; the interpreter's
    lock is free meanwhile, but other threads that allocate may wait."""
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
