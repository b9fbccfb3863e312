"""One partition: its contacts, its clock (stream time) and its due contacts.

The replay of a file and the agents use the same class. It takes records, and its outputs go to the emitter.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import NamedTuple

from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES
from streamseg.contact.contact import Contact
from streamseg.contact.state_version import FIRST_WITH_CHANGES
from streamseg.engine.decoding import Decoder, check_timestamp
from streamseg.engine.engine import Engine
from streamseg.engine.history import History
from streamseg.engine.update_values import Fault
from streamseg.errors import Code, RejectedError
from streamseg.language.unsubscribe import SUBSCRIBING_EVENTS, is_unclear
from streamseg.plan.plan import Plan
from streamseg.records.inputs import Record
from streamseg.records.outputs import DeadLetter, Emitter, MembershipChange
from streamseg.settings import Settings
from streamseg.store.protocol import Store
from streamseg.times import MAX_MS, MIN_MS


class Swept(NamedTuple):
    """The result of one slice of a sweep.

    contacts  how many contacts were reconciled
    last      id of the last contact of the slice; None: there are no more contacts
    """

    contacts: int
    last: str | None


class Recounted(NamedTuple):
    """The result of one slice of a recount.

    contacts  how many contacts were evaluated
    changes   how many membership changes were emitted
    last      id of the last contact of the slice; None: there are no more contacts
    """

    contacts: int
    changes: int
    last: str | None


class Counts:
    """The numbers of what a partition has done.

    applied   records that were applied
    repeated  records that changed nothing, since they were applied before
    rejected  records that were refused
    due       contacts that were settled because time alone had made them due
    capped    events that were dropped because a contact had too many
    unclear   forms whose property `subscribed` says neither yes nor no
    """

    __slots__ = ("applied", "capped", "due", "rejected", "repeated", "unclear")

    def __init__(self) -> None:
        self.applied = 0
        self.repeated = 0
        self.rejected = 0
        self.due = 0
        self.capped = 0
        self.unclear = 0


def _left_out(record: Record, faults: list[Fault]) -> DeadLetter:
    """Return the dead letter of an update that was applied without some of its values."""
    first, *others = faults
    message = f"{first.message}; {len(others)} more left out" if others else first.message
    paths = tuple(fault.path for fault in faults)
    return DeadLetter(record, Code.INVALID_VALUE.value, message, first.path, paths=paths)


class _MemberIndex:
    """The emitter of the engine. It updates the store's index of members and passes all outputs on."""

    __slots__ = ("_emitter", "_store", "changes", "dead_letter", "membership", "suppression")

    def __init__(self, store: Store, emitter: Emitter) -> None:
        self.changes = 0
        self._store = store
        self._emitter = emitter
        self.membership = emitter.membership
        self.suppression = emitter.suppression
        self.dead_letter = emitter.dead_letter

    def change(self, change: MembershipChange) -> None:
        entry = (change.sequence, change.effective_ms) if change.entered else None
        self._store.set_member(change.segment_id, change.contact_id, entry)
        self.changes += 1
        self._emitter.change(change)


class Partition:
    """The contacts of one partition.

    The clock never goes back. Before a record is applied, its contact is evaluated at each time up to the
    clock at which it is due. The caller evaluates the other contacts with `run_due`.

    counts  the numbers since the last `take_counts`, for metrics
    """

    __slots__ = ("_decoder", "_emitter", "_engine", "_indexed", "_keeps_all", "_store", "counts")

    def __init__(self, *, store: Store, plan: Plan, settings: Settings, emitter: Emitter) -> None:
        self._store = store
        self._emitter = emitter
        self._decoder = Decoder(settings)
        self._indexed = _MemberIndex(store, emitter)
        # An earlier layout has no place for changes, nor for what was never set.
        self._keeps_all = store.written_layout >= FIRST_WITH_CHANGES
        change_log = store if self._keeps_all else None
        self._engine = Engine(
            event_log=store, change_log=change_log, plan=plan, settings=settings, emitter=self._indexed
        )
        self.counts = Counts()

    @property
    def plan(self) -> Plan:
        """The plan with which contacts are evaluated."""
        return self._engine.plan

    @property
    def history(self) -> History:
        """The contacts' kept events."""
        return self._engine.history

    @property
    def changes(self) -> int:
        """The number of membership changes that were emitted since the partition was opened."""
        return self._indexed.changes

    @property
    def clock_ms(self) -> int:
        """Stream time, epoch ms."""
        return self._store.clock_ms

    def advance(self, now_ms: int) -> None:
        """Move the clock to `now_ms` if that is later. The caller evaluates due contacts with `run_due`."""
        if now_ms > self._store.clock_ms:
            self._store.clock_ms = now_ms

    def take(self, record: Record, latest_ms: int | None = None) -> None:
        """Apply one record of `contact-updates` or `behavior-events`.

        A record whose timestamp is later than `latest_ms` (None: no limit) is refused and does not move the
        clock. A record that was applied before changes nothing. A refused record goes to the emitter as a
        dead letter; it moves only the clock, and only if its timestamp is valid. An update with wrong values
        is emitted as a dead letter too, and its other values are applied."""
        store, timestamp_ms = self._store, record.timestamp_ms
        try:
            if not MIN_MS <= timestamp_ms <= MAX_MS or (latest_ms is not None and timestamp_ms > latest_ms):
                check_timestamp(record, latest_ms)
            now_ms = store.clock_ms
            if timestamp_ms > now_ms:
                now_ms = store.clock_ms = timestamp_ms
            self._apply(record, now_ms)
        except RejectedError as error:
            self.counts.rejected += 1
            self._emitter.dead_letter(DeadLetter.of(record, error))

    def _apply(self, record: Record, now_ms: int) -> None:
        topic = record.topic
        if topic == BEHAVIOR_EVENTS:
            contact_id, event = self._decoder.event(record)
            contact = self._contact(contact_id)
            if record.number <= contact.event_offset:
                return
            moved = self._engine.bring_up(contact, now_ms)
            applied = self._engine.event(contact, event, record, now_ms)
            if applied and event.name in SUBSCRIBING_EVENTS and is_unclear(event):
                self.counts.unclear += 1
        elif topic == CONTACT_UPDATES:
            update = self._decoder.update(record, self.plan.static_ids)
            contact = self._contact(update.contact_id)
            if record.number <= contact.update_offset:
                return
            if update.faults:
                self._emitter.dead_letter(_left_out(record, update.faults))
            moved = self._engine.bring_up(contact, now_ms)
            applied = self._engine.update(contact, update, record, now_ms)
        else:
            raise RejectedError(Code.INVALID_SCHEMA, "not a topic that contacts are read from")
        if applied:
            self.counts.applied += 1
        else:
            self.counts.repeated += 1
        if applied or moved:
            if topic == BEHAVIOR_EVENTS:
                contact.event_offset = record.number
            else:
                contact.update_offset = record.number
            if contact.capped:
                self._count_capped(contact)
            self._store.put(contact)

    def _contact(self, contact_id: str) -> Contact:
        contact = self._store.contact(contact_id)
        if contact is None:
            contact = Contact(contact_id)
            if not self._keeps_all:
                contact.body.never_set = None
        return contact

    def _keep(self, contact: Contact) -> None:
        if contact.capped:
            self._count_capped(contact)
        self._store.put(contact)

    def _count_capped(self, contact: Contact) -> None:
        self.counts.capped += contact.capped
        contact.capped = 0

    def take_counts(self) -> Counts:
        """Return the numbers since the last call, and start again from 0."""
        counts, self.counts = self.counts, Counts()
        return counts

    def next_due_ms(self) -> int | None:
        """Return when the next contact is due (epoch ms), or None."""
        due = self._store.next_due()
        return None if due is None else due[0]

    def run_due(self, until_ms: int, limit: int) -> bool:
        """Evaluate up to `limit` contacts that are due up to `until_ms`, by due time and then by contact id.

        The clock moves to each due time. Returns whether more contacts are due. Cost: O(limit · log
        contacts)."""
        for _ in range(limit):
            due = self._store.next_due()
            if due is None or due[0] > until_ms:
                return False
            due_ms, contact_id = due
            self.advance(due_ms)
            contact = self._contact(contact_id)
            self._engine.advance(contact, due_ms)
            self.counts.due += 1
            self._keep(contact)
        due = self._store.next_due()
        return due is not None and due[0] <= until_ms

    def adopt(self, plan: Plan) -> None:
        """Evaluate contacts with another plan from now on. A contact that an input or `sweep` reaches is
        reconciled with the plan."""
        self._engine.plan = plan

    def sweep(self, after: str | None, limit: int, over: Callable[[], bool] = bool) -> Swept:
        """Reconcile with the plan up to `limit` contacts whose ids are greater than `after`. `over` is called
        after each contact; if it returns True, the slice ends early."""
        contacts, last = 0, None
        for contact_id in list(islice(self._store.contact_ids(after), limit)):
            contacts, last = contacts + 1, contact_id
            contact = self._contact(contact_id)
            if self._engine.bring_up(contact, self.clock_ms):
                self._keep(contact)
            if over():
                break
        return Swept(contacts, last)

    def recount(
        self, segment_id: str, after: str | None, limit: int, over: Callable[[], bool] = bool
    ) -> Recounted:
        """Evaluate a segment again for up to `limit` contacts whose ids are greater than `after`, from their
        attributes and history, and emit the differences. `over` is called after each contact; if
        it returns True, the slice ends early. If the segment is not in force, no contact is evaluated."""
        contacts, before, last = 0, self.changes, None
        if segment_id in self.plan.segments:
            for contact_id in list(islice(self._store.contact_ids(after), limit)):
                last = contact_id
                contact = self._contact(contact_id)
                if contact.known_since_ms is not None:
                    contacts += 1
                    self._engine.bring_up(contact, self.clock_ms)
                    self._engine.recount(contact, (segment_id,), self.clock_ms)
                    self._keep(contact)
                if over():
                    break
        return Recounted(contacts, self.changes - before, last)
