"""The contacts as a Faust table store: one RocksStore a partition, recovered by Faust's protocol.

Faust tells when a partition comes and goes and feeds its changelog; everything else of a table, such as
reading and writing keys through it, has no use here: a partition's shard owns its store.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from faust.stores import STORES
from faust.stores.base import Store
from faust.types import TP, EventT
from rocksdict import Cache

from streamseg.store.rocksdb import RocksStore

SCHEME = "contacts"

_log = logging.getLogger(__name__)


class Shards(Protocol):
    """Who works on the partitions that are there and recovered."""

    def open(self, stores: dict[int, RocksStore]) -> None: ...

    async def release(self) -> None: ...


class ContactStore(Store[bytes, bytes]):
    """Registered under `contacts://`. Options: `shards`, `contact_cache`, `block_cache_bytes`."""

    mundane_level = "debug"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        options = self.options or {}
        self.data = MappingProxyType({})  # type: ignore[assignment]  # writing through the table is an error
        self._shards: Shards = options["shards"]
        self._contact_cache: int = options["contact_cache"]
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

    def recover(self, tp: TP, records: list[Any]) -> None:
        """Write changelog records of one partition, those that the state does not hold yet."""
        store = self.partition(tp.partition)
        held = store.changelog_offset
        fresh = [record for record in records if held is None or record.offset > held]
        if fresh:
            store.apply_changelog(((record.key, record.value) for record in fresh), fresh[-1].offset)
            self.recovered += len(fresh)
            self.progressed_at = time.monotonic()

    def apply_changelog_batch(
        self, batch: Iterable[EventT], to_key: Callable[[Any], Any], to_value: Callable[[Any], Any]
    ) -> None:
        """Write changelog records that came one by one."""
        by_partition: dict[int, list[Any]] = defaultdict(list)
        for event in batch:
            by_partition[event.message.partition].append(event.message)
        for messages in by_partition.values():
            self.recover(messages[0].tp, messages)

    async def need_active_standby_for(self, tp: TP) -> bool:
        """No standbys: a partition's state follows its worker."""
        return False

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Close what is not ours any more, and start afresh from disk with what still is."""
        await self._shards.release()
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
        self._close()

    def _close(self) -> None:
        for store in self._stores.values():
            store.close()
        self._stores.clear()


STORES.aliases[SCHEME] = f"{__name__}:{ContactStore.__name__}"
