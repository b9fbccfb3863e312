"""Errors for the caller: RFC 9457 problems with the contract's codes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from streamseg.catalogue.labels import ERRORS, Label, Language, choose_language
from streamseg.errors import Code, RejectedError
from streamseg.times import format_ms
from streamseg.wording.details import detail

_log = logging.getLogger(__name__)

CONTENT_TYPE: Final = "application/problem+json"

STATUSES: Final[dict[str, int]] = {
    Code.INVALID_JSON: 400,
    Code.INVALID_SCHEMA: 422,
    Code.TIMESTAMP_IN_FUTURE: 422,
    Code.OCCURRED_IN_FUTURE: 422,
    Code.UNKNOWN_REFERENCE: 422,
    Code.REFERENCE_CYCLE: 422,
    Code.NOT_PERMITTED: 403,
    Code.IN_USE: 409,
    Code.CONFLICT: 409,
    Code.TOO_LARGE: 413,
    "precondition_failed": 412,
    "not_found": 404,
    "unauthorized": 401,
    "timeout": 504,
    "starting": 503,
    "not_audited": 503,
    "ending": 503,
    "not_here": 421,
    "method_not_allowed": 405,
    "media_type": 415,
    "too_many_requests": 429,
    "rate_limited": 429,
    "superseded": 409,
    "not_kept": 410,
    "bad_request": 400,
    "uri_too_long": 414,
    "header_too_large": 431,
    "internal": 500,
}

_TITLES: Final[dict[str, Label]] = {
    "not_found": Label("不存在", "Not found"),
    "unauthorized": Label("未登录", "Not authorized"),
    "precondition_failed": Label("版本已变化", "Not the version that was asked for"),
    "timeout": Label("超时", "Not in time"),
    "starting": Label("正在启动", "Starting"),
    "not_audited": Label("无法记入审计", "Not noted in the audit"),
    "ending": Label("正在停止", "Ending"),
    "not_here": Label("不在此节点", "Not at this worker"),
    "method_not_allowed": Label("不支持的方法", "Method not allowed"),
    "media_type": Label("不支持的内容类型", "Unsupported media type"),
    "too_many_requests": Label("请求过多", "Too many requests"),
    "rate_limited": Label("请求过于频繁", "Too many requests a second"),
    "superseded": Label("已被新请求取代", "Superseded by a later request"),
    "not_kept": Label("已不再保存", "No longer kept"),
    "bad_request": Label("不是有效的 HTTP 请求", "Not an HTTP request"),
    "uri_too_long": Label("地址过长", "Address too long"),
    "header_too_large": Label("请求头过长", "Header too long"),
    "internal": Label("内部错误", "Internal error"),
}


_HEADERS: Final[dict[int, dict[str, str]]] = {
    401: {"WWW-Authenticate": "Bearer"},
    429: {"Retry-After": "1"},
    503: {"Retry-After": "1"},
}


class ProblemError(Exception):
    """Ends a request with a problem."""

    def __init__(
        self,
        code: str,
        detail: str,
        path: str = "",
        *,
        current_version: int | None = None,
        complete_since: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        """`retry_after_s` is the time in s that the caller should wait; None leaves it to the code."""
        super().__init__(detail)
        self.retry_after_s = retry_after_s
        self.code = code
        self.detail = detail
        self.path = path
        self.current_version = current_version
        self.complete_since = complete_since

    def response(self, language: Language) -> web.Response:
        label = _TITLES.get(self.code) or ERRORS[Code(self.code)]
        status = STATUSES[self.code]
        body: dict[str, Any] = {
            "type": f"urn:streamseg:problem:{self.code}",
            "title": label.of(language),
            "status": status,
            "detail": detail(self.detail, language),
            "code": self.code,
        }
        if self.path:
            body["path"] = self.path
        if self.current_version is not None:
            body["current_version"] = self.current_version
        if self.complete_since is not None:
            body["complete_since"] = self.complete_since
        headers = dict(_HEADERS.get(status, {}))
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(self.retry_after_s)
        return web.Response(
            body=orjson.dumps(body), status=status, content_type=CONTENT_TYPE, headers=headers
        )


class RelayedError(Exception):
    """Ends a request with the problem that another worker returned."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.body = body

    @property
    def code(self) -> str:
        """The problem's code; `internal` if it is not one of our codes."""
        try:
            code = orjson.loads(self.body)["code"]
        except (orjson.JSONDecodeError, TypeError, KeyError):
            code = ""
        return code if code in STATUSES else "internal"


def not_found(what: str, path: str = "") -> ProblemError:
    return ProblemError("not_found", f"there is no such {what}", path)


def not_kept(complete_ms: int, path: str) -> ProblemError:
    """Return the problem of an instant before `complete_ms` (epoch ms), since when changes are kept."""
    since = format_ms(complete_ms)
    return ProblemError(
        "not_kept", f"memberships are known since {since}; ask for a later time", path, complete_since=since
    )


def too_late(clock_ms: int, path: str) -> ProblemError:
    """Return the problem of an instant after `clock_ms` (epoch ms), up to when changes are known."""
    return ProblemError(
        Code.TIMESTAMP_IN_FUTURE,
        f"memberships are known up to {format_ms(clock_ms)}; ask for an earlier time",
        path,
    )


def language_of(request: web.BaseRequest) -> Language:
    """Return the language that the caller reads."""
    return choose_language(request.headers.get("Accept-Language", ""))


def problems(refused: Callable[[str], None]) -> Middleware:
    """Return a middleware that turns every exception of a handler into a problem. `refused` is called with
    each code."""

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except RelayedError as error:
            refused(error.code)
            return web.Response(body=error.body, status=error.status, content_type=CONTENT_TYPE)
        except web.HTTPMethodNotAllowed as error:
            response = _method_not_allowed(request, error)
            refused("method_not_allowed")
            return response
        except Exception as error:
            problem = _problem(request, error)
            if problem is None:
                raise
            refused(problem.code)
            return problem.response(language_of(request))

    return answer


def _method_not_allowed(request: web.Request, error: web.HTTPMethodNotAllowed) -> web.Response:
    allowed = ", ".join(sorted(error.allowed_methods))
    response = ProblemError("method_not_allowed", f"allowed here: {allowed}").response(language_of(request))
    response.headers["Allow"] = allowed
    return response


def _problem(request: web.Request, error: Exception) -> ProblemError | None:
    """Return the problem for a handler's exception; None if aiohttp answers it itself."""
    match error:
        case ProblemError():
            return error
        case RejectedError():
            return ProblemError(error.code.value, error.message, error.path)
        case web.HTTPRequestEntityTooLarge():
            return ProblemError(Code.TOO_LARGE, "the body is longer than the largest record; send less")
        case web.HTTPNotFound():
            return ProblemError("not_found", "there is nothing at this address; see /api/v1/openapi.json")
        case TimeoutError():
            return ProblemError(
                "timeout",
                "no answer in time; the request may still be carried out, so check first",
            )
        case web.HTTPException():
            return None
    # Only the address is logged: every web server's log contains the ids in it, but not bodies.
    _log.error("%s of %s failed", request.method, request.match_info.route.resource, exc_info=error)
    return ProblemError("internal", "an internal error of the worker; see its log")
