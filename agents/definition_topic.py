"""The `segment-definitions` topic: all of it before any input, then each record as it comes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from mode import Service

from agents.connection import aiokafka_options
from agents.metrics import Metrics
from agents.outlet import Message
from agents.position import Position
from agents.topics import topic_name
from streamseg.changes import DeadLetter
from streamseg.definitions import Definitions, dead_letter
from streamseg.errors import RejectedError
from streamseg.inputs import Record
from streamseg.plan import Plan
from streamseg.settings import Settings

_log = logging.getLogger(__name__)

TOPIC = "segment-definitions"

# The topic has one partition (agents.topics): its order across keys means something.
_PARTITION = 0
_POLL_MS = 200


class Outlet(Protocol):
    """Where refusals go (`agents.outlet.Outlet`)."""

    async def send(self, topic: str, messages: list[Message], *, partition: int) -> int | None: ...

    async def send_dead_letters(self, letters: list[DeadLetter]) -> None: ...


class DefinitionTopic(Service):
    """Keeps `definitions` up with the topic; `changed` is told each plan after the first.

    A refused record changes nothing. Every worker refuses it, and the one that `speaks` says so: a dead
    letter, and the definition in force (or that there is none) written back to the topic, so that
    whoever reads the topic later finds what is in force.
    """

    mundane_level = "debug"

    def __init__(
        self,
        *,
        settings: Settings,
        outlet: Outlet,
        changed: Callable[[Plan], None],
        speaks: Callable[[], bool | None],
        metrics: Metrics,
        **kwargs: Any,
    ) -> None:
        """`speaks` tells whether this worker is the one to report, or None while that is not settled."""
        super().__init__(**kwargs)
        self.definitions = Definitions(settings)
        self.taken = Position()
        self._settings = settings
        self._outlet = outlet
        self._changed = changed
        self._speaks = speaks
        self._metrics = metrics
        self._consumer: AIOKafkaConsumer | None = None
        self._latest: dict[bytes | None, int] = {}
        self._refused: list[DeadLetter] = []
        self._written_back: set[int] = set()

    async def on_start(self) -> None:
        """Read the whole topic and judge it as a set. Returns once that is done."""
        consumer = self._consumer = AIOKafkaConsumer(
            **aiokafka_options(self._settings),
            client_id=f"{self._settings.application_id}-definitions",
            isolation_level="read_committed",
            fetch_max_wait_ms=_POLL_MS,
        )
        await consumer.start()
        partition = TopicPartition(topic_name(self._settings, TOPIC), _PARTITION)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        records: list[Record] = []
        while await consumer.position(partition) < end:
            records += await self._poll(consumer)
        self._refused = self.definitions.load(records)
        self.taken.move(end)
        self._report_plan(self.definitions.plan)
        _log.info(
            "%d segment definitions in force, %d refused",
            len(self.definitions.plan.segments),
            len(self._refused),
        )

    async def catch_up(self) -> None:
        """Returns once all that is on the topic now was judged."""
        if self._consumer is None:
            raise RuntimeError("the definitions were not started")
        partition = TopicPartition(topic_name(self._settings, TOPIC), _PARTITION)
        ends = await self._consumer.end_offsets([partition])
        await self.taken.reached(ends[partition])

    async def on_stop(self) -> None:
        if self._consumer is not None:
            await self._consumer.stop()

    @Service.task
    async def _follow(self) -> None:
        if self._consumer is None:
            raise RuntimeError("the definitions were not started")
        while not self.should_stop:
            records = await self._poll(self._consumer)
            before = self.definitions.plan
            for record in records:
                try:
                    self.definitions.take(record)
                except RejectedError as error:
                    if record.offset in self._written_back:
                        # That a built-in segment has no definition cannot be said without being refused.
                        continue
                    self._refused.append(dead_letter(record, error))
            plan = self.definitions.plan
            if plan is not before:
                self._report_plan(plan)
                self._changed(plan)
                _log.info(
                    "definitions changed: generation %d, %d segments", plan.generation, len(plan.segments)
                )
            self.taken.move(
                await self._consumer.position(TopicPartition(topic_name(self._settings, TOPIC), _PARTITION))
            )
            await self._report_refusals()

    async def _poll(self, consumer: AIOKafkaConsumer) -> list[Record]:
        batches = await consumer.getmany(timeout_ms=_POLL_MS)
        records = [
            Record(TOPIC, record.partition, record.offset, record.timestamp, record.key, record.value)
            for batch in batches.values()
            for record in batch
        ]
        for record in records:
            self._latest[record.key] = record.offset
        return records

    def _report_plan(self, plan: Plan) -> None:
        self._metrics.generation.set(plan.generation)

    async def _report_refusals(self) -> None:
        speaks = self._speaks() if self._refused else False
        if speaks is None:
            return
        refused, self._refused = self._refused, []
        if not speaks or not refused:
            return
        for letter in refused:
            self._metrics.dead_letters.labels(letter.code).inc()
        await self._outlet.send_dead_letters(refused)
        for letter in refused:
            message = self._in_force(letter)
            if message is not None:
                offset = await self._outlet.send(TOPIC, [message], partition=_PARTITION)
                if offset is not None:
                    self._written_back.add(offset)

    def _in_force(self, letter: DeadLetter) -> Message | None:
        """What to write back after a refusal; None where the topic says it already."""
        record = letter.record
        if record.key is None or self._latest[record.key] != record.offset:
            return None
        try:
            in_force = self.definitions.in_force(record.key.decode())
        except UnicodeDecodeError:
            in_force = None
        # Never the very record that was refused, which would be refused for ever.
        return None if in_force == record.value else Message(record.key, in_force)
