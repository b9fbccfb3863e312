"""Writes records to several topics, all of them or none, and only while nobody else does."""

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
from agents.kafka.topics import CHANGELOG_SIZE_FACTOR, worker_id
from streamseg.settings import Settings

_STOP_SECONDS = 5.0


class Output(NamedTuple):
    """A record for a topic, by its name on the broker. `partition` None: where its key belongs."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers | None = None
    partition: int | None = 0


class TransactionalProducer:
    """A transactional producer. Starting one shuts out the one before it, of whichever worker.

    For a broker that is not able to do that, it writes in order without transactions and commits nothing.
    Every method raises aiokafka's KafkaError; then nothing was written, and the producer is to be stopped.
    """

    def __init__(self, settings: Settings, check: Callable[[], None], *, transactions: bool = True) -> None:
        """`check` is called before anything is sent, and may raise."""
        self._check = check
        self._transactions = transactions
        self._producer = new_producer(
            settings,
            client="catalogue",
            transactional_id=f"{worker_id(settings)}-catalogue" if transactions else None,
            max_batch_size=CHANGELOG_SIZE_FACTOR * settings.max_record_bytes,
        )

    async def start(self) -> None:
        await self._producer.start()

    async def stop(self) -> None:
        await end_producer(self._producer, _STOP_SECONDS)

    async def publish(
        self,
        outputs: list[Output],
        *,
        then: Callable[[Mapping[str, int]], list[Output]] | None = None,
        consumed: Mapping[TopicPartition, int] | None = None,
        group: str = "",
    ) -> dict[str, int]:
        """Write in order, and commit `consumed` (next offsets) for the group, in one transaction.

        Topic -> offset after the last record written to it (its partition 0). `then` is given that too, and
        makes the last records."""
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
        """As aiokafka's own, but never waiting for brokers that are away to abort it: whoever starts a
        producer next puts an end to what is left open."""
        await self._producer.begin_transaction()
        try:
            yield
        except asyncio.CancelledError:
            raise
        except BaseException:
            with suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
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
