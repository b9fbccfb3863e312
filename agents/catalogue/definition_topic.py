"""The `segment-definitions` topic: all of it is read before any input, then each record as it arrives."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from agents.kafka.batch_producer import BatchProducer, Message
from agents.kafka.topic_reader import TopicReader
from agents.kafka.topics import topic_name
from agents.metrics import Metrics
from schemas.topics import SEGMENT_DEFINITIONS
from streamseg.errors import RejectedError
from streamseg.plan.definitions import Definitions
from streamseg.plan.plan import Plan
from streamseg.records.headers import Statement
from streamseg.records.inputs import Record
from streamseg.records.outputs import DeadLetter
from streamseg.settings import Settings

_log = logging.getLogger(__name__)


# The topic has one partition (`agents.kafka.topics`), because the order of its records across keys matters.
_PARTITION = 0


class DefinitionTopic(TopicReader):
    """Keeps `definitions` current with the topic, and calls `changed` with each new plan.

    Every worker checks each record in the same way. One worker, for which `answering` is true, answers the
    records that streamseg did not write itself. It sends a dead letter for each refused record. It also
    writes the definition in force (or a tombstone) to the topic, with all facts about it in headers, so that
    later readers of the topic know the same. The other workers keep the pending answers until the topic
    contains them, since one of them may be the next to answer.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        batch_producer: BatchProducer,
        changed: Callable[[Plan], None],
        answering: Callable[[], bool | None],
        counted: Callable[[str, bytes], int],
        metrics: Metrics,
        **kwargs: Any,
    ) -> None:
        """`answering` returns whether this worker answers, or None while that is not decided. `counted` is
        the argument of `Definitions.load`; it is called only at the start."""
        name = topic_name(settings, SEGMENT_DEFINITIONS)
        super().__init__(settings, name, self._take_records, client="definitions", **kwargs)
        self.definitions = Definitions(settings)
        self._batch_producer = batch_producer
        self._changed = changed
        self._answering = answering
        self._counted = counted
        self._metrics = metrics
        self._found: list[Record] | None = None
        self._refused: list[DeadLetter] = []
        # Key -> the offset of its last record that was answered.
        self._answered: dict[bytes, int] = {}

    async def on_start(self) -> None:
        """Read the whole topic and check it as a set. Return when that is done."""
        found: list[Record] = []
        self._found = found
        await super().on_start()
        self._found = None
        # In a thread: thousands of definitions take seconds, in which this process must not stand still.
        self._refused, plan = await asyncio.to_thread(self._load, found)
        self._report_plan(plan)
        self._changed(plan)
        _log.info(
            "%d segment definitions in force, %d refused",
            len(plan.segments),
            len(self._refused),
        )

    def _load(self, found: list[Record]) -> tuple[list[DeadLetter], Plan]:
        refused = self.definitions.load(found, counted=self._counted)
        return refused, self.definitions.plan

    def _take_records(self, polled: list[Any]) -> None:
        records = [
            Record(
                SEGMENT_DEFINITIONS,
                one.partition,
                one.offset,
                one.timestamp,
                one.key,
                one.value,
                tuple(one.headers),
            )
            for one in polled
        ]
        if self._found is not None:
            self._found += records
        else:
            self._apply(records)

    def _apply(self, records: list[Record]) -> None:
        before = self.definitions.plan
        for record in records:
            answers = Statement.of(record).answers
            if answers is not None:
                # The writer of this answer has sent the dead letters before it.
                self._refused = [
                    one
                    for one in self._refused
                    if one.record.key != record.key or one.record.offset > answers
                ]
            try:
                self.definitions.take(record)
            except RejectedError as error:
                if answers is None:
                    self._refused.append(DeadLetter.of(record, error))
                else:
                    _log.warning(
                        "an answer is refused: %s/%d: %s", SEGMENT_DEFINITIONS, record.offset, error.code
                    )
        plan = self.definitions.plan
        if plan is not before:
            self._report_plan(plan)
            self._changed(plan)
            _log.info("definitions changed: generation %d, %d segments", plan.generation, len(plan.segments))

    def _report_plan(self, plan: Plan) -> None:
        self._metrics.generation.set(plan.generation)

    async def polled(self) -> None:
        """Send the dead letters and answers that the topic does not contain yet."""
        if not self._refused and not self.definitions.pending:
            return
        if not self._answering():
            return
        refused, self._refused = self._refused, []
        for letter in refused:
            self._metrics.dead_letters.labels(letter.code).inc()
            if letter.fault is not None:
                _log.error(
                    "failed at %s/%d", SEGMENT_DEFINITIONS, letter.record.offset, exc_info=letter.fault
                )
        await self._batch_producer.send_dead_letters(refused)
        await self._answer()

    async def _answer(self) -> None:
        """Write the results of the pending records. A record that arrives meanwhile comes before this answer
        on the topic and supersedes it."""
        pending = dict(self.definitions.pending)
        answers = [
            (key, *self.definitions.answer(key))
            for key, offset in pending.items()
            if self._answered.get(key) != offset
        ]
        if not answers:
            return
        messages = [Message(key, value, list(headers)) for key, value, headers in answers]
        await self._batch_producer.send(SEGMENT_DEFINITIONS, messages, partition=_PARTITION)
        self._answered = pending
