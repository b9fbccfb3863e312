"""The kept membership changes of one partition's contacts, with their index by segment."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Set

from streamseg.contact.kept_changes import KeptChange
from streamseg.store import layout
from streamseg.store.database import Database, KeyValue
from streamseg.times import time_bytes, time_ms


class ChangeTable:
    """The changes on disk, and the unwritten ones."""

    __slots__ = ("_added", "_database", "_dropped", "_floors")

    def __init__(self, database: Database) -> None:
        self._database = database
        # contact id -> its unwritten changes, in the order of their making
        self._added: dict[str, list[KeptChange]] = {}
        # contact id -> the changes on disk that are to be dropped
        self._dropped: dict[str, set[KeptChange]] = {}
        # contact id -> segment id -> the new floor, or None to forget it
        self._floors: dict[str, dict[str, int | None]] = {}

    def add(self, contact_id: str, change: KeptChange) -> None:
        """Keep a change."""
        added = self._added.get(contact_id)
        if added is None:
            added = self._added[contact_id] = []
        added.append(change)

    def drop(self, contact_id: str, change: KeptChange) -> None:
        """Forget a kept change."""
        added = self._added.get(contact_id)
        if added is not None and change in added:
            added.remove(change)
        else:
            self._dropped.setdefault(contact_id, set()).add(change)

    def set_floor(self, segment_id: str, contact_id: str, dropped_ms: int | None) -> None:
        """Set the time of the latest change that the cap dropped; None: forget it."""
        self._floors.setdefault(contact_id, {})[segment_id] = dropped_ms

    def of_contact(self, contact_id: str, since_ms: int | None) -> Iterator[KeptChange]:
        """Yield the contact's kept changes, ascending. With `since_ms`, only changes from that time on are
        read, without the traces that deletions before it left on disk."""
        prefix = layout.change_prefix(contact_id)
        start = prefix if since_ms is None else prefix + time_bytes(since_ms)
        added = [
            one for one in self._added.get(contact_id, ()) if since_ms is None or one.effective_ms >= since_ms
        ]
        yield from heapq.merge(self._written(contact_id, prefix, start), sorted(added))

    def _written(self, contact_id: str, prefix: bytes, start: bytes) -> Iterator[KeptChange]:
        dropped = self._dropped.get(contact_id, ())
        for key, value in self._database.items(prefix, start):
            change = layout.read_change(prefix, key, value)
            if change not in dropped:
                yield change

    def of_segment(self, segment_id: str, after: str | None, prefix: str) -> Iterator[tuple[str, KeptChange]]:
        """Yield contact ids that are greater than `after` and begin with `prefix`, and their kept changes in
        this segment, ascending by contact id and then by change."""
        begin = layout.segment_changes_of(segment_id, prefix)
        # FF is in no id: it follows all entries of a contact and precedes those of the next one.
        start = (
            begin
            if after is None
            else max(begin, layout.segment_change_start(segment_id, after) + b"\xff" * 17)
        )
        added = [
            (contact_id, change)
            for contact_id, changes in self._added.items()
            if (after is None or contact_id > after) and contact_id.startswith(prefix)
            for change in changes
            if change.segment_id == segment_id
        ]
        yield from heapq.merge(self._written_of_segment(segment_id, begin, start), sorted(added))

    def _written_of_segment(
        self, segment_id: str, begin: bytes, start: bytes
    ) -> Iterator[tuple[str, KeptChange]]:
        dropped = self._dropped
        prefix = layout.segment_change_prefix(segment_id)
        for key, value in self._database.items(begin, start):
            contact_id, change = layout.read_segment_change(segment_id, prefix, key, value)
            if change not in dropped.get(contact_id, ()):
                yield contact_id, change

    def floors(self, segment_id: str, after: str | None) -> Iterator[tuple[str, int]]:
        """Yield contact ids greater than `after`, and the time of the latest change in this segment that the
        cap dropped, ascending by contact id."""
        prefix = layout.floor_prefix(segment_id)
        start = prefix if after is None else layout.floor_key(segment_id, after) + b"\0"
        unwritten = {
            contact_id: floors[segment_id]
            for contact_id, floors in self._floors.items()
            if segment_id in floors and (after is None or contact_id > after)
        }
        added = [(contact_id, at_ms) for contact_id, at_ms in unwritten.items() if at_ms is not None]
        yield from heapq.merge(self._written_floors(prefix, start, unwritten), sorted(added))

    def _written_floors(
        self, prefix: bytes, start: bytes, unwritten: Mapping[str, int | None]
    ) -> Iterator[tuple[str, int]]:
        for key, value in self._database.items(prefix, start):
            contact_id = key[len(prefix) :].decode()
            if contact_id not in unwritten:
                yield contact_id, time_ms(value)

    # -- unwritten changes ------------------------------------------------------------------------------

    def changed(self) -> Set[str]:
        """Return the contacts with unwritten changes."""
        if not (self._added or self._dropped or self._floors):
            return frozenset()
        return set().union(self._added, self._dropped, self._floors)

    def records(self, contact_id: str, index: list[KeyValue]) -> list[KeyValue]:
        """Return the unwritten changes of a contact as changelog records, and append the entries of the index
        by segment that follow from them to `index`."""
        records: list[KeyValue] = []
        prefix = layout.change_prefix(contact_id)
        records += [(layout.change_key(prefix, change), None) for change in self._dropped.get(contact_id, ())]
        records += [
            (layout.change_key(prefix, change), layout.change_value(change))
            for change in self._added.get(contact_id, ())
        ]
        index += [(layout.segment_change_key(key), value) for key, value in records]
        for segment_id, at_ms in self._floors.get(contact_id, {}).items():
            value = None if at_ms is None else time_bytes(at_ms)
            records.append((layout.floor_key(segment_id, contact_id), value))
        return records

    def settle(self, contact_ids: Iterable[str] | None) -> None:
        """Drop the unwritten changes of these contacts, because they are on disk now; None: of all
        contacts."""
        if contact_ids is None:
            self._added, self._dropped, self._floors = {}, {}, {}
            return
        for contact_id in contact_ids:
            self._added.pop(contact_id, None)
            self._dropped.pop(contact_id, None)
            self._floors.pop(contact_id, None)
