"""Who is due next, out of an index that lies on disk and changes that are not there yet."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable

from streamseg.store.layout import due_entry, read_due_entry

_CHUNK = 512
_LIMIT = 16_384


class DueQueue:
    """The least entries of the due index, kept in memory; entries as `layout.due_entry` makes them.

    `near` holds every entry on disk up to `horizon`, `pending` those that are not on disk yet. Both may
    hold entries that no longer stand: one counts only while the contact is filed under that very time,
    which is asked when it comes to the head. So moving a contact costs O(log n) and nothing is searched.
    Reading on from the horizon, never from the start, keeps clear of the entries deleted before it,
    which RocksDB would have to step over one by one.
    """

    def __init__(self, filed: Callable[[str], int | None], read: Callable[[bytes, int], list[bytes]]) -> None:
        """`filed` tells the time a contact is filed under now, `read` the first so many entries on disk
        that are greater than the given one."""
        self._filed = filed
        self._read = read
        self._near: list[bytes] = []
        self._horizon: bytes | None = b""  # None: all that is on disk is in `near`
        self._pending: list[bytes] = []
        self._head: tuple[int, str] | None = None
        self.stale: set[bytes] = set()

    def file(self, contact_id: str, due_ms: int | None) -> None:
        """The contact is due at `due_ms` from now on, or never."""
        if self._head is not None and self._head[1] == contact_id:
            self._head = None
        if due_ms is not None:
            entry = due_entry(due_ms, contact_id)
            heapq.heappush(self._pending, entry)
            if self._head is not None and (due_ms, contact_id) < self._head:
                self._head = None

    def head(self) -> tuple[int, str] | None:
        """The least (`due_ms`, `contact_id`) that stands. Entries that do not are put into `stale`."""
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
        """What was pending is on disk now, or some of it; `entries` are those of that which stand, `deleted`
        those of the stale ones that are gone from there."""
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
        """Forget everything read: the disk was changed by other means."""
        self._near.clear()
        self._pending.clear()
        self.stale.clear()
        self._horizon = b""
        self._head = None
