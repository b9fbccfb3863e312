"""Entity tags and preconditions: `ETag`, `If-Match`, `If-None-Match` (RFC 9110, section 13).

The tag of a segment is `"VERSION.DIGEST"`, every other tag is `"DIGEST"`. The digest covers the whole answer,
so that `If-None-Match` finds every difference. `If-Match` compares only the version: a changed count is no
reason to refuse an edit.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Final, NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler

from agents.api.problems import ProblemError
from schemas.scalars import LARGEST_COUNT

IF_MATCH: Final = "If-Match"
IF_NONE_MATCH: Final = "If-None-Match"

VERSION: Final = web.RequestKey("version", int)
"""The key under which a read of a segment stores the version for the tag."""

_READING: Final = ("GET", "HEAD")
_VARY: Final = "Authorization, Cookie, X-Account, Accept-Language"
# A bare number is accepted because callers sent it before tags existed.
_TAG: Final = re.compile(r'[ \t]*(?:(W/)?"([\x21\x23-\x7e\x80-\U0010ffff]*)"|([0-9]+))?[ \t]*(?:,|$)')


class Tag(NamedTuple):
    """One entity tag, without its quotes."""

    opaque: str
    weak: bool

    @property
    def version(self) -> int | None:
        """The version of a segment in the tag; numbers above the largest possible version are reduced to
        that."""
        number = self.opaque.partition(".")[0]
        if not number.isascii() or not number.isdigit():
            return None
        return min(int(number.lstrip("0")[:20] or "0"), LARGEST_COUNT)


class Tags(NamedTuple):
    """The tags in a precondition; `every` means `*`."""

    every: bool
    tags: tuple[Tag, ...] = ()

    @classmethod
    def of(cls, request: web.BaseRequest, header: str) -> Tags | None:
        """Return the tags in the header; None without the header. Raises ProblemError if it is not a list of
        tags."""
        given = request.headers.getall(header, None)
        if given is None:
            return None
        text = ",".join(given).strip()
        if text == "*":
            return cls(True)
        found: list[Tag] = []
        place = 0
        while place < len(text):
            match = _TAG.match(text, place)
            if match is None:
                break
            weak, opaque, number = match.groups()
            text_of_tag = number if opaque is None else opaque
            if text_of_tag is not None:
                found.append(Tag(text_of_tag, weak is not None))
            place = match.end()
        if place < len(text) or not found:
            raise ProblemError("invalid_schema", 'must be * or entity tags, such as "3"', header)
        return cls(False, tuple(found))

    @property
    def versions(self) -> frozenset[int]:
        """The versions of the strong tags; only strong tags prove that nothing was changed."""
        return frozenset(tag.version for tag in self.tags if not tag.weak and tag.version is not None)

    def lists(self, opaque: str) -> bool:
        """Return whether a tag is in the list, weak or not."""
        return self.every or any(tag.opaque == opaque for tag in self.tags)


def wanted_versions(request: web.Request, current: int) -> frozenset[int] | None:
    """Return the versions of which the segment must have one for the request to be carried out; None if any
    version is accepted. `current` is the version that this worker knows.

    Raises ProblemError if a precondition cannot be met or is invalid.
    """
    unwanted = Tags.of(request, IF_NONE_MATCH)
    if unwanted is not None and (unwanted.every or current in {tag.version for tag in unwanted.tags}):
        raise precondition_failed(IF_NONE_MATCH, current)
    wanted = Tags.of(request, IF_MATCH)
    if wanted is None or wanted.every:
        return None
    if not wanted.versions:
        raise precondition_failed(IF_MATCH, current)
    return wanted.versions


def precondition_failed(header: str, current: int | None = None) -> ProblemError:
    """Return the refusal of a request whose precondition does not hold."""
    problem = "this address has no versions" if current is None else f"the current version is {current}"
    return ProblemError("precondition_failed", problem, header, current_version=current)


def unversioned(request: web.Request) -> None:
    """Refuse a change that requires a version of something that has no versions."""
    wanted = Tags.of(request, IF_MATCH)
    if wanted is not None and not wanted.every:
        raise precondition_failed(IF_MATCH)


@web.middleware
async def tagged(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Add a tag to every answer to a read, and omit the body if the caller has it already."""
    response = await handler(request)
    if request.method not in _READING or response.status != 200 or not isinstance(response, web.Response):
        return response
    body = response.body if isinstance(response.body, bytes) else b""
    digest = blake2b(body, digest_size=12).hexdigest()
    opaque = f"{request[VERSION]}.{digest}" if VERSION in request else digest
    headers = {"ETag": f'"{opaque}"', "Cache-Control": "private, no-cache", "Vary": _VARY}
    known = Tags.of(request, IF_NONE_MATCH)
    if known is not None and known.lists(opaque):
        return web.Response(status=304, headers=headers)
    response.headers.update(headers)
    return response
