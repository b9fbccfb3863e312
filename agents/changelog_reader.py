"""Reads changelogs to their end, in bulk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import NamedTuple, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from agents.connection import librdkafka_options
from streamseg.settings import Settings
from streamseg.store.rocksdb import KeyValue

_RECORDS = 5_000
_WAIT_SECONDS = 0.05


class Last(NamedTuple):
    """The last record read of a partition: its offset, its timestamp (epoch ms) and its key."""

    offset: int
    timestamp_ms: int
    key: bytes | None


def read_changelog(
    settings: Settings,
    topic: str,
    starts: Mapping[int, int | None],
    apply: Callable[[int, list[KeyValue], int], None],
    stop: threading.Event,
) -> dict[int, Last]:
    """Read partitions of a changelog from the given offsets (None: the beginning) to their ends, or until
    `stop` is set; the last record of each. `apply` is given partition, records and the last one's offset.

    Blocks; for a thread. librdkafka fetches and unpacks in threads of its own, in C, while `apply` writes;
    aiokafka does it in Python, which was half of a recovery. A second thread here would only wait for the
    interpreter's lock. Raises KafkaException for what the brokers refuse, and what `apply` raises; where
    they do not answer, it goes on asking."""
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
    last: dict[int, Last] = {}
    try:
        # By its number: to ask where the beginning is takes librdkafka half a second. Where records were
        # deleted there, the broker says that nothing has this offset, and the earliest is taken.
        consumer.assign(
            [TopicPartition(topic, partition, offset or 0) for partition, offset in starts.items()]
        )
        left = set(starts)
        while left and not stop.is_set():
            batches: dict[int, list[Message]] = {}
            for message in consumer.consume(_RECORDS, _WAIT_SECONDS):
                partition, error = cast(int, message.partition()), message.error()
                if error is None:
                    batches.setdefault(partition, []).append(message)
                elif _is_end(error):
                    left.discard(partition)
            for partition, messages in batches.items():
                last[partition] = _last(messages[-1])
                records = [(cast(bytes, message.key()), message.value()) for message in messages]
                apply(partition, records, last[partition].offset)
        return last
    finally:
        consumer.close()


def _is_end(error: KafkaError) -> bool:
    """Whether it says that a partition was read to its end. Raises what waiting does not mend."""
    if error.code() == KafkaError._PARTITION_EOF:
        return True
    if error.fatal() or not (error.retriable() or error.code() in _PASSING):
        raise KafkaException(error)
    return False


_PASSING = {
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._TRANSPORT,
    KafkaError._RESOLVE,
    KafkaError._TIMED_OUT,
}


def _last(message: Message) -> Last:
    return Last(cast(int, message.offset()), message.timestamp()[1], message.key())
