"""One step of one contact: conditions touched, segments that follow, changes in order."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from streamseg.changes import Cause, Emitter, MembershipChange, Reason, Suppression
from streamseg.conditions.base import Condition
from streamseg.contact import Contact
from streamseg.plan import Plan
from streamseg.segments import Segment
from streamseg.unsubscribe import CHANNEL_SEGMENTS, ChannelCondition, suppressed_channels

_CHANNEL_SEGMENTS = frozenset(CHANNEL_SEGMENTS.values())


def settle(
    contact: Contact,
    plan: Plan,
    touched: Iterable[Condition],
    segments: Iterable[Segment],
    now_ms: int,
    reason: Reason,
    emitter: Emitter,
) -> None:
    """Evaluate the touched conditions at `now_ms`, then every segment that this may flip, and emit.

    All conditions are evaluated before any segment, and segments after those they refer to, so that one
    step never shows a state in between. Changes come ordered by segment id.

    Contract: at most one change a segment; a change turns the membership round; every due time kept is
    later than `now_ms`.
    """
    true, due = contact.true, contact.due
    queue: list[tuple[int, str]] = []
    queued: set[str] = set()

    def enqueue(following: Iterable[Segment]) -> None:
        for segment in following:
            if segment.segment_id not in queued:
                queued.add(segment.segment_id)
                heapq.heappush(queue, (plan.rank[segment.segment_id], segment.segment_id))

    enqueue(segments)
    for condition in touched:
        holds, due_ms = condition.evaluate(contact, now_ms)
        if due_ms is None:
            due.pop(condition.id, None)
        else:
            due[condition.id] = due_ms
        if holds != (condition.id in true):
            contact.flips[condition.id] = now_ms
            if holds:
                true.add(condition.id)
            else:
                true.remove(condition.id)
            enqueue(plan.users.get(condition.id, ()))
    if not queue:
        return
    changes: list[MembershipChange] = []
    while queue:
        segment = plan.segments[heapq.heappop(queue)[1]]
        if segment.holds(true) == (segment.member_id in true):
            continue
        changes.append(_flip(contact, segment, now_ms, _reason_for(contact, plan, segment, reason)))
        enqueue(plan.users.get(segment.member_id, ()))
    changes.sort(key=_segment_id)
    for change in changes:
        emitter.change(change)


def _segment_id(change: MembershipChange) -> str:
    return change.segment_id


def _flip(contact: Contact, segment: Segment, now_ms: int, reason: Reason) -> MembershipChange:
    sequence = contact.members.get(segment.segment_id, (0, 0))[0] + 1
    contact.members[segment.segment_id] = [sequence, now_ms]
    if sequence % 2:
        contact.true.add(segment.member_id)
    else:
        contact.true.discard(segment.member_id)
    return MembershipChange(segment.segment_id, segment.version, contact.contact_id, sequence, now_ms, reason)


def _reason_for(contact: Contact, plan: Plan, segment: Segment, reason: Reason) -> Reason:
    """A channel's built-in segment that flips by time does so because its batch window closed."""
    if reason.kind is not Cause.TIME or segment.segment_id not in _CHANNEL_SEGMENTS:
        return reason
    condition = plan.built_in[segment.segment_id]
    ref = condition.entry_ref(contact) if isinstance(condition, ChannelCondition) else None
    return Reason(Cause.UNSUBSCRIBE_WINDOW, ref)


def leave(
    contact: Contact, segment_id: str, version: int, now_ms: int, reason: Reason, emitter: Emitter
) -> None:
    """Emit the exit of a member from a segment that is going, or whose contact is."""
    sequence = contact.members[segment_id][0] + 1
    emitter.change(MembershipChange(segment_id, version, contact.contact_id, sequence, now_ms, reason))


def settle_suppressions(contact: Contact, now_ms: int, emitter: Emitter) -> None:
    """Emit what changed about which channels nothing may be sent on."""
    wanted = suppressed_channels(contact)
    if wanted == contact.suppressed:
        return
    for channel in CHANNEL_SEGMENTS:
        if (channel in wanted) != (channel in contact.suppressed):
            emitter.suppression(Suppression(contact.contact_id, channel, channel in wanted, now_ms))
    contact.suppressed = wanted
