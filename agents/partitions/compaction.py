"""Removes from the disk what was replaced and deleted, within a bounded time.

RocksDB deletes by writing that a key is gone. The bytes themselves stay in older tables and in its log until
a compaction happens to reach them, which may be never in a quiet partition. So each partition's database is
compacted as a whole once in `STREAMSEG_COMPACTION_INTERVAL_MS`. An erased contact's bytes are gone from the
disk by then, like any other value that is no longer in force.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol

from mode import Service

from agents.pacing import DEFAULT_PACING, Pacing
from agents.partitions.task import PartitionTask
from streamseg.settings import Settings

_log = logging.getLogger(__name__)


class Scheduler(Protocol):
    """The partitions at work in this worker (`agents.partitions.scheduler.TaskScheduler`)."""

    @property
    def numbers(self) -> list[int]: ...

    def find(self, number: int) -> PartitionTask | None: ...


class Compaction(Service):
    """Compacts the databases of the partitions at work, one after the other, in a thread of its own."""

    mundane_level = "debug"

    def __init__(
        self,
        settings: Settings,
        scheduler: Scheduler,
        *,
        now_ms: Callable[[], int],
        pacing: Pacing = DEFAULT_PACING,
        **kwargs: Any,
    ) -> None:
        """`now_ms` returns the wall clock, epoch ms."""
        super().__init__(**kwargs)
        self._interval_ms = settings.compaction_interval_ms
        self._scheduler = scheduler
        self._now_ms = now_ms
        self._pacing = pacing

    @Service.task
    async def _go_on(self) -> None:
        while not self.should_stop:
            await self.sleep(min(self._pacing.compaction_check_seconds, self._interval_ms / 1000))
            await self.compact_due()

    async def compact_due(self) -> None:
        """Compact the stores whose time has come. One that was never looked at counts as compacted now."""
        for number in self._scheduler.numbers:
            # A partition may be released, and its store closed, while another one is compacted.
            task = self._scheduler.find(number)
            if task is None:
                continue
            store = task.store
            now_ms, compacted_ms = self._now_ms(), store.compacted_ms
            if compacted_ms is None:
                store.note_compacted(now_ms)
            elif not 0 <= now_ms - compacted_ms < self._interval_ms:
                try:
                    await asyncio.to_thread(store.compact, now_ms)
                except Exception as error:  # rocksdict raises a bare Exception for whatever RocksDB reports
                    # For example a full disk; the next look tries again.
                    _log.warning("a partition's database could not be compacted (%s)", type(error).__name__)
