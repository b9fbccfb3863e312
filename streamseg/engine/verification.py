"""The check that a contact's state is the one that follows from its attributes and history.

The check evaluates a copy of the contact again and compares: everything that a recount would change is a
difference. It changes nothing. If events were dropped (by the retention or the cap) after they were counted,
the conditions that may depend on them cannot be checked and are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from streamseg.contact.contact import Contact
from streamseg.contact.kept_changes import KeptChange
from streamseg.engine.trial import Trial
from streamseg.language.segments import Segment
from streamseg.plan.plan import Plan
from streamseg.settings import Settings
from streamseg.store.protocol import EventLog, Store
from streamseg.times import format_ms


class Kept(StrEnum):
    """The part of a contact's state that is wrong."""

    MEMBERSHIP = "membership"
    """The contact is a member of a segment whose definition it does not fulfil, or the other way round."""
    CONDITION = "condition"
    """The answer of a condition is wrong. The membership may still be right."""
    DUE = "due"
    """The contact will not be evaluated at a time at which a condition may change without input."""
    INDEX = "index"
    """The index of the segment's members differs from the contact's own state."""
    HISTORY = "history"
    """The number of kept events differs from the number in the contact's state."""
    CHANGES = "changes"
    """The kept membership changes differ from the contact's memberships, or from their number in its
    state."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One part of a contact's state that is wrong.

    segment_id  the segment that it concerns; None if it concerns no single segment
    found       the kept state, in words; never the value of an attribute or of an event
    expected    the state that follows from attributes and history, in words, also without values
    """

    kept: Kept
    contact_id: str
    segment_id: str | None
    found: str
    expected: str

    def wire(self) -> dict[str, str | None]:
        """Return the difference as JSON."""
        return {
            "kept": self.kept.value,
            "contact_id": self.contact_id,
            "segment_id": self.segment_id,
            "found": self.found,
            "expected": self.expected,
        }


class Indexes(NamedTuple):
    """The entries of one contact in the indexes of a store.

    filed    whether the due index holds the contact at its due time
    members  segment id -> the result of `Store.member`
    changes  its kept membership changes, ascending
    """

    filed: bool
    members: Mapping[str, tuple[int, int] | None]
    changes: Sequence[KeptChange]


class Verifier:
    """A checker of contacts under one plan. It reads their events from `event_log` and does not change them.
    If `segment_ids` are given, it checks only these segments."""

    def __init__(
        self,
        event_log: EventLog,
        plan: Plan,
        settings: Settings,
        segment_ids: Collection[str] | None = None,
    ) -> None:
        self._event_log = event_log
        self._segments = [
            segment
            for segment_id, segment in sorted(plan.segments.items())
            if segment_ids is None or segment_id in segment_ids
        ]
        self._trial = Trial(event_log, plan, settings)

    @property
    def conditions(self) -> int:
        """How many conditions are evaluated for each contact. Equal conditions of two segments count
        twice."""
        return sum(len(segment.conditions) for segment in self._segments)

    def indexes(self, store: Store, contact: Contact) -> Indexes:
        """Return the entries that `differences` compares with the contact; to be read together with the
        contact, before either changes."""
        contact_id, due_ms = contact.contact_id, contact.due_ms
        return Indexes(
            filed=due_ms is not None and store.is_filed(contact_id, due_ms),
            members={
                segment.segment_id: store.member(segment.segment_id, contact_id) for segment in self._segments
            },
            changes=list(store.kept_changes(contact_id)),
        )

    def differences(self, contact: Contact, indexes: Indexes, now_ms: int) -> Iterator[Difference]:
        """Yield the parts of a contact's state that are wrong at stream time `now_ms`.

        Cost: the evaluation of all conditions over the contact's whole history."""
        yield from self._of_indexes(contact, indexes)
        if contact.known_since_ms is not None:
            current = self._trial.brought_up(contact, now_ms)
            segment_ids = [segment.segment_id for segment in self._segments]
            expected = self._trial.recounted(current, segment_ids, now_ms)
            for segment in self._segments:
                yield from _of_segment(segment, current, expected)
            yield from _next_look(current)

    def _of_indexes(self, contact: Contact, indexes: Indexes) -> Iterator[Difference]:
        """Compare the indexes and the number of kept events with the contact's own state."""
        contact_id = contact.contact_id
        if contact.due_ms is not None and not indexes.filed:
            yield Difference(
                Kept.DUE, contact_id, None, "not in the due index", f"due at {_at(contact.due_ms)}"
            )
        events = sum(1 for _ in self._event_log.events(contact_id))
        if events != contact.event_count:
            yield Difference(
                Kept.HISTORY, contact_id, None, f"{events} events", f"{contact.event_count} events"
            )
        yield from _of_changes(contact, indexes)
        for segment_id, indexed in indexes.members.items():
            kept = contact.body.members.get(segment_id)
            entry = (kept.sequence, kept.effective_ms) if kept is not None and kept.is_member else None
            if indexed != entry:
                yield Difference(Kept.INDEX, contact_id, segment_id, _entry(indexed), _entry(entry))


def _of_changes(contact: Contact, indexes: Indexes) -> Iterator[Difference]:
    """Compare the kept membership changes with the contact's own state: their number, and the last change in
    each segment."""
    contact_id, kept, changes = contact.contact_id, contact.body.past.kept, indexes.changes
    if len(changes) != kept:
        yield Difference(Kept.CHANGES, contact_id, None, f"{len(changes)} changes", f"{kept} changes")
    last = {change.segment_id: change for change in sorted(changes, key=lambda change: change.number)}
    for segment_id in indexes.members.keys() & last.keys():
        change, row = last[segment_id], contact.body.members.get(segment_id)
        found = (change.sequence, change.effective_ms)
        # The memberships of a deleted segment are forgotten, and it may have been made again since.
        if row is None and change.entered:
            yield Difference(Kept.CHANGES, contact_id, segment_id, _entry(found), _entry(None))
        elif row is not None and found != (row.sequence, row.effective_ms):
            expected = _entry((row.sequence, row.effective_ms))
            yield Difference(Kept.CHANGES, contact_id, segment_id, _entry(found), expected)


def _of_segment(segment: Segment, current: Contact, expected: Contact) -> Iterator[Difference]:
    contact_id, segment_id = current.contact_id, segment.segment_id
    found, right = _is_member(current, segment_id), _is_member(expected, segment_id)
    if found != right:
        yield Difference(Kept.MEMBERSHIP, contact_id, segment_id, _member(found), _member(right))
    for condition in segment.conditions:
        key = condition.id
        holds, should = key in current.body.true, key in expected.body.true
        if holds != should:
            yield Difference(Kept.CONDITION, contact_id, segment_id, _holds(holds), _holds(should))
        due_ms, needed_ms = current.body.due.get(key), expected.body.due.get(key)
        if needed_ms is not None and (due_ms is None or due_ms > needed_ms):
            yield Difference(
                Kept.DUE, contact_id, segment_id, f"due at {_at(due_ms)}", f"due at {_at(needed_ms)}"
            )


def _next_look(current: Contact) -> Iterator[Difference]:
    due_ms = min(current.body.due.values(), default=None)
    if due_ms is not None and (current.due_ms is None or current.due_ms > due_ms):
        yield Difference(
            Kept.DUE, current.contact_id, None, f"due at {_at(current.due_ms)}", f"due at {_at(due_ms)}"
        )


def _is_member(contact: Contact, segment_id: str) -> bool:
    membership = contact.body.members.get(segment_id)
    return membership is not None and membership.is_member


def _member(is_member: bool) -> str:
    return "member" if is_member else "no member"


def _holds(holds: bool) -> str:
    return "a condition holds" if holds else "a condition does not hold"


def _at(at_ms: int | None) -> str:
    return "never" if at_ms is None else format_ms(at_ms)


def _entry(entry: tuple[int, int] | None) -> str:
    return "no entry" if entry is None else f"sequence {entry[0]} at {format_ms(entry[1])}"
