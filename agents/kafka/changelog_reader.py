"""Reads changelogs to their ends, in bulk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from agents.kafka.changelog_record import counts
from agents.kafka.connection import librdkafka_options
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings
from streamseg.store.database import KeyValue

_RECORDS = 5_000
_WAIT_SECONDS = 0.05
_ANSWER_SECONDS = 5.0


def read_changelog(
    settings: Settings,
    topic: str,
    starts: Mapping[int, int],
    apply: Callable[[int, list[KeyValue], list[bytes], int], None],
    reached: Callable[[int, int], None],
    stop: threading.Event,
    *,
    planned: Callable[[int, int, int], None] | None = None,
) -> None:
    """Read partitions of a changelog from the given offsets to their ends as of this call, or until `stop` is
    set. `apply` is given partition, records, the keys of others that do not count
    (`agents.kafka.changelog_record`) and the last one's offset. `reached` is given partition and the offset
    after its end, once for each, as soon as it was read to its end; nothing of the partition is applied after
    that. `planned` is given partition, start and end of each before that.

    Blocks; for a thread. librdkafka fetches and unpacks in threads of its own, in C, while `apply` writes;
    aiokafka does it in Python, which was half of a recovery. A second thread here would only wait for the
    interpreter's lock. Raises KafkaException for what the brokers refuse, ConfigurationError for a start
    behind the end, and what `apply` and `reached` raise; while they do not answer, it goes on asking."""
    consumer = Consumer(
        {
            **librdkafka_options(settings),
            "group.id": f"{settings.application_id}-recovery",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "queued.max.messages.kbytes": 32 << 10,
            # What is asked for only a second after the queue was full leaves this thread without work.
            "fetch.queue.backoff.ms": 5,
            # That a partition was read to its end is known once an empty answer comes.
            "fetch.wait.max.ms": 20,
        }
    )
    try:
        left: dict[int, int] = {}
        for partition, start in starts.items():
            end = _end(consumer, TopicPartition(topic, partition), stop)
            if end is None:
                return
            if start > end:
                raise ConfigurationError(
                    f"the state in {settings.data_dir} is ahead of its changelog, which was made anew "
                    f"({topic}/{partition} ends at {end}, the state holds it up to {start}); "
                    "remove that folder, or give the workers a new STREAMSEG_APPLICATION_ID"
                )
            if planned is not None:
                planned(partition, start, end)
            if start == end:
                reached(partition, end)
            else:
                left[partition] = end
        # By its number: to ask where the beginning is takes librdkafka half a second. Where records were
        # deleted there, the broker says that nothing has this offset, and the earliest is taken.
        consumer.assign([TopicPartition(topic, partition, starts[partition]) for partition in left])
        while left and not stop.is_set():
            batches: dict[int, list[Message]] = {}
            positions: dict[int, int] = {}
            for message in consumer.consume(_RECORDS, _WAIT_SECONDS):
                partition, error = cast(int, message.partition()), message.error()
                if partition not in left:
                    # At work by now: what comes after its end is what it writes itself.
                    continue
                if error is None:
                    batches.setdefault(partition, []).append(message)
                    positions[partition] = cast(int, message.offset()) + 1
                elif is_end(error):
                    positions[partition] = cast(int, message.offset())
            for partition, messages in batches.items():
                records: list[KeyValue] = []
                strays: list[bytes] = []
                for message in messages:
                    key = cast(bytes, message.key())
                    headers = cast(list[tuple[str, bytes]] | None, message.headers())
                    if counts(headers, cast(int, message.offset())):
                        records.append((key, message.value()))
                    else:
                        strays.append(key)
                apply(partition, records, strays, cast(int, messages[-1].offset()))
            for partition, position in positions.items():
                if position >= left[partition]:
                    del left[partition]
                    consumer.pause([TopicPartition(topic, partition)])
                    reached(partition, position)
    finally:
        consumer.close()


def changelog_ends(settings: Settings, topic: str, partitions: Iterable[int]) -> dict[int, int]:
    """The offsets after the last records of some partitions, as the broker tells them now; those that it does
    not tell in time are left out.

    Blocks; for a thread. Raises KafkaException for what the brokers refuse."""
    consumer = Consumer({**librdkafka_options(settings), "group.id": f"{settings.application_id}-recovery"})
    ends: dict[int, int] = {}
    try:
        for partition in partitions:
            try:
                offsets = consumer.get_watermark_offsets(
                    TopicPartition(topic, partition), _ANSWER_SECONDS, cached=False
                )
            except KafkaException as error:
                _raise_lasting(error.args[0])
                continue
            if offsets is not None:
                ends[partition] = int(offsets[1])
        return ends
    finally:
        consumer.close()


def _end(consumer: Consumer, partition: TopicPartition, stop: threading.Event) -> int | None:
    """The offset after the last record, as the broker tells it now; None once `stop` is set."""
    while not stop.is_set():
        try:
            offsets = consumer.get_watermark_offsets(partition, _ANSWER_SECONDS, cached=False)
        except KafkaException as error:
            _raise_lasting(error.args[0])
            stop.wait(_WAIT_SECONDS)
            continue
        if offsets is not None:
            return int(offsets[1])
    return None


def is_end(error: KafkaError) -> bool:
    """Whether it says that a partition was read to its end. Raises what waiting does not mend."""
    if error.code() == KafkaError._PARTITION_EOF:
        return True
    _raise_lasting(error)
    return False


def _raise_lasting(error: KafkaError) -> None:
    if error.fatal() or not (error.retriable() or error.code() in _PASSING):
        raise KafkaException(error)


_PASSING = {
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._TRANSPORT,
    KafkaError._RESOLVE,
    KafkaError._TIMED_OUT,
    KafkaError._WAIT_COORD,
}
