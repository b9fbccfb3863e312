"""Gives memory that this process has freed back to the system."""

from __future__ import annotations

import ctypes
import sys


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
