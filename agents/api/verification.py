"""Comparing what is kept of contacts with what follows from their history, and recounting a segment.

Both are asked a page at a time, so that nothing long goes on without its caller."""

from __future__ import annotations

import asyncio
import time
from itertools import islice
from typing import Any

from aiohttp import web
from pydantic import Field

from agents.api.auth import ACCOUNT, may_operate
from agents.api.catalogue_view import Desk
from agents.api.partitions import LocalPartitions
from agents.api.peers import Peers
from agents.api.problems import ProblemError
from agents.api.requests import answer, read_model
from agents.kafka.partitioner import place
from agents.partitions.task import Shard
from schemas.wire import WireModel
from streamseg.engine.verification import Verifier
from streamseg.settings import Settings
from streamseg.times import format_ms

Json = dict[str, Any]

LONGEST_PAGE = 500
_RECOUNTED_AT_ONCE = 32
_SLICE_SECONDS = 0.005


class VerifyRequest(WireModel):
    """A page of one partition's contacts, or the contacts that are named.

    partition    of which the contacts are compared in the order of their ids, those after `after`
    contacts     instead: the ids of contacts, wherever they are
    segments     only these are compared; none given: all
    memberships  whether the memberships that were found are listed too
    """

    partition: int | None = Field(None, ge=0)
    after: str | None = None
    limit: int = Field(200, ge=1, le=LONGEST_PAGE)
    contacts: list[str] | None = Field(None, min_length=1, max_length=LONGEST_PAGE)
    segments: list[str] | None = Field(None, min_length=1, max_length=LONGEST_PAGE)
    memberships: bool = False


class VerifyQuestion(VerifyRequest):
    """One worker asks another."""

    partitions: list[int] = Field(min_length=1)


class RecountRequest(WireModel):
    """A page of one partition's contacts, those after `after`, in the order of their ids."""

    partition: int = Field(ge=0)
    after: str | None = None
    limit: int = Field(200, ge=1, le=LONGEST_PAGE)


class RecountQuestion(RecountRequest):
    """One worker asks another."""

    partitions: list[int] = Field(min_length=1, max_length=1)
    segment_id: str


class Verification:
    """Handlers of /verify and /segments/{segment_id}/recount."""

    def __init__(self, settings: Settings, desk: Desk, local: LocalPartitions, peers: Peers) -> None:
        self._settings = settings
        self._desk = desk
        self._local = local
        self._peers = peers

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/verify", self.verify),
            web.post("/segments/{segment_id}/recount", self.recount),
        ]

    def internal_routes(self) -> list[web.RouteDef]:
        return [web.post("/verify", self.verify_here), web.post("/recount", self.recount_here)]

    # -- comparing ---------------------------------------------------------------------------------------

    async def verify(self, request: web.Request) -> web.Response:
        wanted = await read_model(request, VerifyRequest)
        if not may_operate(request, self._settings):
            raise ProblemError("not_permitted", "for operators only; they are named in STREAMSEG_OPERATORS")
        if (wanted.partition is None) == (wanted.contacts is None):
            raise ProblemError("invalid_schema", "give either a partition or contacts", "partition")
        count = self._settings.partitions
        if wanted.contacts is not None:
            numbers = sorted({place(contact_id.encode(), count) for contact_id in wanted.contacts})
        else:
            numbers = [self._checked(wanted.partition or 0)]

        async def here(mine: list[int]) -> Json:
            return await self._compared(wanted, mine)

        pages = await self._peers.ask(request, numbers, here, "/verify", wanted.model_dump())
        found = [entry for page in pages for entry in page["found"]]
        return answer(
            {
                "partitions": count,
                "contacts": sum(entry["contacts"] for entry in found),
                "differences": [one for entry in found for one in entry["differences"]],
                "memberships": [one for entry in found for one in entry["memberships"]],
                "member_counts": found[0]["member_counts"] if wanted.contacts is None else {},
                "changes": found[0]["changes"] if wanted.contacts is None else 0,
                "next_cursor": found[0]["last"] if wanted.contacts is None else None,
            }
        )

    async def verify_here(self, request: web.Request) -> web.Response:
        question = await read_model(request, VerifyQuestion)
        return answer(await self._compared(question, question.partitions))

    async def _compared(self, wanted: VerifyRequest, numbers: list[int]) -> Json:
        return {"found": [await self._page(wanted, number) for number in numbers]}

    async def _page(self, wanted: VerifyRequest, number: int) -> Json:
        """What one partition's page holds. In bounded slices, with the partitions' work in between."""
        shard = self._local.shard(number)
        contact_ids = self._contacts_of(shard, wanted)
        page: Json = {"contacts": 0, "differences": [], "memberships": []}
        began = time.monotonic()
        for contact_id in contact_ids:
            self._compare(shard, contact_id, wanted, page)
            if time.monotonic() - began >= _SLICE_SECONDS:
                await asyncio.sleep(0)
                shard, began = self._local.shard(number), time.monotonic()
        more = wanted.contacts is None and len(contact_ids) == wanted.limit
        return {
            **page,
            "last": contact_ids[-1] if more else None,
            "member_counts": shard.store.member_counts(),
            "changes": shard.partition.changes,
        }

    def _contacts_of(self, shard: Shard, wanted: VerifyRequest) -> list[str]:
        if wanted.contacts is None:
            return list(islice(shard.store.contact_ids(wanted.after), wanted.limit))
        count = self._settings.partitions
        return [one for one in wanted.contacts if place(one.encode(), count) == shard.number]

    def _compare(self, shard: Shard, contact_id: str, wanted: VerifyRequest, page: Json) -> None:
        contact = shard.store.contact(contact_id)
        if contact is None:
            return
        partition = shard.partition
        page["contacts"] += contact.known_since_ms is not None
        verifier = Verifier(shard.store, partition.plan, self._settings)
        page["differences"] += [
            difference.wire()
            for difference in verifier.differences(contact_id, partition.clock_ms, wanted.segments)
        ]
        if wanted.memberships:
            page["memberships"] += [
                {
                    "segment_id": segment_id,
                    "contact_id": contact_id,
                    "sequence": sequence,
                    "entered_at": format_ms(entered_ms),
                }
                for segment_id, (sequence, entered_ms, *_) in sorted(contact.body.members.items())
                if sequence % 2 and (wanted.segments is None or segment_id in wanted.segments)
            ]

    # -- recounting --------------------------------------------------------------------------------------

    async def recount(self, request: web.Request) -> web.Response:
        segment_id, entry = self._desk.visible(request)
        if entry.owner not in (None, request[ACCOUNT]) and not may_operate(request, self._settings):
            raise ProblemError("not_permitted", "belongs to another account", "segment_id")
        wanted = await read_model(request, RecountRequest)
        number = self._checked(wanted.partition)
        question = RecountQuestion(**wanted.model_dump(), partitions=[number], segment_id=segment_id)

        async def here(_: list[int]) -> Json:
            return await self._recounted(question)

        (page,) = await self._peers.ask(request, [number], here, "/recount", question.model_dump())
        return answer({"partitions": self._settings.partitions, **page})

    async def recount_here(self, request: web.Request) -> web.Response:
        return answer(await self._recounted(await read_model(request, RecountQuestion)))

    async def _recounted(self, question: RecountQuestion) -> Json:
        (number,) = question.partitions
        contacts = changes = 0
        after, left = question.after, question.limit
        while left:
            wanted = min(left, _RECOUNTED_AT_ONCE)
            outcome = self._local.recount(number, question.segment_id, after, wanted)
            try:
                # Shielded, so that a caller who goes is told apart from a partition that does.
                found = await asyncio.shield(outcome)
            except asyncio.CancelledError:
                if outcome.cancelled():
                    raise ProblemError("not_here", f"partition {number} is not at work here") from None
                raise
            contacts, changes = contacts + found.contacts, changes + found.changes
            after, left = found.last, left - wanted
            if after is None:
                break
        return {"contacts": contacts, "changes": changes, "next_cursor": after}

    def _checked(self, number: int) -> int:
        if number >= self._settings.partitions:
            raise ProblemError(
                "invalid_schema", f"there are {self._settings.partitions} partitions, from 0", "partition"
            )
        return number
