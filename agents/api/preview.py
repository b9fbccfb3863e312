"""Evaluates a definition on all contacts, or on one of them, as they are now; nothing is stored."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from agents.api.audit import SUBJECT, Subject
from agents.api.auth import ACCOUNT
from agents.api.catalogue_view import CatalogueView
from agents.api.drafts import Draft, Drafts
from agents.api.partitions import LocalPartitions
from agents.api.peers import Peers
from agents.api.problems import ProblemError
from agents.api.requests import answer, read_model, words_wanted
from agents.api.roles import CALLER, Right, require
from agents.api.slices import in_thread
from agents.api.turns import LatestOnly
from agents.kafka.partitioner import place
from schemas.scalars import NonEmptyText
from schemas.wire import WireModel
from streamseg.catalogue.labels import Language
from streamseg.engine.effect import Effect
from streamseg.json_text import Json, loads
from streamseg.settings import Settings
from streamseg.times import format_ms
from streamseg.wording.bodies import condition_words, definition_words
from streamseg.wording.differences import differences
from streamseg.wording.explanations import with_words


class PreviewRequest(WireModel):
    """A definition, whose id and name may be left out.

    sample      the number of contacts to list
    compare     whether to compare with the definition that is in force
    contact_id  instead of all contacts: explain the definition for this one
    """

    definition: dict[str, Any]
    sample: int = Field(0, ge=0, le=100)
    compare: bool = False
    contact_id: NonEmptyText | None = None


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
        drafts: Drafts,
        local: LocalPartitions,
        peers: Peers,
        latest: LatestOnly,
    ) -> None:
        self._partitions = settings.partitions
        self._view = view
        self._drafts = drafts
        self._local = local
        self._peers = peers
        self._latest = latest

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/preview", self.preview)]

    def internal_routes(self) -> list[web.RouteDef]:
        return [web.post("/preview", self.preview_here)]

    async def preview(self, request: web.Request) -> web.Response:
        wanted = await read_model(request, PreviewRequest)
        if wanted.compare and wanted.contact_id is not None:
            raise ProblemError("invalid_schema", "not together with contact_id; keep one of them", "compare")
        if wanted.contact_id is not None:
            request[SUBJECT] = Subject(contact_ids=(wanted.contact_id,))
            require(request, Right.CONTACTS)
        if not request[CALLER].may(Right.CONTACTS):
            wanted = wanted.model_copy(update={"sample": 0})
        elif wanted.sample:
            request[SUBJECT] = Subject()
        return answer(await self._latest.answer(request[ACCOUNT], lambda: self._found(request, wanted)))

    async def _found(self, request: web.Request, wanted: PreviewRequest) -> Json:
        # A definition without an id gets an unused one, so that it replaces no segment, not even a list that
        # has our default id.
        definition = {"segment_id": self._view.catalogue.unused_id("preview"), **wanted.definition}
        wanted = wanted.model_copy(update={"definition": definition})
        draft = await self._drafts.compiled(definition, request[ACCOUNT], compared=wanted.compare)

        async def here(numbers: list[int]) -> Json:
            return await self._evaluated(draft, wanted, numbers)

        numbers = list(range(self._partitions))
        if wanted.contact_id is not None:
            numbers = [place(wanted.contact_id.encode(), self._partitions)]
        found = await self._peers.ask(request, numbers, here, "/preview", wanted.model_dump())
        language = words_wanted(request)
        return await in_thread(lambda _: _joined(draft, wanted, found, language))

    async def preview_here(self, request: web.Request) -> web.Response:
        question = await read_model(request, PreviewQuestion)
        draft = await self._drafts.compiled(question.definition, compared=question.compare)
        return answer(await self._evaluated(draft, question, question.partitions))

    async def _evaluated(self, draft: Draft, wanted: PreviewRequest, numbers: list[int]) -> Json:
        """Return the answer for partitions of this worker."""
        segment_id = draft.segment.segment_id
        if wanted.contact_id is not None:
            return await self._local.explain(numbers[0], wanted.contact_id, segment_id, draft.plan)
        if wanted.compare:
            effect = Effect(draft.segment, draft.in_force, wanted.sample)
            return await self._local.compare(numbers, draft.plan, effect)
        return await self._local.preview(numbers, draft.plan, segment_id, wanted.sample)


def _joined(draft: Draft, wanted: PreviewRequest, found: list[Json], language: Language | None) -> Json:
    """Return the answer for all partitions."""
    if wanted.contact_id is not None:
        # The draft has no past: nobody has entered it.
        explanation = {**found[0], "since": None, "sequence": 0}
        return {"explanation": explanation if language is None else with_words(explanation, language)}
    result: Json
    if wanted.compare:
        effect = Effect(draft.segment, draft.in_force, wanted.sample)
        for one in found:
            effect.merge(one["effect"])
        compared = {**effect.shown(), "at": format_ms(min(one["at_ms"] for one in found))}
        result = {"contacts": effect.members.contacts, "sample": effect.members.sample, "compared": compared}
        if language is not None:
            _add_words(compared, language)
            compared["differences"] = _differences(draft, wanted, language)
    else:
        sample = sorted(contact_id for one in found for contact_id in one["sample"])
        result = {"contacts": sum(one["contacts"] for one in found), "sample": sample[: wanted.sample]}
    if language is not None:
        result["words"] = definition_words({"name": "preview", **wanted.definition}, language)
    return result


def _differences(draft: Draft, wanted: PreviewRequest, language: Language) -> list[Json] | None:
    """Return the lines of the definition in force and of the draft; None if nothing is in force."""
    before = None if draft.in_force is None else draft.in_force.source
    if before is None:
        return None
    return differences(loads(before), {"name": "preview", **wanted.definition}, language)


def _add_words(compared: Json, language: Language) -> None:
    """Add the sentence of each condition of a comparison."""
    for part in compared["parts"]:
        for cluster in part["clusters"]:
            for one in cluster["conditions"]:
                one["words"] = one["condition"] and condition_words(one["condition"], language)
    for reason in (*compared["entering"]["reasons"], *compared["leaving"]["reasons"]):
        reason["words"] = reason["test"] and condition_words(reason["test"], language)
