"""Removes the dead letters about one contact.

Dead letters have the keys and bytes of the refused records, so no key is unique and Kafka cannot compact
them. It can only delete a partition's first records. So the letters before the last one about the contact are
written again at the end, without those about the contact, and then everything up to that one is deleted.

A crash between the two steps leaves letters twice, with the same `source.…` headers, and loses none.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

import orjson
from confluent_kafka import KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from agents.kafka.client_errors import ClientErrors, no_answer
from agents.kafka.connection import librdkafka_options
from agents.kafka.topic_records import Place, TopicRecords
from agents.kafka.topics import OUTPUT_SIZE_FACTOR, topic_name
from schemas.topics import DEAD_LETTERS
from streamseg.records.inputs import Record
from streamseg.settings import Settings


class Erased(NamedTuple):
    """How many dead letters were removed, and how many others were written again."""

    removed: int
    written_again: int


def concerns(record: Record, contact_id: str) -> bool:
    """Return whether a dead letter is about a contact: its key is the contact's id, or its value is a JSON
    object with that `contact_id`, or is no JSON and has the id in it as a JSON text."""
    key = contact_id.encode()
    if record.key == key:
        return True
    value = record.value or b""
    try:
        body = orjson.loads(value)
    except ValueError:
        # An id between quotes: as it is, or with the characters beyond ASCII escaped.
        quoted = (orjson.dumps(contact_id), json.dumps(contact_id).encode())
        return any(text in value for text in quoted)
    return isinstance(body, dict) and body.get("contact_id") == contact_id


def erase_dead_letters(settings: Settings, contact_id: str, *, timeout_seconds: float = 30.0) -> Erased:
    """Remove the dead letters about a contact that are in the topic now. Memory: the letters of one
    partition.

    Raises ConfigurationError if the brokers refuse or do not answer within `timeout_seconds`."""
    removed = written_again = 0
    with TopicRecords(settings, client=DEAD_LETTERS, timeout_seconds=timeout_seconds) as reading:
        for place in reading.partitions(DEAD_LETTERS):
            reading.begin([place])
            kept: list[Record] = []
            before: list[Record] = []
            last: int | None = None
            for record in reading.records(place):
                if concerns(record, contact_id):
                    removed += 1
                    last = record.offset
                    before += kept
                    kept = []
                else:
                    kept.append(record)
            if last is not None:
                _write(settings, place, before, timeout_seconds)
                _delete(settings, place, last + 1, timeout_seconds)
                written_again += len(before)
    return Erased(removed, written_again)


def _write(settings: Settings, place: Place, records: Sequence[Record], timeout_seconds: float) -> None:
    """Append records to the partition, unchanged, and wait for their acknowledgement."""
    errors = ClientErrors(settings, timeout_seconds=timeout_seconds)
    producer = Producer(
        {
            **librdkafka_options(settings),
            "error_cb": errors.note,
            "enable.idempotence": True,
            "message.max.bytes": OUTPUT_SIZE_FACTOR * settings.max_record_bytes,
            "delivery.timeout.ms": int(timeout_seconds * 1000),
        }
    )
    refused: list[KafkaException] = []

    def delivered(error: Any, _: Any) -> None:
        if error is not None:
            refused.append(KafkaException(error))

    name = topic_name(settings, place.topic)
    for record in records:
        while True:
            try:
                producer.produce(
                    name,
                    record.value,
                    record.key,
                    partition=place.partition,
                    timestamp=record.timestamp_ms,
                    headers=list(record.headers),
                    on_delivery=delivered,
                )
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    left = producer.flush(timeout_seconds)
    if refused or left:
        what = f"nothing was deleted from partition {place.partition}: cannot write {name}"
        raise errors.of(refused[0] if refused else no_answer(), what, producer, f"WRITE on the topic {name}")


def _delete(settings: Settings, place: Place, offset: int, timeout_seconds: float) -> None:
    """Delete the partition's records before `offset`."""
    name = topic_name(settings, place.topic)
    errors = ClientErrors(settings, timeout_seconds=timeout_seconds)
    options: dict[str, Any] = {**librdkafka_options(settings), "error_cb": errors.note}
    admin = AdminClient(options)
    asked: dict[Any, Future[Any]] = admin.delete_records(
        [TopicPartition(name, place.partition, offset)], request_timeout=timeout_seconds
    )
    try:
        for answer in asked.values():
            answer.result()
    except KafkaException as error:
        what, right = f"cannot delete records of {name}", f"DELETE on the topic {name}"
        raise errors.of(error, what, admin, right) from error
