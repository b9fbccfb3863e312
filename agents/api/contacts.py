"""One contact, and static lists."""

from __future__ import annotations

import orjson
from aiohttp import web
from pydantic import Field

from agents.api.audit import SUBJECT, Subject
from agents.api.auth import ACCOUNT
from agents.api.catalogue_view import CatalogueView
from agents.api.partitions import LocalPartitions
from agents.api.peers import Peers
from agents.api.preconditions import unversioned
from agents.api.problems import ProblemError, not_found
from agents.api.requests import answer, read_model, to_the_end
from agents.api.slices import in_thread
from agents.api.turns import Turns
from agents.catalogue.definition_topic import DefinitionTopic
from agents.catalogue.progress_reader import ProgressReader
from agents.kafka.batch_producer import BatchProducer, Message
from agents.kafka.partitioner import place
from schemas.scalars import NonEmptyText, SegmentId
from schemas.topics import CONTACT_UPDATES
from schemas.wire import WireModel
from streamseg.json_text import Json
from streamseg.settings import Settings


class ListChange(WireModel):
    """The contacts to put into a static segment and to take out of it."""

    segment_id: SegmentId
    add: list[NonEmptyText] = Field(default_factory=list)
    remove: list[NonEmptyText] = Field(default_factory=list)


class ContactQuestion(WireModel):
    """A question from one worker to another."""

    partitions: list[int] = Field(min_length=1, max_length=1)
    contact_id: str


class Contacts:
    """The handlers below /contacts."""

    def __init__(
        self,
        settings: Settings,
        *,
        view: CatalogueView,
        local: LocalPartitions,
        peers: Peers,
        progress: ProgressReader,
        definition_topic: DefinitionTopic,
        batch_producer: BatchProducer,
        turns: Turns,
    ) -> None:
        self._partitions = settings.partitions
        self._seconds = settings.command_timeout_ms / 1000
        self._view = view
        self._local = local
        self._peers = peers
        self._progress_reader = progress
        self._definition_topic = definition_topic
        self._batch_producer = batch_producer
        self._turns = turns

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/contacts/lists", self.change_list),
            web.get("/contacts/{contact_id}", self.get),
        ]

    def internal_routes(self) -> list[web.RouteDef]:
        return [web.post("/contact", self.get_here)]

    async def get(self, request: web.Request) -> web.Response:
        contact_id = request.match_info["contact_id"]
        number = place(contact_id.encode(), self._partitions)

        async def here(numbers: list[int]) -> Json:
            return await self._local.contact(numbers[0], contact_id)

        async with self._turns.of(request[ACCOUNT]):
            (contact,) = await self._peers.ask(
                request, [number], here, "/contact", {"contact_id": contact_id}
            )
        sees = self._view.seen_by(request[ACCOUNT])
        segments = [one for one in contact["segments"] if sees(one["segment_id"])]
        lists = [one for one in contact["lists"] if sees(one)]
        return answer({**contact, "segments": segments, "lists": lists})

    async def get_here(self, request: web.Request) -> web.Response:
        question = await read_model(request, ContactQuestion)
        (number,) = question.partitions
        return answer(await self._local.contact(number, question.contact_id))

    async def change_list(self, request: web.Request) -> web.Response:
        unversioned(request)
        change = await read_model(request, ListChange)
        request[SUBJECT] = Subject(segment_ids=(change.segment_id,))
        await self._check_list(request, change)
        placed = await in_thread(lambda _: self._messages(change))
        await to_the_end(self._send(placed))
        return answer({"accepted": sum(map(len, placed.values()))}, 202)

    def _messages(self, change: ListChange) -> dict[int, list[Message]]:
        """Return an update for each contact, by partition."""
        wanted = dict.fromkeys(change.add, "add")
        for index, contact_id in enumerate(change.remove):
            if contact_id in wanted:
                raise ProblemError("invalid_schema", "is in add too; keep one", f"remove[{index}]")
        wanted.update((contact_id, "remove") for contact_id in change.remove)
        placed: dict[int, list[Message]] = {}
        for contact_id, field in wanted.items():
            key = contact_id.encode()
            value = orjson.dumps({"contact_id": contact_id, "lists": {field: [change.segment_id]}})
            placed.setdefault(place(key, self._partitions), []).append(Message(key, value))
        return placed

    async def _send(self, placed: dict[int, list[Message]]) -> None:
        for number, messages in sorted(placed.items()):
            await self._batch_producer.send(CONTACT_UPDATES, messages, partition=number)

    async def _check_list(self, request: web.Request, change: ListChange) -> None:
        entry = self._view.catalogue.segments.get(change.segment_id)
        if entry is None:
            raise not_found("segment", "segment_id")
        if entry.row.type != "static":
            raise ProblemError("unknown_reference", "is not a static segment", "segment_id")
        if entry.owner not in (None, request[ACCOUNT]):
            raise ProblemError("not_permitted", "belongs to another account", "segment_id")
        segment = self._definition_topic.definitions.plan.segments.get(change.segment_id)
        # A worker that does not know a new list yet would refuse its contacts.
        if segment is None or not await self._progress_reader.evaluated_by_all(
            segment.introduced, self._seconds
        ):
            raise TimeoutError
