"""When a membership will turn round by itself, if nothing else happens."""

from __future__ import annotations

from streamseg.contact.contact import Contact
from streamseg.language.segments import Segment
from streamseg.plan.plan import Plan
from streamseg.times import MAX_MS

_STEPS = 400
"""Due times looked at before giving up: a condition that flips for ever (an anniversary does, once a year)
beside one that settles the membership for good would otherwise never end the search."""
_LOOKS = 20_000
"""Kept occurrences looked at before giving up, so that the search costs no more the more there are."""


def next_flip_ms(contact: Contact, segment: Segment, plan: Plan) -> int | None:
    """When (epoch ms) the contact's membership of the segment next turns round; None: never by itself, or
    not before the search gave up.

    The contact is left as it is. Cost: what the conditions that the segment rests on cost at each of their
    due times, up to the flip, but for no more than `_STEPS` of these and `_LOOKS` occurrences."""
    grounds = plan.grounds(segment.segment_id)
    standing = contact.body.due
    due = {key: standing[key] for key in grounds.condition_ids if key in standing}
    if not due:
        return None
    true = set(contact.body.true)
    member = segment.member_id in true
    forecasts = {key: plan.conditions[key].forecast(contact) for key in due}
    looks = _LOOKS
    for _ in range(_STEPS):
        if not due:
            return None
        now_ms = min(due.values())
        for key in [key for key, due_ms in due.items() if due_ms == now_ms]:
            if looks < 0:
                return None
            holds, due_ms = forecasts[key].at(now_ms)
            looks -= forecasts[key].cost
            if due_ms is None or due_ms > MAX_MS:
                del due[key]
            else:
                due[key] = due_ms
            _put(true, key, holds)
        for ground in grounds.segments:
            _put(true, ground.member_id, ground.holds(true))
        if (segment.member_id in true) != member:
            return now_ms
    return None


def _put(true: set[int], key: int, holds: bool) -> None:
    if holds:
        true.add(key)
    else:
        true.discard(key)
