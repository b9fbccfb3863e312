"""The partitions that are at work here, read between their steps: nothing here awaits while it reads."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterator
from itertools import islice
from typing import Any, Protocol

from agents.api.problems import ProblemError, not_found
from agents.shard import Shard
from streamseg.contact import Contact
from streamseg.explain import explain
from streamseg.foresight import next_flip_ms
from streamseg.partition import Recounted
from streamseg.plan import Plan
from streamseg.settings import Settings
from streamseg.times import format_ms
from streamseg.trial import Trial

Json = dict[str, Any]

_SLICE = 64


class Shards(Protocol):
    """The partitions at work here (`agents.shards.Shards`)."""

    def shard(self, number: int) -> Shard | None: ...

    def wake(self, number: int) -> None: ...


class LocalPartitions:
    """What is known here of contacts and members. Numbers are those of partitions.

    Every method raises ProblemError `not_here` for a partition that is not at work here."""

    def __init__(self, shards: Shards, settings: Settings) -> None:
        self._shards = shards
        self._settings = settings

    def has(self, number: int) -> bool:
        return self._shards.shard(number) is not None

    def shard(self, number: int) -> Shard:
        """The partition at work here."""
        shard = self._shards.shard(number)
        if shard is None:
            raise ProblemError("not_here", f"partition {number} is not at work here")
        return shard

    def recount(
        self, number: int, segment_id: str, after: str | None, limit: int
    ) -> asyncio.Future[Recounted]:
        """Have a segment evaluated anew for some contacts; see `Shard.recount`."""
        outcome = self.shard(number).recount(segment_id, after, limit)
        self._shards.wake(number)
        return outcome

    def _known(self, shard: Shard, contact_id: str) -> Contact:
        contact = shard.store.contact(contact_id)
        if contact is None or contact.known_since_ms is None:
            raise not_found("contact", "contact_id")
        return contact

    def contact(self, number: int, contact_id: str) -> Json:
        """A contact with everything but its events."""
        shard = self.shard(number)
        contact, plan = self._known(shard, contact_id), shard.partition.plan
        attributes = {name: value for name, (value, _) in contact.attributes.items() if value is not None}
        return {
            "contact_id": contact_id,
            "known_since": format_ms(contact.known_since_ms or 0),
            "tags": attributes.pop("tags", []),
            "attributes": attributes,
            "lists": sorted(key for key, (is_in, *_) in contact.body.lists.items() if is_in),
            "segments": [
                _membership(contact, segment_id, state, plan)
                for segment_id, state in sorted(contact.body.members.items())
                if state[0] % 2
            ],
        }

    def explain(self, number: int, contact_id: str, segment_id: str) -> Json:
        """Why the contact is in the segment or not, now."""
        shard = self.shard(number)
        plan, now_ms = shard.partition.plan, shard.partition.clock_ms
        segment = plan.segments.get(segment_id)
        if segment is None:
            raise ProblemError("conflict", "not calculated yet; calculate it first", "segment_id")
        contact = self._brought_up(shard, self._known(shard, contact_id), plan, now_ms)
        return explain(contact, segment, plan, shard.partition.history.kept(contact, now_ms), now_ms)

    def members(self, numbers: list[int], segment_id: str, after: str | None, limit: int) -> list[Json]:
        """Up to `limit` members of a segment whose id follows `after`, by contact id."""
        found = [islice(self.shard(one).store.members(segment_id, after), limit) for one in numbers]
        return [
            {"contact_id": contact_id, "entered_at": format_ms(entered_ms), "sequence": sequence}
            for contact_id, sequence, entered_ms in islice(heapq.merge(*found), limit)
        ]

    async def preview(self, numbers: list[int], plan: Plan, segment_id: str, sample: int) -> Json:
        """How many contacts a plan makes members of a segment, and the first of them by id.

        In bounded slices with the partitions' work in between; stores nothing."""
        contacts = 0
        found: list[str] = []
        for number in numbers:
            after: str | None = None
            while True:
                shard = self.shard(number)
                contact_ids = list(islice(shard.store.contact_ids(after), _SLICE))
                members = list(self._members_among(shard, contact_ids, plan, segment_id))
                contacts += len(members)
                found = heapq.nsmallest(sample, [*found, *members])
                if len(contact_ids) < _SLICE:
                    break
                after = contact_ids[-1]
                await asyncio.sleep(0)
        return {"contacts": contacts, "sample": found}

    def _members_among(
        self, shard: Shard, contact_ids: list[str], plan: Plan, segment_id: str
    ) -> Iterator[str]:
        member_id, now_ms = plan.segments[segment_id].member_id, shard.partition.clock_ms
        for contact_id in contact_ids:
            contact = shard.store.contact(contact_id)
            if contact is None or contact.known_since_ms is None:
                continue
            if member_id in self._brought_up(shard, contact, plan, now_ms).body.true:
                yield contact_id

    def _brought_up(self, shard: Shard, contact: Contact, plan: Plan, now_ms: int) -> Contact:
        """A copy of the contact as it is by a plan and at an instant."""
        return Trial(shard.store, plan, self._settings).brought_up(contact, now_ms)


def _membership(contact: Contact, segment_id: str, state: list[Any], plan: Plan) -> Json:
    body = {"segment_id": segment_id, "entered_at": format_ms(state[1]), "sequence": state[0]}
    segment = plan.segments.get(segment_id)
    next_ms = None if segment is None else next_flip_ms(contact, segment, plan)
    if next_ms is not None:
        body["next_change_at"] = format_ms(next_ms)
    return body
