"""Faust's Kafka transport, changed to pass on batches of records.

A stock Faust worker passes every single record through four asyncio tasks. Here all records that one poll
returned are one message, whose value holds the lists of records by topic partition. So the cost of a record
is the work of the engine.

The other differences from the stock consumer, and the reasons:

* A source partition is not fetched before it is at work, nor while too many of its records wait for it.
* `acknowledge` sets how far a partition may be committed, once the state that holds the records is durable.
  Faust's bookkeeping of single offsets is not used: it is slow, and wrong on topics with gaps.
* When partitions are revoked, the worker finishes its work and commits the offsets before it forgets them,
  unless the group has already assigned the partitions to others.
* Records of aborted transactions are not read.
* There are no Faust tables. `agents.partitions.assignment` decides when the state of a partition is complete;
  this module reports the group's assignments and revocations to it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, NamedTuple, cast

import uvloop
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.subscription_state import TopicPartitionState
from aiokafka.errors import ConsumerStoppedError
from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as stock
from faust.types import TP, ConsumerMessage
from mode import ServiceT

from agents.kafka import compatibility
from agents.kafka.clients import new_group_member
from agents.partitions.input_flow import Intake

SCHEME = "kafka+batch"

_log = logging.getLogger(__name__)

# While a large state is restored nothing is polled, and the worker must stay in the group. A worker that
# hangs is found by its health check.
_MAX_POLL_INTERVAL_MS = 24 * 3_600_000


class ConsumerThread(stock.AIOKafkaConsumerThread):
    """Runs the aiokafka consumer in its own thread, as stock Faust does, with options that Faust does not
    set."""

    mundane_level = "debug"
    heartbeat_at = 0.0
    """When the last heartbeat was sent that the group's coordinator answered, monotonic seconds. An
    assignment counts as such an answer."""

    async def on_start(self) -> None:
        await super().on_start()
        compatibility.on_heartbeat(self._ensure_consumer(), self._note_heartbeat)

    async def _note_heartbeat(self, heartbeat: Callable[[], Awaitable[bool]]) -> bool:
        asked_at = time.monotonic()
        answered = await heartbeat()
        if answered:
            self.heartbeat_at = asked_at
        return answered

    async def on_thread_stop(self) -> None:
        """End the consumer, then stop as stock Faust does, whose own stop of the consumer has no effect
        then."""
        if self._consumer is not None:
            await compatibility.end_consumer(self._consumer, self._intake.pacing.consumer_stop_seconds)
        await super().on_thread_stop()

    def _start_thread(self) -> None:
        try:
            super()._start_thread()
        finally:
            # This class brought the loop, so it closes the loop.
            self.thread_loop.close()

    @property
    def _intake(self) -> Intake:
        return cast(BatchConsumer, self.consumer).intake

    def is_member(self) -> bool:
        """Return whether this worker was a member at the last answer of the group's coordinator."""
        return compatibility.is_member(self._ensure_consumer())

    def _create_worker_consumer(self, transport: stock.Transport) -> AIOKafkaConsumer:
        """Make the consumer as stock Faust does, but read committed records only and wait for a short
        time."""
        conf = self.app.conf
        intake = self._intake
        settings = intake.settings
        self._assignor = self.app.assignor
        return new_group_member(
            settings,
            group=conf.id,
            client_id=conf.broker_client_id,
            fetch_wait_ms=intake.pacing.fetch_wait_ms,
            partition_assignment_strategy=[self._assignor],
            max_poll_records=conf.broker_max_poll_records,
            max_poll_interval_ms=_MAX_POLL_INTERVAL_MS,
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            metadata_max_age_ms=conf.consumer_metadata_max_age_ms,
            connections_max_idle_ms=conf.consumer_connections_max_idle_ms,
        )

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek as stock Faust does, and seek to the beginning of a partition without a committed offset.
        aiokafka would leave its position unchanged, and records that were returned but not passed on would be
        lost."""
        committed: Mapping[TP, int] = await self.call_thread(self._seek_to_committed)
        return committed

    async def _seek_to_committed(self) -> Mapping[TP, int]:
        consumer = self._ensure_consumer()
        committed: Mapping[TP, int] = await consumer.seek_to_committed()
        unread = [tp for tp, offset in committed.items() if not offset]
        if unread:
            await consumer.seek_to_beginning(*unread)
        return committed

    def set_fetching(self, *, silent_seconds: float, held_back: bool) -> None:
        """Set how to fetch from now on, so long after the last record; `held_back` is whether a partition has
        no room."""
        consumer, pacing = self._ensure_consumer(), self._intake.pacing
        compatibility.set_fetch_wait(consumer, pacing.fetch_wait_after(silent_seconds))
        compatibility.set_fetch_beside_kept(
            consumer,
            pacing.fetch_beside_held_back_seconds if held_back else pacing.fetch_beside_kept_seconds,
        )

    def partition_state(self, tp: TP) -> TopicPartitionState | None:
        """Return aiokafka's position and ends of an assigned partition, or None while they are not known."""
        return compatibility.partition_state(self._ensure_consumer(), tp)


class Polled(NamedTuple):
    """The records that one poll returned, by topic partition, and the epoch of the assignment at the poll."""

    epoch: int
    batches: dict[TP, list[Any]]


class BatchConsumer(stock.Consumer):
    """Passes on one message for each poll; see the module's docstring."""

    mundane_level = "debug"

    _thread: ConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._acknowledged: dict[TP, int] = {}
        self._positions: dict[TP, int] = {}
        self._on_the_way: Counter[TP] = Counter()
        self._begun_at: Mapping[TP, int] = {}
        self._held_back = False  # whether a partition had no room at the last poll
        self._more_fetched = False  # whether the last poll returned as many records as it may
        self.polled_at = self._flowed_at = time.monotonic()

    @property
    def intake(self) -> Intake:
        """The receiver of assignments and records."""
        return self.app.intake  # type: ignore[attr-defined,no-any-return]

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, thread_loop=uvloop.new_event_loop(), beacon=self.beacon)

    # -- calls of the scheduler --------------------------------------------------------------------------

    def acknowledge(self, tp: TP, next_offset: int) -> None:
        """Let the partition be committed at `next_offset`: all records before it are in durable state."""
        self._acknowledged[tp] = next_offset

    def acknowledge_all(self, tp: TP) -> None:
        """Let the partition be committed at the position that was read, after the transaction markers and
        aborted records that follow the last record: all records that arrived are in durable state."""
        position = self._positions.get(tp)
        if position is not None and not self._on_the_way[tp]:
            self._acknowledged[tp] = position

    def arrived(self, tp: TP, count: int) -> None:
        """Take note that `count` of the records that were passed on have arrived at the partition's task."""
        self._on_the_way[tp] -= count

    def ended_as_of(self, tp: TP) -> int | None:
        """Return the latest time (wall clock, epoch ms) for which it is known that all records then in the
        partition have arrived; None while a record has not arrived or the end is not known."""
        position = self._positions.get(tp)
        state = self._thread.partition_state(tp)
        if position is None or state is None or self._on_the_way[tp]:
            return None
        # The time is read first: the other thread sets it last, so values read after it are at least as new.
        answered_ms: int | None = state.timestamp
        return answered_ms if position >= _end(state) else None

    def end(self, tp: TP) -> float:
        """Return the offset after the last readable record; infinity while it is not known."""
        return _end(self._thread.partition_state(tp))

    def lag(self, tp: TP) -> int | None:
        """Return how many offsets of a source partition have not arrived yet, or None if it is not known."""
        position, end = self._positions.get(tp), self.end(tp)
        if position is None or end == float("inf"):
            return None
        return max(0, int(end) - position) + self._on_the_way[tp]

    # -- polling -----------------------------------------------------------------------------------------

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Mapping[TP, list[Any]]:  # noqa: ASYNC109
        active = active_partitions or set()
        has_room, on_the_way = self.intake.has_room, self._on_the_way
        wanted = {tp for tp in active if has_room(tp, on_the_way[tp])}
        self._held_back = len(wanted) < len(active)
        if not wanted:
            # For aiokafka an empty set means all partitions.
            await asyncio.sleep(self.intake.pacing.held_back_poll_seconds)
            return {}
        wait = self.intake.pacing.held_back_poll_seconds if self._held_back else timeout
        return await super()._getmany(wanted, wait)

    async def _drain_messages(self, fetcher: ServiceT) -> None:
        try:
            while not (self.should_stop or fetcher.should_stop):
                await asyncio.sleep(0)
                await self._poll()
        except (asyncio.CancelledError, ConsumerStoppedError):
            # The fetcher treats a cancellation during a rebalance as a crash, even while the app stops.
            if not self.app.should_stop:
                raise

    async def _poll(self) -> None:
        epoch, pacing = self.intake.epoch, self.intake.pacing
        if not self._more_fetched:
            await asyncio.sleep(max(0.0, self.polled_at + pacing.between_polls_seconds - time.monotonic()))
        records, _ = await self._wait_next_records(pacing.poll_seconds)
        self._more_fetched = sum(map(len, (records or {}).values())) >= pacing.poll_records
        self.polled_at = time.monotonic()
        if records:
            self._flowed_at = self.polled_at
        self._thread.set_fetching(silent_seconds=self.polled_at - self._flowed_at, held_back=self._held_back)
        if not self.flow_active or epoch != self.intake.epoch:
            if records:
                await self._take_back()
            return
        unread = {tp: self._unread(tp, batch) for tp, batch in (records or {}).items()}
        await self._hand_out(Polled(epoch, {tp: batch for tp, batch in unread.items() if batch}))
        self._note_positions()

    async def _take_back(self) -> None:
        """Seek back to the committed offsets: the polled records were dropped, and aiokafka would not return
        them again."""
        try:
            await self.perform_seek()
        except Exception as error:
            # The assignment has ended already; the next one begins with a seek.
            _log.info("no seek during a rebalance: %r", error)

    def _unread(self, tp: TP, batch: list[Any]) -> list[Any]:
        """Return the records that were not passed on before."""
        read = self._read_offset[tp]
        if read is None or batch[0].offset >= read:
            return batch
        return [record for record in batch if record.offset >= read]

    async def _hand_out(self, polled: Polled) -> None:
        if not polled.batches:
            return
        for tp, batch in polled.batches.items():
            self._on_the_way[tp] += len(batch)
        # The message names the first partition; the agent is the same for all of them.
        tp, batch = next(iter(polled.batches.items()))
        await self._deliver(self._message(tp, batch[-1], polled))
        for tp, batch in polled.batches.items():
            self._read_offset[tp] = batch[-1].offset

    async def _deliver(self, message: ConsumerMessage) -> None:
        # A rebalance must be able to interrupt a delivery that waits for room.
        await self.wait_first(self.callback(message), self.suspend_flow.wait())

    def _message(self, tp: TP, last: Any, polled: Polled) -> ConsumerMessage:
        return ConsumerMessage(
            topic=tp.topic,
            partition=tp.partition,
            offset=last.offset,
            timestamp=last.timestamp / 1000,
            timestamp_type=0,
            headers=None,
            key=None,
            value=cast(Any, polled),
            checksum=None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    def _note_positions(self) -> None:
        """Keep aiokafka's positions. Between polls they follow the records that were passed on and what
        aiokafka skipped after them, for example transaction markers."""
        for tp in self._get_active_partitions():
            state = self._thread.partition_state(tp)
            # The position is read once: it belongs to the other thread, which may reset it.
            position = None if state is None else compatibility.position(state)
            if position is not None:
                self._positions[tp] = position

    async def perform_seek(self) -> None:
        """Go back to the committed offsets, and forget the positions that were read after them."""
        self._positions.clear()
        await super().perform_seek()

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek as stock Faust does, and keep the committed offsets."""
        self._begun_at = await super().seek_to_committed()
        return self._begun_at

    def begun_at(self, tp: TP) -> int | None:
        """Return the committed offset from which the partition is read; 0 if none was committed, None while
        it is not known."""
        return self._begun_at[tp] or 0 if tp in self._begun_at else None

    # -- membership --------------------------------------------------------------------------------------

    @property
    def seconds_since_heartbeat(self) -> float:
        """How long ago the last heartbeat was sent that the group's coordinator answered, in s."""
        return time.monotonic() - self._thread.heartbeat_at

    async def still_ours(self) -> bool:
        """Return whether this worker still owns its partitions: the coordinator answered a heartbeat less
        than a session timeout ago. If it did not, wait until it answers one or the worker is no longer a
        member."""
        session_seconds = self.app.conf.broker_session_timeout
        while self._thread.is_member():
            if self.seconds_since_heartbeat < session_seconds:
                return True
            await asyncio.sleep(self.intake.pacing.held_back_poll_seconds)
        return False

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Take the assignment, then do as stock Faust does. The group has just answered this worker."""
        self._thread.heartbeat_at = time.monotonic()
        self.intake.assign(assigned)
        await super().on_partitions_assigned(assigned, generation_id)

    # -- committing --------------------------------------------------------------------------------------

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (tp for tp in self._acknowledged if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        return self._acknowledged.get(tp)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: Faust's warnings about slow partitions use its own bookkeeping, which is not kept."""

    async def commit_and_end_transactions(self) -> None:
        """Make a last commit as stock Faust does, but with a time limit, since it would wait for brokers that
        do not answer. Records after the committed offset are read again and skipped, since the state holds
        them. After a crash there is no last commit."""
        if self.app.crash_reason is not None:
            return
        try:
            async with asyncio.timeout(self.intake.pacing.last_commit_seconds):
                await self.commit(start_new_transaction=False)
        except TimeoutError:
            _log.warning("offsets were not committed in time; what follows them is read again")

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Let the worker finish and commit while the offsets are still known; then do as stock Faust does."""
        await self.intake.release()
        if self._thread.is_member():
            await self.commit()
        await super().on_partitions_revoked(revoked)
        self._acknowledged.clear()
        self._positions.clear()
        self._on_the_way.clear()


def _end(state: TopicPartitionState | None) -> float:
    """Return the offset after the last readable record; infinity while it is not known."""
    if state is None or state.highwater is None:
        return float("inf")
    return float(state.highwater if state.lso is None or state.lso < 0 else state.lso)


class BatchTransport(stock.Transport):
    """The transport that is registered under `kafka+batch://`."""

    Consumer = BatchConsumer


TRANSPORTS.aliases[SCHEME] = f"{__name__}:{BatchTransport.__name__}"
