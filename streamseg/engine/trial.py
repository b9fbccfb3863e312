"""Contacts tried out: brought up to an instant or evaluated anew, as copies, with no trace in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from streamseg.contact.contact import Contact
from streamseg.engine.engine import Engine
from streamseg.plan.plan import Plan
from streamseg.records.derived import DerivedEvents
from streamseg.records.inputs import Event, Order
from streamseg.records.outputs import DeadLetter, MembershipChange, Suppression
from streamseg.settings import Settings
from streamseg.store.protocol import EventLog


class Trial:
    """Copies of the contacts of one store, under any plan. Nothing that is done here is kept or emitted."""

    def __init__(self, event_log: EventLog, plan: Plan, settings: Settings) -> None:
        self._engine = Engine(
            event_log=_KeptEvents(event_log), plan=plan, settings=settings, emitter=_NoOutput()
        )

    def brought_up(self, contact: Contact, now_ms: int) -> Contact:
        """The contact as it is by the plan at `now_ms`, to be read only: itself if it is so already, else a
        changed copy."""
        if self._engine.is_up_to_date(contact, now_ms):
            return contact
        copy = contact.copy()
        self._engine.reconcile(copy, now_ms)
        self._engine.advance(copy, now_ms)
        return copy

    def recounted(self, contact: Contact, segment_ids: Iterable[str], now_ms: int) -> Contact:
        """The contact, which is up to date, as `Engine.recount` leaves it."""
        copy = contact.copy()
        self._engine.recount(copy, segment_ids, now_ms)
        return copy


class CheckedEvents(list[Event]):
    """Events that call `check` for each that is looked at: by raising, it ends what takes too long."""

    def __init__(self, events: Iterable[Event], check: Callable[[], None]) -> None:
        super().__init__(events)
        self._check = check

    def __iter__(self) -> Iterator[Event]:
        for event in super().__iter__():
            self._check()
            yield event


class EventSnapshot:
    """One contact's events as they were at some moment, ascending; what is done to it leaves no trace."""

    def __init__(self, events: list[Event]) -> None:
        self._events = events

    def checked(self, check: Callable[[], None]) -> EventSnapshot:
        """The same events, with a `check` as for CheckedEvents."""
        return EventSnapshot(CheckedEvents(self._events, check))

    def find_event(self, contact_id: str, event_id: str) -> tuple[int, int] | None:
        found = (one for one in self._events if one.event_id == event_id and not one.derived)
        return next(((one.occurred_ms, one.offset) for one in found), None)

    def events(self, contact_id: str, since_ms: int | None = None) -> Iterator[Event]:
        return (one for one in self._events if since_ms is None or one.occurred_ms >= since_ms)

    def add_event(self, contact_id: str, event: Event) -> None:
        """Nothing is kept."""

    def add_derived(self, contact_id: str, derived: DerivedEvents) -> None:
        """Nothing is kept."""

    def drop_event(self, contact_id: str, order: Order) -> None:
        """Nothing is dropped."""


class _KeptEvents:
    """The events of a store, which is only read: what is added or dropped on trial changes nothing in it."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def find_event(self, contact_id: str, event_id: str) -> tuple[int, int] | None:
        return self._log.find_event(contact_id, event_id)

    def events(self, contact_id: str, since_ms: int | None = None) -> Iterator[Event]:
        return self._log.events(contact_id, since_ms)

    def add_event(self, contact_id: str, event: Event) -> None:
        """Nothing is kept."""

    def add_derived(self, contact_id: str, derived: DerivedEvents) -> None:
        """Nothing is kept."""

    def drop_event(self, contact_id: str, order: Order) -> None:
        """Nothing is dropped."""


class _NoOutput:
    """An emitter that drops what it is given."""

    def change(self, change: MembershipChange) -> None:
        """Not emitted."""

    def membership(self, change: MembershipChange) -> None:
        """Not emitted."""

    def suppression(self, suppression: Suppression) -> None:
        """Not emitted."""

    def dead_letter(self, letter: DeadLetter) -> None:
        """Not emitted."""
