"""Passes assignments and records from the consumer to the partitions."""

from __future__ import annotations

from typing import Any

from faust.types import TP

from agents.kafka.topics import topic_name
from agents.pacing import Pacing
from agents.partitions.owned_partitions import OwnedPartitions
from agents.partitions.scheduler import TaskScheduler
from schemas.topics import SOURCES
from streamseg.settings import Settings


class PartitionIntake:
    """The Intake of a worker (`agents.partitions.input_flow`).

    Assignments go to the partitions' state machine, records to their tasks."""

    def __init__(
        self, settings: Settings, pacing: Pacing, *, partitions: OwnedPartitions, scheduler: TaskScheduler
    ) -> None:
        self.settings = settings
        self.pacing = pacing
        self._partitions = partitions
        self._scheduler = scheduler

    @property
    def epoch(self) -> int:
        """The number of the present assignment."""
        return self._partitions.epoch

    def assign(self, tps: set[TP]) -> None:
        """Take the partitions of which the group has assigned both source topics to this worker."""
        topics = [topic_name(self.settings, topic) for topic in SOURCES]
        of_topic = [{tp.partition for tp in tps if tp.topic == topic} for topic in topics]
        self._partitions.assign(set.intersection(*of_topic))

    async def release(self) -> None:
        """Finish the work on all partitions and acknowledge it, since the group revokes them."""
        await self._partitions.revoke()

    def has_room(self, tp: TP, on_the_way: int) -> bool:
        """Return whether more records of a topic partition should be fetched."""
        return self._scheduler.has_room(tp, on_the_way)

    def offer(self, epoch: int, tp: TP, records: list[Any]) -> None:
        """Pass records to the task of their partition."""
        self._scheduler.offer(epoch, tp, records)
