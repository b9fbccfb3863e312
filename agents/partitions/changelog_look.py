"""Finds changelog records of other workers while this worker has nothing to write itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any

from confluent_kafka import KafkaException
from mode import Service

from agents.pacing import DEFAULT_PACING, Pacing
from agents.partitions.scheduler import TaskScheduler

_log = logging.getLogger(__name__)


class ChangelogLook(Service):
    """Asks the brokers every half minute where the changelogs of the partitions at work end.

    A worker that was slow to stop may write a record to a changelog that it no longer owns. The record does
    not count (`agents.kafka.changelog_record`). But compaction removes the older record of the same key, and
    then only the owner's disk still has the value. An owner that writes finds the foreign record at once. An
    owner that has nothing to write finds it by this service; it then restores the partition and writes the
    value again before compaction may begin.
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
        """`ends` returns the end offsets of the partitions' changelogs, as far as the brokers answer. It may
        block, since it is called from another thread."""
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
