"""The task of one partition at work: its input in the order of time, its clock, due contacts and sweep."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from agents.pacing import DEFAULT_PACING, Pacing
from agents.partitions.change_latency import ChangeLatency
from agents.partitions.checkpoint import counted_name, offset_name
from agents.partitions.output_buffer import OutputBuffer
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
    """Owns the contacts of one partition; nothing else writes them.

    The task merges the two source topics by record timestamp: the queued record with the least (timestamp,
    topic) is applied next. If one topic has no queued record, a record of the other topic waits until no
    earlier record of the first topic can come. This is known once the first topic was read to its end at a
    time not before the record's timestamp, or not before its arrival if the timestamp is ahead of the clocks
    here. So a catch-up, and a second run after a crash, apply records in the order in which they were made,
    and neither topic can block the other for ever.

    Until both topics have been read to their ends, only records move the clock. Then the clock follows the
    time at which both ends were last known to be reached, with a small delay (`live_lag_ms`), so that a
    worker that is cut off does not run ahead of its input. Work is done in bounded steps without an await, so
    that many contacts that are due at once, or a changed definition, never block the input.
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
        """The store holds its changelog up to the offset `changelog_end`. `ended_as_of` returns the latest
        time (epoch ms) at which all records of a source topic are known to have been offered, or None.
        `timer` (s) is used only to keep the slices of a sweep and of a recount short. Records with a
        timestamp later than `latest_ms` (epoch ms) returns are refused. `pacing` bounds the steps."""
        self.number = number
        self.store = store
        self.changelog_end = changelog_end
        self.buffer = OutputBuffer() if buffer is None else buffer
        self._sweep = Sweep(store, plan, settings)
        self._adopting: Plan | None = None
        self._timer = timer
        self._pacing = pacing
        self.partition = Partition(store=store, plan=self._sweep.plan, settings=settings, emitter=self.buffer)
        self.next_offsets: dict[str, int] = {}
        self.records_unsaved = 0
        self.updates_unsaved = 0
        self.bytes_unsaved = 0
        self.earliest_due_ms: int | None = None
        """The earliest due time (epoch ms) of the contacts that became due while the partition was read to
        its end, and whose changes have not been sent yet; None: there are none."""
        self.latency = ChangeLatency(lambda _: None) if latency is None else latency
        self._recounts: deque[_Recount] = deque()
        self._lag_ms = settings.live_lag_ms
        self._ended_as_of = ended_as_of
        self._latest_ms = latest_ms
        self._queues: dict[str, deque[Record]] = {topic: deque() for topic in SOURCES}
        self._queued_bytes = dict.fromkeys(SOURCES, 0)
        # For each batch in the queue: its last offset and when it arrived, epoch ms.
        self._arrivals: dict[str, deque[tuple[int, int]]] = {topic: deque() for topic in SOURCES}
        self._applied = {topic: store.number(offset_name(topic)) or 0 for topic in SOURCES}
        self._counted_before = {topic: store.number(counted_name(topic)) or 0 for topic in SOURCES}

    def offer(self, topic: str, records: Sequence[Record], wall_ms: int) -> None:
        """Queue more records of a source topic, in offset order, that arrived at `wall_ms` (epoch ms)."""
        self._queues[topic].extend(records)
        self._queued_bytes[topic] += sum(len(record.value or b"") for record in records)
        self._arrivals[topic].append((records[-1].offset, wall_ms))

    def adopt(self, plan: Plan) -> None:
        """Evaluate with another plan, and sweep every contact for it in the background. The old formula of a
        changed segment stays in force until the data for the new formula are collected for all contacts."""
        # The sweep begins with the next step, since the store may be in the middle of a checkpoint now.
        self._adopting = plan

    def recount(self, segment_id: str, after: str | None, limit: int) -> asyncio.Future[Recounted]:
        """Ask for a recount of a segment (see `Partition.recount`), to be done between records. It covers as
        many contacts as fit into a step, `limit` at most."""
        asked = _Recount(segment_id, after, limit, asyncio.get_running_loop().create_future())
        self._recounts.append(asked)
        return asked.outcome

    def close(self) -> None:
        """Cancel the recounts that wait, since no more steps will be made."""
        for asked in self._recounts:
            asked.outcome.cancel()
        self._recounts.clear()

    def waiting(self, topic: str) -> int:
        """Return how many records of a source topic are queued."""
        return len(self._queues[topic])

    def waiting_bytes(self, topic: str) -> int:
        """Return the total size of the values of a source topic's queued records, in bytes."""
        return self._queued_bytes[topic]

    @property
    def backlog(self) -> int:
        """The number of queued records of the source topic that has more of them."""
        return max(map(len, self._queues.values()))

    def applied(self, topic: str) -> int:
        """Return the offset after the last record of a source topic that the state holds."""
        return self._applied[topic]

    @property
    def sweeping(self) -> bool:
        """Whether a sweep is running or about to begin."""
        return self._sweep.running or self._adopting is not None

    @property
    def swept(self) -> tuple[int, int]:
        """How many contacts the sweep has evaluated, and of how many, in all passes."""
        return self._sweep.share

    def report(self) -> Report:
        """Return the progress of the sweep and the numbers of members. Cost: the first call reads every
        membership."""
        return replace(self.progress, members=self.store.member_counts())

    @property
    def progress(self) -> Report:
        """The report without the numbers of members."""
        done, total = self._sweep.share
        return Report(self.number, self._sweep.target.generation, done, total)

    @property
    def unsaved(self) -> bool:
        """Whether there is anything that a checkpoint would make durable, apart from the clock."""
        return bool(self.next_offsets or self.buffer or self.store.unwritten or self._sweep.unsaved)

    @property
    def unsaved_size(self) -> int:
        """The greatest of the numbers of records, contacts and outputs since the last checkpoint."""
        return max(self.records_unsaved, self.store.unwritten, len(self.buffer))

    def saved(self) -> None:
        """Take note that a checkpoint was made."""
        self.next_offsets.clear()
        self._sweep.unsaved = False
        self.records_unsaved = 0
        self.updates_unsaved = 0
        self.bytes_unsaved = 0

    def step(self) -> bool:
        """Do a bounded piece of work; return whether there is more to do at once."""
        if self._adopting is not None:
            self._sweep.begin(self._adopting)
            self._adopting = None
            self.partition.adopt(self._sweep.plan)
        busy = self._take_records()
        busy = self._run_due(busy) or busy
        busy = self._recount_next() or busy
        return self._go_on_sweeping() or busy

    def _take_records(self) -> bool:
        """Apply a bounded number of records; return whether more can be applied without waiting."""
        events, updates = (self._queues[topic] for topic in SOURCES)
        other_ended: int | None = None
        latest_ms = None if self._latest_ms is None else self._latest_ms()
        full = self.bytes_unsaved + self._pacing.step_bytes
        for _ in range(self._pacing.step_records):
            if self.bytes_unsaved >= full:
                break
            if events:
                queue = updates if updates and updates[0].timestamp_ms < events[0].timestamp_ms else events
            elif updates:
                queue = updates
            else:
                return False
            if not events or not updates:
                if other_ended is None:
                    # One call is enough: nothing is offered during a step, so the other topic stays empty.
                    other_ended = self._ended_as_of(CONTACT_UPDATES if events else BEHAVIOR_EVENTS)
                record = queue[0]
                if other_ended is None or (
                    record.timestamp_ms > other_ended and self._arrivals[record.topic][0][1] > other_ended
                ):
                    return False
            self._take(queue.popleft(), latest_ms)
        return True

    def _take(self, record: Record, latest_ms: int | None) -> None:
        topic = record.topic
        value, offset = record.value, record.offset
        size = 0 if value is None else len(value)
        self._queued_bytes[topic] -= size
        arrivals = self._arrivals[topic]
        if offset >= arrivals[0][0]:
            arrivals.popleft()
        if offset >= self._applied[topic]:
            buffer = self.buffer
            counted_before = self._counted_before[topic]
            if counted_before:
                record = record.numbered(counted_before + offset)
            outputs_before = buffer.output_count
            self.partition.take(record, latest_ms)
            if buffer.output_count > outputs_before:
                self.latency.caused_outputs(record.timestamp_ms)
            self.bytes_unsaved += size
            self._applied[topic] = offset + 1
            self.records_unsaved += 1
            if topic == CONTACT_UPDATES:
                self.updates_unsaved += 1
        self.next_offsets[topic] = self._applied[topic]

    def _run_due(self, records_wait: bool) -> bool:
        """Evaluate due contacts, up to the present if nothing is left to read; return whether more are
        due."""
        partition, pacing = self.partition, self._pacing
        present_ms = None if records_wait else self._present_ms()
        if present_ms is not None:
            self.latency.at_end()
        if present_ms is None or present_ms <= partition.clock_ms:
            limit = pacing.step_due_beside_records if records_wait else pacing.step_due
            return partition.run_due(partition.clock_ms, limit)
        due_ms = partition.next_due_ms()
        if due_ms is not None and due_ms <= present_ms:
            earliest_ms = self.earliest_due_ms
            self.earliest_due_ms = due_ms if earliest_ms is None else min(due_ms, earliest_ms)
            if partition.run_due(present_ms, pacing.step_due):
                return True
        partition.advance(present_ms)
        return False

    def _present_ms(self) -> int | None:
        """Return the time (epoch ms) up to which the clock may move without records, since no earlier record
        can still come; None: it may not."""
        if any(self._queues.values()):
            return None
        ends = [self._ended_as_of(topic) for topic in SOURCES]
        known = [end for end in ends if end is not None]
        return min(known) - self._lag_ms if len(known) == len(ends) else None

    def _recount_next(self) -> bool:
        """Do one of the recounts that wait; return whether others wait."""
        if self._recounts:
            segment_id, after, limit, outcome = self._recounts.popleft()
            if not outcome.done():
                end = self._timer() + self._pacing.recount_seconds
                most = min(limit, self._pacing.sweep_contacts)
                found = self.partition.recount(segment_id, after, most, lambda: self._timer() >= end)
                outcome.set_result(found)
        return bool(self._recounts)

    def _go_on_sweeping(self) -> bool:
        """Sweep some contacts; return whether some are left."""
        sweep = self._sweep
        if not sweep.running:
            return False
        if sweep.count():
            return True
        # The time for one contact depends on its history and on the number of changed definitions.
        end = self._timer() + self._pacing.sweep_seconds
        sweep.reached(
            self.partition.sweep(sweep.after, self._pacing.sweep_contacts, lambda: self._timer() >= end)
        )
        self.partition.adopt(sweep.plan)
        return sweep.running
