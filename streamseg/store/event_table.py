"""The kept events of one partition's contacts."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Set

from streamseg.records.derived import DerivedEvents, origin_of
from streamseg.records.inputs import Event, Order
from streamseg.store import layout
from streamseg.store.database import Database, KeyValue


class EventTable:
    """The events on disk, and their unwritten changes."""

    __slots__ = ("_changes", "_database", "_derived", "_found")

    def __init__(self, database: Database) -> None:
        self._database = database
        # contact id -> unwritten derived events, in one collection for each record. `_take_apart` moves them
        # into `_changes` as single events.
        self._derived: dict[str, list[DerivedEvents]] = {}
        # contact id -> the place of an event -> the event to add, or None to drop it
        self._changes: dict[str, dict[Order, Event | None]] = {}
        # contact id -> event id -> the result of `find`, for unwritten changes
        self._found: dict[str, dict[str, tuple[int, int] | None]] = {}

    def find(self, contact_id: str, event_id: str) -> tuple[int, int] | None:
        """Return (`occurred_ms`, `offset`) of the kept behaviour event with this id, or None."""
        unwritten = self._found.get(contact_id)
        if unwritten is not None and event_id in unwritten:
            return unwritten[event_id]
        data = self._database.get(layout.event_id_key(contact_id, event_id))
        return None if data is None else layout.read_event_id(data)

    def add(self, contact_id: str, event: Event) -> None:
        """Keep a behaviour event (not a derived one) whose id is not kept yet."""
        changes = self._changes.get(contact_id)
        if changes is None:
            changes = self._changes[contact_id] = {}
            self._found[contact_id] = {}
        changes[event.order] = event
        self._found[contact_id][event.event_id] = (event.occurred_ms, event.offset)

    def add_derived(self, contact_id: str, derived: DerivedEvents) -> None:
        """Keep the events derived from one record. The caller must not change `derived` afterwards."""
        self._derived.setdefault(contact_id, []).append(derived)

    def drop(self, contact_id: str, order: Order) -> None:
        """Forget one kept event."""
        self._take_apart(contact_id)
        self._changes[contact_id][order] = None
        found = self._found.setdefault(contact_id, {})
        _, event_id, derived = order
        if not derived:
            found[event_id] = None

    def of_contact(self, contact_id: str, since_ms: int | None) -> Iterator[Event]:
        """Yield the contact's kept events as of the call, ascending by (`occurred_ms`, `event_id`).

        With `since_ms`, only events from that time on are read: neither earlier events nor the traces that
        their deletion left on disk are read."""
        if contact_id in self._derived:
            self._take_apart(contact_id)
        changes = self._changes.get(contact_id, {})
        if since_ms is None:
            return self._merged(contact_id, layout.history_prefix(contact_id), changes.copy())
        unwritten = {order: event for order, event in changes.items() if order[0] >= since_ms}
        return self._merged(contact_id, layout.history_key(contact_id, since_ms, ""), unwritten)

    def _take_apart(self, contact_id: str) -> None:
        """Turn the contact's unwritten derived events into single changes."""
        changes = self._changes.setdefault(contact_id, {})
        self._found.setdefault(contact_id, {})
        for derived in self._derived.pop(contact_id, ()):
            changes.update((event.order, event) for event in derived.all_events())

    def _merged(self, contact_id: str, start: bytes, unwritten: dict[Order, Event | None]) -> Iterator[Event]:
        prefix = layout.history_prefix(contact_id)
        written = (
            event
            for key, value in self._database.items(prefix, start)
            for event in layout.read_events(prefix, key, value)
        )
        if not unwritten:
            yield from written
            return
        added = sorted((event for event in unwritten.values() if event is not None), key=_order)
        kept = (event for event in written if event.order not in unwritten)
        yield from heapq.merge(kept, added, key=_order)

    # -- unwritten changes ------------------------------------------------------------------------------

    def changed(self) -> Set[str]:
        """Return the contacts with unwritten changes of events."""
        return self._changes.keys() | self._derived.keys()

    def count(self) -> int:
        """Return a lower bound of the number of contacts in `changed`. Cost: O(1)."""
        return max(len(self._changes), len(self._derived))

    def records(self, contact_id: str) -> list[KeyValue]:
        """Return the unwritten changes of a contact as changelog records. Deletions come before additions, so
        an id that was dropped and then added at another time stays in the event-id index."""
        dropped: list[KeyValue] = []
        added: list[KeyValue] = []
        for derived in self._derived.get(contact_id, ()):
            # The value replaces whatever is on disk under this key from an earlier application of the record.
            key = layout.derived_key(contact_id, derived.occurred_ms, derived.origin)
            added.append((key, layout.derived_value(derived)))
        parts: dict[bytes, dict[Order, Event | None]] = {}
        for order, event in self._changes.get(contact_id, {}).items():
            if order[2]:
                key = layout.derived_key(contact_id, order[0], origin_of(order[1]))
                parts.setdefault(key, {})[order] = event
                continue
            key = layout.history_key(contact_id, order[0], order[1])
            if event is None:
                dropped.append((key, None))
            else:
                added.append((key, layout.event_value(event)))
        for key, changes in parts.items():
            left = self._derived_left(contact_id, key, changes)
            if left:
                added.append((key, layout.derived_value(DerivedEvents.gather(left))))
            else:
                dropped.append((key, None))
        return dropped + added

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
        unwritten = (self._changes, self._derived, self._found)
        if contact_ids is None:
            for one in unwritten:
                one.clear()
            return
        for contact_id in contact_ids:
            for one in unwritten:
                one.pop(contact_id, None)


def _order(event: Event) -> Order:
    return event.order
