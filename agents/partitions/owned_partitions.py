"""Opens, restores and closes the stores of the partitions that the group has assigned to this worker.

`agents.partitions.assignment` decides when to do so."""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import shutil
import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka.errors import ProducerFenced
from mode import Service

from agents.kafka.topics import CONTACTS_TABLE
from agents.metrics import Metrics
from agents.partitions.assignment import Assignment, Claim, State
from agents.partitions.restoring import Restoring
from agents.partitions.scheduler import TaskScheduler
from streamseg.errors import StreamsegError
from streamseg.settings import Settings
from streamseg.store.caches import Caches
from streamseg.store.rocksdb import RocksStore

_log = logging.getLogger(__name__)


class NotAtWorkError(StreamsegError, ProducerFenced):  # type: ignore[misc]  # aiokafka has no types
    """This worker was about to write to the changelog of a partition that is not at work here. The changelog
    must stay as it is for the worker that owns the partition now. (The class is a ProducerFenced for the same
    reason as `agents.worker.stall_guard.StoodStillError`.)"""


_FOLDER_NAME = re.compile(rf"{CONTACTS_TABLE}-(\d+)\.db")


class _Restored(NamedTuple):
    """A partition's store, and the end offset of the changelog up to which it was restored."""

    store: RocksStore
    changelog_end: int


class _Running(NamedTuple):
    """The restoring of some partitions, and its thread."""

    restoring: Restoring
    thread: asyncio.Future[None]


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
        self._caches = Caches(settings.cache_bytes)
        self._assignment = Assignment(self)
        self._restorings: dict[Claim, _Running] = {}
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
        return bool(self._restorings)

    def partition_state(self, number: int) -> State:
        """Return the state of a partition in this worker."""
        return self._assignment.state(number)

    def restored_share(self, number: int) -> tuple[int, int] | None:
        """Return how many offsets of the changelog of a partition that is being restored have been read, and
        how many there are to read; None before this is known, and for other partitions."""
        for claim, running in self._restorings.items():
            if claim.partition == number and claim not in self._restored:
                return running.restoring.share(number)
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
        running = dict.fromkeys(self._restorings.values())
        self._metrics.restoring.set(sum(claim not in self._restored for claim in self._restorings))
        self._metrics.restore_remaining.set(sum(one.restoring.remaining for one in running))
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
        loop = self.loop

        def restored(claim: Claim, store: RocksStore, changelog_end: int) -> None:
            loop.call_soon_threadsafe(self._note_restored, claim, store, changelog_end)

        restoring = Restoring(
            claims,
            self._settings,
            metrics=self._metrics,
            caches=self._caches,
            folder_of=self._folder_of,
            restored=restored,
        )
        running = _Running(restoring, asyncio.ensure_future(asyncio.to_thread(restoring.run, self._progress)))
        self._restorings.update(dict.fromkeys(claims, running))
        self.add_future(self._watch(running))

    def work(self, claim: Claim) -> None:
        restored = self._restored[claim]
        self._scheduler.begin(claim, restored.store, restored.changelog_end)
        assigned = self.assigned or ()
        _log.info("at work on partition %d (%d of %d)", claim.partition, len(self.at_work), len(assigned))
        self._note_ready()

    def finish(self, claim: Claim) -> None:
        self._close(claim)

    def abandon(self, claim: Claim) -> None:
        running = self._restorings.get(claim)
        if running is not None:
            running.restoring.stop.set()
        self._close(claim)

    def lost(self, claim: Claim) -> None:
        """The work on a partition has ended without a last checkpoint."""
        self._assignment.lost(claim)
        self._note_ready()

    # -- restoring ---------------------------------------------------------------------------------------

    def _progress(self) -> None:
        self.progressed_at = time.monotonic()

    def _note_restored(self, claim: Claim, store: RocksStore, changelog_end: int) -> None:
        self._restored[claim] = _Restored(store, changelog_end)
        self._assignment.restored(claim)

    async def _watch(self, running: _Running) -> None:
        """Wait for the end of the restoring. An error in it is raised here and crashes the app."""
        await asyncio.wait([running.thread])
        running.thread.result()
        for claim in running.restoring.claims.values():
            self._restorings.pop(claim, None)

    # -- closing -----------------------------------------------------------------------------------------

    def _close(self, claim: Claim) -> None:
        _log.info("releasing partition %d", claim.partition)
        closing = asyncio.ensure_future(self._end(claim, self._restorings.get(claim)))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def _end(self, claim: Claim, running: _Running | None) -> None:
        if claim not in self._restored and running is not None:
            # The thread uses the store until the thread ends or has reported this partition as restored.
            await asyncio.wait([running.thread])
        await self._scheduler.end(claim)
        restored = self._restored.pop(claim, None)
        if restored is not None:
            restored.store.close()
        elif running is not None and claim.partition in running.restoring.stores:
            running.restoring.stores[claim.partition].close()
        self._assignment.gone(claim)
        _log.info("released partition %d", claim.partition)

    def _note_ready(self) -> None:
        if self.ready:
            self._became_ready.set()
        else:
            self._became_ready.clear()

    async def on_stop(self) -> None:
        await self.end()
