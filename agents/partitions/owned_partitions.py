"""Opens, restores and closes the stores of the partitions that the group has assigned to this worker.

`agents.partitions.assignment` decides when to do so."""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka.errors import ProducerFenced
from mode import Service

from agents.kafka.changelog_reader import read_changelog
from agents.kafka.topics import CONTACTS_TABLE, changelog_topic
from agents.metrics import Metrics
from agents.partitions.assignment import Assignment, Claim, State
from agents.partitions.scheduler import TaskScheduler
from streamseg.errors import StreamsegError
from streamseg.settings import Settings
from streamseg.store.caches import Caches
from streamseg.store.database import KeyValue
from streamseg.store.rocksdb import RocksStore

_log = logging.getLogger(__name__)

# From so many records at once on, a store is put into bulk mode; fewer are not worth the flush at its end.
_BULK_RECORDS = 1_000


class NotAtWorkError(StreamsegError, ProducerFenced):  # type: ignore[misc]  # aiokafka has no types
    """This worker was about to write to the changelog of a partition that is not at work here. The changelog
    must stay as it is for the worker that owns the partition now. (The class is a ProducerFenced for the same
    reason as `agents.worker.stall_guard.StoodStillError`.)"""


class _Reading:
    """The stores of some partitions, and the thread that applies their changelogs to them."""

    def __init__(self, claims: Iterable[Claim]) -> None:
        self.claims = {claim.partition: claim for claim in claims}
        self.stores: dict[int, RocksStore] = {}
        self.stop = threading.Event()
        self.thread: asyncio.Future[None] | None = None
        self.began = time.monotonic()
        self.records = 0
        self.ends: dict[int, int] = {}
        """For each partition, the offset after the end of its changelog, once it is known."""
        self.remaining: dict[int, int] = {}
        """For each partition, how many offsets are still to be read."""
        self.planned: dict[int, int] = {}
        """For each partition, how many offsets were to be read at the beginning."""


_FOLDER_NAME = re.compile(rf"{CONTACTS_TABLE}-(\d+)\.db")


class _Restored(NamedTuple):
    """A partition's store, and the end offset of the changelog up to which it was restored."""

    store: RocksStore
    changelog_end: int


class OwnedPartitions(Service):
    """Carries out the effects of the state machine for one worker.

    An error while a partition is restored crashes the app. Nothing was written, and a restart restores again.
    """

    mundane_level = "debug"

    def __init__(
        self,
        settings: Settings,
        *,
        scheduler: TaskScheduler,
        metrics: Metrics,
        folder: Callable[[], Path],
        **kwargs: Any,
    ) -> None:
        """`folder` returns the folder that holds the partitions' state."""
        super().__init__(**kwargs)
        self._settings = settings
        self._scheduler = scheduler
        self._metrics = metrics
        self._folder = folder
        self._changelog = changelog_topic(settings)
        self._caches = Caches(settings.cache_bytes)
        self._assignment = Assignment(self)
        self._readings: dict[Claim, _Reading] = {}
        self._restored: dict[Claim, _Restored] = {}
        self._closing: set[asyncio.Future[None]] = set()
        self._became_ready = asyncio.Event()
        self.progressed_at = time.monotonic()
        """When the restoring of any partition last made progress, monotonic seconds."""

    # -- calls of the consumer ---------------------------------------------------------------------------

    def assign(self, partitions: Collection[int]) -> None:
        """Take the partitions that the group has assigned to this worker: exactly these."""
        self.progressed_at = time.monotonic()
        _log.info("assigned partitions %s", ", ".join(map(str, sorted(partitions))) or "none")
        self._metrics.rebalances.inc()
        self._metrics.last_rebalance.set_to_current_time()
        self._assignment.assign(partitions)
        self._note_ready()

    async def revoke(self) -> None:
        """Give back all partitions, which the group revokes. Returns when no partition is at work and no
        store is open. The work done is made durable and acknowledged; records that wait are dropped."""
        self._assignment.revoke()
        await self._close_all()
        # Some of their objects refer to each other, and the collector never examines old objects by itself
        # (`agents.worker.garbage`). Now no contacts are in memory, which would take most of the time.
        gc.collect()

    async def end(self) -> None:
        """Do the same as `revoke`, and take no partitions any more, since the worker stops."""
        self._assignment.end()
        await self._close_all()

    async def _close_all(self) -> None:
        self._note_ready()
        while self._closing:
            await asyncio.wait(self._closing)

    # -- questions ---------------------------------------------------------------------------------------

    def kept(self) -> set[int]:
        """Return the partitions that have a folder on this worker's disk. Its state may be an old one."""
        names = (_FOLDER_NAME.fullmatch(folder.name) for folder in self._folder().glob("*"))
        return {int(name[1]) for name in names if name is not None}

    def _folder_of(self, number: int) -> Path:
        return self._folder() / f"{CONTACTS_TABLE}-{number}.db"

    @property
    def epoch(self) -> int:
        """The number of the present assignment."""
        return self._assignment.epoch

    @property
    def ready(self) -> bool:
        """Whether there is an assignment, and each of its partitions is at work. It may have none."""
        return self._assignment.ready

    @property
    def assigned(self) -> frozenset[int] | None:
        """The partitions that the group has assigned to this worker; None while there is no assignment."""
        return self._assignment.assigned

    @property
    def at_work(self) -> list[int]:
        """The assigned partitions that are at work."""
        return [number for number in sorted(self.assigned or ()) if self._is_at_work(number)]

    def _is_at_work(self, number: int) -> bool:
        return self._assignment.state(number) is State.AT_WORK

    @property
    def restoring(self) -> bool:
        """Whether the changelog of any partition is being read."""
        return bool(self._readings)

    def partition_state(self, number: int) -> State:
        """Return the state of a partition in this worker."""
        return self._assignment.state(number)

    def restored_share(self, number: int) -> tuple[int, int] | None:
        """Return how many offsets of the changelog of a partition that is being restored have been read, and
        how many there are to read; None before this is known, and for other partitions."""
        for claim, reading in self._readings.items():
            if claim.partition == number and claim not in self._restored and number in reading.planned:
                planned = reading.planned[number]
                return planned - reading.remaining[number], planned
        return None

    async def wait_until_ready(self) -> None:
        """Return when `ready` is true."""
        while not self.ready:
            await self._became_ready.wait()

    def may_write(self, claim: Claim) -> bool:
        """Return whether anything may be written for the partition under this claim."""
        return self._assignment.may_write(claim)

    def check_changelog(self, partitions: Iterable[int]) -> None:
        """Raise NotAtWorkError if nothing may be written any more for one of these partitions. To be called
        right before their changelog records are sent."""
        writing = {claim.partition for claim in self._assignment.open_claims if self.may_write(claim)}
        late = sorted(set(partitions) - writing)
        if late:
            raise NotAtWorkError(
                f"changelog records of partitions {late} came up only after those had been released; "
                "they are dropped, and their input is read again"
            )

    def observe(self) -> None:
        """Bring the gauges up to date."""
        readings = list(dict.fromkeys(self._readings.values()))
        self._metrics.restoring.set(sum(claim not in self._restored for claim in self._readings))
        self._metrics.restore_remaining.set(sum(sum(one.remaining.values()) for one in readings))
        try:
            disk = shutil.disk_usage(self._settings.data_dir)
        except OSError:
            # `/ready` reports that the folder is gone; the other metrics are needed all the more.
            return
        self._metrics.disk_free.set(disk.free)
        self._metrics.disk_size.set(disk.total)

    # -- effects -----------------------------------------------------------------------------------------

    def restore(self, claims: list[Claim]) -> None:
        _log.info("restoring partitions %s", ", ".join(str(claim.partition) for claim in claims))
        reading = _Reading(claims)
        self._readings.update(dict.fromkeys(claims, reading))
        reading.thread = asyncio.ensure_future(asyncio.to_thread(self._read, reading, self.loop))
        self.add_future(self._watch_reading(reading))

    def work(self, claim: Claim) -> None:
        restored = self._restored[claim]
        self._scheduler.begin(claim, restored.store, restored.changelog_end)
        assigned = self.assigned or ()
        _log.info("at work on partition %d (%d of %d)", claim.partition, len(self.at_work), len(assigned))
        self._note_ready()

    def finish(self, claim: Claim) -> None:
        self._close(claim)

    def abandon(self, claim: Claim) -> None:
        reading = self._readings.get(claim)
        if reading is not None:
            reading.stop.set()
        self._close(claim)

    def lost(self, claim: Claim) -> None:
        """The work on a partition has ended without a last checkpoint."""
        self._assignment.lost(claim)
        self._note_ready()

    # -- restoring ---------------------------------------------------------------------------------------

    def _read(self, reading: _Reading, loop: asyncio.AbstractEventLoop) -> None:
        """Open the stores and read the changelogs, in a separate thread, until `stop` is set."""
        stores = reading.stores
        with ExitStack() as stack:
            bulks: dict[int, ExitStack] = {}

            def apply(number: int, records: list[KeyValue], strays: list[bytes], offset: int) -> None:
                if number not in bulks and len(records) >= _BULK_RECORDS:
                    bulks[number] = stack.enter_context(ExitStack())
                    bulks[number].enter_context(stores[number].in_bulk())
                stores[number].apply_changelog(records, offset, strays)
                if strays:
                    _log.warning("%d changelog records of partition %d do not count", len(strays), number)
                reading.records += len(records)
                reading.remaining[number] = reading.ends[number] - offset - 1
                self._metrics.recovered.inc(len(records))
                self.progressed_at = time.monotonic()

            def planned(number: int, start: int, end: int) -> None:
                reading.ends[number] = end
                reading.remaining[number] = reading.planned[number] = end - start

            def reached(number: int, end: int) -> None:
                reading.remaining[number] = 0
                if number in bulks:
                    bulks.pop(number).close()
                # Decided here, in this thread, since a raised layout may have all contacts read.
                version = stores[number].written_layout
                _log.info("partition %d is written in state layout %d", number, version)
                loop.call_soon_threadsafe(self._reached, reading.claims[number], stores[number], end)

            for number in reading.claims:
                stores[number] = RocksStore(
                    self._folder_of(number),
                    caches=self._caches,
                    layout_asked=self._settings.layout,
                )
            starts = {number: _after(store.changelog_offset) for number, store in stores.items()}
            read_changelog(
                self._settings, self._changelog, starts, apply, reached, reading.stop, planned=planned
            )

    def _reached(self, claim: Claim, store: RocksStore, changelog_end: int) -> None:
        self._restored[claim] = _Restored(store, changelog_end)
        self._assignment.restored(claim)

    async def _watch_reading(self, reading: _Reading) -> None:
        """Wait for the end of the reading. An error of the reading is raised here and crashes the app."""
        if reading.thread is not None:
            await asyncio.wait([reading.thread])
            reading.thread.result()
        for claim in reading.claims.values():
            self._readings.pop(claim, None)
        if reading.records:
            seconds = time.monotonic() - reading.began
            _log.info("recovered %d changelog records in %.1f s", reading.records, seconds)

    # -- closing -----------------------------------------------------------------------------------------

    def _close(self, claim: Claim) -> None:
        _log.info("releasing partition %d", claim.partition)
        closing = asyncio.ensure_future(self._end(claim, self._readings.get(claim)))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def _end(self, claim: Claim, reading: _Reading | None) -> None:
        if claim not in self._restored and reading is not None and reading.thread is not None:
            # The thread uses the store until the thread ends or has reported this partition as restored.
            await asyncio.wait([reading.thread])
        await self._scheduler.end(claim)
        restored = self._restored.pop(claim, None)
        if restored is not None:
            restored.store.close()
        elif reading is not None and claim.partition in reading.stores:
            reading.stores[claim.partition].close()
        self._assignment.gone(claim)
        _log.info("released partition %d", claim.partition)

    def _note_ready(self) -> None:
        if self.ready:
            self._became_ready.set()
        else:
            self._became_ready.clear()

    async def on_stop(self) -> None:
        await self.end()


def _after(offset: int | None) -> int:
    return 0 if offset is None else offset + 1
