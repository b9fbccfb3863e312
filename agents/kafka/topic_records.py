"""Reads topics to their ends, several at a time, with one iterator for each partition."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import NamedTuple, Self, TypeVar, cast

from confluent_kafka import OFFSET_END, Consumer, KafkaException, Message, TopicPartition

from agents.kafka.broker_trouble import no_reading
from agents.kafka.changelog_reader import NEW_TOPIC, is_end, is_of_the_group
from agents.kafka.client_errors import ClientErrors, code
from agents.kafka.reader_options import reader_options
from agents.kafka.silence import Silence
from agents.kafka.topics import topic_name
from streamseg.errors import ConfigurationError
from streamseg.records.inputs import Headers, Record
from streamseg.settings import Settings

Answer = TypeVar("Answer")

_RECORDS = 1_000
_WAIT_SECONDS = 0.2
_QUEUED = 10_000


class Place(NamedTuple):
    """A partition of a topic, by the topic's name in the contract."""

    topic: str
    partition: int


class TopicRecords:
    """The committed records of some partitions, from a given time to the ends that they have when `begin` is
    called. Memory: some thousands of records for each partition, however long the topics are.

    Every method raises ConfigurationError if the brokers refuse or do not answer within `timeout_seconds`.
    """

    def __init__(self, settings: Settings, *, client: str, timeout_seconds: float = 30.0) -> None:
        """`client` names the reader to the brokers. Nothing is committed."""
        self.read = 0
        """The number of records that were yielded."""
        self.to_read = 0
        """An upper bound of the number of records: the offsets between starts and ends."""
        self._settings = settings
        self._timeout_seconds = timeout_seconds
        self.ends: dict[Place, int] = {}
        """The offsets up to which the partitions of the last `begin` are read."""
        self._queues: dict[Place, deque[Message]] = {}
        self._left: set[Place] = set()
        self._paused: set[Place] = set()
        self._errors = ClientErrors(settings, timeout_seconds=timeout_seconds)
        self._consumer = Consumer(
            {
                **reader_options(settings),
                "error_cb": self._errors.note,
                "client.id": f"streamseg-{client}",
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the consumer."""
        self._consumer.close()

    def partitions(self, topic: str) -> list[Place]:
        """Return the partitions of a topic. Raises ConfigurationError if there is no such topic."""
        name = topic_name(self._settings, topic)
        found = self._asked(
            topic, lambda: self._consumer.list_topics(name, timeout=self._timeout_seconds).topics[name]
        )
        if found.error is not None:
            raise ConfigurationError(
                no_reading(self._settings, name, found.error)
                or f"{self._settings.bootstrap_servers} has no topic {name} ({found.error.str()}); are the "
                "address (STREAMSEG_BOOTSTRAP_SERVERS, --bootstrap) and STREAMSEG_TOPIC_PREFIX right?"
            )
        return [Place(topic, number) for number in sorted(found.partitions)]

    def begin(
        self,
        places: Iterable[Place],
        from_ms: int | None = None,
        *,
        offsets: Mapping[Place, int] | None = None,
    ) -> dict[Place, int]:
        """Start to read these partitions instead of those before. Return the offset of the first record that
        each still has. Records before the first one with a timestamp of `from_ms` (epoch ms) or later are
        skipped, or the records before `offsets`."""
        firsts: dict[Place, int] = {}
        starts: dict[Place, int] = {}
        # librdkafka keeps a partition paused when it is assigned again.
        self._consumer.resume([self._at(place) for place in self._paused])
        self.ends, self._queues, self._left, self._paused = {}, {}, set(), set()
        for place in places:
            first, end = self._bounds(place)
            firsts[place], self.ends[place] = first, end
            start = first if from_ms is None else self._offset(place, from_ms, end)
            starts[place] = max(start, 0 if offsets is None else offsets.get(place, 0))
            self._queues[place] = deque()
            if starts[place] < end:
                self._left.add(place)
        self.read, self.to_read = 0, sum(self.ends[place] - starts[place] for place in self._left)
        self._consumer.assign([self._at(place, starts[place]) for place in self._left])
        return firsts

    def records(self, place: Place) -> Iterator[Record]:
        """Yield the records of one partition in offset order; fetch more when none are left."""
        queue = self._queues[place]
        while True:
            while queue:
                self.read += 1
                yield _record(place.topic, queue.popleft())
            if place not in self._left:
                return
            self._fetch(place)

    def _fetch(self, place: Place) -> None:
        """Fetch records of all partitions until this one has a record or is at its end."""
        if place in self._paused:
            self._paused.remove(place)
            self._consumer.resume([self._at(place)])
        silence = Silence(self._errors, topic_name(self._settings, place.topic), limited=True)
        while place in self._left and not self._queues[place]:
            messages = self._consumer.consume(_RECORDS, _WAIT_SECONDS)
            for message in messages:
                self._take(message)
            if messages:
                silence.end()
            else:
                silence.go_on()

    def _take(self, message: Message) -> None:
        error = message.error()
        if is_of_the_group(error):
            return
        prefix = len(self._settings.topic_prefix)
        place = Place(cast(str, message.topic())[prefix:], cast(int, message.partition()))
        forbidden = no_reading(self._settings, cast(str, message.topic()), error)
        if forbidden is not None:
            raise ConfigurationError(forbidden)
        if place not in self._left or (
            error is not None and not self._asked(place.topic, lambda: is_end(error))
        ):
            return
        offset = cast(int, message.offset())
        if error is None and offset < self.ends[place]:
            self._queues[place].append(message)
        if error is not None or offset + 1 >= self.ends[place]:
            self._left.remove(place)
        if place not in self._left or len(self._queues[place]) >= _QUEUED:
            self._paused.add(place)
            self._consumer.pause([self._at(place)])

    def _bounds(self, place: Place) -> tuple[int, int]:
        """Return the offset of the first record, and the offset after the last one."""
        deadline = time.monotonic() + self._timeout_seconds

        def ask() -> tuple[int, int]:
            while True:
                try:
                    return self._consumer.get_watermark_offsets(
                        self._at(place), timeout=self._timeout_seconds
                    )
                except KafkaException as error:
                    if code(error) not in NEW_TOPIC or time.monotonic() > deadline:
                        raise
                    time.sleep(_WAIT_SECONDS)

        return self._asked(place.topic, ask)

    def _offset(self, place: Place, from_ms: int, end: int) -> int:
        (found,) = self._asked(
            place.topic,
            lambda: self._consumer.offsets_for_times(
                [self._at(place, from_ms)], timeout=self._timeout_seconds
            ),
        )
        return end if found.offset == OFFSET_END else int(found.offset)

    def _at(self, place: Place, offset: int = 0) -> TopicPartition:
        return TopicPartition(topic_name(self._settings, place.topic), place.partition, offset)

    def _asked(self, topic: str, ask: Callable[[], Answer]) -> Answer:
        try:
            return ask()
        except KafkaException as error:
            name = topic_name(self._settings, topic)
            right = f"READ on the topic {name}"
            raise self._errors.of(error, f"cannot read {name}", self._consumer, right) from error


def _record(topic: str, message: Message) -> Record:
    # A message without an error has these fields, but the type stub allows None.
    return Record(
        topic,
        cast(int, message.partition()),
        cast(int, message.offset()),
        message.timestamp()[1],
        message.key(),
        message.value(),
        tuple(cast(Headers, message.headers() or ())),
    )
