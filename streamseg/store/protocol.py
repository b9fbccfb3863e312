"""What a partition asks of the place that keeps its contacts, their events and who is due."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from streamseg.contact.contact import Contact
from streamseg.records.derived import DerivedEvents
from streamseg.records.inputs import Event, Order


class EventLog(Protocol):
    """The kept events of contacts: as much of a store as `streamseg.engine.history.History` asks for."""

    def find_event(self, contact_id: str, event_id: str) -> tuple[int, int] | None:
        """(`occurred_ms`, `offset`) of the kept event with this id, no derived one, or None if none is."""

    def add_event(self, contact_id: str, event: Event) -> None:
        """Keep an event, no derived one, whose id is not kept yet."""

    def add_derived(self, contact_id: str, derived: DerivedEvents) -> None:
        """Keep what is derived from one record, which stays as it is from now on."""

    def events(self, contact_id: str, since_ms: int | None = None) -> Iterator[Event]:
        """The contact's kept events by (`occurred_ms`, `event_id`), ascending; those since then, if given:
        what lies before is not looked at, not even to find that it is gone."""

    def drop_event(self, contact_id: str, order: Order) -> None:
        """Forget one kept event."""


class Store(EventLog, Protocol):
    """One partition's state. One writer; reads see every write made before them.

    `contact` hands out the live object: whoever changes it calls `put` afterwards, which also moves
    the contact in the due index to its `due_ms`.

    clock_ms  the partition's stream time when it was last set, 0 at first
    """

    clock_ms: int

    def contact(self, contact_id: str) -> Contact | None:
        """The contact's state, or None if this partition has never kept any."""

    def put(self, contact: Contact) -> None:
        """Keep the contact's state and file it under its `due_ms` (None: never due)."""

    def contact_ids(self, after: str | None = None) -> Iterator[str]:
        """All kept contact ids in ascending UTF-8 order, those greater than `after`.

        The iterator reads a view taken when it starts: contacts added meanwhile may be missing."""

    def next_due(self) -> tuple[int, str] | None:
        """The least (`due_ms`, `contact_id`) of all contacts, or None. Cost: O(log contacts)."""

    def is_filed(self, contact_id: str, due_ms: int) -> bool:
        """Whether `next_due` will come to the contact at `due_ms`."""

    def set_member(self, segment_id: str, contact_id: str, entry: tuple[int, int] | None) -> None:
        """Note that the contact is a member since (`sequence`, `entered_ms`), or None: no longer."""

    def member(self, segment_id: str, contact_id: str) -> tuple[int, int] | None:
        """What `set_member` noted last: (`sequence`, `entered_ms`), or None."""

    def members(self, segment_id: str, after: str | None = None) -> Iterator[tuple[str, int, int]]:
        """(contact id, `sequence`, `entered_ms`) of a segment's members by contact id, those after one."""

    def member_counts(self) -> dict[str, int]:
        """Segment id -> how many members it has; segments without any may be left out."""

    def save(self) -> None:
        """Write to disk what is not there yet, in a run without a changelog."""
