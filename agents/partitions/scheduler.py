"""Runs the tasks of all partitions at work: passes them their records and makes their checkpoints."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from faust.types import TP
from mode import Service

from agents.kafka.topics import changelog_topic, topic_name
from agents.metrics import Metrics
from agents.pacing import DEFAULT_PACING, Pacing
from agents.partitions.assignment import Claim
from agents.partitions.change_latency import ChangeLatency
from agents.partitions.checkpoint import (
    PartitionLostError,
    Sink,
    StillOurs,
    check_changelog_end,
    checkpoint,
    checkpoint_outputs,
    repair,
    resend_kept_outputs,
)
from agents.partitions.input_flow import Consumer
from agents.partitions.output_buffer import OutputBuffer
from agents.partitions.recent_dead_letters import RecentDeadLetters
from agents.partitions.save_times import SaveTimes
from agents.partitions.state_figures import observe_state
from agents.partitions.task import PartitionTask
from agents.partitions.worker_clock import WorkerClock
from schemas.topics import SOURCES
from streamseg.catalogue.progress import Report
from streamseg.errors import ConfigurationError, EmptyStateError, IncompleteStateError
from streamseg.plan.plan import Plan
from streamseg.records.inputs import Record
from streamseg.records.outputs import DeadLetter
from streamseg.settings import Settings
from streamseg.store.rocksdb import IMPORTING, RocksStore

_log = logging.getLogger(__name__)


class _Running:
    """A running task: its claim, the coroutine that runs it, and the signals that wake or stop it."""

    def __init__(self, claim: Claim, task: PartitionTask) -> None:
        self.claim = claim
        self.task = task
        self.without_state = task.store.is_empty()
        self.writing = True
        """Whether changelog records may be on their way. True from the start, since `repair` may write
        some."""
        self.changelog_end_seen = 0
        """The end of the changelog that a broker reported last while no records were on their way."""
        self.wake = asyncio.Event()
        self.stopping = False
        self.work: asyncio.Future[None] | None = None
        self.turned_at = time.monotonic()
        self.source_checked = False
        self.report: Report | None = None
        self.reported_at = 0.0
        self.report_is_current = False
        """Whether nothing has happened in the partition since the last report."""


class TaskScheduler(Service):
    """Runs one task for each partition that is at work.

    An error in a task crashes the app. Only work that was done was acknowledged, and a restart repeats the
    rest.
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
        """`may_write` returns whether anything may be written under a claim. `lost` is called with a claim
        whose work has ended because the group may have assigned the partition to another worker."""
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
        self.recent_dead_letters = RecentDeadLetters()
        self._turn = asyncio.Lock()
        self._times = SaveTimes(settings, pacing, self._wake_senders)
        self._saving = 0
        self._names = {topic: topic_name(settings, topic) for topic in SOURCES}
        self._topics = {name: topic for topic, name in self._names.items()}

    # -- partitions come and go --------------------------------------------------------------------------

    def begin(self, claim: Claim, store: RocksStore, changelog_end: int) -> None:
        """Begin to work on a partition whose store holds its changelog up to the offset `changelog_end`."""
        task = self._task(claim.partition, store, changelog_end)
        running = self._running[claim.partition] = _Running(claim, task)
        running.work = self.add_future(self._run(running))
        self._metrics.partitions.set(len(self._running))

    async def end(self, claim: Claim) -> None:
        """Stop the work under a claim, if there is any. The work done is made durable and acknowledged.
        Records that wait are dropped; the next owner of the partition reads them again.

        If this takes more than half the session timeout, the last checkpoint is given up. Its work was not
        acknowledged and will be repeated.
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
            buffer=OutputBuffer(on_dead_letter=self._note_dead_letter),
        )

    def _note_dead_letter(self, letter: DeadLetter) -> None:
        self._metrics.dead_letters.labels(letter.code).inc()
        self.recent_dead_letters.note(letter, self._clock.now_ms())

    def _tp(self, topic: str, number: int) -> TP:
        return TP(self._names[topic], number)

    # -- records and definitions -------------------------------------------------------------------------

    def offer(self, epoch: int, tp: TP, records: list[Any]) -> None:
        """Pass on the records of one source partition that one poll returned, as aiokafka's records. They
        were read under the assignment with this epoch."""
        running = self._running.get(tp.partition)
        if running is None or running.claim.epoch != epoch:
            # The partition was released meanwhile. The records are read again from the committed offset.
            return
        topic = self._topics[tp.topic]
        running.task.offer(
            topic,
            [
                Record(
                    topic,
                    record.partition,
                    record.offset,
                    record.timestamp,
                    record.key,
                    record.value,
                    record.headers,
                )
                for record in records
            ],
            self._clock.now_ms(),
        )
        self._consumer().arrived(tp, len(records))
        running.wake.set()

    def has_room(self, tp: TP, on_the_way: int) -> bool:
        """Return whether more records of a source partition should be fetched, while `on_the_way` records
        have been fetched and have not arrived here."""
        running, topic = self._running.get(tp.partition), self._topics.get(tp.topic)
        if topic is None or running is None or running.stopping:
            return False
        task = running.task
        if task.waiting_bytes(topic) >= self._pacing.queued_bytes:
            return False
        return on_the_way + task.waiting(topic) < self._settings.queued_records

    def adopt(self, plan: Plan) -> None:
        """Give the plan of changed definitions to all tasks."""
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
        if task.store.note(IMPORTING):
            raise IncompleteStateError(task.number)
        await resend_kept_outputs(task.store, task.number, self._sink, self._still_ours(running))
        await repair(task, self._sink, self._still_ours(running))
        running.writing = False
        saved_at = sent_at = time.monotonic()
        while not running.stopping:
            running.wake.clear()
            if running.without_state and not self._may_begin(running):
                await _sleep(running.wake, self._pacing.look_again_seconds)
                continue
            self._check_source(running)
            check_changelog_end(task.number, task.changelog_end, running.changelog_end_seen)
            busy = await self._step(task)
            now = running.turned_at = time.monotonic()
            if busy or task.unsaved:
                running.report_is_current = False
            if not task.unsaved:
                saved_at = sent_at = now
                self._acknowledge_all(running)
                self._report(running)
            elif self._times.is_time_to_save(task, saved_at, now, others_save=self._saving > 0) or (
                # The place of a sweep must be saved together with the contacts that it has changed.
                task.sweeping and self._times.is_time_to_send(task, sent_at, now)
            ):
                await self._checkpoint(running)
                saved_at = sent_at = time.monotonic()
                self._report(running)
            elif self._times.is_time_to_send(task, sent_at, now):
                await self._checkpoint_outputs(running)
                sent_at = time.monotonic()
            if not busy:
                await _sleep(running.wake, self._rest_seconds(running, saved_at, sent_at))
        if task.unsaved:
            await self._checkpoint(running)
        # One more checkpoint without changes: it tells the next owner that all outputs were sent.
        await self._checkpoint(running)

    async def _step(self, task: PartitionTask) -> bool:
        """Do one step of the task, then give all other asyncio tasks their turns. Only one partition does a
        step at a time.

        `Pacing.turns` explains why there is more than one turn of the event loop."""
        async with self._turn:
            busy = task.step()
            for _ in range(self._pacing.turns if busy else 1):
                await asyncio.sleep(0)
        return busy

    def _rest_seconds(self, running: _Running, saved_at: float, sent_at: float) -> float:
        """Return how long a task that has nothing to do now may sleep, in s."""
        report_at = None
        if not running.report_is_current:
            report_at = running.reported_at + self._report_seconds(running)
        return self._times.rest_seconds(
            running.task,
            saved_at=saved_at,
            sent_at=sent_at,
            report_at=report_at,
            waits_for_source=not running.source_checked,
            now=time.monotonic(),
            now_ms=self._clock.now_ms(),
        )

    def _wake_senders(self) -> None:
        for running in self._running.values():
            if running.task.buffer.output_count:
                running.wake.set()

    def _acknowledge_all(self, running: _Running) -> None:
        consumer, task = self._consumer(), running.task
        if not self._may_write(running.claim):
            return
        for topic in SOURCES:
            if not task.waiting(topic):
                consumer.acknowledge_all(self._tp(topic, task.number))

    def _still_ours(self, running: _Running) -> StillOurs:
        """Return a function that checks whether anything may be written for the task: its claim is still
        valid, and the group has not assigned its partition to another worker."""

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
        self._note_sent(task, changes)
        task.saved()
        self._metrics.checkpoints.observe(time.perf_counter() - started)
        self._count(task)

    async def _checkpoint_outputs(self, running: _Running) -> None:
        task = running.task
        changes = len(task.buffer.changes)
        running.writing = True
        try:
            await checkpoint_outputs(task, self._sink, self._still_ours(running))
        finally:
            running.writing = False
        self._note_sent(task, changes)

    def _note_sent(self, task: PartitionTask, changes: int) -> None:
        self._metrics.changes.labels(task.number).inc(changes)
        now_ms = self._clock.now_ms()
        if task.earliest_due_ms is not None:
            self._metrics.due_lateness.observe((now_ms - task.earliest_due_ms) / 1000)
            task.earliest_due_ms = None
        task.latency.acknowledged(now_ms)

    def _count(self, task: PartitionTask) -> None:
        counts, metrics = task.partition.take_counts(), self._metrics
        metrics.records.labels("applied").inc(counts.applied)
        metrics.records.labels("repeated").inc(counts.repeated)
        metrics.records.labels("rejected").inc(counts.rejected)
        metrics.due.inc(counts.due)
        metrics.capped.inc(counts.capped)
        metrics.unclear_answers.inc(counts.unclear)

    def _may_begin(self, running: _Running) -> bool:
        """Return whether a partition without any state may begin: False while its committed offsets are not
        known. Nothing may be written before, because a state that was begun is not empty any more.

        Raises EmptyStateError if input was applied before."""
        consumer, number = self._consumer(), running.task.number
        begun = [consumer.begun_at(self._tp(topic, number)) for topic in SOURCES]
        if None in begun:
            return False
        running.without_state = False
        if any(begun):
            self._metrics.cold_starts.inc()
            if not self._settings.accept_empty_state:
                raise EmptyStateError(number, changelog_topic(self._settings))
            _log.error("partition %d: input was applied before, but its changelog is empty", number)
        return True

    def _check_source(self, running: _Running) -> None:
        """Raise ConfigurationError if the state is ahead of its source: it then belongs to an older topic of
        the same name."""
        if running.source_checked:
            return
        consumer, task = self._consumer(), running.task
        ends = {topic: consumer.end(self._tp(topic, task.number)) for topic in SOURCES}
        if float("inf") in ends.values():
            return
        running.source_checked = True
        for topic, end in ends.items():
            if task.applied(topic) > end:
                tp = self._tp(topic, task.number)
                raise ConfigurationError(
                    f"{tp.topic}/{tp.partition} ends at offset {end:.0f}, but the state holds it up to "
                    f"{task.applied(topic)}: the topic was created again; give the workers a new "
                    "STREAMSEG_APPLICATION_ID, so that they begin with new state"
                )

    # -- for other parts of the worker -------------------------------------------------------------------

    @property
    def numbers(self) -> list[int]:
        """The numbers of the partitions at work here."""
        return sorted(self._running)

    def find(self, number: int) -> PartitionTask | None:
        """Return the task of a partition, to be read between its steps; None if it is not at work here."""
        running = self._running.get(number)
        return None if running is None else running.task

    def note_changelog_end(self, number: int, end: int) -> None:
        """Take note of the end offset of a partition's changelog, as a broker reported it. If the changelog
        has records that this worker has neither read nor written, the work ends with ForeignWriteError."""
        running = self._running.get(number)
        if running is not None and not running.writing:
            running.changelog_end_seen = end
            running.wake.set()

    def wake(self, number: int) -> None:
        """Wake the task of a partition, since there is a request for it."""
        running = self._running.get(number)
        if running is not None:
            running.wake.set()

    def _report(self, running: _Running) -> None:
        """Make a report of the task, if something has happened since the last one and that one is old enough.
        Call it only while nothing is unsaved."""
        now = time.monotonic()
        waited = now - running.reported_at
        if running.report_is_current or waited < self._pacing.report_seconds:
            return
        if waited >= self._report_seconds(running):
            running.reported_at = now
            running.report = running.task.report()
            running.report_is_current = True

    def _report_seconds(self, running: _Running) -> float:
        return self._times.report_seconds(running.report, running.task.progress)

    def reports(self) -> list[Report]:
        """Return the latest report of each partition at work here that has made one."""
        return [running.report for running in self._running.values() if running.report is not None]

    def lags(self, number: int) -> dict[str, int]:
        """Return for each source topic how many offsets of this partition have not been applied yet. A topic
        is left out while its end is not known, and both are if the partition is not at work here."""
        running, found = self._running.get(number), {}
        if running is not None:
            for topic in SOURCES:
                lag = self._consumer().lag(self._tp(topic, number))
                if lag is not None:
                    found[topic] = lag + running.task.waiting(topic)
        return found

    def observe(self) -> None:
        """Bring the gauges up to date."""
        for number, running in self._running.items():
            self._metrics.clock.labels(number).set(running.task.partition.clock_ms / 1000)
            for topic, lag in self.lags(number).items():
                self._metrics.lag.labels(self._names[topic], number).set(lag)
        observe_state([running.task for running in self._running.values()], self._metrics)

    def stalled_seconds(self) -> float:
        """Return for how long the slowest task has been at the same step, in s."""
        now = time.monotonic()
        return max((now - running.turned_at for running in self._running.values()), default=0.0)


async def _sleep(wake: asyncio.Event, seconds: float) -> None:
    """Return when `wake` is set, or after `seconds`, when it is set too."""
    timer = asyncio.get_running_loop().call_later(seconds, wake.set)
    try:
        await wake.wait()
    finally:
        timer.cancel()
