"""The two protocols between the consumer and the tasks of the partitions.

Forward, from the consumer to the tasks, by `Intake`: the group's assignments and revocations, and the records
of each poll. Before each poll the consumer asks which partitions have room.

Back, from the tasks to the consumer, by `Consumer`: which records have arrived, and up to which offset a
partition may be committed. Before a task writes or moves its clock, it asks how far its topics were read and
whether this worker is still in the group.

`agents.worker.transport.BatchConsumer` uses an Intake and is the Consumer. `agents.worker.intake` is the
Intake; `agents.partitions.scheduler.TaskScheduler` uses the Consumer.
"""

from __future__ import annotations

from typing import Any, Protocol

from faust.types import TP

from agents.pacing import Pacing
from streamseg.settings import Settings


class Intake(Protocol):
    """The receiver of assignments and records (`agents.worker.intake.PartitionIntake`)."""

    settings: Settings
    pacing: Pacing

    @property
    def epoch(self) -> int:
        """The number of the present assignment."""

    def assign(self, tps: set[TP]) -> None:
        """Take the topic partitions that the group has assigned to this worker: exactly these."""

    async def release(self) -> None:
        """Finish the work on all partitions and acknowledge it, since the group revokes them."""

    def has_room(self, tp: TP, on_the_way: int) -> bool:
        """Return whether more records of a topic partition should be fetched, while `on_the_way` records have
        been fetched and have not arrived at its task."""

    def offer(self, epoch: int, tp: TP, records: list[Any]) -> None:
        """Take the records of one topic partition that one poll returned, as aiokafka's records. They were
        read under the assignment with this epoch."""


class Consumer(Protocol):
    """The part of the consumer that the scheduler uses (`agents.worker.transport.BatchConsumer`)."""

    def arrived(self, tp: TP, count: int) -> None:
        """Take note that `count` of the records that were passed on have arrived at the partition's task."""

    def ended_as_of(self, tp: TP) -> int | None:
        """Return the latest time (wall clock, epoch ms) for which it is known that all records then in the
        partition have arrived; None while a record has not arrived or the end is not known."""

    def end(self, tp: TP) -> float:
        """Return the offset after the last readable record, infinity while it is not known."""

    def lag(self, tp: TP) -> int | None:
        """Return how many offsets have not arrived yet, or None if it is not known."""

    def begun_at(self, tp: TP) -> int | None:
        """Return the committed offset from which the partition is read; 0 if none was committed, None while
        it is not known."""

    def acknowledge(self, tp: TP, next_offset: int) -> None:
        """Let the partition be committed at `next_offset`: all records before it are in durable state."""

    def acknowledge_all(self, tp: TP) -> None:
        """Let the partition be committed at the position that was read: all records that arrived are in
        durable state."""

    async def still_ours(self) -> bool:
        """Return whether this worker still owns its partitions."""
