"""One RocksDB database: opening, the check of its version, reads, and atomic batches."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from threading import Lock
from typing import NamedTuple, cast

import orjson
from rocksdict import (
    BlockBasedIndexType,
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    Options,
    Rdict,
    WriteBatch,
    WriteOptions,
)

from streamseg.contact.earlier_layouts import unkept_in
from streamseg.contact.rows import later
from streamseg.contact.state_version import EARLIEST_VERSION, FIRST_WITH_CHANGES, STATE_VERSION
from streamseg.errors import ConfigurationError, StateVersionError
from streamseg.store import layout
from streamseg.times import time_bytes, time_ms

KeyValue = tuple[bytes, bytes | None]
"""A key of `streamseg.store.layout` and its value; None deletes it."""

# Faust's own RocksDB stores keep the changelog offset under this key. It is written here with each batch.
_OFFSET_KEY = b"__faust\0offset__"
_COMPACTED_KEY = b"__streamseg\0compacted__"
# With so many tables that are not compacted yet, RocksDB compacts them. In a bulk, 16 MiB of records make a
# table; with 8 of them, one million contacts in 8 partitions are compacted once before the end.
_TABLES, _BULK_TABLES = 4, 8
_MOST_TABLES = "level0_file_num_compaction_trigger"
_CACHE_COUNTS = ("rocksdb.block.cache.hit", "rocksdb.block.cache.miss")


class Figures(NamedTuple):
    """The size and the condition of a database.

    disk_bytes                bytes of its tables on disk
    keys                      the number of all its keys, estimated
    compaction_pending_bytes  bytes that are still to be compacted, estimated
    write_stalled             whether it slows down or stops writes because compaction is too slow
    """

    disk_bytes: int
    keys: int
    compaction_pending_bytes: int
    write_stalled: bool


class CacheUse(NamedTuple):
    """How many blocks of tables were found in the block cache (`hits`) and had to be read (`misses`)."""

    hits: int
    misses: int


class Database:
    """The part of one partition's state that is on disk.

    get  return the value under a key, or None
    """

    __slots__ = (
        "_cache_use",
        "_closing",
        "_compacting",
        "_db",
        "_failed_bulk",
        "_in_bulk",
        "_options",
        "_path",
        "get",
    )

    def __init__(self, path: Path, block_cache: Cache) -> None:
        """Open or create the database at `path`, a folder of its own. Raises StateVersionError if this
        release cannot read the version of its state, and ConfigurationError if another process has it
        open."""
        path.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._options = _options(block_cache)
        self._db = _open(path, self._options)
        self._cache_use = CacheUse(0, 0)
        self._in_bulk = False
        self._failed_bulk = False
        self._closing = False
        self._compacting = Lock()
        self.get: Callable[[bytes], bytes | None] = self._db.get
        try:
            self._check_version()
        except StateVersionError:
            self._db.close()
            raise

    def _check_version(self) -> None:
        data = self.get(layout.FORMAT_KEY)
        if data is None:
            if next(self._db.keys(), None) is not None:
                raise StateVersionError(0, STATE_VERSION)
            self._db.put(layout.FORMAT_KEY, orjson.dumps(EARLIEST_VERSION))
            return
        found = orjson.loads(data)
        if not EARLIEST_VERSION <= found <= STATE_VERSION:
            raise StateVersionError(found, STATE_VERSION)
        kept = next(self.items(layout.CHANGE, layout.CHANGE), None)
        if kept is not None and found < FIRST_WITH_CHANGES:
            # An earlier release has read records of a later layout from the changelog into its folder, before
            # it ended because of them. It knows no index of them.
            batch = new_batch()
            for key, value in self.items(layout.CHANGE, layout.CHANGE):
                batch.put(layout.segment_change_key(key), value)
            self._db.write(batch)
            self.raise_to(FIRST_WITH_CHANGES)

    @property
    def kept_layout(self) -> int | None:
        """The greatest layout of a contact, or a greater one that `raise_to` was given; None if there is no
        contact."""
        if next(self.items(layout.CONTACT, layout.CONTACT), None) is None:
            return None
        return self._format

    @property
    def _format(self) -> int:
        found: int = orjson.loads(self.get(layout.FORMAT_KEY) or b"0")
        return found

    def raise_to(self, version: int) -> bool:
        """Have contacts of this layout written from now on. Return whether that is more than before. Cost,
        for the first layout with membership changes: all contacts are read once.

        Raises StateVersionError if this release does not know the layout."""
        found = self._format
        if version > STATE_VERSION:
            raise StateVersionError(version, STATE_VERSION)
        if version <= found:
            return False
        batch = new_batch()
        if found < FIRST_WITH_CHANGES <= version:
            # Up to its clock, the changes of a contact were not kept. What follows from the contacts is
            # written together with the version, so that it is never missing.
            latest_ms: int | None = None
            for _, value in self.items(layout.CONTACT, layout.CONTACT):
                latest_ms = later(latest_ms, unkept_in(value))
            if latest_ms is not None:
                batch.put(layout.UNKEPT_KEY, time_bytes(latest_ms))
        batch.put(layout.FORMAT_KEY, orjson.dumps(version))
        self._db.write(batch)
        return True

    def items(self, prefix: bytes, start: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield keys that begin with `prefix`, and their values, from the key `start` on. Changes made after
        the first item was read are not seen."""
        # An upper bound in ReadOptions is not safe: rocksdict's iterators do not keep it alive.
        items = cast(Iterator[tuple[bytes, bytes]], self._db.items(from_key=start))
        return takewhile(lambda item: item[0].startswith(prefix), items)

    @property
    def changelog_offset(self) -> int | None:
        """The changelog offset up to which the database holds the changelog, or None."""
        data = self.get(_OFFSET_KEY)
        return None if data is None else int(data)

    def write(self, batch: WriteBatch, changelog_offset: int | None = None) -> None:
        """Write a batch atomically, together with the changelog offset of its last record, if one is
        given."""
        if changelog_offset is not None:
            batch.put(_OFFSET_KEY, str(changelog_offset).encode())
        if not len(batch):
            return
        if self._in_bulk:
            self._db.write(batch, _UNLOGGED)
        else:
            self._db.write(batch)

    @contextmanager
    def in_bulk(self) -> Iterator[None]:
        """Write without RocksDB's log and with less compaction, while much of a changelog is applied.

        If the process dies meanwhile, an older state is left on disk, and its changelog offset fits to it.
        When the block ends, also by an exception, everything written in it becomes durable. Cost: a flush.
        If that fails, for example because the disk is full, `close` removes the database: its tables would
        take the room that the next attempt needs, and the changelog has everything.

        Compaction is not left out: a changelog may be many times as long as the state that it leaves."""
        self._db.set_options({_MOST_TABLES: str(_BULK_TABLES)})
        self._in_bulk = True
        try:
            yield
        finally:
            self._in_bulk = False
            self._flush_bulk()
            self._db.set_options({_MOST_TABLES: str(_TABLES)})

    def _flush_bulk(self) -> None:
        try:
            self._db.flush()
        except Exception:  # rocksdict raises a bare Exception for whatever RocksDB reports
            self._failed_bulk = True
            raise

    def figures(self) -> Figures:
        """Return the size and the condition of the database. Cost: O(1), RocksDB keeps these figures."""
        ask = self._db.property_int_value
        held_back = ask("rocksdb.is-write-stopped") or ask("rocksdb.actual-delayed-write-rate")
        return Figures(
            disk_bytes=ask("rocksdb.total-sst-files-size") or 0,
            keys=ask("rocksdb.estimate-num-keys") or 0,
            compaction_pending_bytes=ask("rocksdb.estimate-pending-compaction-bytes") or 0,
            write_stalled=bool(held_back),
        )

    def take_cache_use(self) -> CacheUse:
        """Return how the block cache was used since the last call. Cost: 0.3 ms, RocksDB writes all its
        statistics as text."""
        before, text = self._cache_use, self._options.get_statistics() or ""
        now = self._cache_use = CacheUse(*(_count(text, name) for name in _CACHE_COUNTS))
        return CacheUse(now.hits - before.hits, now.misses - before.misses)

    @property
    def compacted_ms(self) -> int | None:
        """The time (epoch ms) that the last complete `compact` was given, or None."""
        data = self.get(_COMPACTED_KEY)
        return None if data is None else int(data)

    def note_compacted(self, now_ms: int) -> None:
        """Keep a time (epoch ms) as that of the last complete compaction."""
        self._db.put(_COMPACTED_KEY, str(now_ms).encode())

    def compact(self, now_ms: int) -> None:
        """Write the whole database again without the values that were replaced or deleted until now, and
        remove its log, which has them too. Keep `now_ms` (epoch ms) as the time of it.

        Another thread may call this while the database is read and written. `close` ends it early. Cost: all
        bytes of the database, about 0.5 s of a core for 100 MB."""
        with self._compacting:
            if self._closing:
                return
            self._db.flush()
            deepest = max((file["level"] for file in self._db.live_files()), default=0)
            ends = {file["end_key"] for file in self._db.live_files() if file["level"] == deepest}
            # One table of the deepest level at a time, so that `close` waits for one at most: a database from
            # which RocksDB was told to withdraw cannot be closed.
            begin: bytes | None = None
            for end in (*sorted(ends), None):
                if self._closing:
                    return
                self._db.compact_range(begin, end)
                begin = end
            self.note_compacted(now_ms)

    def close(self) -> None:
        """Close the database, and remove it if a bulk failed. If another thread compacts it, wait for a part
        of that, about a second."""
        self._closing = True
        with self._compacting:
            if not self._failed_bulk:
                self._db.close()
                return
            # It closes, but raises what made the bulk fail.
            with suppress(Exception):
                self._db.close()
            Rdict.destroy(str(self._path), self._options)


def read_unkept(database: Database) -> int | None:
    """Return the greatest `unkept_ms` of the contacts on disk, or None."""
    data = database.get(layout.UNKEPT_KEY)
    return None if data is None else time_ms(data)


def _count(statistics: str, name: str) -> int:
    found = re.search(rf"^{re.escape(name)} COUNT : (\d+)$", statistics, re.M)
    return 0 if found is None else int(found[1])


def new_batch() -> WriteBatch:
    """Return an empty batch for `Database.write`."""
    return WriteBatch(raw_mode=True)


def put_records(batch: WriteBatch, records: Sequence[KeyValue]) -> None:
    """Put keys and their values into a batch."""
    put, delete = batch.put, batch.delete
    for key, value in records:
        if value is None:
            delete(key)
        else:
            put(key, value)


def _without_log() -> WriteOptions:
    options = WriteOptions()
    options.disable_wal = True  # type: ignore[method-assign, assignment]  # the stub has it as a method
    return options


_UNLOGGED = _without_log()


def _open(path: Path, options: Options) -> Rdict:
    try:
        return Rdict(str(path), options)
    except Exception as error:  # rocksdict raises a bare Exception for whatever RocksDB reports
        if "LOCK" in str(error):
            raise ConfigurationError(
                f"the state in {path} is in use by another process; give each worker a data folder of its own"
            ) from error
        raise


def _options(block_cache: Cache) -> Options:
    """Return options for small tables and caches, because a worker has one database for each of its
    partitions.

    Index and filters are divided into blocks, and the cache holds the blocks in use. As wholes of several
    megabytes they would displace each other in the cache once a partition has about 100,000 contacts, and
    every look-up would read one from disk again. With 200,000 contacts, filling took 3.5 times as long and a
    sweep 5.8 times as long.
    """
    table = BlockBasedOptions()
    table.set_block_cache(block_cache)
    table.set_bloom_filter(10, False)
    table.set_index_type(BlockBasedIndexType.two_level_index_search())
    table.set_partition_filters(True)
    table.set_cache_index_and_filter_blocks(True)
    table.set_pin_top_level_index_and_filter(True)
    table.set_pin_l0_filter_and_index_blocks_in_cache(True)
    options = Options(raw_mode=True)
    # They make a look-up about 5 % slower, a quarter of a microsecond.
    options.enable_statistics()
    options.create_if_missing(True)
    options.set_block_based_table_factory(table)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_write_buffer_size(16 << 20)
    options.set_level_zero_file_num_compaction_trigger(_TABLES)
    # Most look-ups are for event ids that are not in the database.
    options.set_memtable_whole_key_filtering(True)
    options.set_memtable_prefix_bloom_ratio(0.05)
    # There is one writer. Without this, keys that ascend are inserted as slowly as any others.
    options.set_allow_concurrent_memtable_write(False)
    options.set_max_write_buffer_number(3)
    options.set_max_open_files(512)
    options.set_keep_log_file_num(2)
    # The list of tables names the first and the last key of each. It is written anew with each change of the
    # tables, which is once in 16 MiB, so that it keeps no key of a table that is gone.
    options.set_max_manifest_file_size(1)
    options.set_manifest_preallocation_size(64 << 10)
    return options
