"""The worker's producer: it sends whole batches and waits for their acknowledgement."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import count
from typing import Any, NamedTuple, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.producer.message_accumulator import BatchBuilder
from faust.types import TP
from mode import Service

from agents.kafka.changelog_record import Written, expected_at
from agents.kafka.clients import new_producer
from agents.kafka.compatibility import before_sending, compress_with, count_retries, end_producer
from agents.kafka.compression import compress
from agents.kafka.partitioner import place
from agents.kafka.shared_rounds import Placed, SharedRounds
from agents.kafka.topics import changelog_topic, topic_name
from agents.kafka.unacknowledged import Unacknowledged
from agents.metrics import Metrics
from agents.pacing import DEFAULT_PACING, Pacing
from schemas.topics import CHANNEL_SUPPRESSIONS, DEAD_LETTERS, MEMBERSHIP_CHANGES, SEGMENT_MEMBERSHIPS
from streamseg.records.outputs import DeadLetter
from streamseg.settings import Settings
from streamseg.store.database import KeyValue

_log = logging.getLogger(__name__)

# The size to which a batch is filled. A longer group, or a longer single record, makes a longer batch.
_BATCH_BYTES = 512 << 10
_RECORD_OVERHEAD_BYTES = 64
# The longest group before compression. The broker refuses batches that are too long after compression.
_LONGEST_BATCH_BYTES = 256 << 20
_REQUEST_TIMEOUT_MS = 60_000

_LOG_APPEND_TIME = 1
_CLOCK = b"clock"

Headers = list[tuple[str, bytes]]


class Message(NamedTuple):
    """A record to produce; the value None is a tombstone."""

    key: bytes | None
    value: bytes | None
    headers: Headers | None = None


class Outputs(Protocol):
    """The outputs of one input partition (`agents.partitions.output_buffer`)."""

    changes: list[Message]

    def memberships(self) -> Iterable[Message]: ...

    def suppressions(self) -> Iterable[Message]: ...


class BatchProducer(Service):
    """Sends a partition's outputs and changelog. Each method returns when the brokers have acknowledged
    everything, and raises aiokafka's KafkaError if they have not.

    The producer is idempotent: its own retries neither repeat nor reorder records.
    """

    mundane_level = "debug"

    def __init__(
        self,
        settings: Settings,
        *,
        check: Callable[[Collection[TP]], None] | None = None,
        metrics: Metrics | None = None,
        pacing: Pacing = DEFAULT_PACING,
        **kwargs: Any,
    ) -> None:
        """`check` is called with the topic partitions right before anything is sent to the broker, retries
        included. If it raises, the producer ends and sends nothing more."""
        super().__init__(**kwargs)
        self._settings = settings
        self._check = check
        self._pacing = pacing
        self._producer: AIOKafkaProducer | None = None
        self._changelog = changelog_topic(settings)
        self._metrics = Metrics() if metrics is None else metrics
        self._unacknowledged = Unacknowledged(self._metrics)
        self._turns: defaultdict[tuple[str, int], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._outputs = SharedRounds(self._deliver)
        # Apart from the outputs, since a dead letter that is too large fails its whole round.
        self._letters = SharedRounds(self._deliver)

    async def on_start(self) -> None:
        compress_with(compress)
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
            await end_producer(self._producer, self._pacing.producer_stop_seconds)

    def observe(self) -> None:
        """Update the gauge of unacknowledged records."""
        self._unacknowledged.observe()

    @property
    def producer(self) -> AIOKafkaProducer:
        """The started producer."""
        if self._producer is None:
            raise RuntimeError("the producer is not started; await start() first")
        return self._producer

    async def send_outputs(self, partition: int, outputs: Outputs) -> None:
        """Send an input partition's outputs, except dead letters."""
        placed: dict[tuple[str, int], list[Message]] = {}
        if outputs.changes:
            name = topic_name(self._settings, MEMBERSHIP_CHANGES)
            placed[(name, partition)] = list(outputs.changes)
        placed |= await self._placed(SEGMENT_MEMBERSHIPS, list(outputs.memberships()))
        placed |= await self._placed(CHANNEL_SUPPRESSIONS, list(outputs.suppressions()))
        if placed:
            await self._outputs.send(placed)

    async def send_changelog(
        self, partition: int, groups: Iterable[Sequence[KeyValue]], *, first: int
    ) -> Written | None:
        """Send changelog records of a partition. Each group is one Kafka batch, so it is written as a whole
        or not at all. The first record is expected at offset `first`. Return the offsets written; None if
        there are no records."""
        offsets = count(first)
        messages = (
            [Message(key, value, [expected_at(next(offsets))]) for key, value in group] for group in groups
        )
        return await self._send_groups(self._changelog, messages, partition)

    async def send(self, topic: str, messages: Iterable[Message], *, partition: int) -> int | None:
        """Send messages to one partition of a topic of the contract, in order. Return the offset of the last
        one."""
        name = topic_name(self._settings, topic)
        written = await self._send_groups(name, ([message] for message in messages), partition)
        return None if written is None else written.last

    async def brokers_time(self, topic: str) -> int | None:
        """Return the time of a broker's clock, epoch ms. The broker stamps a record that is written to
        partition 0 of `topic` (the name on the broker) for this. The result is None if the topic leaves
        timestamps to the producer."""
        sent = await self.producer.send_and_wait(topic, b"", key=_CLOCK, partition=0)
        stamped_ms: int = sent.timestamp
        return stamped_ms if sent.timestamp_type == _LOG_APPEND_TIME else None

    async def send_dead_letters(self, letters: Iterable[DeadLetter]) -> None:
        """Send refused records with unchanged bytes; the headers hold the reason."""
        messages = [Message(letter.record.key, letter.record.value, letter.headers()) for letter in letters]
        if not messages:
            return
        try:
            await self._letters.send(await self._placed(DEAD_LETTERS, messages))
        except MessageSizeTooLargeError:
            # Send each letter alone to find those that do not fit. Some letters are sent twice by this.
            for letter in letters:
                await self._send_dead_letter(letter)

    async def _send_dead_letter(self, letter: DeadLetter) -> None:
        record = letter.record
        try:
            message = Message(record.key, record.value, letter.headers())
            await self._letters.send_alone(await self._placed(DEAD_LETTERS, [message]))
        except MessageSizeTooLargeError:
            _log.warning("the dead letter for %s does not fit into its topic", record.position)
            message_text = (
                f"{letter.message}; too large for this topic, still to be read at {record.position}"
            )
            shortened = DeadLetter(record, letter.code, message_text, letter.path, letter.fault, letter.paths)
            message = Message(None, b"", shortened.headers())
            await self._letters.send_alone(await self._placed(DEAD_LETTERS, [message]))

    async def _placed(self, topic: str, messages: Sequence[Message]) -> dict[tuple[str, int], list[Message]]:
        """Return the messages by the topic partition of their key; without a key, of any partition."""
        placed: dict[tuple[str, int], list[Message]] = {}
        if messages:
            name = topic_name(self._settings, topic)
            count = len(await self.producer.partitions_for(name))
            for message in messages:
                placed.setdefault((name, place(message.key, count)), []).append(message)
        return placed

    async def _deliver(self, placed: Placed[Message]) -> None:
        """Send messages to their topic partitions, all at the same time."""
        with self._unacknowledged.sending():
            left = {to: self._batches([message] for message in messages) for to, messages in placed.items()}
            sent: list[asyncio.Future[Any]] = []
            # Of each topic partition a batch, then of each the next one: the second one waits for the first.
            while left:
                for to, batches in list(left.items()):
                    batch = next(batches, None)
                    if batch is None:
                        del left[to]
                    else:
                        sent.append((await self._hand_over(batch, *to))[0])
            await asyncio.gather(*sent)

    async def _send_groups(
        self, topic: str, groups: Iterable[Sequence[Message]], partition: int
    ) -> Written | None:
        with self._unacknowledged.sending():
            sent = [await self._hand_over(batch, topic, partition) for batch in self._batches(groups)]
            firsts = [(await acknowledgement).offset for acknowledgement, _ in sent]
        counts = [count for _, count in sent]
        return Written(firsts[0], firsts[-1] + counts[-1] - 1, sum(counts)) if sent else None

    def _batches(self, groups: Iterable[Sequence[Message]]) -> Iterator[BatchBuilder]:
        """Return batches of whole groups."""
        batch = self.producer.create_batch()
        filled = 0
        for group in groups:
            size = sum(map(_size, group))
            if filled and filled + size > _BATCH_BYTES:
                yield batch
                batch = self.producer.create_batch()
                filled = 0
            filled += size
            for key, value, headers in group:
                if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
                    raise MessageSizeTooLargeError(f"{len(group)} records that belong together, {size} bytes")
        if filled:
            yield batch

    async def _hand_over(
        self, batch: BatchBuilder, topic: str, partition: int
    ) -> tuple[asyncio.Future[Any], int]:
        """Return the batch's future acknowledgement, and the number of its records.

        Batches of one partition are handed over one after the other. If several waited inside the client, it
        would let them continue in any order, and would count the waiting time again for each.
        """
        count = batch.record_count()
        async with self._turns[(topic, partition)]:
            return await self.producer.send_batch(batch, topic, partition=partition), count


def _size(message: Message) -> int:
    """Return an upper bound for the message's size in a batch, in bytes."""
    key, value, headers = message
    size = _RECORD_OVERHEAD_BYTES + len(key or b"") + len(value or b"")
    if headers:
        size += sum(len(name.encode()) + len(text) + 10 for name, text in headers)
    return size
