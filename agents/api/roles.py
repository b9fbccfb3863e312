"""What a caller may do: the roles of tokens, and the right that each request needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from agents.api.problems import ProblemError


class Role(StrEnum):
    """The role of a token. Each role may do what the one before it may."""

    READ = "read"
    """Reads segments, their numbers of contacts, their definitions and versions, groups and the vocabulary,
    and tries definitions out."""
    EDIT = "edit"
    """Makes and changes segments, groups and static lists."""
    ADMIN = "admin"
    """Verifies, reads the diagnosis and the condition of all workers, exports and erases contacts, and may
    act for any account. It may read contacts."""


class Right(StrEnum):
    """What a request needs."""

    READ = "read"
    EDIT = "edit"
    ADMIN = "admin"
    CONTACTS = "contacts"
    """To read contacts: their ids, attributes, events and memberships. It is given to a token apart from its
    role, because most programs need numbers only."""


_RANKS: Final = {Right.READ: (Role.READ, Role.EDIT, Role.ADMIN), Right.EDIT: (Role.EDIT, Role.ADMIN)}


class Caller(NamedTuple):
    """Who sends a request, and in whose name.

    account   the account in whose name the request is carried out
    sender    the account of the token; another one only if an administrator acts for `account`
    contacts  whether the token may read contacts
    token_id  the id of the token; None if the API has no tokens
    """

    account: str
    sender: str
    role: Role
    contacts: bool
    token_id: str | None = None

    def may(self, right: Right) -> bool:
        if right is Right.CONTACTS:
            return self.contacts or self.role is Role.ADMIN
        return self.role in _RANKS.get(right, (Role.ADMIN,))


CALLER: Final = web.RequestKey("caller", Caller)
"""The key under which a request stores its caller."""

NEEDED: Final[Mapping[tuple[str, str], Right]] = {
    ("GET", "/session"): Right.READ,
    ("GET", "/segments"): Right.READ,
    ("POST", "/segments"): Right.EDIT,
    ("GET", "/segments/{segment_id}"): Right.READ,
    ("PUT", "/segments/{segment_id}"): Right.EDIT,
    ("DELETE", "/segments/{segment_id}"): Right.EDIT,
    ("POST", "/segments/{segment_id}/copy"): Right.EDIT,
    ("POST", "/segments/{segment_id}/share"): Right.EDIT,
    ("POST", "/segments/{segment_id}/calculate"): Right.EDIT,
    ("POST", "/segments/{segment_id}/recount"): Right.EDIT,
    ("GET", "/segments/{segment_id}/contacts"): Right.CONTACTS,
    ("GET", "/segments/{segment_id}/contacts/{contact_id}/explain"): Right.CONTACTS,
    ("GET", "/segments/{segment_id}/growth"): Right.READ,
    ("GET", "/segments/{segment_id}/versions"): Right.READ,
    ("GET", "/segments/{segment_id}/versions/{version}"): Right.READ,
    ("POST", "/segments/{segment_id}/versions/{version}/revert"): Right.EDIT,
    ("GET", "/deleted-segments"): Right.READ,
    ("POST", "/deleted-segments/{segment_id}/restore"): Right.EDIT,
    ("POST", "/batch/{command}"): Right.EDIT,
    ("GET", "/groups"): Right.READ,
    ("POST", "/groups"): Right.EDIT,
    ("PATCH", "/groups/{group}"): Right.EDIT,
    ("DELETE", "/groups/{group}"): Right.EDIT,
    # Whoever may not read contacts gets their numbers from a preview, and no ids.
    ("POST", "/check"): Right.READ,
    ("POST", "/preview"): Right.READ,
    ("GET", "/vocabulary"): Right.READ,
    ("POST", "/window"): Right.READ,
    ("GET", "/contacts"): Right.CONTACTS,
    ("GET", "/contacts/{contact_id}"): Right.CONTACTS,
    ("GET", "/contacts/{contact_id}/segments"): Right.CONTACTS,
    ("GET", "/contacts/{contact_id}/timeline"): Right.CONTACTS,
    ("DELETE", "/contacts/{contact_id}"): Right.ADMIN,
    ("GET", "/contacts/{contact_id}/erasure"): Right.ADMIN,
    ("GET", "/contacts/{contact_id}/export"): Right.ADMIN,
    ("GET", "/contacts/{contact_id}/calendar"): Right.CONTACTS,
    ("POST", "/contacts/lists"): Right.EDIT,
    ("GET", "/changes"): Right.CONTACTS,
    ("POST", "/verify"): Right.ADMIN,
    ("GET", "/diagnosis"): Right.ADMIN,
    ("GET", "/workers"): Right.ADMIN,
}
"""The right of each request that needs one. Paths are templates, without `/api/v1`."""

_FOR_EVERYBODY: Final = {("GET", "/openapi.json"), ("POST", "/session"), ("DELETE", "/session")}

_REFUSALS: Final = {
    Right.EDIT: "the token may read only; it needs the role edit (streamseg tokens new --role edit)",
    Right.ADMIN: "the token needs the role admin (streamseg tokens new --role admin)",
    Right.CONTACTS: "the token may not read contacts (streamseg tokens new --contacts)",
}


def check_rights(routes: Iterable[web.RouteDef]) -> None:
    """Raise RuntimeError if a route is not in the table above, so that none is forgotten."""
    for route in routes:
        one = (route.method, _template(route.path))
        if one not in NEEDED and one not in _FOR_EVERYBODY:
            raise RuntimeError(f"{route.method} {route.path} has no right in agents/api/roles.py")


def permitted(base: str) -> Middleware:
    """Return a middleware that refuses what the caller's role does not permit. `base` is the path before the
    templates. It comes after `agents.api.auth.authentication`."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        right = right_of(request, base)
        if right is not None:
            require(request, right)
        return await handler(request)

    return check


def right_of(request: web.Request, base: str) -> Right | None:
    """Return the right that a request needs; None if it needs none, or if there is nothing at its address."""
    resource = request.match_info.route.resource
    if resource is None:
        return None
    method = "GET" if request.method == "HEAD" else request.method
    return NEEDED.get((method, resource.canonical.removeprefix(base)))


def require(request: web.Request, right: Right) -> None:
    """Raise ProblemError if the caller lacks a right."""
    if not request[CALLER].may(right):
        raise ProblemError("not_permitted", _REFUSALS[right])


def _template(path: str) -> str:
    """Return the path of a route without the patterns of its parameters."""
    steps = (
        f"{step.partition(':')[0]}}}" if step.startswith("{") and ":" in step else step
        for step in path.split("/")
    )
    return "/".join(steps)
