"""The store of a run without a broker: in memory, or in RocksDB in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streamseg.errors import ConfigurationError
from streamseg.store.memory import MemoryStore
from streamseg.store.protocol import Store


@contextmanager
def open_store(folder: Path | None) -> Iterator[Store]:
    """Open an empty store. Call its `save` from time to time, so that its unwritten part stays small.

    Raises ConfigurationError if the folder is not empty."""
    if folder is None:
        yield MemoryStore()
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(f"{folder} is not empty; name a new folder, a replay starts from nothing")
    from streamseg.store.rocksdb import RocksStore  # loads a native library, which MemoryStore does not need

    store = RocksStore(folder)
    try:
        yield store
        store.save()
    finally:
        store.close()
