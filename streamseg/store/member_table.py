"""The index of one partition's members by segment, and the number of members of each segment."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, KeysView, Mapping

import orjson

from streamseg.store import layout
from streamseg.store.database import Database, KeyValue

Entry = tuple[int, int]
"""`sequence`, `entered_ms`"""


class MemberTable:
    """The index on disk, and its unwritten changes."""

    __slots__ = ("_counts", "_database", "_unwritten")

    def __init__(self, database: Database) -> None:
        self._database = database
        # contact id -> segment id -> the new entry, or None if the contact is not a member any more
        self._unwritten: dict[str, dict[str, Entry | None]] = {}
        self._counts: Counter[str] | None = None

    def set(self, segment_id: str, contact_id: str, entry: Entry | None) -> None:
        """Set the contact's entry in a segment; None: it is not a member any more."""
        unwritten = self._unwritten.setdefault(contact_id, {})
        if segment_id in unwritten:
            was_member = unwritten[segment_id] is not None
        else:
            # The disk has to be read: a change that is applied again after a crash may be there already.
            was_member = self._database.get(layout.member_key(segment_id, contact_id)) is not None
        unwritten[segment_id] = entry
        self.counts()[segment_id] += (entry is not None) - was_member

    def get(self, segment_id: str, contact_id: str) -> Entry | None:
        """Return the entry that `set` was given last, or None."""
        unwritten = self._unwritten.get(contact_id, {})
        if segment_id in unwritten:
            return unwritten[segment_id]
        data = self._database.get(layout.member_key(segment_id, contact_id))
        if data is None:
            return None
        sequence, entered_ms = orjson.loads(data)
        return sequence, entered_ms

    def of_segment(self, segment_id: str, after: str | None, prefix: str) -> Iterator[tuple[str, int, int]]:
        """Yield (contact id, `sequence`, `entered_ms`) of the segment's members whose ids are greater than
        `after` and begin with `prefix`, ascending by contact id."""
        begin = layout.member_key(segment_id, prefix)
        start = begin if after is None else max(begin, layout.member_key(segment_id, after) + b"\0")
        unwritten = {
            contact_id: segments[segment_id]
            for contact_id, segments in self._unwritten.items()
            if segment_id in segments
            and (after is None or contact_id > after)
            and contact_id.startswith(prefix)
        }
        added = sorted((contact_id, *entry) for contact_id, entry in unwritten.items() if entry is not None)
        yield from heapq.merge(self._written(segment_id, begin, start, unwritten), added)

    def _written(
        self, segment_id: str, begin: bytes, start: bytes, unwritten: Mapping[str, Entry | None]
    ) -> Iterator[tuple[str, int, int]]:
        # A function of its own: mypyc makes a list of a generator expression, here of all members.
        at = len(layout.member_prefix(segment_id))
        for key, value in self._database.items(begin, start):
            contact_id = key[at:].decode()
            if contact_id not in unwritten:
                sequence, entered_ms = orjson.loads(value)
                yield contact_id, sequence, entered_ms

    def counts(self) -> Counter[str]:
        """Return segment id -> number of members. Cost: the first call reads the key of every membership."""
        if self._counts is None:
            self._counts = Counter()
            for key, _ in self._database.items(layout.MEMBER, layout.MEMBER):
                self._counts[layout.member_segment(key)] += 1
        return self._counts

    def changed(self) -> KeysView[str]:
        """Return the contacts with unwritten changes."""
        return self._unwritten.keys()

    def records(self, contact_id: str) -> list[KeyValue]:
        """Return the unwritten changes of a contact as changelog records."""
        return [
            (layout.member_key(segment_id, contact_id), None if entry is None else orjson.dumps(entry))
            for segment_id, entry in self._unwritten.get(contact_id, {}).items()
        ]

    def settle(self, contact_ids: Iterable[str] | None) -> None:
        """Drop the unwritten changes of these contacts, because they are on disk now; None: of all
        contacts."""
        if contact_ids is None:
            self._unwritten.clear()
            return
        for contact_id in contact_ids:
            self._unwritten.pop(contact_id, None)

    def forget_read(self) -> None:
        """Forget all that was read, because the disk was changed without this table."""
        self._counts = None
