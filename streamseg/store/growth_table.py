"""How many contacts of one partition entered and left each segment, by quarter of an hour."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, KeysView
from itertools import groupby

import orjson

from streamseg.contact.kept_changes import KeptChange
from streamseg.store import layout
from streamseg.store.database import Database, KeyValue
from streamseg.store.growth import Counts, add, count, place_of, quarter_of
from streamseg.times import time_ms

_SUMS = 10_000


class GrowthTable:
    """The sums on disk, and the changes of each contact that are not in them yet.

    In the changelog each contact that adds to a sum has the new sum among its own records, which are written
    as a whole or not at all. So a sum and the contacts in it cannot differ after a crash.
    """

    __slots__ = ("_database", "_expired", "_sums", "_unwritten")

    def __init__(self, database: Database) -> None:
        self._database = database
        # contact id -> (segment id, birth, quarter, place of the count) of each unwritten change
        self._unwritten: dict[str, list[tuple[str, int, int, int]]] = {}
        # Some of the sums that were read from disk or were written there.
        self._sums: dict[bytes, Counts] = {}
        # The keys of sums that are to be deleted.
        self._expired: list[bytes] = []

    def add(self, contact_id: str, change: KeptChange) -> None:
        """Count a change."""
        unwritten = self._unwritten.get(contact_id)
        if unwritten is None:
            unwritten = self._unwritten[contact_id] = []
        place = place_of(change.kind, change.entered)
        unwritten.append((change.segment_id, change.born, quarter_of(change.effective_ms), place))

    def of_segment(self, segment_id: str, born: int, since_ms: int) -> Iterator[tuple[int, Counts]]:
        """Yield quarters (epoch ms) in which the segment of this birth changed, and the counts, ascending,
        from the quarter on in which `since_ms` lies."""
        first_ms = quarter_of(since_ms)
        unwritten: dict[int, Counts] = {}
        for changes in self._unwritten.values():
            for one, birth, quarter_ms, place in changes:
                if (one, birth) == (segment_id, born) and quarter_ms >= first_ms:
                    count(unwritten.setdefault(quarter_ms, []), place)
        prefix, start = layout.growth_prefix(segment_id, born), layout.growth_key(segment_id, born, first_ms)
        rows = heapq.merge(self._written(prefix, start), sorted(unwritten.items()))
        for quarter_ms, alike in groupby(rows, key=_quarter):
            counts: Counts = []
            for _, some in alike:
                add(counts, some)
            yield quarter_ms, counts

    def _written(self, prefix: bytes, start: bytes) -> Iterator[tuple[int, Counts]]:
        for key, value in self._database.items(prefix, start):
            yield time_ms(key[-8:]), orjson.loads(value)

    def expire(self, before_ms: int) -> bool:
        """Have the sums of quarters that ended before `before_ms` deleted. Return whether there are any.
        Cost: one look-up a segment and birth, and one step for each such sum."""
        found = False
        start = layout.GROWTH
        while True:
            first = next(self._database.items(layout.GROWTH, start), None)
            if first is None:
                return found
            segment_id, born, _ = layout.read_growth_key(first[0])
            prefix = layout.growth_prefix(segment_id, born)
            end = layout.growth_key(segment_id, born, quarter_of(before_ms))
            for key, _ in self._database.items(prefix, first[0]):
                if key >= end:
                    break
                self._expired.append(key)
                self._sums.pop(key, None)
                found = True
            start = prefix + b"\xff" * 9

    # -- unwritten changes ------------------------------------------------------------------------------

    def changed(self) -> KeysView[str]:
        """Return the contacts with unwritten changes."""
        return self._unwritten.keys()

    def records(self, contact_id: str, sums: dict[bytes, bytes]) -> list[KeyValue]:
        """Return the sums to which a contact adds, with all contacts for which this was called before. Also
        set them in `sums`."""
        touched: dict[bytes, Counts] = {}
        for segment_id, born, quarter_ms, place in self._unwritten.get(contact_id, ()):
            key = layout.growth_key(segment_id, born, quarter_ms)
            counts = self._sums.get(key)
            if counts is None:
                value = self._database.get(key)
                counts = self._sums[key] = [] if value is None else orjson.loads(value)
            count(counts, place)
            touched[key] = counts
        records: list[KeyValue] = []
        for key, counts in touched.items():
            value = orjson.dumps(counts)
            sums[key] = value
            records.append((key, value))
        return records

    def deletions(self) -> list[KeyValue]:
        """Return the deletions that `expire` has noted, as changelog records."""
        return [(key, None) for key in self._expired]

    def settle(self, contact_ids: Iterable[str] | None) -> None:
        """Drop the unwritten changes of these contacts, because they are on disk now; None: of all contacts,
        and the deletions."""
        if len(self._sums) > _SUMS:
            self._sums = {}
        if contact_ids is None:
            self._unwritten = {}
            self._expired = []
            return
        for contact_id in contact_ids:
            self._unwritten.pop(contact_id, None)

    def forget_read(self) -> None:
        """Forget all that was read, because the disk was changed without this table."""
        self._sums = {}


def _quarter(row: tuple[int, Counts]) -> int:
    return row[0]
