"""The handlers of groups."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from agents.api.auth import ACCOUNT
from agents.api.catalogue_view import CatalogueView
from agents.api.preconditions import unversioned
from agents.api.problems import language_of, not_found
from agents.api.requests import answer, read_model
from agents.api.roles import CALLER, Right
from schemas.scalars import GroupText
from schemas.wire import WireModel
from streamseg.catalogue import listing
from streamseg.catalogue.labels import GROUPS
from streamseg.catalogue.listing import ListedGroup


class GroupName(WireModel):
    """The name of a group."""

    group: GroupText


class Groups:
    """The handlers below /groups."""

    def __init__(self, view: CatalogueView) -> None:
        self._view = view

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/groups", self.list_groups),
            web.post("/groups", self.create),
            web.patch("/groups/{group}", self.rename),
            web.delete("/groups/{group}", self.delete),
        ]

    async def list_groups(self, request: web.Request) -> web.Response:
        return answer({"groups": [_wire(request, group) for group in self._listed(request)]})

    def _listed(self, request: web.Request) -> tuple[ListedGroup, ...]:
        return listing.groups(self._view.catalogue, request[ACCOUNT], language=language_of(request))

    def _one(self, request: web.Request, name: str) -> dict[str, Any]:
        return next(_wire(request, group) for group in self._listed(request) if group.group == name)

    def _named(self, request: web.Request) -> str:
        name = request.match_info["group"]
        if name not in GROUPS and name not in self._view.catalogue.groups:
            raise not_found("group", "group")
        return name

    async def create(self, request: web.Request) -> web.Response:
        unversioned(request)
        wanted = await read_model(request, GroupName)
        await self._view.give(request, "create_group", group=wanted.group)
        return answer(self._one(request, wanted.group), 201)

    async def rename(self, request: web.Request) -> web.Response:
        unversioned(request)
        name = self._named(request)
        wanted = await read_model(request, GroupName)
        await self._view.give(request, "rename_group", group=name, new_group=wanted.group)
        return answer(self._one(request, wanted.group))

    async def delete(self, request: web.Request) -> web.Response:
        unversioned(request)
        await self._view.give(request, "delete_group", group=self._named(request))
        return web.Response(status=204)


def _wire(request: web.Request, group: ListedGroup) -> dict[str, Any]:
    return {
        "group": group.group,
        "label": group.name,
        "built_in": group.group in GROUPS,
        "created_by": group.created_by,
        "segments": group.count,
        "operations": group.operations if request[CALLER].may(Right.EDIT) else [],
    }
