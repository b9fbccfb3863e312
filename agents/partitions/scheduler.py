"""All partitions of a worker at work: hands them their records, keeps them running, makes checkpoints."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Protocol

from faust.types import TP
from mode import Service

from agents.kafka.topics import topic_name
from agents.metrics import Metrics
from agents.partitions.assignment import Claim
from agents.partitions.change_latency import ChangeLatency
from agents.partitions.checkpoint import (
    PartitionLostError,
    Sink,
    StillOurs,
    announce,
    check_changelog_end,
    checkpoint,
    repair,
    settle_outputs,
)
from agents.partitions.cpu_load import CpuLoad
from agents.partitions.output_buffer import OutputBuffer
from agents.partitions.pacing import DEFAULT_PACING, Pacing
from agents.partitions.state_figures import observe_state
from agents.partitions.task import PartitionTask
from agents.partitions.worker_clock import WorkerClock
from schemas.topics import SOURCES
from streamseg.catalogue.progress import Report
from streamseg.errors import ConfigurationError
from streamseg.plan.plan import Plan
from streamseg.records.inputs import Record
from streamseg.settings import Settings
from streamseg.store.rocksdb import RocksStore

_log = logging.getLogger(__name__)


class Consumer(Protocol):
    """What the scheduler asks and tells the consumer (`agents.worker.transport.BatchConsumer`)."""

    def arrived(self, tp: TP, count: int) -> None: ...

    def ended_as_of(self, tp: TP) -> int | None: ...

    def end(self, tp: TP) -> float: ...

    def lag(self, tp: TP) -> int | None: ...

    def begun_at(self, tp: TP) -> int: ...

    def acknowledge(self, tp: TP, next_offset: int) -> None: ...

    def acknowledge_all(self, tp: TP) -> None: ...

    async def still_ours(self) -> bool: ...


class _Running:
    """A task, the claim it works under, the coroutine that runs it, and what wakes or stops that."""

    def __init__(self, claim: Claim, task: PartitionTask) -> None:
        self.claim = claim
        self.task = task
        self.without_state = task.changelog_end == 0
        self.writing = True
        """Whether changelog records may be on their way; so from the beginning, which may repair some."""
        self.changelog_end_seen = 0
        """The greatest end of the changelog that a broker told while none were."""
        self.wake = asyncio.Event()
        self.stopping = False
        self.work: asyncio.Future[None] | None = None
        self.turned_at = time.monotonic()
        self.source_checked = False
        self.report: Report | None = None
        self.reported_at = 0.0


class TaskScheduler(Service):
    """Runs one task for each partition that is at work.

    An error in a task crashes the app: nothing was acknowledged that was not done, and a restart repeats it.
    """

    mundane_level = "debug"

    def __init__(
        self,
        *,
        settings: Settings,
        sink: Sink,
        consumer: Callable[[], Consumer],
        plan: Callable[[], Plan],
        clock: WorkerClock,
        metrics: Metrics,
        may_write: Callable[[Claim], bool],
        lost: Callable[[Claim], None],
        pacing: Pacing = DEFAULT_PACING,
        **kwargs: Any,
    ) -> None:
        """`may_write` tells whether anything may be written under a claim. `lost` is called with a claim
        whose work has ended because the group may have gone on without this worker."""
        super().__init__(**kwargs)
        self._may_write = may_write
        self._lost = lost
        self._settings = settings
        self._pacing = pacing
        self._sink = sink
        self._consumer = consumer
        self._plan = plan
        self._clock = clock
        self._metrics = metrics
        self._running: dict[int, _Running] = {}
        self._turn = asyncio.Lock()
        self._load = CpuLoad()
        self._round_began = 0.0
        self._saving = 0
        self._names = {topic_name(settings, topic): topic for topic in SOURCES}

    # -- partitions come and go --------------------------------------------------------------------------

    def begin(self, claim: Claim, store: RocksStore, changelog_end: int) -> None:
        """Begin to work on a partition, whose store holds its changelog up to `changelog_end`."""
        task = self._task(claim.partition, store, changelog_end)
        running = self._running[claim.partition] = _Running(claim, task)
        running.work = self.add_future(self._run(running))
        self._metrics.partitions.set(len(self._running))

    async def end(self, claim: Claim) -> None:
        """Stop work under a claim, if there is any: what was done is made durable and acknowledged, what
        waits is dropped, to be read again by whoever has the partition next.

        If that takes half the session timeout, it is given up: it was not acknowledged and will be repeated.
        """
        running = self._running.get(claim.partition)
        if running is None or running.claim != claim or running.work is None:
            return
        running.stopping = True
        running.wake.set()
        _, late = await asyncio.wait([running.work], timeout=self._settings.session_timeout_ms / 2000)
        if late:
            _log.warning("partition %d was released without a last checkpoint", claim.partition)
            running.work.cancel()
            await asyncio.wait([running.work])
        if self._running.get(claim.partition) is running:
            del self._running[claim.partition]
        self._metrics.partitions.set(len(self._running))
        if not self._running:
            self._metrics.lag.clear()
            self._metrics.clock.clear()

    def _task(self, number: int, store: RocksStore, changelog_end: int) -> PartitionTask:
        consumer = self._consumer()
        return PartitionTask(
            number=number,
            store=store,
            changelog_end=changelog_end,
            plan=self._plan(),
            settings=self._settings,
            ended_as_of=lambda topic: self._clock.believable(consumer.ended_as_of(self._tp(topic, number))),
            latest_ms=self._clock.latest_ms,
            pacing=self._pacing,
            latency=ChangeLatency(self._metrics.change_latency.observe),
            buffer=OutputBuffer(on_dead_letter=lambda code: self._metrics.dead_letters.labels(code).inc()),
        )

    def _tp(self, topic: str, number: int) -> TP:
        return TP(topic_name(self._settings, topic), number)

    # -- records and definitions -------------------------------------------------------------------------

    def offer(self, epoch: int, tp: TP, records: list[Any]) -> None:
        """The records of one poll of one source partition, as aiokafka gives them, read under the assignment
        with that epoch."""
        running = self._running.get(tp.partition)
        if running is None or running.claim.epoch != epoch:
            # Released meanwhile: they are read again from the committed offset.
            return
        topic = self._names[tp.topic]
        running.task.offer(
            topic,
            [
                Record(topic, record.partition, record.offset, record.timestamp, record.key, record.value)
                for record in records
            ],
            self._clock.now_ms(),
        )
        self._consumer().arrived(tp, len(records))
        running.wake.set()

    def has_room(self, tp: TP, on_the_way: int) -> bool:
        """Whether more of a source partition should be fetched, besides so many records on the way."""
        running, topic = self._running.get(tp.partition), self._names.get(tp.topic)
        if topic is None or running is None or running.stopping:
            return False
        task = running.task
        if task.waiting_bytes(topic) >= self._pacing.queued_bytes:
            return False
        return on_the_way + task.waiting(topic) < self._settings.queued_records

    def adopt(self, plan: Plan) -> None:
        """Definitions changed."""
        for running in self._running.values():
            running.task.adopt(plan)
            running.wake.set()

    # -- at work -----------------------------------------------------------------------------------------

    async def _run(self, running: _Running) -> None:
        try:
            await self._work(running)
        except PartitionLostError as error:
            _log.warning("partition %d is left as last saved: %s", running.task.number, error)
            self._lost(running.claim)
        finally:
            running.task.close()

    async def _work(self, running: _Running) -> None:
        task = running.task
        await settle_outputs(task.store, task.number, self._sink, self._still_ours(running))
        await repair(task, self._sink, self._still_ours(running))
        running.writing = False
        saved_at = said_at = time.monotonic()
        while not running.stopping:
            running.wake.clear()
            self._check_source(running)
            check_changelog_end(task.number, task.changelog_end, running.changelog_end_seen)
            busy = await self._step(task)
            now = running.turned_at = time.monotonic()
            if not task.unsaved:
                saved_at = said_at = now
                self._acknowledge_all(running)
                self._report(running)
            elif self._is_time_to_save(task, saved_at, now) or (
                # How far a sweep is belongs to what it has changed.
                task.sweeping and self._is_time_to_say(task, said_at, now)
            ):
                await self._checkpoint(running)
                saved_at = said_at = time.monotonic()
                self._report(running)
            elif self._is_time_to_say(task, said_at, now):
                await self._announce(running)
                said_at = time.monotonic()
            if busy:
                continue
            if task.buffer.output_count:
                left = said_at + self._interval(task) - time.monotonic()
                await _wait(running.wake, min(max(left, 0.0), self._pacing.idle_seconds))
            else:
                await _wait(running.wake, self._pacing.idle_seconds)
        if task.unsaved:
            await self._checkpoint(running)
        # Once more with nothing: the next owner is to know that all was said.
        await self._checkpoint(running)

    async def _step(self, task: PartitionTask) -> bool:
        """One step, and then everybody else's turn: the other partitions' steps come one at a time too.

        `Pacing.turns` says why that is more than one turn of the event loop."""
        async with self._turn:
            busy = task.step()
            for _ in range(self._pacing.turns):
                await asyncio.sleep(0)
        return busy

    def _is_time_to_save(self, task: PartitionTask, saved_at: float, now: float) -> bool:
        """Whether a task whose last checkpoint was made then is to make another.

        One task at a time, since each holds up the others for some milliseconds; later, the more records
        wait: what several of them change of a contact is written once."""
        interval = self._settings.checkpoint_interval_ms / 1000 * (1 + 2 * self._behind(task))
        return self._is_full(task) or (now - saved_at >= interval and not self._saving)

    def _is_time_to_say(self, task: PartitionTask, said_at: float, now: float) -> bool:
        """Whether a task that has said nothing since then is to say what it has to.

        That is done in rounds, all of them at about the same time: a request to a broker costs about half a
        millisecond and each partition in it a tenth, so what is sent together costs a fraction of what it
        does one by one."""
        if not task.buffer.output_count:
            return False
        waited, interval = now - said_at, self._interval(task)
        if waited >= interval:
            self._round_began = now
            for running in self._running.values():
                if running.task.buffer.output_count:
                    running.wake.set()
            return True
        return said_at < self._round_began and waited >= interval / 2

    def _interval(self, task: PartitionTask) -> float:
        """Seconds that changes may wait: almost none while the worker has time to spare; the busier it is,
        and the more records wait, the longer."""
        pacing = self._pacing
        strain = max(0.0, self._load.share() - pacing.easy_load) / (1.0 - pacing.easy_load)
        while_reading = self._behind(task) * pacing.behind_seconds
        return pacing.at_once_seconds + strain * pacing.strained_seconds + while_reading

    def _behind(self, task: PartitionTask) -> float:
        """0 where no record waits, 1 where many do."""
        return min(1.0, task.backlog / self._pacing.backlog_records)

    def _acknowledge_all(self, running: _Running) -> None:
        consumer, task = self._consumer(), running.task
        if not self._may_write(running.claim):
            return
        for topic in SOURCES:
            if not task.waiting(topic):
                consumer.acknowledge_all(self._tp(topic, task.number))

    def _is_full(self, task: PartitionTask) -> bool:
        """Whether so much is unsaved that a checkpoint must not wait. In bytes, so that what belongs to one
        contact and goes out as a whole always fits into a record batch."""
        settings = self._settings
        return task.unsaved_size >= settings.checkpoint_records or (
            task.bytes_unsaved >= settings.max_record_bytes
        )

    def _still_ours(self, running: _Running) -> StillOurs:
        """Whether anything may be written for the task: its claim stands, and the group says so too."""

        async def still_ours() -> bool:
            if not self._may_write(running.claim) or not await self._consumer().still_ours():
                return False
            return self._may_write(running.claim)

        return still_ours

    async def _checkpoint(self, running: _Running) -> None:
        consumer, task = self._consumer(), running.task
        started = time.perf_counter()
        changes = len(task.buffer.changes)
        self._saving += 1
        running.writing = True
        try:
            await checkpoint(
                task,
                self._sink,
                lambda topic, number, offset: consumer.acknowledge(self._tp(topic, number), offset),
                self._still_ours(running),
            )
        finally:
            running.writing = False
            self._saving -= 1
        self._said(task, changes)
        task.saved()
        self._metrics.checkpoints.observe(time.perf_counter() - started)
        self._count(task)

    async def _announce(self, running: _Running) -> None:
        task = running.task
        changes = len(task.buffer.changes)
        running.writing = True
        try:
            await announce(task, self._sink, self._still_ours(running))
        finally:
            running.writing = False
        self._said(task, changes)

    def _said(self, task: PartitionTask, changes: int) -> None:
        self._metrics.changes.labels(task.number).inc(changes)
        now_ms = self._clock.now_ms()
        if task.earliest_due_ms is not None:
            self._metrics.due_lateness.observe((now_ms - task.earliest_due_ms) / 1000)
            task.earliest_due_ms = None
        task.latency.said(now_ms)

    def _count(self, task: PartitionTask) -> None:
        counts, metrics = task.partition.take_counts(), self._metrics
        metrics.records.labels("applied").inc(counts.applied)
        metrics.records.labels("repeated").inc(counts.repeated)
        metrics.records.labels("rejected").inc(counts.rejected)
        metrics.due.inc(counts.due)
        metrics.capped.inc(counts.capped)
        metrics.unclear_answers.inc(counts.unclear)

    def _check_source(self, running: _Running) -> None:
        """State that is ahead of its source belongs to another topic of the same name."""
        if running.source_checked:
            return
        consumer, task = self._consumer(), running.task
        ends = {topic: consumer.end(self._tp(topic, task.number)) for topic in SOURCES}
        if float("inf") in ends.values():
            return
        running.source_checked = True
        if running.without_state and any(
            consumer.begun_at(self._tp(topic, task.number)) for topic in SOURCES
        ):
            self._metrics.cold_starts.inc()
            _log.error("partition %d: input was applied before, but its changelog is empty", task.number)
        for topic, end in ends.items():
            if task.applied(topic) > end:
                tp = self._tp(topic, task.number)
                raise ConfigurationError(
                    f"{tp.topic}/{tp.partition} ends at offset {end:.0f}, but the state holds it up to "
                    f"{task.applied(topic)}: the topic was made anew; give the workers a new "
                    "STREAMSEG_APPLICATION_ID, so that they begin with new state"
                )

    # -- told to others ----------------------------------------------------------------------------------

    @property
    def numbers(self) -> list[int]:
        """The partitions at work here."""
        return sorted(self._running)

    def find(self, number: int) -> PartitionTask | None:
        """The partition at work here, to be read between steps; None where it is not here."""
        running = self._running.get(number)
        return None if running is None else running.task

    def note_changelog_end(self, number: int, end: int) -> None:
        """A broker told where the changelog of a partition ends. If records are there that this worker has
        neither read nor written, the work on the partition ends with ForeignWriteError."""
        running = self._running.get(number)
        if running is not None and not running.writing:
            running.changelog_end_seen = end
            running.wake.set()

    def wake(self, number: int) -> None:
        """Something was asked of the partition."""
        running = self._running.get(number)
        if running is not None:
            running.wake.set()

    def _report(self, running: _Running) -> None:
        """Only what is durable is told."""
        now = time.monotonic()
        if now - running.reported_at >= self._pacing.report_seconds:
            running.reported_at = now
            running.report = running.task.report()

    def reports(self) -> list[Report]:
        """The latest report of each partition that is at work here, those that have made one."""
        return [running.report for running in self._running.values() if running.report is not None]

    def observe(self) -> None:
        """Bring the gauges up to date."""
        for number, running in self._running.items():
            self._metrics.clock.labels(number).set(running.task.partition.clock_ms / 1000)
            for topic in SOURCES:
                tp = self._tp(topic, number)
                lag = self._consumer().lag(tp)
                if lag is not None:
                    self._metrics.lag.labels(tp.topic, number).set(lag + running.task.waiting(topic))
        observe_state([running.task for running in self._running.values()], self._metrics)

    def stalled_seconds(self) -> float:
        """How long the slowest task has been at the same piece of work."""
        now = time.monotonic()
        return max((now - running.turned_at for running in self._running.values()), default=0.0)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
