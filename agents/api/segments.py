"""The handlers of segments and their list."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from agents.api.audit import SUBJECT, Subject
from agents.api.auth import ACCOUNT
from agents.api.catalogue_view import CatalogueView, labelled
from agents.api.preconditions import VERSION, unversioned
from agents.api.problems import ProblemError, language_of
from agents.api.requests import answer, choice, read_body, read_model, whole_number
from schemas.pages import DEFAULT_ROWS, MOST_ROWS, SORTS
from schemas.wire import WireModel
from streamseg.catalogue import listing
from streamseg.catalogue.labels import STATUSES, TYPES

_NOT_IN_IDS = re.compile(r"[\s|/?#%\\\x00-\x1f\x7f-\x9f]+")
_BATCHES = {"move": ("segment_ids", "group"), "share": ("segment_ids", "accounts")}


class CheckRequest(WireModel):
    """A definition to check, in the form for saving."""

    definition: dict[str, Any]


class Segments:
    """The handlers below /segments and /batch, and of /check."""

    def __init__(self, view: CatalogueView) -> None:
        self._view = view

    def routes(self) -> list[web.RouteDef]:
        one = "/segments/{segment_id}"
        return [
            web.get("/segments", self.list_rows),
            web.post("/segments", self.create),
            web.post("/check", self.check),
            web.post("/batch/{command:move|delete|calculate|share}", self.batch),
            web.get(one, self.get),
            web.put(one, self.update),
            web.delete(one, self.delete),
            web.post(f"{one}/copy", self.copy),
            web.post(f"{one}/share", self.share),
            web.post(f"{one}/calculate", self.calculate),
        ]

    async def list_rows(self, request: web.Request) -> web.Response:
        language = language_of(request)
        page = listing.rows(
            self._view.catalogue,
            request[ACCOUNT],
            group=request.query.get("group"),
            mine=choice(request, "mine", "false", ("true", "false")) == "true",
            search=request.query.get("q"),
            kind=_one_of(request, "type", TYPES),
            status=_one_of(request, "status", STATUSES),
            created_by=request.query.get("created_by"),
            sort=choice(request, "sort", "name", SORTS),
            descending=choice(request, "order", "asc", ("asc", "desc")) == "desc",
            cursor=request.query.get("cursor"),
            limit=whole_number(request, "limit", DEFAULT_ROWS, 1, MOST_ROWS),
            language=language,
        )
        rows = [labelled(request, row) for row in page.rows]
        return answer({"rows": rows, "total": page.total, "next_cursor": page.next_cursor})

    async def get(self, request: web.Request) -> web.Response:
        segment_id, entry = self._view.visible(request)
        request[VERSION] = entry.row.version
        return answer(self._view.segment(request, segment_id))

    async def create(self, request: web.Request) -> web.Response:
        unversioned(request)
        definition = await read_body(request)
        if "segment_id" not in definition:
            definition = {**definition, "segment_id": self._new_id(definition.get("name"))}
        await self._view.give(request, "create", definition=definition, below="definition")
        return answer(self._view.segment(request, definition["segment_id"]), 201)

    def _new_id(self, name: Any) -> str:
        stem = _NOT_IN_IDS.sub("-", name.strip().lower()).strip("-.") if isinstance(name, str) else ""
        return self._view.catalogue.unused_id(stem or "segment")

    async def update(self, request: web.Request) -> web.Response:
        segment_id, _ = self._view.visible(request)
        definition = {"segment_id": segment_id, **await read_body(request)}
        if definition["segment_id"] != segment_id:
            raise ProblemError("invalid_schema", "differs from the one in the address", "segment_id")
        await self._view.give(request, "update", definition=definition, below="definition")
        return answer(self._view.segment(request, segment_id))

    async def check(self, request: web.Request) -> web.Response:
        wanted = await read_model(request, CheckRequest)
        segment_id = wanted.definition.get("segment_id")
        exists = isinstance(segment_id, str) and segment_id in self._view.catalogue.segments
        command = "update" if exists else "create"
        await self._view.try_out(request, command, definition=wanted.definition)
        return web.Response(status=204)

    async def delete(self, request: web.Request) -> web.Response:
        segment_id, _ = self._view.visible(request)
        await self._view.give(request, "delete", segment_id=segment_id)
        return web.Response(status=204)

    async def copy(self, request: web.Request) -> web.Response:
        segment_id, _ = self._view.visible(request)
        body = _only(await read_body(request, optional=True), ("new_segment_id",))
        outcome = await self._view.give(request, "copy", segment_id=segment_id, **body)
        return answer(self._view.segment(request, outcome.segment_ids[0]), 201)

    async def share(self, request: web.Request) -> web.Response:
        segment_id, _ = self._view.visible(request)
        body = _only(await read_body(request), ("accounts",))
        await self._view.give(request, "share", segment_id=segment_id, **body)
        return answer(self._view.segment(request, segment_id))

    async def calculate(self, request: web.Request) -> web.Response:
        segment_id, _ = self._view.visible(request)
        await self._view.give(request, "calculate", segment_id=segment_id)
        return answer(self._view.segment(request, segment_id), 202)

    async def batch(self, request: web.Request) -> web.Response:
        unversioned(request)
        command = request.match_info["command"]
        body = await read_body(request)
        _only(body, _BATCHES.get(command, ("segment_ids",)))
        given = body.get("segment_ids")
        if isinstance(given, list):
            request[SUBJECT] = Subject(tuple(one for one in given if isinstance(one, str)))
        if "segment_ids" not in body:
            raise ProblemError("invalid_schema", "required; give it", "segment_ids")
        outcome = await self._view.give(request, command, **body)
        return answer({"segment_ids": list(outcome.segment_ids)})


def _one_of(request: web.Request, name: str, allowed: Iterable[str]) -> str | None:
    """Return a parameter from the query; None without it."""
    return choice(request, name, "", ("", *allowed)) or None


def _only(body: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    for field in body:
        if field not in fields:
            raise ProblemError("invalid_schema", "unknown key; remove it or correct its spelling", field)
    return body
