"""A reader of a topic with one partition that every worker follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from mode import Service

from agents.kafka.clients import new_consumer
from agents.kafka.compatibility import end_consumer, set_fetch_wait
from agents.kafka.position import Position
from agents.pacing import DEFAULT_PACING, Pacing
from streamseg.settings import Settings

_PARTITION = 0


class TopicReader(Service):
    """Passes the committed records of partition 0 to `take`, in order.

    With `from_beginning`, all records that are there are taken before `start` returns. Otherwise only records
    that arrive later are taken.
    """

    mundane_level = "debug"

    def __init__(
        self,
        settings: Settings,
        topic: str,
        take: Callable[[list[Any]], None],
        *,
        from_beginning: bool = True,
        client: str = "reader",
        pacing: Pacing = DEFAULT_PACING,
        **kwargs: Any,
    ) -> None:
        """`topic` is the name on the broker. `take` gets aiokafka's records. `client` names the reader to the
        broker."""
        super().__init__(**kwargs)
        self.taken = Position()
        self._settings = settings
        self._partition = TopicPartition(topic, _PARTITION)
        self._take = take
        self._from_beginning = from_beginning
        self._client = client
        self._pacing = pacing
        self._consumer: AIOKafkaConsumer | None = None

    async def on_start(self) -> None:
        consumer = self._consumer = new_consumer(
            self._settings,
            client_id=f"{self._settings.application_id}-{self._client}",
            fetch_wait_ms=self._pacing.starting_fetch_wait_ms,
        )
        await consumer.start()
        consumer.assign([self._partition])
        if self._from_beginning:
            await consumer.seek_to_beginning(self._partition)
            end = await self._end(consumer)
            while self.taken.next_offset < end:
                await self._poll(consumer)
        else:
            await consumer.seek_to_end(self._partition)
            self.taken.move(await consumer.position(self._partition))
        set_fetch_wait(consumer, self._pacing.reader_fetch_wait_ms)

    async def on_stop(self) -> None:
        if self._consumer is not None:
            await end_consumer(self._consumer, self._pacing.consumer_stop_seconds)

    async def catch_up(self) -> None:
        """Return when every record that is on the topic now has been taken."""
        if self._consumer is None:
            raise RuntimeError("the reader was not started")
        await self.taken.reached(await self._end(self._consumer))

    @Service.task
    async def _follow(self) -> None:
        if self._consumer is None:
            raise RuntimeError("the reader was not started")
        while not self.should_stop:
            await self._poll(self._consumer)
            await self.polled()

    async def polled(self) -> None:
        """Called after every poll once the reader has started, for work other than `take`."""

    async def _poll(self, consumer: AIOKafkaConsumer) -> None:
        batches = await consumer.getmany(timeout_ms=self._pacing.reader_poll_ms)
        for records in batches.values():
            self._take(records)
        # The position is beyond the last record if transaction markers follow that record.
        self.taken.move(await consumer.position(self._partition))

    async def _end(self, consumer: AIOKafkaConsumer) -> int:
        ends: dict[TopicPartition, int] = await consumer.end_offsets([self._partition])
        return ends[self._partition]
