"""The contacts as a Faust table store: one RocksStore a partition, recovered by Faust's protocol.

Faust tells when a partition comes and goes and feeds its changelog; everything else of a table, such as
reading and writing keys through it, has no use here: a partition's shard owns its store.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from faust.stores import STORES
from faust.stores.base import Store
from faust.types import TP, EventT
from rocksdict import Cache

from agents.changelog_reader import Last, read_changelog
from streamseg.settings import Settings
from streamseg.store.rocksdb import KeyValue, RocksStore

SCHEME = "contacts"

_log = logging.getLogger(__name__)


class Shards(Protocol):
    """Who works on the partitions that are there and recovered."""

    def open(self, stores: dict[int, RocksStore]) -> None: ...

    async def release(self) -> None: ...


class ContactStore(Store[bytes, bytes]):
    """Registered under `contacts://`. Options: `settings`, `shards`, `contact_cache`, `block_cache_bytes` and
    `on_recovered`, which is told, from another thread, how many more changelog records were applied."""

    mundane_level = "debug"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        options = self.options or {}
        self.data = MappingProxyType({})  # type: ignore[assignment]  # writing through the table is an error
        self._shards: Shards = options["shards"]
        self._contact_cache: int = options["contact_cache"]
        self._settings: Settings = options["settings"]
        self._on_recovered: Callable[[int], None] = options["on_recovered"]
        self._reading: asyncio.Future[dict[int, Last]] | None = None
        self._stop = threading.Event()
        self._block_cache = Cache(options["block_cache_bytes"])
        self._stores: dict[int, RocksStore] = {}
        self.recovered = 0
        self._recovering_since = self.progressed_at = time.monotonic()

    def partition(self, number: int) -> RocksStore:
        """The partition's store, opened if need be."""
        store = self._stores.get(number)
        if store is None:
            store = self._stores[number] = RocksStore(
                self._path(number), contact_cache=self._contact_cache, block_cache=self._block_cache
            )
        return store

    def _path(self, number: int) -> Path:
        return Path(self.app.conf.tabledir) / f"{self.table_name}-{number}.db"

    # -- Faust's recovery protocol -----------------------------------------------------------------------

    def persisted_offset(self, tp: TP) -> int | None:
        """The changelog offset that the local state holds, None where there is no local state."""
        return self.partition(tp.partition).changelog_offset

    def set_persisted_offset(self, tp: TP, offset: int) -> None:
        """Nothing to do: the offset is written with the state it belongs to, in the same batch."""

    async def recover(self, tps: set[TP]) -> dict[TP, Last]:
        """Bring changelog partitions' states up to the changelog's end; the last record read of each. Ends
        early where `abandon` is called. Raises as `read_changelog`."""
        topics = {tp.partition: tp for tp in tps}
        stores = {number: self.partition(number) for number in topics}
        self._reading = asyncio.ensure_future(
            asyncio.to_thread(self._read, next(iter(tps)).topic, stores, self._stop)
        )
        # Whoever waits here may give up; the thread is ended by `abandon`.
        last = await asyncio.shield(self._reading)
        return {topics[number]: record for number, record in last.items()}

    def _read(self, topic: str, stores: dict[int, RocksStore], stop: threading.Event) -> dict[int, Last]:
        starts = {number: _after(store.changelog_offset) for number, store in stores.items()}
        with ExitStack() as bulk:
            for store in stores.values():
                bulk.enter_context(store.in_bulk())
            return read_changelog(self._settings, topic, starts, self._apply, stop)

    def _apply(self, number: int, records: list[KeyValue], offset: int) -> None:
        self._stores[number].apply_changelog(records, offset)
        self.recovered += len(records)
        self._on_recovered(len(records))
        self.progressed_at = time.monotonic()

    async def abandon(self) -> None:
        """Stop a recovery that is going on, and wait until nothing uses the stores any more."""
        if self._reading is not None:
            self._stop.set()
            await asyncio.wait([self._reading])
            self._reading = None
            self._stop = threading.Event()

    def apply_changelog_batch(
        self, batch: Iterable[EventT[Any]], to_key: Callable[[Any], Any], to_value: Callable[[Any], Any]
    ) -> None:
        """Nothing to do: Faust counts by these, which `recover` has written."""

    async def need_active_standby_for(self, tp: TP) -> bool:
        """No standbys: a partition's state follows its worker."""
        return False

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Close what is not ours any more, and start afresh from disk with what still is."""
        await self._shards.release()
        await self.abandon()
        self._close()
        self._recovering_since = self.progressed_at = time.monotonic()

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """All partitions assigned are up to date: work may begin."""
        if self.recovered:
            seconds = time.monotonic() - self._recovering_since
            _log.info("recovered %d changelog records in %.1f s", self.recovered, seconds)
            self.recovered = 0
        try:
            self._shards.open({tp.partition: self.partition(tp.partition) for tp in active_tps})
        except Exception as error:  # Faust would drop it
            await self.app.crash(error)

    def reset_state(self) -> None:
        """Remove all local state; it is recovered from the changelog."""
        self._close()
        for path in Path(self.app.conf.tabledir).glob(f"{self.table_name}-*.db"):
            shutil.rmtree(path)

    async def backup_partition(
        self, tp: TP | int, flush: bool = True, purge: bool = False, keep: int = 1
    ) -> None:
        """The changelog is the backup."""

    def restore_backup(self, tp: TP | int, latest: bool = True, backup_id: int = 0) -> None:
        """The changelog is the backup: remove the local state instead."""

    async def on_stop(self) -> None:
        await self.abandon()
        self._close()

    def _close(self) -> None:
        for store in self._stores.values():
            store.close()
        self._stores.clear()


def _after(offset: int | None) -> int | None:
    return None if offset is None else offset + 1


STORES.aliases[SCHEME] = f"{__name__}:{ContactStore.__name__}"
