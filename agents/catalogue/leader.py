"""The one worker that decides commands and writes the rows of `segment-catalog`."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from mode import Service

from agents.catalogue.catalogue_topic import CatalogueTopic
from agents.catalogue.definition_topic import DefinitionTopic
from agents.catalogue.outcome import ORIGIN, REQUEST_ID, VERSIONS, Outcome
from agents.catalogue.progress_reader import ProgressReader
from agents.kafka.broker_trouble import in_words
from agents.kafka.clients import new_group_member
from agents.kafka.compatibility import end_consumer, set_fetch_wait
from agents.kafka.rights import worker_groups
from agents.kafka.topics import outcomes_topic, topic_name
from agents.kafka.transactional_producer import Output, TransactionalProducer
from agents.metrics import Metrics
from agents.pacing import DEFAULT_PACING, Pacing
from schemas.commands import SEGMENT_COMMAND, SegmentCommand, UpdateCommand
from schemas.topics import DEAD_LETTERS, SEGMENT_CATALOG, SEGMENT_COMMANDS, SEGMENT_DEFINITIONS
from streamseg.catalogue import calculation, versions
from streamseg.catalogue.adoption import catch_up
from streamseg.catalogue.decision import Decision
from streamseg.catalogue.rules import PRECONDITION, current_version, decide
from streamseg.catalogue.state import Catalogue, is_segment_key
from streamseg.engine.decoding import check_timestamp
from streamseg.errors import Code, RejectedError, refusing_faults
from streamseg.json_text import Json, dumps
from streamseg.language.condition_count import check_condition_count
from streamseg.records.inputs import Record
from streamseg.records.messages import checked_by, read_message
from streamseg.records.outputs import DeadLetter
from streamseg.settings import Settings

_log = logging.getLogger(__name__)


class Leader(Service, ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Leads while the group assigns the one partition of `segment-commands` to this worker.

    A command is decided by the definitions in force: everything written before has been read back first. The
    records of a decision, its outcome and the command's offset are one transaction. The next leader fences
    this one by starting its own producer.
    """

    mundane_level = "debug"

    def __init__(
        self,
        settings: Settings,
        *,
        catalogue_topic: CatalogueTopic,
        definition_topic: DefinitionTopic,
        progress: ProgressReader,
        check: Callable[[], None],
        metrics: Metrics,
        now_ms: Callable[[], int],
        latest_ms: Callable[[], int],
        transactions: bool = True,
        pacing: Pacing = DEFAULT_PACING,
        **kwargs: Any,
    ) -> None:
        """`check` is called before anything is written, and may raise. `now_ms()` is the trusted time (epoch
        ms); commands with a timestamp after `latest_ms()` (epoch ms) are refused. `transactions` is the
        argument of `TransactionalProducer`."""
        super().__init__(**kwargs)
        self._settings = settings
        self._catalogue_topic = catalogue_topic
        self._definition_topic = definition_topic
        self._progress_reader = progress
        self._check = check
        self._metrics = metrics
        self._now_ms = now_ms
        self._latest_ms = latest_ms
        self._transactions = transactions
        self._pacing = pacing
        _, self._group = worker_groups(settings)
        self._commands = TopicPartition(topic_name(settings, SEGMENT_COMMANDS), 0)
        self._consumer: AIOKafkaConsumer | None = None
        self._producer: TransactionalProducer | None = None
        self._assignments = 0
        self._led = 0
        self.trouble: str | None = None
        """The reason why this worker cannot lead although the partition is assigned to it; None if it can."""
        self._logged_at = 0.0
        self._counted_at = 0.0
        self._expired_at = 0.0

    @property
    def _catalogue(self) -> Catalogue:
        return self._catalogue_topic.catalogue

    # -- who leads ---------------------------------------------------------------------------------------

    async def on_start(self) -> None:
        self._consumer = new_group_member(
            self._settings,
            group=self._group,
            client_id=f"{self._settings.application_id}-catalogue",
            fetch_wait_ms=self._pacing.reader_fetch_wait_ms,
        )
        self._consumer.subscribe([self._commands.topic], listener=self)
        await self._consumer.start()
        set_fetch_wait(self._consumer, self._pacing.reader_fetch_wait_ms)

    async def on_stop(self) -> None:
        await self._resign()
        if self._consumer is not None:
            await end_consumer(self._consumer, self._pacing.consumer_stop_seconds)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Nothing to do: the current transaction is completed, or the next leader fences it."""

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._assignments += 1

    async def _take_over(self, consumer: AIOKafkaConsumer) -> None:
        await self._resign()
        self._led = self._assignments
        # The producer is stored before it is started, so that a stop in the middle of the start closes it.
        self._producer = TransactionalProducer(
            self._settings, self._check, transactions=self._transactions, pacing=self._pacing
        )
        await self._producer.start()
        await self._definition_topic.catch_up()
        await self._catalogue_topic.catch_up()
        await consumer.seek_to_committed(self._commands)
        self._catalogue_topic.leading = True
        self._metrics.leader.set(1)
        self.trouble = None
        _log.info("leads the catalogue")
        await self._write(catch_up(self._catalogue))

    async def _resign(self) -> None:
        producer, self._producer = self._producer, None
        led = self._catalogue_topic.leading
        self._catalogue_topic.leading = False
        self._metrics.leader.set(0)
        if producer is not None:
            await producer.stop()
            if led:
                _log.info("no longer leads the catalogue")

    @Service.task
    async def _lead(self) -> None:
        if self._consumer is None:
            raise RuntimeError("the leader was not started")
        while not self.should_stop:
            try:
                await self._turn(self._consumer)
            except KafkaError as error:
                if self.should_stop:
                    return
                self._log_trouble(in_words(self._settings, error))
                await self._resign()
                await asyncio.sleep(self._pacing.retry_seconds)

    def _log_trouble(self, trouble: str) -> None:
        """Log trouble when it changes, and once a minute while it lasts."""
        now = time.monotonic()
        if trouble != self.trouble or now - self._logged_at >= self._pacing.trouble_log_seconds:
            self._logged_at = now
            _log.warning("the catalogue starts again, since %s", trouble)
        self.trouble = trouble

    async def _turn(self, consumer: AIOKafkaConsumer) -> None:
        batches = await consumer.getmany(timeout_ms=self._pacing.command_poll_ms)
        if self.should_stop:
            # The leader has resigned and must not take over again.
            return
        if self._commands not in consumer.assignment():
            self.trouble = None
            await self._resign()
            await asyncio.sleep(self._pacing.command_poll_ms / 1000)
            return
        if self._producer is None or self._led != self._assignments:
            # The consumer goes back to the committed offset, so these records are read again.
            await self._take_over(consumer)
            return
        for record in batches.get(self._commands, ()):
            began = time.perf_counter()
            result = await self._rule(record)
            self._metrics.commands.labels(result).observe(time.perf_counter() - began)
        await self._tend()

    # -- commands ----------------------------------------------------------------------------------------

    async def _rule(self, record: Any) -> str:
        """Carry out one command. Return `refused` or `applied`."""
        source = Record(
            SEGMENT_COMMANDS, 0, record.offset, record.timestamp, record.key, record.value, record.headers
        )
        headers = dict(record.headers)
        key = headers.get(REQUEST_ID, source.position.encode())
        consumed = {self._commands: record.offset + 1}
        command: SegmentCommand | None = None
        try:
            with refusing_faults():
                command = self._read(source)
                decision = decide(
                    self._catalogue,
                    command,
                    now_ms=record.timestamp,
                    offset=record.offset,
                    settings=self._settings,
                    versions=_versions(headers.get(VERSIONS)),
                )
        except RejectedError as error:
            outcome = Outcome(
                record.offset,
                code=error.code.value,
                message=error.message,
                path=error.path,
                current_version=self._current_version(error, command),
            )
            letter = DeadLetter.of(source, error)
            if letter.fault is not None:
                _log.error("failed at %s", source.position, exc_info=letter.fault)
            if ORIGIN not in headers:
                # A caller of the API gets the refusal from its worker, which counts it.
                self._metrics.dead_letters.labels(letter.code).inc()
            refusal = Output(
                topic_name(self._settings, DEAD_LETTERS),
                record.key,
                record.value,
                letter.headers(),
                partition=None,
            )
            await self._publish([refusal, self._outcome(key, outcome)], consumed=consumed)
            return "refused"
        await self._write(decision, key=key, offset=record.offset, consumed=consumed)
        return "applied"

    def _read(self, record: Record) -> SegmentCommand:
        check_timestamp(record, self._latest_ms())
        body = read_message(record.value or b"", limit_bytes=self._settings.max_record_bytes)
        if isinstance(body, dict):
            check_condition_count(body.get("definition"), self._settings.max_conditions, at="definition")
        return checked_by(SEGMENT_COMMAND, body)

    def _current_version(self, error: RejectedError, command: SegmentCommand | None) -> int | None:
        about_version = isinstance(command, UpdateCommand) or error.path == PRECONDITION
        if error.code is not Code.CONFLICT or command is None or not about_version:
            return None
        return current_version(self._catalogue, command)

    def _outcome(self, key: bytes, outcome: Outcome) -> Output:
        return Output(outcomes_topic(self._settings), key, outcome.to_bytes())

    async def _write(
        self,
        decision: Decision,
        *,
        key: bytes | None = None,
        offset: int = -1,
        consumed: Mapping[TopicPartition, int] | None = None,
    ) -> None:
        """Write a decision, rows first. Return when it was read back."""
        if not decision and consumed is None:
            return
        rows, definitions = (
            topic_name(self._settings, one) for one in (SEGMENT_CATALOG, SEGMENT_DEFINITIONS)
        )
        outputs = [Output(rows, row_key.encode(), _json(value)) for row_key, value in decision.rows]
        outputs += [self._definition(definitions, one, value) for one, value in decision.definitions]
        segment_ids = tuple(one for one, _ in decision.rows if is_segment_key(one))

        def with_outcome(ends: Mapping[str, int]) -> list[Output]:
            outcome = Outcome(offset, segment_ids, ends.get(rows, 0), ends.get(definitions, 0))
            return [] if key is None else [self._outcome(key, outcome)]

        self._catalogue_topic.expect(decision.definitions)
        ends = await self._publish(outputs, then=with_outcome, consumed=consumed)
        await self._catalogue_topic.taken.reached(ends.get(rows, 0))
        await self._definition_topic.taken.reached(ends.get(definitions, 0))
        if self._catalogue_topic.refused():
            # An operator's record came in between, so the rows do not match the definitions in force.
            await self._write(catch_up(self._catalogue))

    def _definition(self, topic: str, segment_id: str, value: Json | None) -> Output:
        """Return the record of a definition with all facts about it in headers, so that no worker has to
        answer it."""
        body = _json(value)
        headers = self._definition_topic.definitions.statement(segment_id, body)
        return Output(topic, segment_id.encode(), body, list(headers))

    async def _publish(
        self,
        outputs: list[Output],
        *,
        then: Callable[[Mapping[str, int]], list[Output]] | None = None,
        consumed: Mapping[TopicPartition, int] | None = None,
    ) -> dict[str, int]:
        if self._producer is None or self._consumer is None:
            raise RuntimeError("only the leader publishes")
        ends = await self._producer.publish(outputs, then=then, consumed=consumed, group=self._group)
        if consumed and not self._transactions:
            await self._consumer.commit(dict(consumed))
        return ends

    # -- calculations and counts -------------------------------------------------------------------------

    async def _tend(self) -> None:
        """Write rows for other writers' definitions, for calculations and for counts, at most one row for
        each segment; and remove deleted segments that were kept long enough."""
        rows: dict[str, Json | None] = {}
        if time.monotonic() - self._expired_at >= self._pacing.expiry_seconds:
            self._expired_at = time.monotonic()
            rows.update(versions.expire(self._catalogue, now_ms=self._now_ms()).rows)
        slow = time.monotonic() - self._counted_at >= self._pacing.count_seconds
        calculating = [
            (segment_id, entry.row.generation)
            for segment_id, entry in self._catalogue.segments.items()
            if entry.row.status == "calculating"
        ]
        members = self._progress_reader.progress.members() if slow or calculating else None
        if slow:
            self._counted_at = time.monotonic()
            if members is not None:
                rows.update(calculation.count(self._catalogue, members).rows)
        for segment_id, begun in calculating:
            rows.update(self._calculation(segment_id, begun, members, slow).rows)
        rows.update(self._catalogue_topic.adopted().rows)
        await self._write(Decision(rows=tuple(rows.items())))

    def _calculation(
        self, segment_id: str, begun: int | None, members: Mapping[str, int] | None, slow: bool
    ) -> Decision:
        segment = self._definition_topic.definitions.plan.segments.get(segment_id)
        if segment is None:
            return Decision()
        generation = segment.introduced
        if begun != generation:
            return calculation.begin(self._catalogue, segment_id, generation=generation)
        progress = self._progress_reader.progress.of(generation)
        if progress >= 1 and members is not None:
            contacts = members.get(segment_id, 0)
            return calculation.complete(self._catalogue, segment_id, generation=generation, contacts=contacts)
        if not slow:
            return Decision()
        return calculation.advance(
            self._catalogue, segment_id, generation=generation, progress=min(progress, 0.99)
        )


def _versions(header: bytes | None) -> list[int] | None:
    """Return the versions that a command's header lists. Raises RejectedError if it is not a list of
    versions."""
    if header is None:
        return None
    try:
        return [int(number) for number in header.split(b",")]
    except ValueError as error:
        raise RejectedError(
            Code.INVALID_SCHEMA, "must be whole numbers with commas between", VERSIONS
        ) from error


def _json(value: Json | None) -> bytes | None:
    return None if value is None else dumps(value)
