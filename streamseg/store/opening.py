"""A store for a run that ends: in memory, or in RocksDB in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streamseg.errors import ConfigurationError
from streamseg.store.memory import MemoryStore
from streamseg.store.protocol import Store


@contextmanager
def open_store(folder: Path | None) -> Iterator[Store]:
    """A store with nothing in it. Call its `save` now and then, so that its unwritten part stays small.

    Raises ConfigurationError for a folder that already holds something."""
    if folder is None:
        yield MemoryStore()
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(f"{folder} is not empty; name a new folder, a replay starts from nothing")
    from streamseg.store.rocksdb import RocksStore  # loads a native library that memory does not need

    store = RocksStore(folder)
    try:
        yield store
        store.save()
    finally:
        store.close()
