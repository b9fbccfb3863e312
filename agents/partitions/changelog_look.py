"""Finds changelog records of others while a worker has nothing to write itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any

from confluent_kafka import KafkaException
from mode import Service

from agents.partitions.pacing import DEFAULT_PACING, Pacing
from agents.partitions.scheduler import TaskScheduler

_log = logging.getLogger(__name__)


class ChangelogLook(Service):
    """Asks every half minute where the changelogs of the partitions at work end.

    A record of another worker, which was slow to stop, does not count (`agents.kafka.changelog_record`). But
    compaction removes the record before it under the same key, and then only this worker's disk still has
    the value. A worker that writes finds such a record at once; one that has nothing to write finds it here,
    begins anew, and writes the value again before compaction may begin.
    """

    mundane_level = "debug"

    def __init__(
        self,
        scheduler: TaskScheduler,
        ends: Callable[[Iterable[int]], dict[int, int]],
        *,
        pacing: Pacing = DEFAULT_PACING,
        **kwargs: Any,
    ) -> None:
        """`ends` tells where the changelogs of some partitions end, those that can be told; it may block, for
        it is called from another thread."""
        super().__init__(**kwargs)
        self._scheduler = scheduler
        self._ends = ends
        self._pacing = pacing

    @Service.task
    async def _look(self) -> None:
        while not self.should_stop:
            await self.sleep(self._pacing.changelog_look_seconds)
            numbers = self._scheduler.numbers
            if not numbers or self.should_stop:
                continue
            try:
                ends = await asyncio.to_thread(self._ends, numbers)
            except KafkaException as error:
                _log.warning("the ends of the changelogs are not known: %s", error)
                continue
            for number, end in ends.items():
                self._scheduler.note_changelog_end(number, end)
