"""Opens the stores of some partitions and applies their changelogs to them, in this process or in several
(`agents.partitions.restoring_process`)."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path

from agents.kafka.changelog_reader import changelog_ends, read_changelog
from agents.kafka.topics import changelog_topic
from agents.metrics import Metrics
from agents.partitions.assignment import Claim
from agents.partitions.restoring_process import RestoringProcess
from streamseg.settings import Settings
from streamseg.store.caches import Caches
from streamseg.store.database import KeyValue
from streamseg.store.rocksdb import RocksStore

_log = logging.getLogger(__name__)

# From so many records at once on, a store is put into bulk mode; fewer are not worth the flush at its end.
_BULK_RECORDS = 1_000

# So many offsets take this process some two seconds. A process of its own takes most of a second to start.
_WORTH_PROCESSES = 500_000

_LOOK_SECONDS = 0.1
"""How often it is looked whether to stop, while processes restore."""


class Restoring:
    """Some partitions while their changelogs are applied to their stores.

    stores  the stores that were opened, by partition
    stop    set it to end `run` early
    """

    def __init__(
        self,
        claims: Iterable[Claim],
        settings: Settings,
        *,
        metrics: Metrics,
        caches: Caches,
        folder_of: Callable[[int], Path],
        restored: Callable[[Claim, RocksStore, int], None],
    ) -> None:
        """`folder_of` returns the folder of a partition's store. `restored` is called for each partition, in
        another thread, with its store and the end offset of the changelog up to which it was restored. From
        then on the store belongs to the caller."""
        self.claims = {claim.partition: claim for claim in claims}
        self.stores: dict[int, RocksStore] = {}
        self.stop = threading.Event()
        self._settings = settings
        self._metrics = metrics
        self._caches = caches
        self._folder_of = folder_of
        self._restored = restored
        self._bulks = ExitStack()
        self._bulk_of: dict[int, ExitStack] = {}
        self._finishing: list[Future[None]] = []
        self._records: Counter[int] = Counter()
        # In offsets of each partition's changelog, once they are known.
        self._starts: dict[int, int] = {}
        self._ends: dict[int, int] = {}
        self._remaining: dict[int, int] = {}

    @property
    def remaining(self) -> int:
        """How many offsets are still to be read, of the partitions of which this is known."""
        return sum(list(self._remaining.values()))

    def share(self, number: int) -> tuple[int, int] | None:
        """Return how many offsets of a partition's changelog have been read, and how many there were to read
        at the beginning; None before this is known."""
        if number not in self._remaining:
            return None
        planned = self._ends[number] - self._starts[number]
        return planned - self._remaining[number], planned

    def run(self, progressed: Callable[[], None]) -> None:
        """Open the stores and read the changelogs to their ends, or until `stop` is set. `progressed` is
        called after each step.

        Blocks; call it in a thread. Raises what opening a store, reading and writing raise."""
        began = time.monotonic()

        def apply(number: int, records: list[KeyValue], strays: list[bytes], offset: int) -> None:
            self._apply(number, records, strays, offset)
            progressed()

        self._restore_in_processes(progressed)
        # What a partition needs after its last record takes no time from the next one, since RocksDB does
        # not need the interpreter's lock for it.
        with self._bulks, ThreadPoolExecutor(1, "finish-restoring") as finisher:

            def reached(number: int, end: int) -> None:
                self._remaining[number] = 0
                self._finishing.append(finisher.submit(self._finish, number, end))

            for number in self.claims:
                self.stores[number] = RocksStore(
                    self._folder_of(number), caches=self._caches, layout_asked=self._settings.layout
                )
            starts = {number: _after(store.changelog_offset) for number, store in self.stores.items()}
            topic = changelog_topic(self._settings)
            read_changelog(self._settings, topic, starts, apply, reached, self.stop, planned=self._plan)
        for finishing in self._finishing:
            finishing.result()
        records = self._records.total()
        if records:
            _log.info("recovered %d changelog records in %.1f s", records, time.monotonic() - began)

    def _restore_in_processes(self, progressed: Callable[[], None]) -> None:
        """Have processes restore the partitions of which nothing is on disk, if that is worth the processes.
        Something on disk is seldom far behind."""
        lost = [number for number in self.claims if not self._folder_of(number).exists()]
        count = min(self._settings.restoring_processes, len(lost), _cores())
        if count < 2:
            return
        ends = changelog_ends(self._settings, changelog_topic(self._settings), lost)
        if sum(ends.values()) < _WORTH_PROCESSES:
            return
        shares: list[list[int]] = [[] for _ in range(count)]
        for number in sorted(ends, key=lambda one: -ends[one]):
            self._plan(number, 0, ends[number])
            min(shares, key=lambda share: sum(ends[one] for one in share)).append(number)
        processes = [
            RestoringProcess(self._settings, {number: self._folder_of(number) for number in share})
            for share in shares
            if share
        ]
        with ThreadPoolExecutor(len(processes), "follow-restoring") as pool:
            try:
                following = [pool.submit(self._follow, process, progressed) for process in processes]
                while not self.stop.is_set() and wait(following, _LOOK_SECONDS).not_done:
                    continue
            finally:
                for process in processes:
                    process.kill()
        for one in following:
            one.result()

    def _follow(self, process: RestoringProcess, progressed: Callable[[], None]) -> None:
        for step in process.progress():
            self._note(step.partition, step.offset, step.records, step.strays)
            progressed()
        status = process.wait()
        if status and not self.stop.is_set():
            _log.warning(
                "a process that restored partitions ended with status %d; the worker goes on", status
            )

    def _plan(self, number: int, start: int, end: int) -> None:
        self._starts.setdefault(number, start)
        self._ends[number] = end
        self._remaining[number] = end - start

    def _apply(self, number: int, records: list[KeyValue], strays: list[bytes], offset: int) -> None:
        store = self.stores[number]
        if number not in self._bulk_of and len(records) >= _BULK_RECORDS:
            self._bulk_of[number] = self._bulks.enter_context(ExitStack())
            self._bulk_of[number].enter_context(store.in_bulk())
        store.apply_changelog(records, offset, strays)
        self._note(number, offset + 1, len(records), len(strays))
        for finishing in self._finishing:
            if finishing.done():
                finishing.result()

    def _note(self, number: int, offset: int, records: int, strays: int) -> None:
        """Take note that a changelog was read up to an offset."""
        if strays:
            _log.warning("%d changelog records of partition %d do not count", strays, number)
        self._records[number] += records
        self._remaining[number] = self._ends[number] - offset
        self._metrics.recovered.inc(records)

    def _finish(self, number: int, end: int) -> None:
        if number in self._bulk_of:
            self._bulk_of[number].close()
        store = self.stores[number]
        # Decided here, in this thread, since a raised layout may have all contacts read.
        _log.info("partition %d is written in state layout %d", number, store.written_layout)
        self._restored(self.claims[number], store, end)


def _cores() -> int:
    """Return how many cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _after(offset: int | None) -> int:
    return 0 if offset is None else offset + 1
