"""Writes records to several topics in one transaction, and only while no other worker does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from agents.kafka.batch_producer import Headers
from agents.kafka.clients import new_producer
from agents.kafka.compatibility import end_producer
from agents.kafka.partitioner import place
from agents.kafka.rights import catalogue_transactions
from agents.kafka.topics import CHANGELOG_SIZE_FACTOR
from agents.pacing import DEFAULT_PACING, Pacing
from streamseg.settings import Settings


class Output(NamedTuple):
    """A record for a topic, by the topic's name on the broker. If `partition` is None, the key decides the
    partition."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers | None = None
    partition: int | None = 0


class TransactionalProducer:
    """A transactional producer. Starting one fences the one before it, on whichever worker that runs.

    For a broker without transactions it writes in order and commits nothing. Every method raises aiokafka's
    KafkaError; then nothing was written, and the producer must be stopped.
    """

    def __init__(
        self,
        settings: Settings,
        check: Callable[[], None],
        *,
        transactions: bool = True,
        pacing: Pacing = DEFAULT_PACING,
    ) -> None:
        """`check` is called before anything is sent, and may raise."""
        self._check = check
        self._transactions = transactions
        self._pacing = pacing
        self._producer = new_producer(
            settings,
            client="catalogue",
            transactional_id=catalogue_transactions(settings) if transactions else None,
            max_batch_size=CHANGELOG_SIZE_FACTOR * settings.max_record_bytes,
        )

    async def start(self) -> None:
        await self._producer.start()

    async def stop(self) -> None:
        await end_producer(self._producer, self._pacing.producer_stop_seconds)

    async def publish(
        self,
        outputs: list[Output],
        *,
        then: Callable[[Mapping[str, int]], list[Output]] | None = None,
        consumed: Mapping[TopicPartition, int] | None = None,
        group: str = "",
    ) -> dict[str, int]:
        """Write the outputs in order, and commit `consumed` (next offsets) for the group, in one transaction.

        Return topic -> offset after the last record written to it (to its partition 0). `then` gets the same
        mapping and returns the last records to write.
        """
        self._check()
        async with self._transaction() if self._transactions else nullcontext():
            ends = await self._send(outputs)
            if then is not None:
                await self._send(then(ends))
            if consumed and self._transactions:
                await self._producer.send_offsets_to_transaction(dict(consumed), group)
            self._check()
        return ends

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        """Run aiokafka's transaction, but never wait long for brokers that are away to abort it: the next
        producer that starts ends a transaction that is left open."""
        await self._producer.begin_transaction()
        try:
            yield
        except asyncio.CancelledError:
            raise
        except BaseException:
            with suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(self._pacing.producer_stop_seconds):
                    await self._producer.abort_transaction()
            raise
        await self._producer.commit_transaction()

    async def _send(self, outputs: list[Output]) -> dict[str, int]:
        sent: list[tuple[str, asyncio.Future[Any]]] = []
        for output in outputs:
            future = await self._producer.send(
                output.topic,
                value=output.value,
                key=output.key,
                headers=output.headers,
                partition=await self._partition(output),
            )
            sent.append((output.topic, future))
        return {topic: (await future).offset + 1 for topic, future in sent}

    async def _partition(self, output: Output) -> int:
        if output.partition is not None:
            return output.partition
        return place(output.key, len(await self._producer.partitions_for(output.topic)))
