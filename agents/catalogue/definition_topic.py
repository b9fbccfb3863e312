"""The `segment-definitions` topic: all of it before any input, then each record as it comes."""

from __future__ import annotations

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


# The topic has one partition (agents.kafka.topics): its order across keys means something.
_PARTITION = 0


class DefinitionTopic(TopicReader):
    """Keeps `definitions` up with the topic; `changed` is told each plan.

    Every worker judges each record alike. The one that `speaks` answers those that streamseg did not write
    itself: a dead letter for each that was refused, and what is in force now (or that nothing is), written to
    the topic with all that is known of it, so that whoever reads the topic later knows the same. The others
    keep what there is to answer until the topic holds it: one of them may be the next to speak.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        batch_producer: BatchProducer,
        changed: Callable[[Plan], None],
        speaks: Callable[[], bool | None],
        counted: Callable[[str, bytes], int],
        metrics: Metrics,
        **kwargs: Any,
    ) -> None:
        """`speaks` tells whether this worker is the one to report, or None while that is not settled;
        `counted` is as for `Definitions.load`, and asked at the start only."""
        name = topic_name(settings, SEGMENT_DEFINITIONS)
        super().__init__(settings, name, self._take_records, client="definitions", **kwargs)
        self.definitions = Definitions(settings)
        self._batch_producer = batch_producer
        self._changed = changed
        self._speaks = speaks
        self._counted = counted
        self._metrics = metrics
        self._found: list[Record] | None = None
        self._refused: list[DeadLetter] = []
        # Of each key that was answered, the offset of the record that was.
        self._answered: dict[bytes, int] = {}

    async def on_start(self) -> None:
        """Read the whole topic and judge it as a set. Returns once that is done."""
        found: list[Record] = []
        self._found = found
        await super().on_start()
        self._found = None
        self._refused = self.definitions.load(found, counted=self._counted)
        self._report_plan(self.definitions.plan)
        self._changed(self.definitions.plan)
        _log.info(
            "%d segment definitions in force, %d refused",
            len(self.definitions.plan.segments),
            len(self._refused),
        )

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
            self._judge(records)

    def _judge(self, records: list[Record]) -> None:
        before = self.definitions.plan
        for record in records:
            answers = Statement.of(record).answers
            if answers is not None:
                # Whoever wrote this has sent the dead letters first.
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
        """Say what the topic does not say yet."""
        if not self._refused and not self.definitions.pending:
            return
        if not self._speaks():
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
        """Write what came of the records that are pending; what comes meanwhile overtakes it."""
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
