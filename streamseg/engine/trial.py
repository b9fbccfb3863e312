"""Trials: copies of contacts are evaluated at a time or from their history, and the store is not changed."""

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
    """An engine for copies of one store's contacts, with any plan. It keeps and emits nothing."""

    def __init__(self, event_log: EventLog, plan: Plan, settings: Settings) -> None:
        self._engine = Engine(
            event_log=_KeptEvents(event_log),
            change_log=None,
            plan=plan,
            settings=settings,
            emitter=_NoOutput(),
        )

    def brought_up(self, contact: Contact, now_ms: int) -> Contact:
        """Return the contact as it is under the plan at `now_ms`: the contact itself if it is up to date,
        else a copy. The caller must not change the result."""
        if self._engine.is_up_to_date(contact, now_ms):
            return contact
        copy = contact.copy()
        self._engine.reconcile(copy, now_ms)
        self._engine.advance(copy, now_ms)
        return copy

    def recounted(self, contact: Contact, segment_ids: Iterable[str], now_ms: int) -> Contact:
        """Return a copy of the contact after `Engine.recount`. The contact must be up to date at `now_ms`."""
        copy = contact.copy()
        self._engine.recount(copy, segment_ids, now_ms)
        return copy


class CheckedEvents(list[Event]):
    """A list of events that calls `check` before it yields each event. `check` may raise an exception to end
    an evaluation that takes too long."""

    def __init__(self, events: Iterable[Event], check: Callable[[], None]) -> None:
        super().__init__(events)
        self._check = check

    def __iter__(self) -> Iterator[Event]:
        for event in super().__iter__():
            self._check()
            yield event


class EventSnapshot:
    """The events of one contact at one moment, ascending. Methods that add or drop events do nothing."""

    def __init__(self, events: list[Event]) -> None:
        self._events = events

    def checked(self, check: Callable[[], None]) -> EventSnapshot:
        """Return the same events with a `check` as in CheckedEvents."""
        return EventSnapshot(CheckedEvents(self._events, check))

    def find_event(self, contact_id: str, event_id: str) -> tuple[int, int] | None:
        found = (one for one in self._events if one.event_id == event_id and not one.derived)
        return next(((one.occurred_ms, one.offset) for one in found), None)

    def events(self, contact_id: str, since_ms: int | None = None) -> Iterator[Event]:
        return (one for one in self._events if since_ms is None or one.occurred_ms >= since_ms)

    def add_event(self, contact_id: str, event: Event) -> None:
        """Do nothing."""

    def add_derived(self, contact_id: str, derived: DerivedEvents) -> None:
        """Do nothing."""

    def drop_event(self, contact_id: str, order: Order) -> None:
        """Do nothing."""


class _KeptEvents:
    """The events of a store, read-only. Methods that add or drop events do nothing."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def find_event(self, contact_id: str, event_id: str) -> tuple[int, int] | None:
        return self._log.find_event(contact_id, event_id)

    def events(self, contact_id: str, since_ms: int | None = None) -> Iterator[Event]:
        return self._log.events(contact_id, since_ms)

    def add_event(self, contact_id: str, event: Event) -> None:
        """Do nothing."""

    def add_derived(self, contact_id: str, derived: DerivedEvents) -> None:
        """Do nothing."""

    def drop_event(self, contact_id: str, order: Order) -> None:
        """Do nothing."""


class _NoOutput:
    """An emitter that drops all outputs."""

    def change(self, change: MembershipChange) -> None:
        """Do nothing."""

    def membership(self, change: MembershipChange) -> None:
        """Do nothing."""

    def suppression(self, suppression: Suppression) -> None:
        """Do nothing."""

    def dead_letter(self, letter: DeadLetter) -> None:
        """Do nothing."""
