"""The contacts of one partition, and when each of them is due."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, KeysView, Sequence, Set
from functools import partial
from itertools import groupby, islice
from typing import NamedTuple

from rocksdict import WriteBatch

from streamseg.contact.attributes import Attributes
from streamseg.contact.contact import Contact
from streamseg.contact.earlier_layouts import unkept_in
from streamseg.store import layout
from streamseg.store.caches import Caches
from streamseg.store.contact_cache import ContactCache
from streamseg.store.database import Database, KeyValue, read_unkept
from streamseg.store.due import DueQueue
from streamseg.times import time_bytes


class DueChanges(NamedTuple):
    """The changes that one batch makes in the due index.

    added    entries that are valid from now on
    deleted  outdated entries that were found and are deleted
    """

    added: list[bytes]
    deleted: list[bytes]


class ContactTable:
    """The contacts on disk, the contacts that are not written yet, and a cache of decoded contacts."""

    __slots__ = (
        "_cache",
        "_database",
        "_due",
        "_filed",
        "_filed_on_disk",
        "_restated",
        "_unkept_ms",
        "_unkept_on_disk",
        "_unwritten",
    )

    def __init__(self, database: Database, caches: Caches) -> None:
        self._database = database
        self._cache = ContactCache(caches)
        self._unwritten: dict[str, Contact] = {}
        # Ids of the unwritten contacts whose attributes changed.
        self._restated: set[str] = set()
        # Id of each decoded contact -> the due time under which it is filed; None: never due.
        self._filed: dict[str, int | None] = {}
        # Id of an unwritten contact -> the due time under which it is filed on disk, if that is known.
        self._filed_on_disk: dict[str, int | None] = {}
        self._due = DueQueue(self._filed_due, self._read_due)
        # The greatest `unkept_ms` of all written contacts, and the one that is on disk.
        self._unkept_ms = self._unkept_on_disk = read_unkept(database)

    def get(self, contact_id: str) -> Contact | None:
        """The contact's state, or None if none was ever kept."""
        contact = self._unwritten.get(contact_id)
        if contact is not None:
            return contact
        contact = self._cache.get(contact_id)
        if contact is not None:
            return contact
        data = self._database.get(layout.contact_key(contact_id))
        if data is None:
            return None
        contact = Contact.from_bytes(contact_id, data, self._written_attributes(contact_id))
        self._filed[contact_id] = contact.due_ms
        self._cache.add({contact_id: contact})
        self._evict()
        return contact

    def _written_attributes(self, contact_id: str) -> Attributes:
        return Attributes(partial(self._database.get, layout.attributes_key(contact_id)))

    def _evict(self) -> None:
        for contact_id in self._cache.evict():
            del self._filed[contact_id]

    def put(self, contact: Contact) -> None:
        """Keep the contact's state and file it under its `due_ms` (None: never due)."""
        contact_id = contact.contact_id
        if contact_id not in self._unwritten:
            self._cache.drop(contact_id)
            if contact_id in self._filed:
                self._filed_on_disk[contact_id] = self._filed[contact_id]
        self._unwritten[contact_id] = contact
        if contact.attributes.restated:
            self._restated.add(contact_id)
            contact.attributes.restated = False
        if contact_id not in self._filed or self._filed[contact_id] != contact.due_ms:
            self._filed[contact_id] = contact.due_ms
            self._due.file(contact_id, contact.due_ms)

    def ids(self, after: str | None = None, prefix: str = "") -> Iterator[str]:
        """Yield all kept contact ids that are greater than `after` and begin with `prefix`, in ascending
        UTF-8 order."""
        # A heap, not a sorted list: callers often need only the first few.
        unwritten = [
            one for one in self._unwritten if (after is None or one > after) and one.startswith(prefix)
        ]
        heapq.heapify(unwritten)
        begin = layout.contact_key(prefix)
        start = begin if after is None else max(begin, layout.contact_key(after) + b"\0")
        for contact_id, _ in groupby(heapq.merge(_ascending(unwritten), self._written_ids(begin, start))):
            yield contact_id

    def _written_ids(self, begin: bytes, start: bytes) -> Iterator[str]:
        # A function of its own: mypyc makes a list of a generator expression, here of all contacts.
        for key, _ in self._database.items(begin, start):
            yield key[1:].decode()

    def unkept_ms(self) -> int | None:
        """The greatest `unkept_ms` of all contacts, or None. Cost: one step for each unwritten contact."""
        latest_ms = self._unkept_ms
        for contact in self._unwritten.values():
            unkept_ms = contact.unkept_ms
            if unkept_ms is not None and (latest_ms is None or unkept_ms > latest_ms):
                latest_ms = unkept_ms
        return latest_ms

    def read_unkept(self) -> None:
        """Read the greatest `unkept_ms` on disk again."""
        self._unkept_ms = self._unkept_on_disk = read_unkept(self._database)

    # -- due index --------------------------------------------------------------------------------------

    def next_due(self) -> tuple[int, str] | None:
        """The least (`due_ms`, `contact_id`) of all contacts, or None. Cost: O(log contacts)."""
        return self._due.head()

    def is_filed(self, contact_id: str, due_ms: int) -> bool:
        """Return whether the due index holds the contact at `due_ms`, so that `next_due` will return it."""
        if contact_id in self._unwritten:
            return self._filed.get(contact_id) == due_ms
        return self._database.get(layout.DUE + layout.due_entry(due_ms, contact_id)) is not None

    def _filed_due(self, contact_id: str) -> int | None:
        if contact_id in self._filed:
            return self._filed[contact_id]
        # The whole contact is read, because a contact that is due is used next.
        contact = self.get(contact_id)
        return None if contact is None else contact.due_ms

    def _read_due(self, after: bytes, count: int) -> list[bytes]:
        start = layout.DUE + after + b"\0" if after else layout.DUE
        return [key[1:] for key, _ in islice(self._database.items(layout.DUE, start), count)]

    # -- unwritten changes ------------------------------------------------------------------------------

    def changed(self) -> KeysView[str]:
        """The contacts whose state is not written yet."""
        return self._unwritten.keys()

    def records(self, contact_id: str, version: int) -> tuple[KeyValue | None, KeyValue | None]:
        """Return the changelog records of a contact's attributes and of its state in the layout `version`;
        None for what has no unwritten change."""
        contact = self._unwritten.get(contact_id)
        if contact is None:
            return None, None
        raw = contact_id.encode()
        self._note_unkept(contact.unkept_ms)
        state = (layout.CONTACT + raw, contact.to_bytes(version))
        if contact_id not in self._restated:
            return None, state
        return (layout.ATTRIBUTES + raw, contact.attributes.to_bytes()), state

    def write_due(self, batch: WriteBatch, contact_ids: Sequence[str] | None) -> DueChanges:
        """Put the changes of the due index for these contacts into a batch; None: for all contacts."""
        self.write_unkept(batch)
        written: Set[str] = self._unwritten.keys()
        deleted = list(self._due.stale)
        if contact_ids is not None:
            written = written & set(contact_ids)
            deleted = [entry for entry in deleted if self._is_settled(entry, written)]
        for entry in deleted:
            batch.delete(layout.DUE + entry)
        added: list[bytes] = []
        filed, on_disk, outdated = self._filed, self._filed_on_disk, set(deleted)
        for contact_id in written:
            due_ms, old_ms = filed[contact_id], on_disk.get(contact_id)
            if old_ms == due_ms:
                # The entry is on disk already, unless it was found while it was outdated and is deleted here.
                if due_ms is None or not outdated or layout.due_entry(due_ms, contact_id) not in outdated:
                    continue
            elif old_ms is not None:
                batch.delete(layout.DUE + layout.due_entry(old_ms, contact_id))
            if due_ms is not None:
                entry = layout.due_entry(due_ms, contact_id)
                added.append(entry)
                batch.put(layout.DUE + entry, b"")
        return DueChanges(added, deleted)

    def note_unkept(self, states: Iterable[bytes]) -> None:
        """Take over `unkept_ms` of contacts whose bytes are written to disk without this table."""
        for data in states:
            self._note_unkept(unkept_in(data))

    def _note_unkept(self, unkept_ms: int | None) -> None:
        if unkept_ms is not None:
            latest_ms = self._unkept_ms
            if latest_ms is None or unkept_ms > latest_ms:
                self._unkept_ms = unkept_ms

    def write_unkept(self, batch: WriteBatch) -> None:
        """Put the greatest `unkept_ms` into a batch if it has changed."""
        unkept_ms = self._unkept_ms
        if unkept_ms is not None and unkept_ms != self._unkept_on_disk:
            batch.put(layout.UNKEPT_KEY, time_bytes(unkept_ms))
            self._unkept_on_disk = unkept_ms

    def _is_settled(self, entry: bytes, written: Set[str]) -> bool:
        """Return whether an outdated entry may be deleted. If the contact stays unwritten, the index must
        keep the entry that fits the contact's state on disk."""
        _, contact_id = layout.read_due_entry(entry)
        return contact_id in written or contact_id not in self._unwritten

    def settle(self, contact_ids: Iterable[str] | None, due: DueChanges) -> None:
        """Move these contacts to the cache, because their changes are on disk now; None: all contacts. `due`
        is the result of `write_due`."""
        self._due.written(due.added, due.deleted, all_of_it=contact_ids is None)
        unwritten = self._unwritten
        if contact_ids is None:
            written, self._unwritten = unwritten, {}
        else:
            written = {one: unwritten.pop(one) for one in contact_ids if one in unwritten}
        for contact_id in self._restated & written.keys():
            self._forget_attributes(written[contact_id])
        self._restated -= written.keys()
        for contact_id in written:
            self._filed_on_disk.pop(contact_id, None)
        self._cache.add(written)
        self._evict()

    def _forget_attributes(self, contact: Contact) -> None:
        """Drop the decoded attributes: they take four times the memory of their bytes and are rarely read."""
        contact.attributes = self._written_attributes(contact.contact_id)

    def forget_read(self) -> None:
        """Forget all that was read, because the disk was changed without this table."""
        self._cache.clear()
        self._filed.clear()
        self._due.reset()

    def close(self) -> None:
        """Let go of all contacts. The table and its queue refer to each other, so without this the contacts
        would stay until the garbage collector finds both."""
        self.forget_read()
        self._unwritten.clear()
        self._restated.clear()
        self._filed_on_disk.clear()


def _ascending(heap: list[str]) -> Iterator[str]:
    """Yield what is in a heap, which is empty afterwards."""
    while heap:
        yield heapq.heappop(heap)
