"""The worker's producer: whole batches, acknowledged before anything goes on."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any, NamedTuple, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.producer.message_accumulator import BatchBuilder
from faust.types import TP
from mode import Service

from agents.kafka.changelog_record import Written, expected_at
from agents.kafka.clients import new_producer
from agents.kafka.compatibility import before_sending, compress_at, count_retries, end_producer
from agents.kafka.partitioner import place
from agents.kafka.shared_batches import SharedBatches
from agents.kafka.topics import changelog_topic, topic_name
from agents.kafka.unacknowledged import Unacknowledged
from agents.metrics import Metrics
from schemas.topics import CHANNEL_SUPPRESSIONS, DEAD_LETTERS, MEMBERSHIP_CHANGES, SEGMENT_MEMBERSHIPS
from streamseg.records.outputs import DeadLetter
from streamseg.settings import Settings
from streamseg.store.database import KeyValue

_log = logging.getLogger(__name__)

# What a batch is filled up to. A group or a single record that is longer makes a longer batch.
_BATCH_BYTES = 512 << 10
_RECORD_OVERHEAD_BYTES = 64
# What one group may take before it is compressed; the broker refuses what is too long after that.
_LONGEST_BATCH_BYTES = 256 << 20
_REQUEST_TIMEOUT_MS = 60_000
_STOP_SECONDS = 5.0
# zstd's lowest level takes half as long as aiokafka's for as many bytes: batches are too short to look far.
_COMPRESSION_LEVEL = 1

_LOG_APPEND_TIME = 1
_CLOCK = b"clock"

Headers = list[tuple[str, bytes]]


class Message(NamedTuple):
    """What is produced: a value of None is a tombstone."""

    key: bytes | None
    value: bytes | None
    headers: Headers | None = None


class Outputs(Protocol):
    """What is to be sent of one input partition (`agents.partitions.output_buffer`), keys and values."""

    changes: list[tuple[bytes, bytes]]

    def memberships(self) -> Iterable[tuple[bytes, bytes | None]]: ...

    def suppressions(self) -> Iterable[tuple[bytes, bytes | None]]: ...


class BatchProducer(Service):
    """Sends a partition's outputs and changelog. Each method returns once the brokers have acknowledged
    everything, and raises aiokafka's KafkaError where they did not.

    The producer is idempotent: its own retries neither repeat nor reorder.
    """

    mundane_level = "debug"

    def __init__(
        self,
        settings: Settings,
        *,
        check: Callable[[Collection[TP]], None] | None = None,
        metrics: Metrics | None = None,
        **kwargs: Any,
    ) -> None:
        """`check` is called right before anything goes to the broker, retries included, with the topic
        partitions that it is for; what it raises ends the producer with nothing more sent."""
        super().__init__(**kwargs)
        self._settings = settings
        self._check = check
        self._producer: AIOKafkaProducer | None = None
        self._changelog = changelog_topic(settings)
        self._metrics = Metrics() if metrics is None else metrics
        self._unacknowledged = Unacknowledged(self._metrics)
        self._turns: defaultdict[tuple[str, int], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._shared: dict[tuple[str, int], SharedBatches[Message]] = {}

    async def on_start(self) -> None:
        compress_at(_COMPRESSION_LEVEL)
        self._producer = new_producer(
            self._settings,
            client="outputs",
            max_batch_size=_LONGEST_BATCH_BYTES,
            compression_type="zstd",
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
        )
        if self._check is not None:
            before_sending(self._producer, self._check)
        count_retries(self._producer, self._metrics.produce_retries.inc)
        await self._producer.start()

    async def on_stop(self) -> None:
        if self._producer is not None:
            await end_producer(self._producer, _STOP_SECONDS)

    def observe(self) -> None:
        """Bring the gauge up to date."""
        self._unacknowledged.observe()

    @property
    def producer(self) -> AIOKafkaProducer:
        """The started producer."""
        if self._producer is None:
            raise RuntimeError("the batch_producer was not started")
        return self._producer

    async def send_outputs(self, partition: int, outputs: Outputs) -> None:
        """What an input partition has to send beside dead letters."""
        await asyncio.gather(
            self.send(MEMBERSHIP_CHANGES, _messages(outputs.changes), partition=partition),
            self._send_placed(SEGMENT_MEMBERSHIPS, _messages(outputs.memberships())),
            self._send_placed(CHANNEL_SUPPRESSIONS, _messages(outputs.suppressions())),
        )

    async def send_changelog(
        self, partition: int, groups: Iterable[Sequence[KeyValue]], *, first: int
    ) -> Written | None:
        """Changelog records of a partition, each group as a whole or not at all, since a Kafka batch is, the
        first of which is expected at offset `first`; where they are, None if there are none."""
        offsets = count(first)
        messages = (
            [Message(key, value, [expected_at(next(offsets))]) for key, value in group] for group in groups
        )
        return await self._send_groups(self._changelog, messages, partition)

    async def send(self, topic: str, messages: Iterable[Message], *, partition: int) -> int | None:
        """Messages to one partition of a topic of the contract, in order; the offset of the last one."""
        name = topic_name(self._settings, topic)
        written = await self._send_groups(name, ([message] for message in messages), partition)
        return None if written is None else written.last

    async def brokers_time(self, topic: str) -> int | None:
        """What the clock of a broker says, epoch ms, which stamps a record in partition 0 of this topic (its
        name on the broker) for it; None where the topic leaves that to the producer."""
        sent = await self.producer.send_and_wait(topic, b"", key=_CLOCK, partition=0)
        stamped_ms: int = sent.timestamp
        return stamped_ms if sent.timestamp_type == _LOG_APPEND_TIME else None

    async def send_dead_letters(self, letters: Iterable[DeadLetter]) -> None:
        """Refused records, bytes unchanged, the why in headers."""
        messages = [Message(letter.record.key, letter.record.value, letter.headers()) for letter in letters]
        try:
            await self._send_placed(DEAD_LETTERS, messages)
        except MessageSizeTooLargeError:
            # Each alone, so that those that do not fit are found; some are sent twice by this.
            for letter in letters:
                await self._send_dead_letter(letter)

    async def _send_dead_letter(self, letter: DeadLetter) -> None:
        record = letter.record
        try:
            message = Message(record.key, record.value, letter.headers())
            await self._send_placed(DEAD_LETTERS, [message], alone=True)
        except MessageSizeTooLargeError:
            _log.warning("the dead letter for %s does not fit into its topic", record.position)
            shortened = replace(
                letter,
                message=f"{letter.message}; too large for this topic, still to be read at {record.position}",
            )
            await self._send_placed(DEAD_LETTERS, [Message(None, b"", shortened.headers())], alone=True)

    async def _send_placed(self, topic: str, messages: Sequence[Message], *, alone: bool = False) -> None:
        """Each message to the partition that its key belongs to; without a key, to any. Joined with what
        others send there at the same time, if not `alone`."""
        if not messages:
            return
        name = topic_name(self._settings, topic)
        count = len(await self.producer.partitions_for(name))
        placed: dict[int, list[Message]] = {}
        for message in messages:
            placed.setdefault(place(message.key, count), []).append(message)
        shared = [(self._shared_batches(name, partition), group) for partition, group in placed.items()]
        await asyncio.gather(
            *[batches.send_alone(group) if alone else batches.send(group) for batches, group in shared]
        )

    def _shared_batches(self, name: str, partition: int) -> SharedBatches[Message]:
        batches = self._shared.get((name, partition))
        if batches is None:

            async def deliver(messages: list[Message]) -> None:
                await self._send_groups(name, ([message] for message in messages), partition)

            batches = self._shared[(name, partition)] = SharedBatches(deliver)
        return batches

    async def _send_groups(
        self, topic: str, groups: Iterable[Sequence[Message]], partition: int
    ) -> Written | None:
        with self._unacknowledged.sending():
            return await self._send_batches(topic, groups, partition)

    async def _send_batches(
        self, topic: str, groups: Iterable[Sequence[Message]], partition: int
    ) -> Written | None:
        producer = self.producer
        sent: list[tuple[asyncio.Future[Any], int]] = []
        batch = producer.create_batch()
        filled = 0
        for group in groups:
            size = sum(map(_size, group))
            if filled and filled + size > _BATCH_BYTES:
                sent.append(await self._hand_over(batch, topic, partition))
                batch = producer.create_batch()
                filled = 0
            filled += size
            for key, value, headers in group:
                if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
                    raise MessageSizeTooLargeError(f"{len(group)} records that belong together, {size} bytes")
        if filled:
            sent.append(await self._hand_over(batch, topic, partition))
        firsts = [(await acknowledgement).offset for acknowledgement, _ in sent]
        counts = [count for _, count in sent]
        return Written(firsts[0], firsts[-1] + counts[-1] - 1, sum(counts)) if sent else None

    async def _hand_over(
        self, batch: BatchBuilder, topic: str, partition: int
    ) -> tuple[asyncio.Future[Any], int]:
        """The batch's acknowledgement to come, and how many records it has.

        One after the other: of several that wait for the client to be ready for the next batch of a
        partition it lets any go first, and counts each time again how long the others have waited."""
        count = batch.record_count()
        async with self._turns[(topic, partition)]:
            return await self.producer.send_batch(batch, topic, partition=partition), count


def _messages(pairs: Iterable[tuple[bytes, bytes | None]]) -> list[Message]:
    return [Message(key, value) for key, value in pairs]


def _size(message: Message) -> int:
    """No less than what it takes in a batch, bytes."""
    key, value, headers = message
    size = _RECORD_OVERHEAD_BYTES + len(key or b"") + len(value or b"")
    if headers:
        size += sum(len(name.encode()) + len(text) + 10 for name, text in headers)
    return size
