"""The interface of the store that keeps a partition's contacts, their events and the due index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from streamseg.contact.contact import Contact
from streamseg.contact.kept_changes import KeptChange
from streamseg.records.derived import DerivedEvents
from streamseg.records.inputs import Event, Order
from streamseg.store.growth import Counts


class EventLog(Protocol):
    """The kept events of contacts: the part of a store that `streamseg.engine.history.History` uses."""

    def find_event(self, contact_id: str, event_id: str) -> tuple[int, int] | None:
        """Return (`occurred_ms`, `offset`) of the kept behaviour event with this id, or None."""

    def add_event(self, contact_id: str, event: Event) -> None:
        """Keep a behaviour event (not a derived one) whose id is not kept yet."""

    def add_derived(self, contact_id: str, derived: DerivedEvents) -> None:
        """Keep the events derived from one record. The caller must not change `derived` afterwards."""

    def events(self, contact_id: str, since_ms: int | None = None) -> Iterator[Event]:
        """Yield the contact's kept events, ascending by (`occurred_ms`, `event_id`).

        With `since_ms`, only events from that time on are read: neither earlier events nor the traces of
        earlier events that were dropped are read."""

    def drop_event(self, contact_id: str, order: Order) -> None:
        """Forget one kept event."""


class ChangeLog(Protocol):
    """The kept membership changes of contacts: the part of a store that `streamseg.engine.past.KeptPast`
    uses."""

    def keep_change(self, contact_id: str, change: KeptChange) -> None:
        """Keep a change, and count it in the growth of its segment."""

    def drop_change(self, contact_id: str, change: KeptChange) -> None:
        """Forget a kept change. It stays counted."""

    def kept_changes(self, contact_id: str, since_ms: int | None = None) -> Iterator[KeptChange]:
        """Yield the contact's kept changes, ascending. With `since_ms`, only changes from that time on are
        read."""

    def set_floor(self, segment_id: str, contact_id: str, dropped_ms: int | None) -> None:
        """Keep the time of the latest change of a contact in a segment that was dropped because of the cap;
        None: forget it."""

    def expire_growth(self, before_ms: int) -> None:
        """Forget how many contacts entered and left segments up to `before_ms`."""


class Store(EventLog, ChangeLog, Protocol):
    """One partition's state. It has one writer; a read sees every write made before it.

    `contact` returns the live object. A caller that changes it must call `put` afterwards; `put` also moves
    the contact in the due index to its `due_ms`.

    clock_ms  the partition's stream time (epoch ms) when it was last set; 0 at first
    """

    clock_ms: int

    @property
    def written_layout(self) -> int:
        """The layout in which contacts are written, see `streamseg.contact.state_version`."""

    def contact(self, contact_id: str) -> Contact | None:
        """Return the contact's state, or None if this partition has never kept any."""

    def put(self, contact: Contact) -> None:
        """Keep the contact's state and file it under its `due_ms` (None: never due)."""

    def contact_ids(self, after: str | None = None, prefix: str = "") -> Iterator[str]:
        """Yield all kept contact ids that are greater than `after` and begin with `prefix`, in ascending
        UTF-8 order.

        Contacts that are added after the iteration started may be missing."""

    def next_due(self) -> tuple[int, str] | None:
        """Return the least (`due_ms`, `contact_id`) of all contacts, or None. Cost: O(log contacts)."""

    def is_filed(self, contact_id: str, due_ms: int) -> bool:
        """Return whether the due index holds the contact at `due_ms`, so that `next_due` will return it."""

    def set_member(self, segment_id: str, contact_id: str, entry: tuple[int, int] | None) -> None:
        """Set the contact's entry (`sequence`, `entered_ms`) in a segment; None: it is not a member any
        more."""

    def member(self, segment_id: str, contact_id: str) -> tuple[int, int] | None:
        """Return the entry that `set_member` was given last: (`sequence`, `entered_ms`), or None."""

    def members(
        self, segment_id: str, after: str | None = None, prefix: str = ""
    ) -> Iterator[tuple[str, int, int]]:
        """Yield (contact id, `sequence`, `entered_ms`) of the segment's members whose ids are greater than
        `after` and begin with `prefix`, ascending by contact id."""

    def member_counts(self) -> dict[str, int]:
        """Return segment id -> number of members; segments without members may be left out."""

    def segment_changes(
        self, segment_id: str, after: str | None = None, prefix: str = ""
    ) -> Iterator[tuple[str, KeptChange]]:
        """Yield contact ids that are greater than `after` and begin with `prefix`, and their kept changes in
        this segment, ascending by contact id and then by change."""

    def floors(self, segment_id: str, after: str | None = None) -> Iterator[tuple[str, int]]:
        """Yield contact ids greater than `after`, and the time of the latest change in this segment that was
        dropped because of the cap, ascending by contact id."""

    def growth(self, segment_id: str, born: int, since_ms: int) -> Iterator[tuple[int, Counts]]:
        """Yield quarters of an hour (their first instant, epoch ms) in which contacts entered or left the
        segment of this birth, and how many did, ascending, from the quarter on in which `since_ms` lies."""

    def growth_since_ms(self) -> int | None:
        """Return the time (epoch ms) up to which `expire_growth` has forgotten changes, or None."""

    def unkept_ms(self) -> int | None:
        """Return the greatest `unkept_ms` of all contacts, or None: later changes than that are all kept,
        unless the cap dropped them, and counted."""

    def save(self) -> None:
        """Write everything unwritten to disk, in a run without a changelog."""
