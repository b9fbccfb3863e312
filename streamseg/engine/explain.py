"""Explanations: why a contact is in a segment or not, since when, and when this will change without input.

An explanation holds attribute values and event ids. It is for the person who asked, never for a log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from streamseg.contact.contact import Contact
from streamseg.engine.forecast import next_flip_ms
from streamseg.language.segments import Cluster, Literal, Part, Segment
from streamseg.plan.plan import Plan
from streamseg.records.inputs import Event
from streamseg.times import format_ms
from streamseg.wording.order import in_written_order


def explain(
    contact: Contact, segment: Segment, plan: Plan, events: Iterable[Event], now_ms: int
) -> dict[str, Any]:
    """Return a tree of parts, clusters and conditions, with the evidence for each condition. The tree can be
    written as JSON; times in it are RFC 3339.

    events  the contact's kept events, ascending
    now_ms  the time (epoch ms) at which the contact is up to date
    """
    kept = events if isinstance(events, list) else list(events)
    membership = contact.body.members.get(segment.segment_id)
    next_ms = next_flip_ms(contact, segment, plan)
    return {
        "segment_id": segment.segment_id,
        "segment_version": segment.version,
        "contact_id": contact.contact_id,
        "at": format_ms(now_ms),
        "member": segment.member_id in contact.body.true,
        "since": None if membership is None else format_ms(membership.effective_ms),
        "sequence": 0 if membership is None else membership.sequence,
        "next_change_at": None if next_ms is None else format_ms(next_ms),
        "parts": [_part(contact, part, plan, kept, now_ms) for part in segment.parts],
    }


def _part(contact: Contact, part: Part, plan: Plan, events: list[Event], now_ms: int) -> dict[str, Any]:
    return {
        "name": part.name,
        "relation": "include" if part.include else "exclude",
        "holds": part.holds(contact.body.true),
        "clusters": [_cluster(contact, cluster, plan, events, now_ms) for cluster in part.clusters],
    }


def _cluster(
    contact: Contact, cluster: Cluster, plan: Plan, events: list[Event], now_ms: int
) -> dict[str, Any]:
    return {
        "match": "all" if cluster.every else "any",
        "holds": cluster.holds(contact.body.true),
        "conditions": [_condition(contact, literal, plan, events, now_ms) for literal in cluster.literals],
    }


def _condition(
    contact: Contact, literal: Literal, plan: Plan, events: list[Event], now_ms: int
) -> dict[str, Any]:
    condition = plan.conditions.get(literal.condition_id)
    due_ms = contact.body.due.get(literal.condition_id)
    source = literal.source
    return {
        "condition": None
        if source is None
        else in_written_order(source.model_dump(mode="json", exclude_unset=True)),
        "holds": literal.holds(contact.body.true),
        "since": _since(contact, literal.condition_id, plan),
        "may_change_at": None if due_ms is None else format_ms(due_ms),
        **({} if condition is None else condition.evidence(contact, events, now_ms)),
    }


def _since(contact: Contact, condition_id: int, plan: Plan) -> str | None:
    """Return since when (RFC 3339) a condition has had its answer: since the answer last changed; else since
    the contact entered or exited the segment that the condition refers to; else since the contact is
    known."""
    since_ms = contact.body.flips.get(condition_id)
    if since_ms is None:
        referred = next((one for one in plan.segments.values() if one.member_id == condition_id), None)
        membership = None if referred is None else contact.body.members.get(referred.segment_id)
        since_ms = contact.known_since_ms if membership is None else membership.effective_ms
    return None if since_ms is None else format_ms(since_ms)


def explain_all(
    contacts: Iterable[tuple[Contact, list[Event]]], plan: Plan, now_ms: int
) -> Iterator[dict[str, Any]]:
    """Yield an explanation for each of the contacts and every segment, by contact and then by segment id."""
    for contact, events in contacts:
        for segment_id in sorted(plan.segments):
            yield explain(contact, plan.segments[segment_id], plan, events, now_ms)
