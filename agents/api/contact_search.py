"""The handler of /contacts: contacts by the beginning of their ids."""

from __future__ import annotations

import heapq
from itertools import islice

from aiohttp import web
from pydantic import Field

from agents.api.auth import ACCOUNT
from agents.api.partitions import LocalPartitions
from agents.api.peers import Peers
from agents.api.requests import answer, read_model, whole_number
from agents.api.turns import Turns
from agents.partitions.task import PartitionTask
from schemas.pages import DEFAULT_ROWS, MOST_ROWS
from schemas.wire import WireModel
from streamseg.contact.contact import Contact
from streamseg.json_text import Json
from streamseg.settings import Settings
from streamseg.times import format_ms

_PIECE = 16
"""The number of ids that are read before the slice's time is checked."""


class ContactsQuestion(WireModel):
    """A question from one worker to another: up to `limit` contacts whose ids begin with `prefix` and follow
    `after`."""

    partitions: list[int] = Field(min_length=1)
    prefix: str
    after: str | None
    limit: int = Field(ge=1, le=MOST_ROWS + 1)


class ContactSearch:
    """The handler of /contacts."""

    def __init__(self, settings: Settings, local: LocalPartitions, peers: Peers, turns: Turns) -> None:
        self._partitions = settings.partitions
        self._local = local
        self._peers = peers
        self._turns = turns

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/contacts", self.search)]

    def internal_routes(self) -> list[web.RouteDef]:
        return [web.post("/contacts", self.search_here)]

    async def search(self, request: web.Request) -> web.Response:
        limit = whole_number(request, "limit", DEFAULT_ROWS, 1, MOST_ROWS)
        question = ContactsQuestion(
            partitions=list(range(self._partitions)),
            prefix=request.query.get("q", ""),
            after=request.query.get("after"),
            limit=limit + 1,
        )

        async def here(numbers: list[int]) -> Json:
            return await self._found(question.model_copy(update={"partitions": numbers}))

        async with self._turns.of(request[ACCOUNT]):
            pages = await self._peers.ask(
                request, question.partitions, here, "/contacts", question.model_dump()
            )
        merged = heapq.merge(*(page["contacts"] for page in pages), key=_contact_id)
        contacts = list(islice(merged, limit + 1))
        more = len(contacts) > limit
        return answer(
            {
                "contacts": contacts[:limit],
                "next_cursor": contacts[limit - 1]["contact_id"] if more else None,
            }
        )

    async def search_here(self, request: web.Request) -> web.Response:
        return answer(await self._found(await read_model(request, ContactsQuestion)))

    async def _found(self, question: ContactsQuestion) -> Json:
        found = [await self._of_partition(number, question) for number in question.partitions]
        return {"contacts": list(islice(heapq.merge(*found, key=_contact_id), question.limit))}

    async def _of_partition(self, number: int, question: ContactsQuestion) -> list[Json]:
        found: list[Json] = []
        after = question.after
        while True:
            async with self._local.slices.slice() as one:
                task = self._local.task(number)
                following = task.store.contact_ids(after, question.prefix)
                while not one.over:
                    piece = list(islice(following, _PIECE))
                    found += [_shown(contact) for contact in _known(task, piece)]
                    if len(piece) < _PIECE or len(found) >= question.limit:
                        return found[: question.limit]
                    after = piece[-1]


def _known(task: PartitionTask, contact_ids: list[str]) -> list[Contact]:
    contacts = map(task.store.contact, contact_ids)
    return [one for one in contacts if one is not None and one.known_since_ms is not None]


def _shown(contact: Contact) -> Json:
    name = contact.attributes.get("name")
    return {
        "contact_id": contact.contact_id,
        "name": None if name is None else name[0],
        "known_since": format_ms(contact.known_since_ms or 0),
    }


def _contact_id(contact: Json) -> str:
    contact_id: str = contact["contact_id"]
    return contact_id
