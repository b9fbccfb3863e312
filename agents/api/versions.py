"""The handlers of earlier versions and of deleted segments."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from agents.api.auth import ACCOUNT
from agents.api.catalogue_view import CatalogueView
from agents.api.preconditions import unversioned
from agents.api.problems import ProblemError, not_found
from agents.api.requests import answer, read_model, whole_number, words_wanted
from agents.api.slices import in_thread
from schemas.catalogue import CatalogueDeletion, CatalogueVersion
from schemas.pages import DEFAULT_ROWS, MOST_ROWS
from schemas.scalars import SegmentId
from schemas.wire import WireModel
from streamseg.catalogue import versions
from streamseg.json_text import Json
from streamseg.times import format_ms
from streamseg.wording.bodies import definition_words
from streamseg.wording.differences import differences
from streamseg.wording.order import in_written_order

_LARGEST_VERSION: Final = 999_999_999
_MOST_DIGITS: Final = 9


class RestoreRequest(WireModel):
    """Which deleted segment to make again, and under which id."""

    deletion: int | None = None
    new_segment_id: SegmentId | None = None


class Versions:
    """The handlers below /segments/{segment_id}/versions and /deleted-segments."""

    def __init__(self, view: CatalogueView) -> None:
        self._view = view

    def routes(self) -> list[web.RouteDef]:
        all_of_one = "/segments/{segment_id}/versions"
        return [
            web.get(all_of_one, self.list_versions),
            web.get(f"{all_of_one}/{{version}}", self.get),
            web.post(f"{all_of_one}/{{version}}/revert", self.revert),
            web.get("/deleted-segments", self.list_deleted),
            web.post("/deleted-segments/{segment_id}/restore", self.restore),
        ]

    async def list_versions(self, request: web.Request) -> web.Response:
        segment_id, _ = self._view.visible(request)
        found = versions.versions(self._view.catalogue, segment_id)
        return answer({"versions": [_summary(one) for one in found]})

    async def get(self, request: web.Request) -> web.Response:
        version = self._version(request, _number(request))
        shown = {**_summary(version), "definition": in_written_order(version.definition)}
        language = words_wanted(request)
        since = whole_number(request, "since", 0, 1, _LARGEST_VERSION)
        if language is not None:
            shown["words"] = definition_words(version.definition, language)
        if since and language is None:
            raise ProblemError("invalid_schema", "only together with words; give both", "since")
        if since and language is not None:
            before = self._version(request, since, "since").definition
            shown["differences"] = await in_thread(
                lambda _: differences(before, version.definition, language)
            )
        return answer(shown)

    async def revert(self, request: web.Request) -> web.Response:
        segment_id, _ = self._view.visible(request)
        await self._view.give(request, "revert", segment_id=segment_id, version=_number(request))
        return answer(self._view.segment(request, segment_id))

    async def list_deleted(self, request: web.Request) -> web.Response:
        limit = whole_number(request, "limit", DEFAULT_ROWS, 1, MOST_ROWS)
        found = versions.restorable(self._view.catalogue, request[ACCOUNT], now_ms=self._view.now_ms())
        after = request.query.get("cursor")
        if after is not None:
            place = _read_cursor(after)
            found = [one for one in found if _place(one) > place]
        more = len(found) > limit
        return answer(
            {
                "segments": [_deleted(one) for one in found[:limit]],
                "next_cursor": _cursor(found[limit - 1]) if more else None,
            }
        )

    async def restore(self, request: web.Request) -> web.Response:
        unversioned(request)
        wanted = await read_model(request, RestoreRequest, optional=True)
        segment_id = request.match_info["segment_id"]
        given = wanted.model_dump(exclude_none=True)
        outcome = await self._view.give(request, "restore", segment_id=segment_id, **given)
        return answer(self._view.segment(request, outcome.segment_ids[0]), 201)

    def _version(self, request: web.Request, number: int, path: str = "version") -> CatalogueVersion:
        segment_id, _ = self._view.visible(request)
        found = versions.version(self._view.catalogue, segment_id, number)
        if found is None:
            raise not_found("version", path)
        return found


def _number(request: web.Request) -> int:
    text = request.match_info["version"]
    if not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS or int(text) == 0:
        raise not_found("version", "version")
    return int(text)


def _summary(one: CatalogueVersion) -> Json:
    return {
        "version": one.version,
        "name": one.definition["name"],
        "saved_by": one.saved_by,
        "saved_at": one.saved_at,
    }


def _deleted(one: CatalogueDeletion) -> Json:
    return {
        "segment_id": one.segment_id,
        "deletion": one.deletion,
        **{name: one.definition[name] for name in ("name", "type", "group", "version")},
        "deleted_by": one.deleted_by,
        "deleted_at": one.deleted_at,
        "restorable_until": format_ms(versions.restorable_until_ms(one)),
    }


def _place(one: CatalogueDeletion) -> tuple[int, str]:
    return -one.deletion, one.segment_id


def _cursor(one: CatalogueDeletion) -> str:
    return f"{one.deletion}|{one.segment_id}"


def _read_cursor(text: str) -> tuple[int, str]:
    deletion, _, segment_id = text.partition("|")
    if not segment_id or not deletion.isascii() or not deletion.isdigit() or len(deletion) > 18:
        raise ProblemError("invalid_schema", "no cursor of this list; begin at the first page", "cursor")
    return -int(deletion), segment_id
