"""Evaluates a definition on all contacts as they are now; nothing is stored."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from agents.api.auth import ACCOUNT
from agents.api.catalogue_view import CatalogueView
from agents.api.partitions import LocalPartitions
from agents.api.peers import Peers
from agents.api.requests import answer, read_model, words_wanted
from agents.api.slices import in_thread
from agents.api.turns import Turns
from agents.catalogue.definition_topic import DefinitionTopic
from schemas.definitions import SegmentDefinition
from schemas.wire import WireModel
from streamseg.catalogue.reading import check_references_calculated, check_references_readable
from streamseg.errors import Code, RejectedError, located_below
from streamseg.json_text import Json, dumps
from streamseg.language.compiler import compile_segment
from streamseg.language.condition_count import check_condition_count
from streamseg.language.reference_checks import check_references
from streamseg.language.segments import Segment
from streamseg.language.unsubscribe import BUILT_IN_SEGMENTS
from streamseg.plan.plan import Plan
from streamseg.records.messages import checked
from streamseg.settings import Settings
from streamseg.wording.bodies import definition_words


class PreviewRequest(WireModel):
    """A definition, whose id and name may be left out, and the number of members to list."""

    definition: dict[str, Any]
    sample: int = Field(0, ge=0, le=100)


class PreviewQuestion(PreviewRequest):
    """A question from one worker to another."""

    partitions: list[int] = Field(min_length=1)


class Preview:
    """The handler of /preview."""

    def __init__(
        self,
        settings: Settings,
        *,
        view: CatalogueView,
        definition_topic: DefinitionTopic,
        local: LocalPartitions,
        peers: Peers,
        turns: Turns,
    ) -> None:
        self._settings = settings
        self._view = view
        self._definition_topic = definition_topic
        self._local = local
        self._peers = peers
        self._turns = turns

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/preview", self.preview)]

    def internal_routes(self) -> list[web.RouteDef]:
        return [web.post("/preview", self.preview_here)]

    async def preview(self, request: web.Request) -> web.Response:
        wanted = await read_model(request, PreviewRequest)
        async with self._turns.of(request[ACCOUNT]):
            return answer(await self._found(request, wanted))

    async def _found(self, request: web.Request, wanted: PreviewRequest) -> Json:
        catalogue = self._view.catalogue
        # A definition without an id gets an unused one, so that it replaces no segment, not even a list that
        # has our default id.
        definition = {"segment_id": catalogue.unused_id("preview"), **wanted.definition}
        plan, segment_id = await self._planned(definition, request[ACCOUNT])

        async def here(numbers: list[int]) -> Json:
            return await self._local.preview(numbers, plan, segment_id, wanted.sample)

        numbers = list(range(self._settings.partitions))
        body = {"definition": definition, "sample": wanted.sample}
        found = await self._peers.ask(request, numbers, here, "/preview", body)
        sample = sorted(contact_id for one in found for contact_id in one["sample"])
        result = {"contacts": sum(one["contacts"] for one in found), "sample": sample[: wanted.sample]}
        language = words_wanted(request)
        if language is not None:
            named = {"name": "preview", **definition}
            result["words"] = await in_thread(lambda _: definition_words(named, language))
        return result

    async def preview_here(self, request: web.Request) -> web.Response:
        question = await read_model(request, PreviewQuestion)
        plan, segment_id = await self._planned(question.definition)
        return answer(await self._local.preview(question.partitions, plan, segment_id, question.sample))

    async def _planned(self, body: Json, account: str | None = None) -> tuple[Plan, str]:
        current = self._definition_topic.definitions.plan
        return await in_thread(lambda _: self._plan({"name": "preview", **body}, current, account))

    def _plan(self, body: Json, current: Plan, account: str | None) -> tuple[Plan, str]:
        """Return a plan that contains the definition, the segments to which it refers directly or through
        others, and the built-in segments. If `account` is given, its rights are checked; for a question of
        another worker they were checked there."""
        check_condition_count(body, self._settings.max_conditions, at="definition")
        definition = checked(SegmentDefinition, body, at="definition")
        segment_id = definition.segment_id
        with located_below("definition"):
            if segment_id in BUILT_IN_SEGMENTS:
                raise RejectedError(Code.NOT_PERMITTED, "a built-in segment cannot be changed", "segment_id")
            old = current.segments.get(segment_id)
            generation = current.generation + 1
            segment = compile_segment(
                definition,
                source=dumps(body),
                version=1,
                introduced=generation,
                born=-1 if old is None else old.born,
                settings=self._settings,
            )
            if account is not None:
                self._check_seen(segment, body, account)
            check_references(segment, current.segments)
        segments: dict[str, Segment] = {}
        waiting = [segment]
        while waiting:
            one = waiting.pop()
            segments[one.segment_id] = one
            waiting += [current.segments[key] for key in one.references if key not in segments]
        for built_in in BUILT_IN_SEGMENTS:
            segments.setdefault(built_in, current.segments[built_in])
        return Plan(segments, current.built_in, generation, current, recent=current.recent), segment_id

    def _check_seen(self, segment: Segment, body: Json, account: str) -> None:
        """Check that the account may see everything that the definition's members would reveal."""
        catalogue = self._view.catalogue
        # A static definition selects a list by its id alone.
        if segment.segment_id in catalogue.segments:
            catalogue.segments[segment.segment_id].check_readable_by(account, "segment_id")
        check_references(segment, catalogue.segments)
        check_references_readable(body, catalogue, account)
        check_references_calculated(body, catalogue)
