"""One partition at work: its input in the order of time, its clock, its due contacts, its definitions."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from agents.partitions.change_latency import ChangeLatency
from agents.partitions.checkpoint import offset_name
from agents.partitions.output_buffer import OutputBuffer
from agents.partitions.pacing import DEFAULT_PACING, Pacing
from agents.partitions.sweep import Sweep
from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES, SOURCES
from streamseg.catalogue.progress import Report
from streamseg.engine.partition import Partition, Recounted
from streamseg.plan.plan import Plan
from streamseg.records.inputs import Record
from streamseg.settings import Settings
from streamseg.store.rocksdb import RocksStore


class _Recount(NamedTuple):
    segment_id: str
    after: str | None
    limit: int
    outcome: asyncio.Future[Recounted]


class PartitionTask:
    """The owner of one partition's contacts, which nothing else writes.

    The two source topics are merged by record timestamp: the head with the least (timestamp, topic) comes
    next. Where one topic has nothing queued, the other waits until it is known that nothing earlier can come
    of the first: that it was read to its end at a moment not before the record's timestamp, or its arrival
    if its timestamp lies ahead of the clocks here. So a catch-up, and a second run after a crash, apply
    records in the order in which they were made, and neither topic can hold up the other for good.

    Once both are at their end, the clock follows the moment of which that is known, at a small distance
    (`live_lag_ms`), so that a worker that is cut off does not run ahead of its input; until then only
    records move it. Work is done in bounded steps without an await, so that a crowd that falls
    due at once, or a changed definition, never holds up input.
    """

    def __init__(
        self,
        *,
        number: int,
        store: RocksStore,
        plan: Plan,
        settings: Settings,
        ended_as_of: Callable[[str], int | None],
        changelog_end: int = 0,
        buffer: OutputBuffer | None = None,
        latency: ChangeLatency | None = None,
        timer: Callable[[], float] = time.perf_counter,
        latest_ms: Callable[[], int] | None = None,
        pacing: Pacing = DEFAULT_PACING,
    ) -> None:
        """The store holds its changelog up to `changelog_end`. `ended_as_of` tells the latest moment (epoch
        ms) of which it is known that everything then in a source topic has been offered, or None. By `timer`
        (s) the slices of a sweep are kept short; nothing else depends on it. Records that are dated later
        than `latest_ms` (epoch ms) says are refused. `pacing` bounds the steps."""
        self.number = number
        self.store = store
        self.changelog_end = changelog_end
        self.buffer = OutputBuffer() if buffer is None else buffer
        self._sweep = Sweep(store, plan, settings)
        self._adopting: Plan | None = None
        self._timer = timer
        self._pacing = pacing
        self._sweep_slice = pacing.sweep_contacts
        self.partition = Partition(store=store, plan=self._sweep.plan, settings=settings, emitter=self.buffer)
        self.next_offsets: dict[str, int] = {}
        self.records_unsaved = 0
        self.bytes_unsaved = 0
        self.earliest_due_ms: int | None = None
        """When the earliest was due of what became due while its partition was read to the end, and was not
        said yet, epoch ms."""
        self.latency = ChangeLatency(lambda _: None) if latency is None else latency
        self._recounts: deque[_Recount] = deque()
        self._lag_ms = settings.live_lag_ms
        self._ended_as_of = ended_as_of
        self._latest_ms = latest_ms
        self._queues: dict[str, deque[Record]] = {topic: deque() for topic in SOURCES}
        self._queued_bytes = dict.fromkeys(SOURCES, 0)
        # Of each batch in the queue: its last offset and when it arrived.
        self._arrivals: dict[str, deque[tuple[int, int]]] = {topic: deque() for topic in SOURCES}
        self._applied = {topic: store.number(offset_name(topic)) or 0 for topic in SOURCES}

    def offer(self, topic: str, records: Sequence[Record], wall_ms: int) -> None:
        """More records of a source topic, in offset order, that arrive now."""
        self._queues[topic].extend(records)
        self._queued_bytes[topic] += sum(len(record.value or b"") for record in records)
        self._arrivals[topic].append((records[-1].offset, wall_ms))

    def adopt(self, plan: Plan) -> None:
        """Judge by other definitions, and bring every contact up to them in the background: where a segment
        has changed, its old formula stays in force until the new one's conditions are filled for all."""
        # Begun with the next step: the store may be in the middle of a checkpoint now.
        self._adopting = plan

    def recount(self, segment_id: str, after: str | None, limit: int) -> asyncio.Future[Recounted]:
        """Have a segment evaluated anew for some contacts, between records, as `Partition.recount` says: for
        so many as fit into a step, up to `limit`."""
        asked = _Recount(segment_id, after, limit, asyncio.get_running_loop().create_future())
        self._recounts.append(asked)
        return asked.outcome

    def close(self) -> None:
        """No more steps will be made: whoever waits for a recount is told so, by a cancellation."""
        for asked in self._recounts:
            asked.outcome.cancel()
        self._recounts.clear()

    def waiting(self, topic: str) -> int:
        """How many records of a source topic are queued."""
        return len(self._queues[topic])

    def waiting_bytes(self, topic: str) -> int:
        """How long the values of the queued records are together."""
        return self._queued_bytes[topic]

    @property
    def backlog(self) -> int:
        """How many records of a source topic are queued, of the one with more."""
        return max(map(len, self._queues.values()))

    def applied(self, topic: str) -> int:
        """The offset after the last record of a source topic that the state holds."""
        return self._applied[topic]

    @property
    def sweeping(self) -> bool:
        """Whether contacts are still being brought up to the definitions."""
        return self._sweep.running or self._adopting is not None

    @property
    def swept(self) -> tuple[int, int]:
        """How many contacts have been brought up to the definitions, and of how many, in all passes."""
        return self._sweep.share

    def report(self) -> Report:
        """How far the partition is. Cost: the first time, one look at every membership."""
        done, total = self._sweep.share
        generation = self._sweep.target.generation
        return Report(self.number, generation, done, total, self.store.member_counts())

    @property
    def unsaved(self) -> bool:
        """Whether there is anything that a checkpoint would make durable, the clock aside."""
        return bool(self.next_offsets or self.buffer or self.store.unwritten or self._sweep.unsaved)

    @property
    def unsaved_size(self) -> int:
        """How much has come about since the last checkpoint: records, contacts and outputs."""
        return max(self.records_unsaved, self.store.unwritten, len(self.buffer))

    def saved(self) -> None:
        """A checkpoint was made."""
        self.next_offsets.clear()
        self._sweep.unsaved = False
        self.records_unsaved = 0
        self.bytes_unsaved = 0

    def step(self) -> bool:
        """Do a bounded piece of work; whether there is more to do at once."""
        if self._adopting is not None:
            self._sweep.begin(self._adopting)
            self._adopting = None
            self.partition.adopt(self._sweep.plan)
        busy = self._take_records()
        busy = self._run_due(busy) or busy
        busy = self._recount_next() or busy
        return self._go_on_sweeping() or busy

    def _take_records(self) -> bool:
        """Apply up to a fixed number of records; whether more can be applied without waiting."""
        events, updates = (self._queues[topic] for topic in SOURCES)
        other_ended: int | None = None
        latest_ms = None if self._latest_ms is None else self._latest_ms()
        full = self.bytes_unsaved + self._pacing.step_bytes
        for _ in range(self._pacing.step_records):
            if self.bytes_unsaved >= full:
                break
            if events and updates:
                queue = updates if updates[0].timestamp_ms < events[0].timestamp_ms else events
            elif events or updates:
                queue = events or updates
                if other_ended is None:
                    # Asked once: nothing is offered during a step, so the other topic stays empty.
                    other_ended = self._ended_as_of(CONTACT_UPDATES if events else BEHAVIOR_EVENTS)
                record = queue[0]
                if other_ended is None or (
                    record.timestamp_ms > other_ended and self._arrivals[record.topic][0][1] > other_ended
                ):
                    return False
            else:
                return False
            self._take(queue.popleft(), latest_ms)
        return True

    def _take(self, record: Record, latest_ms: int | None) -> None:
        topic = record.topic
        size = len(record.value or b"")
        self._queued_bytes[topic] -= size
        arrivals = self._arrivals[topic]
        if record.offset >= arrivals[0][0]:
            arrivals.popleft()
        if record.offset >= self._applied[topic]:
            said = self.buffer.output_count
            self.partition.take(record, latest_ms)
            if self.buffer.output_count > said:
                self.latency.brought_about(record.timestamp_ms)
            self.bytes_unsaved += size
            self._applied[topic] = record.offset + 1
            self.records_unsaved += 1
        self.next_offsets[topic] = self._applied[topic]

    def _run_due(self, records_wait: bool) -> bool:
        """Settle due contacts, up to the present if nothing is left to read; whether more are due."""
        partition, pacing = self.partition, self._pacing
        present_ms = None if records_wait else self._present_ms()
        if present_ms is not None:
            self.latency.at_end()
        if present_ms is None or present_ms <= partition.clock_ms:
            limit = pacing.step_due_beside_records if records_wait else pacing.step_due
            return partition.run_due(partition.clock_ms, limit)
        due_ms = partition.next_due_ms()
        if due_ms is not None and due_ms <= present_ms:
            self.earliest_due_ms = min(due_ms, self.earliest_due_ms or due_ms)
            if partition.run_due(present_ms, pacing.step_due):
                return True
        partition.advance(present_ms)
        return False

    def _present_ms(self) -> int | None:
        """How far the clock may go by itself: nothing that was made before can still come."""
        if any(self._queues.values()):
            return None
        ends = [self._ended_as_of(topic) for topic in SOURCES]
        known = [end for end in ends if end is not None]
        return min(known) - self._lag_ms if len(known) == len(ends) else None

    def _recount_next(self) -> bool:
        """Do one of the recounts that were asked for; whether others wait."""
        if self._recounts:
            segment_id, after, limit, outcome = self._recounts.popleft()
            if not outcome.done():
                end = self._timer() + self._pacing.recount_seconds
                most = min(limit, self._pacing.sweep_contacts)
                found = self.partition.recount(segment_id, after, most, lambda: self._timer() >= end)
                outcome.set_result(found)
        return bool(self._recounts)

    def _go_on_sweeping(self) -> bool:
        """Bring some contacts up to the definitions; whether some are left."""
        sweep = self._sweep
        if not sweep.running:
            return False
        if sweep.count():
            return True
        contacts = self._sweep_slice
        began = self._timer()
        sweep.reached(self.partition.sweep(sweep.after, contacts), contacts)
        self._sweep_slice = self._next_slice(self._timer() - began)
        self.partition.adopt(sweep.plan)
        return sweep.running

    def _next_slice(self, seconds: float) -> int:
        """How many contacts next, so that live input waits no longer: what one takes depends on its history
        and on how many definitions changed."""
        pacing, contacts = self._pacing, self._sweep_slice
        if seconds > pacing.sweep_seconds:
            return max(1, contacts // 2)
        return min(pacing.sweep_contacts, contacts * 2) if seconds < pacing.sweep_seconds / 4 else contacts
