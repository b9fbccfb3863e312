"""The memory in which the stores of one process keep what they have read."""

from __future__ import annotations

from threading import Lock

from rocksdict import Cache

_BLOCKS_SHARE = 4


class Caches:
    """A block cache of RocksDB, which the stores share, and decoded contacts, of which each open store may
    keep an equal part.

    Contacts get the greater part: a contact that is not decoded takes ten times as long to get.

    blocks  RocksDB's block cache
    """

    def __init__(self, size: int) -> None:
        """`size` is the bound for both together, in bytes."""
        blocks = size // _BLOCKS_SHARE
        self.blocks = Cache(blocks)
        self._contact_bytes = size - blocks
        self._stores = 0
        # Stores are opened and closed by several threads.
        self._lock = Lock()

    def join(self) -> None:
        """Count a store that was opened."""
        with self._lock:
            self._stores += 1

    def leave(self) -> None:
        """Take note that a store was closed."""
        with self._lock:
            self._stores -= 1

    @property
    def contact_bytes(self) -> int:
        """How many bytes of decoded contacts one store may keep now."""
        return self._contact_bytes // max(self._stores, 1)
