"""The queue that finds the contact which is due next, from the index on disk and its unwritten changes."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable

from streamseg.store.layout import due_entry, read_due_entry

_CHUNK = 512
_LIMIT = 16_384


class DueQueue:
    """The least entries of the due index, kept in memory; entries as `layout.due_entry` makes them.

    `near` holds every entry on disk up to `horizon`, `pending` holds the entries that are not on disk yet.
    Both may hold outdated entries. An entry is valid while the contact is filed under the same time; this is
    checked when the entry comes to the head. So moving a contact costs O(log n), without a search. The disk
    is read from the horizon on, never from the start: RocksDB would have to step over each entry that was
    deleted before the horizon.
    """

    def __init__(self, filed: Callable[[str], int | None], read: Callable[[bytes, int], list[bytes]]) -> None:
        """`filed` returns the time under which a contact is filed now. `read` returns the first entries on
        disk that are greater than the given one, at most the given number."""
        self._filed = filed
        self._read = read
        self._near: list[bytes] = []
        self._horizon: bytes | None = b""  # None: all that is on disk is in `near`
        self._pending: list[bytes] = []
        self._head: tuple[int, str] | None = None
        self.stale: set[bytes] = set()

    def file(self, contact_id: str, due_ms: int | None) -> None:
        """File a contact under `due_ms`; None: it is never due."""
        if self._head is not None and self._head[1] == contact_id:
            self._head = None
        if due_ms is not None:
            entry = due_entry(due_ms, contact_id)
            heapq.heappush(self._pending, entry)
            if self._head is not None and (due_ms, contact_id) < self._head:
                self._head = None

    def head(self) -> tuple[int, str] | None:
        """Return the least valid (`due_ms`, `contact_id`), or None. Outdated entries on disk that are found
        on the way are put into `stale`."""
        if self._head is not None:
            return self._head
        while True:
            if not self._near and self._horizon is not None:
                self._near = self._read(self._horizon, _CHUNK)
                self._horizon = self._near[-1] if len(self._near) == _CHUNK else None
            near, pending = self._near, self._pending
            if not near and not pending:
                return None
            heap = near if near and (not pending or near[0] <= pending[0]) else pending
            due_ms, contact_id = read_due_entry(heap[0])
            if self._filed(contact_id) == due_ms:
                self._head = (due_ms, contact_id)
                return self._head
            entry = heapq.heappop(heap)
            if heap is near:
                self.stale.add(entry)

    def written(self, entries: Iterable[bytes], deleted: Iterable[bytes], *, all_of_it: bool) -> None:
        """Update the queue after pending entries were written to disk.

        entries    the valid entries that were written
        deleted    the stale entries that were deleted from disk
        all_of_it  whether all pending entries were written, not only those of some contacts"""
        horizon = self._horizon
        for entry in entries:
            if horizon is None or entry <= horizon:
                heapq.heappush(self._near, entry)
        if all_of_it:
            self._pending.clear()
        self.stale.difference_update(deleted)
        if len(self._near) > _LIMIT:
            self._near = sorted(set(self._near))[: _LIMIT // 2]
            self._horizon = self._near[-1]

    def reset(self) -> None:
        """Forget all that was read, because the disk was changed without this queue."""
        self._near.clear()
        self._pending.clear()
        self.stale.clear()
        self._horizon = b""
        self._head = None
