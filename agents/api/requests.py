"""Reads requests, and writes answers."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from aiohttp import web

from agents.api.problems import ProblemError
from agents.api.slices import in_thread
from streamseg.catalogue.labels import Language
from streamseg.json_text import Json, dumps
from streamseg.nesting import read_json
from streamseg.records.messages import Model, checked
from streamseg.times import parse_timestamp_ms, time_zone

T = TypeVar("T")
Choice = TypeVar("Choice", bound=str)


_DIGITS = 18
"""The most digits of an instant in epoch milliseconds."""
_BIG = 16 << 10
"""The body size, in bytes, from which a body is read in a thread."""

_going: set[asyncio.Future[Any]] = set()


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Return the result of `work`. The work is completed even if the caller disconnects, so that no change is
    made by halves."""
    task = asyncio.ensure_future(work)
    _going.add(task)
    task.add_done_callback(_ended)
    return await asyncio.shield(task)


def _ended(task: asyncio.Future[Any]) -> None:
    _going.discard(task)
    if not task.cancelled():
        # The exception is retrieved, since the caller may have disconnected and asyncio would report it as
        # lost.
        task.exception()


def answer(body: Any, status: int = 200) -> web.Response:
    return web.Response(body=dumps(body), status=status, content_type="application/json")


async def read_body(request: web.Request, *, optional: bool = False) -> Json:
    """Return the JSON object in the body. Raises ProblemError and RejectedError; aiohttp refuses bodies over
    the limit."""
    try:
        data = await request.read()
    except web.RequestPayloadError as error:
        raise ProblemError(
            "invalid_json", "does not match Content-Encoding; send the body without an encoding"
        ) from error
    if not data and optional:
        return {}
    if request.content_type != "application/json" and not request.content_type.endswith("+json"):
        raise ProblemError("media_type", "send Content-Type: application/json")
    body = read_json(data) if len(data) < _BIG else await in_thread(lambda _: read_json(data))
    if not isinstance(body, dict):
        raise ProblemError("invalid_schema", "must be a JSON object")
    return body


async def read_model(request: web.Request, model: type[Model], *, optional: bool = False) -> Model:
    """Return the body as an instance of `model`. Raises ProblemError, and RejectedError with the path of the
    wrong field."""
    body = await read_body(request, optional=optional)
    if (request.content_length or _BIG) < _BIG:
        return checked(model, body)
    return await in_thread(lambda _: checked(model, body))


def whole_number(request: web.Request, name: str, default: int, low: int, high: int) -> int:
    """Return a whole number from the query. Raises ProblemError if it is not from `low` to `high`."""
    text = request.query.get(name)
    if text is None:
        return default
    digits = len(str(high))
    if not text.isascii() or not text.isdigit() or len(text) > digits or not low <= int(text) <= high:
        raise ProblemError("invalid_schema", f"must be a whole number from {low} to {high}", name)
    return int(text)


def instant(request: web.Request, name: str, zone: str) -> int | None:
    """Return an instant from the query in epoch ms, None if it is not given: RFC 3339 text, in the time zone
    `zone` if it has no offset, or epoch milliseconds. Raises ProblemError for anything else."""
    text = request.query.get(name)
    if text is None:
        return None
    whole = text.removeprefix("-")
    given: str | int = int(text) if whole.isascii() and whole.isdigit() and len(whole) <= _DIGITS else text
    try:
        return parse_timestamp_ms(given, time_zone(zone))
    except ValueError as error:
        raise ProblemError("invalid_schema", str(error), name) from error


def time_zone_wanted(request: web.Request, default: str) -> str:
    """Return the name of the time zone in the query, or `default`. Raises ProblemError if there is none of
    that name."""
    name = request.query.get("timezone", default)
    try:
        time_zone(name)
    except ValueError as error:
        raise ProblemError("invalid_schema", str(error), "timezone") from error
    return name


def words_wanted(request: web.Request) -> Language | None:
    """Return the language of `?words=`, in which sentences for definitions and conditions are added; None
    without it."""
    text = choice(request, "words", "", ("", "zh", "en"))
    if not text:
        return None
    return "zh" if text == "zh" else "en"


def choice(request: web.Request, name: str, default: Choice, allowed: tuple[Choice, ...]) -> Choice:
    """Return a parameter from the query. Raises ProblemError if it is not one of `allowed`."""
    text = request.query.get(name, default)
    for one in allowed:
        if one == text:
            return one
    raise ProblemError("invalid_schema", f"must be one of {', '.join(allowed)}", name)
