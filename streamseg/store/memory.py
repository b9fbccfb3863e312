"""A partition's state in memory: for replay and tests."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import takewhile

from streamseg.contact.contact import Contact
from streamseg.contact.kept_changes import KeptChange
from streamseg.contact.state_version import STATE_VERSION
from streamseg.records.derived import DerivedEvents
from streamseg.records.inputs import Event, Order
from streamseg.store.growth import Counts, count, place_of, quarter_of


class MemoryStore:
    """Implements streamseg.store.protocol.Store. Contact ids sort like their UTF-8 bytes: Python compares
    text by code point, which is the same order."""

    def __init__(self) -> None:
        self._contacts: dict[str, Contact] = {}
        self._found: dict[str, dict[str, tuple[int, int]]] = {}
        self._events: dict[str, list[Event]] = {}
        # contact id -> the derived events that `_events_of` has not put into `_events` yet.
        self._derived: dict[str, list[DerivedEvents]] = {}
        self._ids: list[str] | None = None
        self._heap: list[tuple[int, str]] = []
        # contact id -> the due time under which it is filed; None: never due.
        self._filed: dict[str, int | None] = {}
        self._members: dict[str, dict[str, tuple[int, int]]] = {}
        # contact id -> its kept changes, ascending
        self._changes: dict[str, list[KeptChange]] = {}
        # segment id -> contact id -> when the cap dropped a change last
        self._floors: dict[str, dict[str, int]] = {}
        self._growth: dict[tuple[str, int], dict[int, Counts]] = {}
        self._growth_since_ms: int | None = None
        self.clock_ms = 0
        self.written_layout = STATE_VERSION

    def contact(self, contact_id: str) -> Contact | None:
        return self._contacts.get(contact_id)

    def put(self, contact: Contact) -> None:
        contact_id, due_ms = contact.contact_id, contact.due_ms
        if contact_id not in self._contacts:
            self._ids = None
        self._contacts[contact_id] = contact
        if self._filed.get(contact_id) != due_ms:
            self._filed[contact_id] = due_ms
            if due_ms is not None:
                # Outdated entries stay in the heap until `next_due` finds and drops them.
                heappush(self._heap, (due_ms, contact_id))

    def contact_ids(self, after: str | None = None, prefix: str = "") -> Iterator[str]:
        if self._ids is None:
            self._ids = sorted(self._contacts)
        ids = self._ids
        start = bisect_left(ids, prefix)
        if after is not None:
            start = max(start, bisect_right(ids, after))
        following = map(ids.__getitem__, range(start, len(ids)))
        return takewhile(lambda contact_id: contact_id.startswith(prefix), following)

    def next_due(self) -> tuple[int, str] | None:
        while self._heap:
            due_ms, contact_id = self._heap[0]
            if self._filed[contact_id] == due_ms:
                return due_ms, contact_id
            heappop(self._heap)
        return None

    def is_filed(self, contact_id: str, due_ms: int) -> bool:
        return self._filed.get(contact_id) == due_ms

    def find_event(self, contact_id: str, event_id: str) -> tuple[int, int] | None:
        found = self._found.get(contact_id)
        return None if found is None else found.get(event_id)

    def add_event(self, contact_id: str, event: Event) -> None:
        found = self._found.get(contact_id)
        if found is None:
            found = self._found[contact_id] = {}
        found[event.event_id] = (event.occurred_ms, event.offset)
        events = self._events.get(contact_id)
        if events is None:
            events = self._events[contact_id] = []
        _insert(events, event)

    def add_derived(self, contact_id: str, derived: DerivedEvents) -> None:
        self._derived.setdefault(contact_id, []).append(derived)

    def _events_of(self, contact_id: str) -> list[Event]:
        events = self._events.setdefault(contact_id, [])
        for derived in self._derived.pop(contact_id, ()):
            for event in derived.all_events():
                _insert(events, event)
        return events

    def events(self, contact_id: str, since_ms: int | None = None) -> Iterator[Event]:
        events = self._events_of(contact_id)
        start = 0 if since_ms is None else bisect_left(events, (since_ms, "", False), key=_order)
        return iter(events[start:])

    def set_member(self, segment_id: str, contact_id: str, entry: tuple[int, int] | None) -> None:
        members = self._members.setdefault(segment_id, {})
        if entry is None:
            members.pop(contact_id, None)
        else:
            members[contact_id] = entry

    def member(self, segment_id: str, contact_id: str) -> tuple[int, int] | None:
        return self._members.get(segment_id, {}).get(contact_id)

    def members(
        self, segment_id: str, after: str | None = None, prefix: str = ""
    ) -> Iterator[tuple[str, int, int]]:
        for contact_id, entry in sorted(self._members.get(segment_id, {}).items()):
            if (after is None or contact_id > after) and contact_id.startswith(prefix):
                yield contact_id, *entry

    def member_counts(self) -> dict[str, int]:
        return {segment_id: len(members) for segment_id, members in self._members.items() if members}

    def keep_change(self, contact_id: str, change: KeptChange) -> None:
        changes = self._changes.get(contact_id)
        if changes is None:
            changes = self._changes[contact_id] = []
        insort(changes, change)
        quarter_ms = quarter_of(change.effective_ms)
        counts = self._growth.setdefault((change.segment_id, change.born), {}).setdefault(quarter_ms, [])
        count(counts, place_of(change.kind, change.entered))

    def drop_change(self, contact_id: str, change: KeptChange) -> None:
        self._changes[contact_id].remove(change)

    def kept_changes(self, contact_id: str, since_ms: int | None = None) -> Iterator[KeptChange]:
        changes = self._changes.get(contact_id, ())
        return iter([one for one in changes if since_ms is None or one.effective_ms >= since_ms])

    def segment_changes(
        self, segment_id: str, after: str | None = None, prefix: str = ""
    ) -> Iterator[tuple[str, KeptChange]]:
        for contact_id in sorted(self._changes):
            if (after is None or contact_id > after) and contact_id.startswith(prefix):
                for change in self._changes[contact_id]:
                    if change.segment_id == segment_id:
                        yield contact_id, change

    def set_floor(self, segment_id: str, contact_id: str, dropped_ms: int | None) -> None:
        floors = self._floors.setdefault(segment_id, {})
        if dropped_ms is None:
            floors.pop(contact_id, None)
        else:
            floors[contact_id] = dropped_ms

    def floors(self, segment_id: str, after: str | None = None) -> Iterator[tuple[str, int]]:
        floors = self._floors.get(segment_id, {})
        return iter([one for one in sorted(floors.items()) if after is None or one[0] > after])

    def growth(self, segment_id: str, born: int, since_ms: int) -> Iterator[tuple[int, Counts]]:
        kept_ms = self._growth_since_ms
        first_ms = quarter_of(since_ms if kept_ms is None else max(since_ms, kept_ms))
        growth = self._growth.get((segment_id, born), {})
        return iter([one for one in sorted(growth.items()) if one[0] >= first_ms])

    def expire_growth(self, before_ms: int) -> None:
        first_ms = quarter_of(before_ms)
        for quarters in self._growth.values():
            for quarter_ms in [one for one in quarters if one < first_ms]:
                del quarters[quarter_ms]
                self._growth_since_ms = before_ms

    def growth_since_ms(self) -> int | None:
        return self._growth_since_ms

    def unkept_ms(self) -> int | None:
        unkept = [one.unkept_ms for one in self._contacts.values() if one.unkept_ms is not None]
        return max(unkept, default=None)

    def save(self) -> None:
        """Do nothing: a store in memory writes nothing to disk."""

    def drop_event(self, contact_id: str, order: Order) -> None:
        events = self._events_of(contact_id)
        del events[bisect_left(events, order, key=_order)]
        _, event_id, derived = order
        if not derived:
            del self._found[contact_id][event_id]


def _insert(events: list[Event], event: Event) -> None:
    if events and event.order < events[-1].order:
        insort(events, event, key=_order)
    else:
        events.append(event)


def _order(event: Event) -> Order:
    return event.order
