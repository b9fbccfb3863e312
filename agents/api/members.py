"""The contacts of a segment, and why they are in it."""

from __future__ import annotations

import heapq
from itertools import islice

from aiohttp import web
from pydantic import Field

from agents.api.auth import ACCOUNT
from agents.api.catalogue_view import CatalogueView
from agents.api.local_past import LocalPast
from agents.api.partitions import LocalPartitions
from agents.api.past_members import PARAMETERS, PastMembers
from agents.api.peers import Peers
from agents.api.problems import ProblemError
from agents.api.requests import answer, read_model, whole_number, words_wanted
from agents.api.slices import in_thread
from agents.api.turns import Turns
from agents.kafka.partitioner import place
from schemas.pages import DEFAULT_ROWS, MOST_CONTACTS
from schemas.wire import WireModel
from streamseg.json_text import Json
from streamseg.settings import Settings
from streamseg.wording.explanations import with_words


class MembersQuestion(WireModel):
    """A question from one worker to another."""

    partitions: list[int] = Field(min_length=1)
    segment_id: str
    prefix: str = ""
    after: str | None = None
    limit: int = Field(ge=1, le=MOST_CONTACTS + 1)


class ExplainQuestion(WireModel):
    """A question from one worker to another."""

    partitions: list[int] = Field(min_length=1, max_length=1)
    segment_id: str
    contact_id: str


class Members:
    """The handlers below /segments/{segment_id}/contacts."""

    def __init__(
        self,
        settings: Settings,
        *,
        view: CatalogueView,
        local: LocalPartitions,
        past: LocalPast,
        peers: Peers,
        turns: Turns,
    ) -> None:
        self._partitions = settings.partitions
        self._view = view
        self._local = local
        self._past = PastMembers(settings, past, peers, turns)
        self._peers = peers
        self._turns = turns

    def routes(self) -> list[web.RouteDef]:
        contacts = "/segments/{segment_id}/contacts"
        return [
            web.get(contacts, self.list_contacts),
            web.get(f"{contacts}/{{contact_id}}/explain", self.explain),
        ]

    def internal_routes(self) -> list[web.RouteDef]:
        return [
            web.post("/members", self.members_here),
            web.post("/explain", self.explain_here),
            *self._past.internal_routes(),
        ]

    def _calculated(self, request: web.Request) -> str:
        segment_id, entry = self._view.visible(request)
        if entry.row.status == "not_calculated":
            raise ProblemError("conflict", "not calculated; calculate it first", "segment_id")
        return segment_id

    async def list_contacts(self, request: web.Request) -> web.Response:
        segment_id = self._calculated(request)
        if any(name in request.query for name in PARAMETERS):
            return await self._past.page(request, segment_id)
        after = request.query.get("after")
        limit = whole_number(request, "limit", DEFAULT_ROWS, 1, MOST_CONTACTS)
        question = MembersQuestion(
            partitions=list(range(self._partitions)),
            segment_id=segment_id,
            prefix=request.query.get("q", ""),
            after=after,
            limit=limit + 1,
        )

        async def here(numbers: list[int]) -> Json:
            return await self._members(question.model_copy(update={"partitions": numbers}))

        # A worker of 0.1.0, which knows no prefix, can be asked as long as none is given.
        body = question.model_dump(exclude_defaults=True)
        async with self._turns.of(request[ACCOUNT]):
            pages = await self._peers.ask(request, question.partitions, here, "/members", body)
        merged = heapq.merge(*(page["contacts"] for page in pages), key=lambda one: one["contact_id"])
        contacts = list(islice(merged, limit + 1))
        more = len(contacts) > limit
        return answer(
            {
                "contacts": contacts[:limit],
                "next_cursor": contacts[limit - 1]["contact_id"] if more else None,
            }
        )

    async def _members(self, question: MembersQuestion) -> Json:
        return {
            "contacts": await self._local.members(
                question.partitions, question.segment_id, question.prefix, question.after, question.limit
            )
        }

    async def members_here(self, request: web.Request) -> web.Response:
        return answer(await self._members(await read_model(request, MembersQuestion)))

    async def explain(self, request: web.Request) -> web.Response:
        segment_id = self._calculated(request)
        contact_id = request.match_info["contact_id"]
        number = place(contact_id.encode(), self._partitions)

        async def here(numbers: list[int]) -> Json:
            return await self._local.explain(numbers[0], contact_id, segment_id)

        body = {"segment_id": segment_id, "contact_id": contact_id}
        async with self._turns.of(request[ACCOUNT]):
            (explanation,) = await self._peers.ask(request, [number], here, "/explain", body)
            wanted = words_wanted(request)
            if wanted is not None:
                explanation = await in_thread(lambda _: with_words(explanation, wanted))
        return answer(explanation)

    async def explain_here(self, request: web.Request) -> web.Response:
        question = await read_model(request, ExplainQuestion)
        (number,) = question.partitions
        return answer(await self._local.explain(number, question.contact_id, question.segment_id))
