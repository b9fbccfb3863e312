"""Reads changelogs to their ends, in large batches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from agents.kafka.changelog_record import Headers, counts
from agents.kafka.client_errors import ClientErrors
from agents.kafka.reader_options import reader_options
from agents.kafka.silence import Silence
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings
from streamseg.store.database import KeyValue

_RECORDS = 5_000
_WAIT_SECONDS = 0.05
_ANSWER_SECONDS = 5.0
_LOGGED_SECONDS = 60.0
"""How often a reader without a limit says in the log that it waits for the brokers."""


class _Batch:
    """Records of one partition that were read together: those that count, the keys of the others, and the
    offset of the last one."""

    __slots__ = ("offset", "records", "strays")

    def __init__(self) -> None:
        self.records: list[KeyValue] = []
        self.strays: list[bytes] = []
        self.offset = -1

    def take(self, message: Message, offset: int) -> None:
        key = cast(bytes, message.key())
        if counts(cast(Headers | None, message.headers()), offset):
            self.records.append((key, message.value()))
        else:
            self.strays.append(key)
        self.offset = offset


def read_changelog(
    settings: Settings,
    topic: str,
    starts: Mapping[int, int],
    apply: Callable[[int, list[KeyValue], list[bytes], int], None],
    reached: Callable[[int, int], None],
    stop: threading.Event,
    *,
    planned: Callable[[int, int, int], None] | None = None,
    timeout_seconds: float | None = None,
) -> None:
    """Read partitions of a changelog from the given offsets to the ends that they have at this call, or until
    `stop` is set.

    `apply` gets the partition, the records that count, the keys of the records that do not
    (`agents.kafka.changelog_record`), and the offset of the last record. `planned` gets the partition, its
    start and its end, once for each partition, before anything else. `reached` gets the partition and the
    offset after its end, once for each partition, as soon as it was read to its end; after that nothing of
    the partition is applied.

    Partitions are read one after the other, in the given order: so the first ones are soon at their ends, and
    few stores fill memory tables at a time. The next partition joins when little is left of those before it,
    so that short ones are read together; and when nothing arrives, for example because the leader of one does
    not answer.

    Blocks; call it in a thread. librdkafka fetches and unpacks in threads of its own, in C, while `apply`
    writes; aiokafka does it in Python, which took half of a recovery. A second thread here would only wait
    for the interpreter's lock. While the brokers do not answer, the function keeps asking, or for at most
    `timeout_seconds`. Raises KafkaException if the brokers refuse, ConfigurationError for a start after the
    end and if the brokers do not answer in time, and the errors of `apply` and `reached`.
    """
    errors = ClientErrors(settings, timeout_seconds=timeout_seconds or _LOGGED_SECONDS)
    silence = Silence(errors, topic, limited=timeout_seconds is not None)
    consumer = Consumer(
        {
            **reader_options(settings),
            "error_cb": errors.note,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            # Records are short, and librdkafka takes some hundred bytes more for each that waits here.
            "queued.max.messages.kbytes": 8 << 10,
            "queued.min.messages": 10_000,
            # By default a fetch after a full queue is delayed by a second, which leaves this thread without
            # work.
            "fetch.queue.backoff.ms": 5,
        }
    )
    try:
        left: dict[int, int] = {}
        for partition, start in starts.items():
            end = _end(consumer, TopicPartition(topic, partition), stop, silence)
            if end is None:
                return
            if start > end:
                raise ConfigurationError(
                    f"the state in {settings.data_dir} is ahead of its changelog, which was created again "
                    f"({topic}/{partition} ends at {end}, the state holds it up to {start}); "
                    "remove that folder, or give the workers a new STREAMSEG_APPLICATION_ID"
                )
            if planned is not None:
                planned(partition, start, end)
            if start == end:
                reached(partition, end)
            else:
                left[partition] = end
        # The partition is assigned by offset, since librdkafka takes half a second to find the beginning. If
        # the records at that offset were deleted, the broker reports the offset as invalid, and the earliest
        # one is used.
        consumer.assign([TopicPartition(topic, partition, starts[partition]) for partition in left])
        consumer.pause([TopicPartition(topic, partition) for partition in left])
        offsets, joined = dict(starts), set[int]()
        silence.end()
        nothing_came = False
        while left and not stop.is_set():
            for partition in [one for one in left if one not in joined]:
                to_read = sum(left[one] - offsets[one] for one in joined if one in left)
                if to_read >= _RECORDS and not nothing_came:
                    break
                consumer.resume([TopicPartition(topic, partition)])
                joined.add(partition)
                nothing_came = False
            batches: dict[int, _Batch] = {}
            positions: dict[int, int] = {}
            for message in consumer.consume(_RECORDS, _WAIT_SECONDS):
                partition, error = cast(int, message.partition()), message.error()
                if partition not in left or is_of_the_group(error):
                    # A partition that is not left is at work already, and writes the records after its end.
                    continue
                offset = cast(int, message.offset())
                if error is None:
                    batch = batches.get(partition)
                    if batch is None:
                        batch = batches[partition] = _Batch()
                    batch.take(message, offset)
                elif is_end(error):
                    positions[partition] = offset
            for partition, batch in batches.items():
                apply(partition, batch.records, batch.strays, batch.offset)
                positions[partition] = max(batch.offset + 1, positions.get(partition, 0))
            for partition, position in positions.items():
                offsets[partition] = position
                if position >= left[partition]:
                    del left[partition]
                    consumer.pause([TopicPartition(topic, partition)])
                    reached(partition, position)
            nothing_came = not positions
            if nothing_came:
                silence.go_on()
            else:
                silence.end()
    finally:
        consumer.close()


def topic_ends(settings: Settings, topic: str, *, timeout_seconds: float) -> dict[int, int]:
    """Return the offsets after the last records of all partitions of a topic (its name on the brokers).

    Blocks. Raises ConfigurationError if the brokers refuse or do not answer in time."""
    errors = ClientErrors(settings, timeout_seconds=timeout_seconds)
    consumer = Consumer({**reader_options(settings), "error_cb": errors.note})
    try:
        numbers = consumer.list_topics(topic, timeout=timeout_seconds).topics[topic].partitions
        places = [TopicPartition(topic, number) for number in numbers]
        return {
            place.partition: int(consumer.get_watermark_offsets(place, timeout_seconds, cached=False)[1])
            for place in places
        }
    except KafkaException as error:
        raise errors.of(error, f"cannot read {topic}", consumer, f"READ on the topic {topic}") from error
    finally:
        consumer.close()


def changelog_ends(settings: Settings, topic: str, partitions: Iterable[int]) -> dict[int, int]:
    """Return the offsets after the last records of some partitions, as the broker reports them now. Once it
    does not answer in time, the remaining partitions are left out.

    Blocks; call it in a thread. Raises KafkaException if the brokers refuse.
    """
    consumer = Consumer(reader_options(settings))
    ends: dict[int, int] = {}
    try:
        for partition in partitions:
            end = _asked_end(consumer, TopicPartition(topic, partition))
            if end is None:
                break
            ends[partition] = end
        return ends
    finally:
        consumer.close()


def _end(
    consumer: Consumer, partition: TopicPartition, stop: threading.Event, silence: Silence
) -> int | None:
    """Ask the broker for the offset after the last record until it answers; None if `stop` is set."""
    while not stop.is_set():
        end = _asked_end(consumer, partition)
        if end is not None:
            silence.end()
            return end
        # Nothing is assigned yet, so this takes no record.
        consumer.poll(0)
        silence.go_on()
        stop.wait(_WAIT_SECONDS)
    return None


def _asked_end(consumer: Consumer, partition: TopicPartition) -> int | None:
    """Return the offset after the last record, as the broker reports it now; None if it does not answer in
    time. Raises KafkaException if the broker refuses."""
    try:
        offsets = consumer.get_watermark_offsets(partition, _ANSWER_SECONDS, cached=False)
    except KafkaException as error:
        _raise_lasting(error.args[0])
        return None
    return None if offsets is None else int(offsets[1])


def is_of_the_group(error: KafkaError | None) -> bool:
    """Return whether an error only says that the user has no right to the reader's consumer group. librdkafka
    looks for the group's coordinator, which a reader that commits nothing does not need."""
    return error is not None and error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED


def is_end(error: KafkaError) -> bool:
    """Return whether the error means that a partition was read to its end. Raises KafkaException for errors
    that waiting cannot end."""
    if error.code() == KafkaError._PARTITION_EOF:
        return True
    _raise_lasting(error)
    return False


def _raise_lasting(error: KafkaError) -> None:
    if error.fatal() or not (error.retriable() or error.code() in _PASSING):
        raise KafkaException(error)


NEW_TOPIC = (
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
)
"""What a broker may answer right after a topic was made, before it knows that it leads a partition."""

_PASSING = {
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._TRANSPORT,
    KafkaError._RESOLVE,
    KafkaError._TIMED_OUT,
    KafkaError._WAIT_COORD,
}
