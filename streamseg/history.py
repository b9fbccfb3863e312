"""A contact's kept events: which still count as kept, which go, oldest first."""

from __future__ import annotations

from collections.abc import Iterator

from streamseg.contact import Contact
from streamseg.inputs import Event
from streamseg.store.protocol import Store


class History:
    """Kept events under a retention (ms) and a cap per contact.

    An event is kept at `now` while it occurred later than now - retention. What has fallen out of that is
    never handed out; it is removed from the store in one go once it is a tenth of the retention overdue.
    """

    __slots__ = ("_cap", "_retention_ms", "_store")

    def __init__(self, store: Store, retention_ms: int, cap: int) -> None:
        self._store = store
        self._retention_ms = retention_ms
        self._cap = cap

    def repeats(self, contact: Contact, event: Event, now_ms: int) -> bool:
        """Whether an event with this id is kept; one that no longer counts as kept makes way."""
        if contact.event_count == 0:
            return False
        found = self._store.find_event(contact.contact_id, event.event_id)
        if found is None:
            return False
        occurred_ms, offset = found
        if offset == event.offset:
            # Our own event: it reached the changelog before a crash, the contact's state did not.
            return False
        if occurred_ms > now_ms - self._retention_ms:
            return True
        self._store.drop_event(contact.contact_id, occurred_ms, event.event_id)
        contact.event_count -= 1
        return False

    def kept(self, contact: Contact, now_ms: int) -> Iterator[Event]:
        """The kept events in their order."""
        if contact.event_count == 0:
            return
        for event in self._store.events(contact.contact_id):
            if event.occurred_ms > now_ms - self._retention_ms:
                yield event

    def keep(self, contact: Contact, event: Event, now_ms: int) -> None:
        """Keep one more event, dropping the oldest where the cap is passed (counted in `capped`)."""
        if event.occurred_ms <= now_ms - self._retention_ms:
            return
        self._store.add_event(contact.contact_id, event)
        contact.event_count += 1
        if contact.oldest_event_ms is None or event.occurred_ms < contact.oldest_event_ms:
            contact.oldest_event_ms = event.occurred_ms
        if contact.event_count > self._cap:
            oldest = next(self._store.events(contact.contact_id))
            self._store.drop_event(contact.contact_id, oldest.occurred_ms, oldest.event_id)
            contact.event_count -= 1
            contact.capped += 1
            contact.oldest_event_ms = next(self._store.events(contact.contact_id)).occurred_ms

    def housekeeping_ms(self, oldest_ms: int) -> int:
        """When to prune, given the oldest kept event: a tenth of the retention after it has run out."""
        return oldest_ms + self._retention_ms + self._retention_ms // 10

    def prune(self, contact: Contact, now_ms: int) -> None:
        """Remove from the store what is no longer kept."""
        gone: list[Event] = []
        contact.oldest_event_ms = None
        for event in self._store.events(contact.contact_id):
            if event.occurred_ms > now_ms - self._retention_ms:
                contact.oldest_event_ms = event.occurred_ms
                break
            gone.append(event)
        self._drop(contact, gone)

    def forget_all(self, contact: Contact, erased_ms: int) -> list[Event]:
        """Remove everything; the events of other topics that occurred after `erased_ms`, in order."""
        events = list(self._store.events(contact.contact_id)) if contact.event_count else []
        self._drop(contact, events)
        contact.oldest_event_ms = None
        return [event for event in events if event.occurred_ms > erased_ms and not event.derived]

    def _drop(self, contact: Contact, events: list[Event]) -> None:
        for event in events:
            self._store.drop_event(contact.contact_id, event.occurred_ms, event.event_id)
        contact.event_count -= len(events)
