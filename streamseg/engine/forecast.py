"""The forecast of a membership: when it will change without input."""

from __future__ import annotations

from streamseg.contact.contact import Contact
from streamseg.language.segments import Segment
from streamseg.plan.plan import Plan
from streamseg.times import MAX_MS

_STEPS = 400
"""How many due times the search looks at before it gives up. Without this limit it would not end if one
condition changes for ever (an anniversary does, once a year) and another one decides the membership."""
_LOOKS = 20_000
"""How many kept occurrences the search looks at before it gives up. This bounds its cost."""


def next_flip_ms(contact: Contact, segment: Segment, plan: Plan) -> int | None:
    """Return when (epoch ms) the contact's membership of the segment next changes without input; None: never,
    or not before the search gave up.

    The contact is not changed. Cost: the evaluation of the conditions on which the segment depends, at each
    of their due times up to the change, for at most `_STEPS` due times and about `_LOOKS` occurrences."""
    dependencies = plan.dependencies(segment.segment_id)
    kept_due = contact.body.due
    due = {key: kept_due[key] for key in dependencies.condition_ids if key in kept_due}
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
        for needed in dependencies.segments:
            _put(true, needed.member_id, needed.holds(true))
        if (segment.member_id in true) != member:
            return now_ms
    return None


def _put(true: set[int], key: int, holds: bool) -> None:
    if holds:
        true.add(key)
    else:
        true.discard(key)
