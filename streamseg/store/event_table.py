"""The kept events of one partition's contacts."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Set

from streamseg.records.derived import DerivedEvents, origin_of
from streamseg.records.inputs import Event, Order
from streamseg.store import layout
from streamseg.store.database import Database, KeyValue
from streamseg.times import time_bytes


class EventTable:
    """The events on disk, and their unwritten changes."""

    __slots__ = ("_added", "_database", "_derived", "_derived_changes", "_dropped")

    def __init__(self, database: Database) -> None:
        self._database = database
        # contact id -> event id -> the unwritten behaviour event with this id
        self._added: dict[str, dict[str, Event]] = {}
        # contact id -> event id -> the times of the events of this id that are to be dropped on disk
        self._dropped: dict[str, dict[str, list[int]]] = {}
        # contact id -> unwritten derived events, in one collection for each record. `_take_apart` moves them
        # into `_derived_changes` as single events.
        self._derived: dict[str, list[DerivedEvents]] = {}
        # contact id -> the place of a derived event -> the event to add, or None to drop it
        self._derived_changes: dict[str, dict[Order, Event | None]] = {}

    def find(self, contact_id: str, event_id: str) -> tuple[int, int] | None:
        """Return (`occurred_ms`, `offset`) of the kept behaviour event with this id, or None."""
        added = self._added.get(contact_id)
        if added is not None:
            event = added.get(event_id)
            if event is not None:
                return event.occurred_ms, event.offset
        if self._dropped and event_id in self._dropped.get(contact_id, ()):
            return None
        data = self._database.get(layout.event_id_key(contact_id, event_id))
        return None if data is None else layout.read_event_id(data)

    def add(self, contact_id: str, event: Event) -> None:
        """Keep a behaviour event (not a derived one) whose id is not kept yet."""
        added = self._added.get(contact_id)
        if added is None:
            added = self._added[contact_id] = {}
        added[event.event_id] = event

    def add_derived(self, contact_id: str, derived: DerivedEvents) -> None:
        """Keep the events derived from one record. The caller must not change `derived` afterwards."""
        self._derived.setdefault(contact_id, []).append(derived)

    def drop(self, contact_id: str, order: Order) -> None:
        """Forget one kept event."""
        occurred_ms, event_id, derived = order
        if derived:
            self._take_apart(contact_id)
            self._derived_changes[contact_id][order] = None
            return
        added = self._added.get(contact_id, {})
        if event_id in added and added[event_id].occurred_ms == occurred_ms:
            del added[event_id]
        # The event may be on disk too: after a crash its record is applied again.
        self._dropped.setdefault(contact_id, {}).setdefault(event_id, []).append(occurred_ms)

    def of_contact(self, contact_id: str, since_ms: int | None) -> Iterator[Event]:
        """Yield the contact's kept events as of the call, ascending by (`occurred_ms`, `event_id`).

        With `since_ms`, only events from that time on are read: neither earlier events nor the traces that
        their deletion left on disk are read."""
        if contact_id in self._derived:
            self._take_apart(contact_id)
        unwritten = self._unwritten(contact_id)
        if since_ms is None:
            return self._merged(contact_id, layout.history_prefix(contact_id), unwritten)
        unwritten = {order: event for order, event in unwritten.items() if order[0] >= since_ms}
        return self._merged(contact_id, layout.history_key(contact_id, since_ms, ""), unwritten)

    def _unwritten(self, contact_id: str) -> dict[Order, Event | None]:
        """Return the place of each event with an unwritten change -> the event, or None if it is dropped."""
        changes: dict[Order, Event | None] = {
            (occurred_ms, event_id, False): None
            for event_id, times in self._dropped.get(contact_id, {}).items()
            for occurred_ms in times
        }
        changes.update((event.order, event) for event in self._added.get(contact_id, {}).values())
        changes.update(self._derived_changes.get(contact_id, {}))
        return changes

    def _take_apart(self, contact_id: str) -> None:
        """Turn the contact's unwritten derived events into single changes."""
        changes = self._derived_changes.setdefault(contact_id, {})
        for derived in self._derived.pop(contact_id, ()):
            changes.update((event.order, event) for event in derived.all_events())

    def _merged(self, contact_id: str, start: bytes, unwritten: dict[Order, Event | None]) -> Iterator[Event]:
        if not unwritten:
            yield from self._written(contact_id, start, unwritten)
            return
        added = sorted((event for event in unwritten.values() if event is not None), key=_order)
        yield from heapq.merge(self._written(contact_id, start, unwritten), added, key=_order)

    def _written(
        self, contact_id: str, start: bytes, unwritten: dict[Order, Event | None]
    ) -> Iterator[Event]:
        # A function of its own: mypyc makes a list of a generator expression, here of the whole history.
        prefix = layout.history_prefix(contact_id)
        for key, value in self._database.items(prefix, start):
            for event in layout.read_events(prefix, key, value):
                if event.order not in unwritten:
                    yield event

    # -- unwritten changes ------------------------------------------------------------------------------

    def changed(self) -> Set[str]:
        """Return the contacts with unwritten changes of events."""
        return set().union(self._added, self._dropped, self._derived, self._derived_changes)

    def count(self) -> int:
        """Return a lower bound of the number of contacts in `changed`. Cost: O(1)."""
        return max(len(self._added), len(self._dropped), len(self._derived), len(self._derived_changes))

    def records(self, contact_id: str, index: list[KeyValue]) -> list[KeyValue]:
        """Return the unwritten changes of a contact as changelog records, and append the entries of the
        event-id index that follow from them to `index`. In both, deletions come before additions, so an id
        that was dropped and then added at another time stays."""
        records: list[KeyValue] = []
        prefix = layout.history_prefix(contact_id)
        index_prefix = layout.EVENT_ID + prefix[1:]
        if contact_id in self._dropped:
            for event_id, times in self._dropped[contact_id].items():
                raw = event_id.encode()
                index.append((index_prefix + raw, None))
                records += [(prefix + time_bytes(occurred_ms) + raw, None) for occurred_ms in times]
        if contact_id in self._derived_changes:
            self._add_single_derived(contact_id, records)
        if contact_id in self._derived:
            for derived in self._derived[contact_id]:
                # The value replaces whatever is on disk under this key from an earlier application of the
                # record.
                key = layout.derived_key(contact_id, derived.occurred_ms, derived.origin)
                records.append((key, layout.derived_value(derived)))
        added = self._added.get(contact_id)
        if added is not None:
            for event_id, event in added.items():
                raw, time, value = event_id.encode(), time_bytes(event.occurred_ms), layout.event_value(event)
                records.append((prefix + time + raw, value))
                index.append((index_prefix + raw, time + value[:8]))
        return records

    def _add_single_derived(self, contact_id: str, records: list[KeyValue]) -> None:
        """Add the records of the derived events that were added or dropped one by one."""
        parts: dict[bytes, dict[Order, Event | None]] = {}
        for order, event in self._derived_changes[contact_id].items():
            key = layout.derived_key(contact_id, order[0], origin_of(order[1]))
            parts.setdefault(key, {})[order] = event
        for key, changes in parts.items():
            left = self._derived_left(contact_id, key, changes)
            records.append((key, layout.derived_value(DerivedEvents.gather(left)) if left else None))

    def _derived_left(self, contact_id: str, key: bytes, changes: dict[Order, Event | None]) -> list[Event]:
        """Return the events derived from one record that are still kept after these changes."""
        written = self._database.get(key)
        kept: dict[Order, Event | None] = {}
        if written is not None:
            prefix = layout.history_prefix(contact_id)
            kept = {event.order: event for event in layout.read_events(prefix, key, written)}
        return [event for event in (kept | changes).values() if event is not None]

    def settle(self, contact_ids: Iterable[str] | None) -> None:
        """Drop the unwritten changes of these contacts, because they are on disk now; None: of all
        contacts."""
        if contact_ids is None:
            # New dictionaries: clearing one that has been large costs as much as it was large, each time.
            self._added, self._dropped, self._derived, self._derived_changes = {}, {}, {}, {}
            return
        for contact_id in contact_ids:
            self._added.pop(contact_id, None)
            self._dropped.pop(contact_id, None)
            self._derived.pop(contact_id, None)
            self._derived_changes.pop(contact_id, None)


def _order(event: Event) -> Order:
    return event.order
