"""One step of one contact: its touched conditions and the segments that depend on them are evaluated, and the
changes are emitted in order."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from streamseg.contact.contact import Contact
from streamseg.contact.ended_sequences import given_before, note_end
from streamseg.contact.rows import Membership
from streamseg.engine.forecast import next_flip_ms
from streamseg.engine.past import KeptPast
from streamseg.language.conditions.base import Condition
from streamseg.language.segments import Segment
from streamseg.language.unsubscribe import CHANNEL_SEGMENTS, suppressed_channels
from streamseg.plan.plan import Plan
from streamseg.records.outputs import Cause, Emitter, MembershipChange, Reason, Suppression
from streamseg.times import MAX_MS

_CHANNEL_SEGMENTS = frozenset(CHANNEL_SEGMENTS.values())
_NONE: dict[str, Segment] = {}


def settle(
    contact: Contact,
    plan: Plan,
    touched: Iterable[Condition],
    segments: Iterable[Segment],
    now_ms: int,
    reason: Reason,
    emitter: Emitter,
    past: KeptPast,
) -> None:
    """Evaluate the touched conditions at `now_ms`, then every segment whose membership this may change, and
    emit the changes, ordered by segment id, and keep them.

    All conditions are evaluated before any segment, and a segment after the segments it refers to. So a step
    never emits an intermediate state.

    Contract: at most one change is emitted for a segment; a change reverses the membership; every due time
    that is kept is later than `now_ms` and not later than MAX_MS.
    """
    body = contact.body
    true, due, flips = body.true, body.due, body.flips
    flipped: list[int] = []
    pending = {segment.segment_id: segment for segment in segments}
    evaluated = list(touched)
    for condition in evaluated:
        key = condition.id
        condition.age(contact, now_ms)
        holds, due_ms = condition.answer(contact, now_ms)
        if holds != (key in true):
            flips[key] = now_ms
            if holds:
                true.add(key)
            else:
                true.remove(key)
            flipped.append(key)
        if due_ms != due.get(key):
            if due_ms is None or due_ms > MAX_MS:
                due.pop(key, None)
            else:
                due[key] = due_ms
    for key in flipped:
        index = plan.guard_indexes.get(key)
        if index is not None:
            pending.update((segment.segment_id, segment) for segment in index.find(true))
    changes = _flip_segments(contact, plan, pending, now_ms, reason) if pending else []
    _emit_changes(contact, plan, evaluated, changes, reason.trace, emitter, past)


def _flip_segments(
    contact: Contact, plan: Plan, pending: dict[str, Segment], now_ms: int, reason: Reason
) -> list[MembershipChange]:
    """Reverse the memberships that differ from the segments' formulas. Segments without references come
    first, in any order; then the others, each after the segments it refers to."""
    true, users = contact.body.true, plan.users
    changes: list[MembershipChange] = []
    referring: dict[str, Segment] = {}
    for segment_id, segment in pending.items():
        if segment.references:
            referring[segment_id] = segment
        elif segment.holds(true) != (segment.member_id in true):
            changes.append(_flip(contact, segment, now_ms, _reason_for(contact, plan, segment, reason)))
            referring.update(users.get(segment.member_id, _NONE))
    queue = [(plan.rank[segment_id], segment_id) for segment_id in referring]
    heapq.heapify(queue)
    while queue:
        segment = plan.segments[heapq.heappop(queue)[1]]
        if segment.holds(true) == (segment.member_id in true):
            continue
        changes.append(_flip(contact, segment, now_ms, _reason_for(contact, plan, segment, reason)))
        for segment_id in users.get(segment.member_id, _NONE):
            if segment_id not in referring:
                referring[segment_id] = plan.segments[segment_id]
                heapq.heappush(queue, (plan.rank[segment_id], segment_id))
    return changes


def _emit_changes(
    contact: Contact,
    plan: Plan,
    evaluated: list[Condition],
    changes: list[MembershipChange],
    trace: bytes | None,
    emitter: Emitter,
    past: KeptPast,
) -> None:
    """Emit the changes by segment id. Each entry has the time at which it will end without input. Also emit
    the other memberships whose time of ending differs from the one emitted before. `trace` is that of the
    record that causes this.

    Every condition that was evaluated counts, not only those whose due time changed: the due time may stay
    the same while a later time, at which the answer changes, has moved."""
    body, members = contact.body, contact.body.members
    changes.sort(key=_segment_id)
    changed = {change.segment_id for change in changes}
    for change in changes:
        if change.entered:
            next_ms = next_flip_ms(contact, plan.segments[change.segment_id], plan)
            if next_ms is not None:
                members[change.segment_id] = members[change.segment_id]._replace(next_ms=next_ms)
            change.next_change_ms = next_ms
        past.keep(contact, change, plan.segments[change.segment_id].born)
        emitter.change(change)
    others: dict[str, Segment] = {}
    for condition in evaluated:
        dependents = plan.dependents(condition.id)
        for member_id in body.true & dependents.member_ids:
            segment = dependents.segments[member_id]
            if segment.segment_id not in changed:
                others[segment.segment_id] = segment
    for segment_id in sorted(others):
        membership = members[segment_id]
        next_ms = next_flip_ms(contact, others[segment_id], plan)
        if next_ms != membership.next_ms:
            membership = members[segment_id] = membership._replace(next_ms=next_ms)
            emitter.membership(_with_new_end(contact, others[segment_id], membership, trace))


def _with_new_end(
    contact: Contact, segment: Segment, membership: Membership, trace: bytes | None
) -> MembershipChange:
    """Return the change with which an existing membership began, with the time at which it will now end."""
    return MembershipChange(
        segment.segment_id,
        segment.version,
        contact.contact_id,
        membership.sequence,
        membership.effective_ms,
        Reason(Cause.TIME, None, trace),
        membership.next_ms,
    )


def _segment_id(change: MembershipChange) -> str:
    return change.segment_id


def _flip(contact: Contact, segment: Segment, now_ms: int, reason: Reason) -> MembershipChange:
    body = contact.body
    last = body.members.get(segment.segment_id)
    sequence, at_once = 1, 1
    if last is not None:
        sequence = last.sequence + 1
        at_once = last.at_once + 1 if last.effective_ms == now_ms else 1
    membership = Membership(sequence, now_ms, None, segment.version, segment.born, at_once)
    body.members[segment.segment_id] = membership
    if membership.is_member:
        body.true.add(segment.member_id)
    else:
        body.true.discard(segment.member_id)
    return _change(contact, segment.segment_id, segment.version, sequence, now_ms, reason)


def _change(
    contact: Contact, segment_id: str, version: int, sequence: int, now_ms: int, reason: Reason
) -> MembershipChange:
    before = given_before(contact, segment_id, sequence, now_ms)
    return MembershipChange(
        segment_id, version, contact.contact_id, sequence, now_ms, reason, given_before=before
    )


def _reason_for(contact: Contact, plan: Plan, segment: Segment, reason: Reason) -> Reason:
    """Return the reason of a change. If time changes a channel's built-in segment, the cause is the end of
    the batch window."""
    if reason.kind is not Cause.TIME or segment.segment_id not in _CHANNEL_SEGMENTS:
        return reason
    return Reason(Cause.UNSUBSCRIBE_WINDOW, plan.built_in[segment.segment_id].entry_ref(contact))


def leave_all(
    contact: Contact,
    segment_ids: Iterable[str],
    now_ms: int,
    reason: Reason,
    emitter: Emitter,
    past: KeptPast,
) -> None:
    """Emit the exits of a contact from segments, because the segments are deleted or the contact is erased,
    and forget its memberships. A reason without a reference gets the segment id as its reference."""
    for segment_id in sorted(segment_ids):
        membership = contact.body.members.pop(segment_id)
        sequence = membership.sequence
        at_once = membership.at_once if membership.effective_ms == now_ms else 0
        if membership.is_member:
            because = reason if reason.ref is not None else Reason(reason.kind, segment_id)
            sequence, at_once = sequence + 1, at_once + 1
            change = _change(contact, segment_id, membership.version, sequence, now_ms, because)
            # A membership whose birth is unknown is of a segment that no question is about any more.
            past.keep(contact, change, -1 if membership.born is None else membership.born)
            emitter.change(change)
        if at_once:
            note_end(contact, segment_id, sequence - at_once + 1, sequence, now_ms)


def settle_suppressions(contact: Contact, now_ms: int, emitter: Emitter, trace: bytes | None = None) -> None:
    """Emit a suppression for each channel whose suppression began or ended. `trace` is that of the record
    that causes this."""
    body = contact.body
    wanted = suppressed_channels(contact)
    if wanted == body.suppressed:
        return
    for channel in CHANNEL_SEGMENTS:
        if (channel in wanted) != (channel in body.suppressed):
            suppressed = channel in wanted
            emitter.suppression(Suppression(contact.contact_id, channel, suppressed, now_ms, trace))
    body.suppressed = wanted
