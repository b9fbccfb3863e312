"""The writer of a run's input: it writes single records, committed transactions and aborted transactions."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple

from confluent_kafka import KafkaException, Producer

from agents.kafka.topics import topic_name
from streamseg.settings import Settings

_FLUSH_SECONDS = 10.0
_TRANSACTION_SECONDS = 20.0


class Mode(StrEnum):
    PLAIN = "plain"
    COMMITTED = "committed"
    ABORTED = "aborted"


class Written(NamedTuple):
    """One record to write; `value` is in its wire form."""

    topic: str
    key: bytes | None
    value: bytes | None
    at_ms: int


class Writer:
    """Delivers batches one after the other, whatever happens to the broker. The topics are read back at the
    end, and they decide the fate of a batch whose commit was not confirmed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._transactional_id = f"chaos-{uuid.uuid4().hex[:8]}"
        self._plain: Producer | None = None
        self._transactional: Producer | None = None
        self.aborted = 0
        self.failed = 0

    def write(self, batch: Iterable[Written], mode: Mode) -> None:
        """Return when the batch is delivered, or in doubt."""
        try:
            if mode is Mode.PLAIN:
                self._write_plainly(batch)
            else:
                self._write_in_transaction(batch, mode)
        except KafkaException:
            # The next producer starts again. With the same id it ends the transaction that was left open.
            self.failed += 1
            if mode is Mode.PLAIN:
                self._plain = None
            else:
                self._transactional = None

    def close(self) -> None:
        """End the transaction that may still be open, so that the topics can be read to their ends."""
        before = -1
        while before != self.failed:
            before = self.failed
            self._transactional = None
            self.write((), Mode.COMMITTED)

    def _write_plainly(self, batch: Iterable[Written]) -> None:
        if self._plain is None:
            self._plain = Producer(self._options())
        self._produce(self._plain, batch)
        while self._plain.flush(_FLUSH_SECONDS):
            continue

    def _write_in_transaction(self, batch: Iterable[Written], mode: Mode) -> None:
        producer = self._transactional
        if producer is None:
            own = {"transactional.id": self._transactional_id, "transaction.timeout.ms": 30_000}
            producer = Producer(self._options(**own))
            producer.init_transactions(_TRANSACTION_SECONDS)
            self._transactional = producer
        producer.begin_transaction()
        self._produce(producer, batch)
        producer.flush(_TRANSACTION_SECONDS)
        if mode is Mode.ABORTED:
            producer.abort_transaction(_TRANSACTION_SECONDS)
            self.aborted += 1
        else:
            producer.commit_transaction(_TRANSACTION_SECONDS)

    def _produce(self, producer: Producer, batch: Iterable[Written]) -> None:
        for record in batch:
            name = topic_name(self._settings, record.topic)
            # -1 is the partition of the key.
            number = 0 if record.topic == "segment-definitions" else -1
            while True:
                try:
                    producer.produce(
                        name, record.value, key=record.key, timestamp=record.at_ms, partition=number
                    )
                    break
                except BufferError:
                    producer.poll(0.1)

    def _options(self, **more: Any) -> dict[str, Any]:
        return {
            "bootstrap.servers": self._settings.bootstrap_servers,
            "partitioner": "murmur2_random",
            "message.max.bytes": 4 << 20,
            "enable.idempotence": True,
            "linger.ms": 5,
            "reconnect.backoff.max.ms": 500,
            "log_level": 0,
            **more,
        }
