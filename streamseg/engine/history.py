"""The history of a contact: its kept events. The retention and the cap drop events, the oldest first."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from itertools import islice

from streamseg.contact.contact import Contact
from streamseg.records.derived import DerivedEvents, outlives_erasure
from streamseg.records.inputs import Event, Order
from streamseg.store.protocol import EventLog
from streamseg.times import MAX_MS

_HEAD = 256
_HEADS = 1_000


class History:
    """The kept events of contacts, under a retention (ms) and a cap for each contact.

    An event counts as kept at `now` if it occurred later than now - retention. Older events are never
    returned. They are removed from the store together, once the oldest one is overdue by a tenth of the
    retention.
    """

    __slots__ = ("_cap", "_heads", "_log", "_retention_ms")

    def __init__(self, log: EventLog, retention_ms: int, cap: int) -> None:
        self._log = log
        self._retention_ms = retention_ms
        self._cap = cap
        # Id of a contact at the cap -> the places of its oldest kept events. With them a new event does not
        # have to search for the event that it displaces.
        self._heads: dict[str, list[Order]] = {}

    def repeats(self, contact: Contact, event: Event, now_ms: int) -> bool:
        """Return whether a behaviour event with this id is kept, so that `event` is a repeat. If the stored
        event is older than the retention, it is dropped and `event` is not a repeat."""
        if contact.event_count == 0:
            return False
        found = self._log.find_event(contact.contact_id, event.event_id)
        if found is None:
            return False
        occurred_ms, offset = found
        if offset == event.offset:
            # This record's own event: before a crash it reached the changelog, but the contact's state did
            # not.
            return False
        if occurred_ms > now_ms - self._retention_ms:
            return True
        self._drop(contact, [(occurred_ms, event.event_id, False)])
        _forget(contact, occurred_ms)
        return False

    def forgotten_ms(self, contact: Contact, now_ms: int) -> int | None:
        """Return the time (epoch ms) after which no event was dropped; None: no event was dropped. An event
        that was counted and then dropped cannot be counted again."""
        horizon_ms = now_ms - self._retention_ms
        oldest_ms, forgotten_ms = contact.oldest_event_ms, contact.forgotten_ms
        if oldest_ms is None or oldest_ms > horizon_ms:
            return forgotten_ms
        return horizon_ms if forgotten_ms is None else max(horizon_ms, forgotten_ms)

    def kept(self, contact: Contact, now_ms: int) -> Iterator[Event]:
        """Yield the kept events in their order."""
        if contact.event_count == 0:
            return
        for event in self._log.events(contact.contact_id, contact.oldest_event_ms):
            if event.occurred_ms > now_ms - self._retention_ms:
                yield event

    def keep(self, contact: Contact, event: Event, now_ms: int) -> None:
        """Keep a behaviour event. If the contact then has more events than the cap, drop the oldest ones and
        count them in `capped`."""
        occurred_ms = event.occurred_ms
        if occurred_ms <= now_ms - self._retention_ms:
            _forget(contact, occurred_ms)
            return
        self._log.add_event(contact.contact_id, event)
        if self._heads:
            head = self._heads.get(contact.contact_id)
            if head and event.order < head[-1]:
                insort(head, event.order)
        contact.event_count += 1
        if contact.oldest_event_ms is None or occurred_ms < contact.oldest_event_ms:
            contact.oldest_event_ms = occurred_ms
        if contact.event_count > self._cap:
            self._drop_oldest(contact, contact.event_count - self._cap)

    def keep_derived(self, contact: Contact, derived: DerivedEvents, now_ms: int) -> None:
        """Keep the events derived from one record. The cap applies as in `keep`."""
        if derived.occurred_ms <= now_ms - self._retention_ms:
            _forget(contact, derived.occurred_ms)
            return
        contact_id = contact.contact_id
        self._log.add_derived(contact_id, derived)
        head = self._heads.get(contact_id)
        if head and derived.occurred_ms <= head[-1][0]:
            # The places are read again when they are next needed.
            del self._heads[contact_id]
        contact.event_count += len(derived)
        occurred_ms = derived.occurred_ms
        if contact.oldest_event_ms is None or occurred_ms < contact.oldest_event_ms:
            contact.oldest_event_ms = occurred_ms
        if contact.event_count > self._cap:
            self._drop_oldest(contact, contact.event_count - self._cap)

    def _drop_oldest(self, contact: Contact, count: int) -> None:
        contact_id = contact.contact_id
        head = self._heads.get(contact_id, [])
        if len(head) <= count:
            head = self._read_head(contact, count + _HEAD)
        for order in head[:count]:
            self._log.drop_event(contact_id, order)
        _forget(contact, head[count - 1][0])
        del head[:count]
        contact.event_count -= count
        contact.capped += count
        contact.oldest_event_ms = head[0][0] if head else None

    def _read_head(self, contact: Contact, count: int) -> list[Order]:
        if len(self._heads) >= _HEADS:
            self._heads.clear()
        events = self._log.events(contact.contact_id, contact.oldest_event_ms)
        head = self._heads[contact.contact_id] = [event.order for event in islice(events, count)]
        return head

    def prune_ms(self, oldest_ms: int) -> int | None:
        """Return when to prune (epoch ms), given the time of the oldest kept event: a tenth of the retention
        after its retention ended; None if that is after the end of the calendar."""
        at_ms = oldest_ms + self._retention_ms + self._retention_ms // 10
        return at_ms if at_ms <= MAX_MS else None

    def prune(self, contact: Contact, now_ms: int) -> None:
        """Remove the events that are older than the retention from the store."""
        oldest_ms, horizon_ms = contact.oldest_event_ms, now_ms - self._retention_ms
        # The oldest event may have been dropped alone (`repeats`), so there may be none of that time.
        if oldest_ms is None or oldest_ms > horizon_ms:
            return
        contact.oldest_event_ms = None
        gone: list[Order] = []
        for event in self._log.events(contact.contact_id, oldest_ms):
            if event.occurred_ms > horizon_ms:
                contact.oldest_event_ms = event.occurred_ms
                break
            gone.append(event.order)
        self._drop(contact, gone)
        if gone:
            _forget(contact, gone[-1][0])

    def forget_all(self, contact: Contact, erased_ms: int) -> list[Event]:
        """Remove all events. Return the events that occurred after `erased_ms` and outlive the erasure, in
        their order."""
        if not contact.event_count:
            return []
        events = list(self._log.events(contact.contact_id, contact.oldest_event_ms))
        self._drop(contact, [event.order for event in events])
        contact.oldest_event_ms = None
        return [event for event in events if event.occurred_ms > erased_ms and outlives_erasure(event)]

    def _drop(self, contact: Contact, orders: list[Order]) -> None:
        for order in orders:
            self._log.drop_event(contact.contact_id, order)
        contact.event_count -= len(orders)
        self._heads.pop(contact.contact_id, None)


def _forget(contact: Contact, occurred_ms: int) -> None:
    """Keep in the contact that an event of this time was counted but is not kept."""
    if contact.forgotten_ms is None or occurred_ms > contact.forgotten_ms:
        contact.forgotten_ms = occurred_ms
