"""Writes records to a topic with one partition at the offsets that they had on another topic.

Offsets of `segment-definitions` are facts: births and versions of segments are compared by them. Kafka gives
offsets by itself. An offset between two records that compaction has removed, or that a transaction's marker
had, is filled by a marker of a transaction, and by records of a transaction that is aborted, which no reader
sees.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Self

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from agents.export.topic_lines import Kept
from agents.kafka.changelog_reader import NEW_TOPIC
from agents.kafka.client_errors import ClientErrors, code, no_answer
from agents.kafka.connection import librdkafka_options
from agents.kafka.reader_options import reader_options
from agents.kafka.rights import catalogue_transactions
from agents.kafka.topics import CHANGELOG_SIZE_FACTOR
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings

_POLL_SECONDS = 0.01
_QUEUED = 10_000


class ExactTopic:
    """The one partition of a topic, to which nothing else writes meanwhile. Every method raises
    ConfigurationError if the brokers refuse or do not answer within `timeout` seconds."""

    def __init__(self, settings: Settings, name: str, *, timeout: float = 30.0) -> None:
        """`name` is the topic's name on the brokers."""
        self._name = name
        self._timeout = timeout
        self._errors = ClientErrors(settings, timeout_seconds=timeout)
        options = {
            **librdkafka_options(settings),
            "error_cb": self._errors.note,
            "message.max.bytes": CHANGELOG_SIZE_FACTOR * settings.max_record_bytes,
            "enable.idempotence": True,
        }
        self._plain = Producer(options)
        self._transactional = Producer({**options, "transactional.id": catalogue_transactions(settings)})
        self._consumer = Consumer({**reader_options(settings), "error_cb": self._errors.note})
        self._started = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def end(self) -> int:
        """Return the offset that the next record gets."""
        place = TopicPartition(self._name, 0)
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                return int(self._consumer.get_watermark_offsets(place, self._timeout, cached=False)[1])
            except KafkaException as error:
                # Right after a topic was made, its leader may not know that yet.
                if code(error) not in NEW_TOPIC or time.monotonic() > deadline:
                    what, right = f"cannot read {self._name}", f"READ on the topic {self._name}"
                    raise self._errors.of(error, what, self._consumer, right) from error
                time.sleep(_POLL_SECONDS)

    def write(self, records: Sequence[Kept], end: int) -> None:
        """Write the records that the topic does not have yet, each at its offset, and fill it up to `end` at
        least."""
        try:
            self._write_all(records, end)
        except KafkaException as error:
            what, right = f"cannot write {self._name}", f"WRITE on the topic {self._name}"
            raise self._errors.of(error, what, self._transactional, right) from error

    def _write_all(self, records: Sequence[Kept], end: int) -> None:
        at = self.end()
        runs = _runs([record for record in records if record.offset >= at])
        if runs and runs[0][0].offset == at + 1:
            # One offset alone cannot be filled by a transaction. The same record twice says the same.
            self._write([runs[0][0]], marked=False)
            at += 1
        elif runs:
            self._fill(runs[0][0].offset - at)
        following = [*(run[0].offset for run in runs[1:]), end][: len(runs)]
        for run, then in zip(runs, following, strict=True):
            at = run[-1].offset + 1
            self._write(run, marked=then == at + 1)
            self._await(at + (then == at + 1))
            if then > at + 1:
                self._fill(then - at)
        if not runs and end > at:
            self._fill(max(end - at, 2))

    def _write(self, run: Sequence[Kept], *, marked: bool) -> None:
        """Write records one after the other, with a transaction's marker after them or without."""
        producer = self._plain
        if marked:
            producer = self._begin()
        self._produce(producer, run)
        if marked:
            producer.commit_transaction(self._timeout)

    def _fill(self, offsets: int) -> None:
        """Use so many offsets, at least 2, without a record that anybody reads."""
        if not offsets:
            return
        end = self.end() + offsets
        producer = self._begin()
        filler = Kept(0, 0, b"", b"", ())
        self._produce(producer, [filler] * (offsets - 1))
        producer.abort_transaction(self._timeout)
        self._await(end)

    def _begin(self) -> Producer:
        if not self._started:
            self._transactional.init_transactions(self._timeout)
            self._started = True
        self._transactional.begin_transaction()
        return self._transactional

    def _produce(self, producer: Producer, records: Sequence[Kept]) -> None:
        failed: list[KafkaException] = []

        def delivered(error: object, _: object) -> None:
            if error is not None:
                failed.append(KafkaException(error))

        for number, record in enumerate(records, 1):
            producer.produce(
                self._name,
                record.value,
                record.key,
                partition=0,
                timestamp=record.timestamp_ms,
                headers=list(record.headers),
                on_delivery=delivered,
            )
            if number % _QUEUED == 0:
                producer.flush(self._timeout)
        if producer.flush(self._timeout):
            raise no_answer()
        if failed:
            raise failed[0]

    def _await(self, end: int) -> None:
        """Wait until the topic ends there: brokers write the marker after they have answered."""
        deadline = time.monotonic() + self._timeout
        while (found := self.end()) != end:
            if found > end or time.monotonic() > deadline:
                raise ConfigurationError(
                    f"{self._name} ends at {found} and not at {end}: something else writes to it; stop that, "
                    "and begin with a new topic"
                )
            time.sleep(_POLL_SECONDS)


def _runs(records: Sequence[Kept]) -> list[list[Kept]]:
    """Return the records in runs of offsets without a gap."""
    runs: list[list[Kept]] = []
    for record in records:
        if runs and runs[-1][-1].offset + 1 == record.offset:
            runs[-1].append(record)
        else:
            runs.append([record])
    return runs
