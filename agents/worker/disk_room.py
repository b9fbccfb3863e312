"""Waits at the start until the disk with the data folder has room.

A worker whose disk is full ends at its first write, and is started again. If it joined the group each time,
all other workers would give back their partitions each time too."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mode import Service

from agents.pacing import DEFAULT_PACING, Pacing
from streamseg.errors import ConfigurationError

LEAST_FREE_BYTES = 16 << 20
"""As much as one of RocksDB's tables in memory, which is written as a whole."""

_log = logging.getLogger(__name__)


class DiskRoom(Service):
    """Its start returns when the disk has room. Until then the reason is logged at once and again every
    minute."""

    mundane_level = "debug"

    def __init__(
        self,
        folder: Path,
        *,
        start_seconds: float | None,
        free: Callable[[Path], int] | None = None,
        timer: Callable[[], float] = time.monotonic,
        pacing: Pacing = DEFAULT_PACING,
        **kwargs: Any,
    ) -> None:
        """`free` returns the free bytes of the disk with a folder; None: as the system says. The start fails
        with ConfigurationError after `start_seconds`; if that is None, it never fails."""
        super().__init__(**kwargs)
        self.lack: str | None = None
        """The reason why the worker waits, in words; None: it does not."""
        self._folder = folder
        self._start_seconds = start_seconds
        self._free = _free_bytes if free is None else free
        self._timer = timer
        self._pacing = pacing

    async def on_start(self) -> None:
        began = self._timer()
        logged_at = float("-inf")
        while not self.should_stop:
            self.lack = self._look()
            if self.lack is None:
                return
            now = self._timer()
            if self._start_seconds is not None and now - began >= self._start_seconds:
                raise ConfigurationError(
                    f"{self.lack} (given up after {self._start_seconds:.0f} s, STREAMSEG_START_TIMEOUT_MS)"
                )
            if now - logged_at >= self._pacing.trouble_log_seconds:
                logged_at = now
                _log.warning("%s; waiting for room", self.lack)
            await self.sleep(self._pacing.retry_seconds)

    def _look(self) -> str | None:
        free = self._free(self._folder)
        if free >= LEAST_FREE_BYTES:
            return None
        return (
            f"the disk with {self._folder} has {free / (1 << 20):.1f} MiB free, and the worker needs "
            f"{LEAST_FREE_BYTES >> 20} to begin; make room there: if nothing else is in the way, remove what "
            "is in this folder, since the changelog has all of it"
        )


def _free_bytes(folder: Path) -> int:
    """Return the free bytes of the disk on which the folder is, or will be made."""
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    return shutil.disk_usage(there).free
