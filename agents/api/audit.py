"""The audit: an entry on `audit` for each request that changes something, reads contacts or needs the role
`admin`, written before the caller gets the answer.

If an entry cannot be written in time, the caller gets an error instead of the answer, a metric counts it and
the log has it. So nobody reads contacts without a trace. A change that was carried out stays: the error says
so, and the brokers that did not take the entry would hardly have taken the command.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, NamedTuple

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from agents.api.problems import STATUSES, ProblemError, RelayedError
from agents.api.requests import to_the_end
from agents.api.roles import CALLER, Right, right_of
from agents.kafka.batch_producer import BatchProducer, Message
from agents.metrics import Metrics
from schemas.topics import AUDIT
from streamseg.errors import RejectedError
from streamseg.json_text import Json
from streamseg.times import format_ms

_log = logging.getLogger(__name__)

WRITE_SECONDS: Final = 5.0
"""How long a caller waits for its entry to be written, in s."""

_MOST_IDS: Final = 1_000
_LONGEST_ANSWER: Final = 256 << 10
"""The largest answer, in bytes, in which the version of the segment is looked for."""
_SIGN_IN: Final = ("POST", "/session")
_NOT_NOTED: Final = {("GET", "/diagnosis")}
"""What needs the role `admin` and shows nothing of contacts, segments or accounts."""
_STREAMS: Final = {("GET", "/changes")}
_NOTHING_DONE: Final = ("starting", "ending", "rate_limited", "unauthorized")
"""Codes of requests that nothing was done for, and that may be many."""


class Subject(NamedTuple):
    """What a request is about, beyond what its address says."""

    segment_ids: tuple[str, ...] = ()
    contact_ids: tuple[str, ...] = ()
    group: str | None = None


SUBJECT: Final = web.RequestKey("subject", Subject)
"""The key under which a handler stores what its request is about, if its address does not say so. A request
that reads contacts although its address does not say so is noted for it."""


class Audit:
    """Writes the entries of one worker."""

    def __init__(
        self,
        batch_producer: BatchProducer,
        metrics: Metrics,
        *,
        base: str,
        now_ms: Callable[[], int],
    ) -> None:
        """`base` is the path before the templates of requests; `now_ms` returns epoch ms."""
        self._batch_producer = batch_producer
        self._metrics = metrics
        self._base = base
        self._now_ms = now_ms

    def middleware(self) -> Middleware:
        """Return a middleware that writes an entry for each request that is to have one. It comes after
        `agents.api.auth.authentication`, and before the roles are checked."""

        @web.middleware
        async def audited(request: web.Request, handler: Handler) -> web.StreamResponse:
            noted = self._is_noted(request)
            if noted and _step(request, self._base) in _STREAMS and self._may(request):
                await self._write(self._entry(request, "begun", 200, None))
                return await handler(request)
            try:
                response = await handler(request)
            except asyncio.CancelledError:
                if self._is_noted(request):
                    with suppress(ProblemError):
                        await self._write(self._entry(request, "gone", None, None))
                raise
            except Exception as error:
                outcome, status, code = _failure(error)
                if self._is_noted(request) and code not in _NOTHING_DONE:
                    await self._write(self._entry(request, outcome, status, code))
                raise
            if self._is_noted(request):
                await self._write(self._entry(request, "done", response.status, None, response))
            return response

        return audited

    def _may(self, request: web.Request) -> bool:
        right = right_of(request, self._base)
        return right is None or request[CALLER].may(right)

    def _is_noted(self, request: web.Request) -> bool:
        """Return whether a request gets an entry. A handler may decide it by noting a subject; signing in has
        a caller only once it has succeeded."""
        if CALLER not in request:
            return False
        step = _step(request, self._base)
        if step in _NOT_NOTED:
            return False
        return (
            step == _SIGN_IN
            or SUBJECT in request
            or right_of(request, self._base) in (Right.EDIT, Right.ADMIN, Right.CONTACTS)
        )

    def _entry(
        self,
        request: web.Request,
        outcome: str,
        status: int | None,
        code: str | None,
        response: web.StreamResponse | None = None,
    ) -> Json:
        caller, match = request[CALLER], request.match_info
        subject = request.get(SUBJECT, Subject())
        changes = right_of(request, self._base) is Right.EDIT
        answered = _answered(response) if changes else {}
        segments = [match["segment_id"]] if "segment_id" in match else list(subject.segment_ids)
        if not segments:
            one = answered.get("segment_id")
            segments = [one] if isinstance(one, str) else list(answered.get("segment_ids") or ())
        version = answered.get("version")
        contacts = [match["contact_id"]] if "contact_id" in match else list(subject.contact_ids)
        method, template = _step(request, self._base)
        return {
            "entry_id": uuid.uuid4().hex,
            "at": format_ms(self._now_ms()),
            "account": caller.sender,
            "acted_for": None if caller.account == caller.sender else caller.account,
            "role": caller.role.value,
            "token_id": caller.token_id,
            "address": request.remote or "",
            "action": f"{method} {template}",
            "segment_ids": segments[:_MOST_IDS],
            "segment_version": version if isinstance(version, int) and version >= 1 else None,
            "group": match.get("group") or subject.group or _text(answered.get("group"), template),
            "contact_ids": contacts[:_MOST_IDS],
            "outcome": outcome,
            "status": status,
            "code": code,
        }

    async def _write(self, entry: Json) -> None:
        """Write an entry also if the caller disconnects meanwhile. Raises ProblemError if it could not be
        written in time."""
        await to_the_end(self._written(entry))

    async def _written(self, entry: Json) -> None:
        message = Message(None, orjson.dumps(entry))
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                await _finished(self._batch_producer.send(AUDIT, [message], partition=0))
        except Exception as error:
            self._metrics.audit_failures.inc()
            _log.error("an entry on `audit` was not written (%s): %s", type(error).__name__, entry["action"])
            raise ProblemError(
                "not_audited",
                "the request could not be noted on the topic audit; a change may have been made, so check "
                "before you repeat it",
            ) from error


async def _finished(work: Awaitable[object]) -> None:
    # The work goes on after the time is up: an entry that is late is better than none.
    await asyncio.shield(asyncio.ensure_future(work))


def _step(request: web.Request, base: str) -> tuple[str, str]:
    resource = request.match_info.route.resource
    method = "GET" if request.method == "HEAD" else request.method
    return method, "" if resource is None else resource.canonical.removeprefix(base)


def _answered(response: web.StreamResponse | None) -> Json:
    """Return the answer, if it is a JSON object that is not long."""
    body = response.body if isinstance(response, web.Response) else None
    if not isinstance(body, bytes) or not 0 < len(body) <= _LONGEST_ANSWER:
        return {}
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: object, template: str) -> str | None:
    """Return the group that an answer names, if the request was about groups."""
    return value if isinstance(value, str) and template.startswith("/groups") else None


def _failure(error: Exception) -> tuple[str, int | None, str | None]:
    """Return outcome, status and code of a request that ended with an exception."""
    match error:
        case ProblemError() | RelayedError():
            code = str(error.code)
        case RejectedError():
            code = error.code.value
        case TimeoutError():
            code = "timeout"
        case web.HTTPException():
            return ("refused" if error.status < 500 else "failed"), error.status, None
        case _:
            code = "internal"
    status = STATUSES[code]
    return ("refused" if status < 500 else "failed"), status, code
