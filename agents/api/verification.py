"""Compares the state of contacts with the result of their attributes and history, and recounts a segment.

Both work on one page for each request, so that no long work goes on without a caller.
"""

from __future__ import annotations

import asyncio

from aiohttp import web
from pydantic import Field

from agents.api.audit import SUBJECT, Subject
from agents.api.auth import ACCOUNT
from agents.api.catalogue_view import CatalogueView
from agents.api.comparing import Comparing
from agents.api.partitions import LocalPartitions
from agents.api.peers import Peers
from agents.api.problems import ProblemError
from agents.api.requests import answer, read_model
from agents.api.roles import CALLER, Right
from agents.api.turns import Turns
from agents.kafka.partitioner import place
from schemas.wire import WireModel
from streamseg.json_text import Json
from streamseg.settings import Settings

LONGEST_PAGE = 500


class VerifyRequest(WireModel):
    """A page of one partition's contacts, or the contacts with given ids.

    partition    the partition whose contacts are compared, by id, from the one after `after`
    contacts     instead of a partition: the ids of contacts in any partition
    segments     the segments to compare; None means all
    memberships  whether to list the memberships found
    """

    partition: int | None = Field(None, ge=0)
    after: str | None = None
    limit: int = Field(200, ge=1, le=LONGEST_PAGE)
    contacts: list[str] | None = Field(None, min_length=1, max_length=LONGEST_PAGE)
    segments: list[str] | None = Field(None, min_length=1, max_length=LONGEST_PAGE)
    memberships: bool = False


class VerifyQuestion(VerifyRequest):
    """A question from one worker to another."""

    partitions: list[int] = Field(min_length=1)


class RecountRequest(WireModel):
    """A page of one partition's contacts, by id, from the one after `after`."""

    partition: int = Field(ge=0)
    after: str | None = None
    limit: int = Field(200, ge=1, le=LONGEST_PAGE)


class RecountQuestion(RecountRequest):
    """A question from one worker to another."""

    partitions: list[int] = Field(min_length=1, max_length=1)
    segment_id: str


class Verification:
    """The handlers of /verify and /segments/{segment_id}/recount."""

    def __init__(
        self,
        settings: Settings,
        *,
        view: CatalogueView,
        local: LocalPartitions,
        comparing: Comparing,
        peers: Peers,
        turns: Turns,
    ) -> None:
        self._settings = settings
        self._view = view
        self._local = local
        self._comparing = comparing
        self._peers = peers
        self._turns = turns

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
        request[SUBJECT] = Subject(tuple(wanted.segments or ()), tuple(wanted.contacts or ()))
        if (wanted.partition is None) == (wanted.contacts is None):
            raise ProblemError("invalid_schema", "give either a partition or contacts", "partition")
        count = self._settings.partitions
        if wanted.contacts is not None:
            numbers = sorted({place(contact_id.encode(), count) for contact_id in wanted.contacts})
        else:
            numbers = [self._checked(wanted.partition or 0)]

        async def here(mine: list[int]) -> Json:
            return await self._compared(wanted, mine)

        async with self._turns.of(request[ACCOUNT]):
            pages = await self._peers.ask(request, numbers, here, "/verify", wanted.model_dump())
        found = [entry for page in pages for entry in page["found"]]
        return answer(
            {
                "partitions": count,
                "contacts": sum(entry["contacts"] for entry in found),
                "differences": [one for entry in found for one in entry["differences"]],
                "memberships": [one for entry in found for one in entry["memberships"]],
                "member_counts": found[0]["member_counts"] if wanted.contacts is None else {},
                "changes_before": found[0]["changes_before"] if wanted.contacts is None else 0,
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
        """Return the result for one partition's page."""
        if wanted.contacts is None:
            found = await self._comparing.page(number, wanted.after, wanted.limit, wanted.segments)
        else:
            count = self._settings.partitions
            contact_ids = [one for one in wanted.contacts if place(one.encode(), count) == number]
            found = await self._comparing.contacts(number, contact_ids, wanted.segments)
        return {
            "contacts": found.contacts,
            "differences": [difference.wire() for difference in found.differences],
            "memberships": found.memberships if wanted.memberships else [],
            "last": found.last,
            "member_counts": found.member_counts,
            "changes_before": found.changes_before,
            "changes": found.changes,
        }

    # -- recounting --------------------------------------------------------------------------------------

    async def recount(self, request: web.Request) -> web.Response:
        segment_id, entry = self._view.visible(request)
        if entry.owner not in (None, request[ACCOUNT]) and not request[CALLER].may(Right.ADMIN):
            raise ProblemError("not_permitted", "belongs to another account", "segment_id")
        wanted = await read_model(request, RecountRequest)
        number = self._checked(wanted.partition)
        question = RecountQuestion(**wanted.model_dump(), partitions=[number], segment_id=segment_id)

        async def here(_: list[int]) -> Json:
            return await self._recounted(question)

        async with self._turns.of(request[ACCOUNT]):
            (page,) = await self._peers.ask(request, [number], here, "/recount", question.model_dump())
        return answer({"partitions": self._settings.partitions, **page})

    async def recount_here(self, request: web.Request) -> web.Response:
        return answer(await self._recounted(await read_model(request, RecountQuestion)))

    async def _recounted(self, question: RecountQuestion) -> Json:
        (number,) = question.partitions
        contacts = changes = 0
        after, left = question.after, question.limit
        while left > 0:
            outcome = self._local.recount(number, question.segment_id, after, left)
            try:
                # Shielding distinguishes a caller that disconnects from a partition that moves away.
                found = await asyncio.shield(outcome)
            except asyncio.CancelledError:
                if outcome.cancelled():
                    raise ProblemError("not_here", f"partition {number} is not at work here") from None
                # A recount for which no caller waits is not begun.
                outcome.cancel()
                raise
            contacts, changes = contacts + found.contacts, changes + found.changes
            after, left = found.last, left - found.contacts
            if after is None:
                break
        return {"contacts": contacts, "changes": changes, "next_cursor": after}

    def _checked(self, number: int) -> int:
        if number >= self._settings.partitions:
            raise ProblemError(
                "invalid_schema", f"there are {self._settings.partitions} partitions, from 0", "partition"
            )
        return number
