"""The memberships on the `segment-memberships` topic, as a consumer of the topic knows them."""

from __future__ import annotations

import time
from types import TracebackType
from typing import NamedTuple, Self

import orjson
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from agents.kafka.connection import librdkafka_options
from agents.kafka.topics import topic_name, worker_id
from schemas.topics import SEGMENT_MEMBERSHIPS
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings

_RECORDS = 5_000
_WAIT_SECONDS = 0.2


class Membership(NamedTuple):
    """A contact's membership of a segment, with its sequence and the time of entry (RFC 3339)."""

    segment_id: str
    contact_id: str
    sequence: int
    entered_at: str

    @property
    def key(self) -> bytes:
        """The key of the membership's record."""
        return f"{self.segment_id}|{self.contact_id}".encode()


class MembershipsReader:
    """Reads the topic from its beginning. `memberships` holds, by record key, the memberships at the position
    up to which it was read."""

    def __init__(self, settings: Settings, timeout_seconds: float = 30.0) -> None:
        """Raises ConfigurationError if the topic cannot be found in time."""
        self.memberships: dict[bytes, Membership] = {}
        self._timeout_seconds = timeout_seconds
        self._topic = topic_name(settings, SEGMENT_MEMBERSHIPS)
        self._consumer = Consumer(
            {
                **librdkafka_options(settings),
                "group.id": f"{worker_id(settings)}-verify",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
            }
        )
        try:
            found = self._consumer.list_topics(self._topic, timeout=timeout_seconds).topics[self._topic]
        except KafkaException as error:
            self._consumer.close()
            raise ConfigurationError(
                f"{settings.bootstrap_servers} cannot be asked for {self._topic} ({error.args[0].str()}); "
                "check STREAMSEG_BOOTSTRAP_SERVERS, or compare without the topic: --no-topic"
            ) from error
        self._partitions = sorted(found.partitions)
        self._read = dict.fromkeys(self._partitions, 0)
        self._consumer.assign([TopicPartition(self._topic, one, 0) for one in self._partitions])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def read_on(self) -> None:
        """Read up to the end that the topic has now. Raises ConfigurationError if no record arrives for
        `timeout_seconds`."""
        ends = {one: self._end(one) for one in self._partitions}
        received_at = time.monotonic()
        while any(self._read[one] < end for one, end in ends.items()):
            messages = self._consumer.consume(_RECORDS, _WAIT_SECONDS)
            for message in messages:
                self._take(message)
            if messages:
                received_at = time.monotonic()
            elif time.monotonic() - received_at > self._timeout_seconds:
                raise ConfigurationError(f"{self._topic} cannot be read to its end; are the brokers up?")

    def _end(self, partition: int) -> int:
        """Return the offset after the last record. Records that retention has removed count as read."""
        first, end = self._consumer.get_watermark_offsets(
            TopicPartition(self._topic, partition), timeout=self._timeout_seconds
        )
        self._read[partition] = max(self._read[partition], first)
        return int(end)

    def _take(self, message: Message) -> None:
        error = message.error()
        if error is not None:
            if error.fatal():
                raise ConfigurationError(f"{self._topic} cannot be read: {error.str()}")
            return
        # A message without an error has a partition and an offset, but the type stub allows None.
        self._read[message.partition() or 0] = (message.offset() or 0) + 1
        key, value = message.key() or b"", message.value()
        if value is None:
            self.memberships.pop(key, None)
            return
        body = orjson.loads(value)
        self.memberships[key] = Membership(
            body["segment_id"], body["contact_id"], body["sequence"], body["entered_at"]
        )
