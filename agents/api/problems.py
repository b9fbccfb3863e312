"""What went wrong, for the caller: RFC 9457 problems with the contract's codes."""

from __future__ import annotations

import logging
from typing import Any, Final

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from streamseg.catalogue.labels import ERRORS, Label, Language, choose_language
from streamseg.errors import Code, RejectedError

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
    "not_found": 404,
    "unauthorized": 401,
    "timeout": 504,
    "starting": 503,
    "not_here": 421,
    "method_not_allowed": 405,
    "media_type": 415,
    "bad_request": 400,
    "uri_too_long": 414,
    "header_too_large": 431,
    "internal": 500,
}

_TITLES: Final[dict[str, Label]] = {
    "not_found": Label("不存在", "Not found"),
    "unauthorized": Label("未登录", "Not authorized"),
    "timeout": Label("超时", "Not in time"),
    "starting": Label("正在启动", "Starting"),
    "not_here": Label("不在此节点", "Not at this worker"),
    "method_not_allowed": Label("不支持的方法", "Method not allowed"),
    "media_type": Label("不支持的内容类型", "Unsupported media type"),
    "bad_request": Label("不是有效的 HTTP 请求", "Not an HTTP request"),
    "uri_too_long": Label("地址过长", "Address too long"),
    "header_too_large": Label("请求头过长", "Header too long"),
    "internal": Label("内部错误", "Internal error"),
}


class ProblemError(Exception):
    """Ends a request with a problem."""

    def __init__(self, code: str, detail: str, path: str = "", *, current_version: int | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.path = path
        self.current_version = current_version

    def response(self, language: Language) -> web.Response:
        label = _TITLES.get(self.code) or ERRORS[Code(self.code)]
        status = STATUSES[self.code]
        body: dict[str, Any] = {
            "type": f"urn:streamseg:problem:{self.code}",
            "title": label.of(language),
            "status": status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.path:
            body["path"] = self.path
        if self.current_version is not None:
            body["current_version"] = self.current_version
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
        return web.Response(
            body=orjson.dumps(body), status=status, content_type=CONTENT_TYPE, headers=headers
        )


class RelayedError(Exception):
    """Ends a request with the problem that another worker gave."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.body = body


def not_found(what: str, path: str = "") -> ProblemError:
    return ProblemError("not_found", f"there is no such {what}", path)


def language_of(request: web.BaseRequest) -> Language:
    """The language that the caller reads."""
    return choose_language(request.headers.get("Accept-Language", ""))


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns everything that a handler raises into a problem."""
    try:
        return await handler(request)
    except ProblemError as error:
        problem = error
    except RelayedError as error:
        return web.Response(body=error.body, status=error.status, content_type=CONTENT_TYPE)
    except RejectedError as error:
        problem = ProblemError(error.code.value, error.message, error.path)
    except web.HTTPRequestEntityTooLarge:
        problem = ProblemError(Code.TOO_LARGE, "the body is longer than the largest record; send less")
    except web.HTTPNotFound:
        problem = ProblemError("not_found", "there is nothing at this address; see /api/v1/openapi.json")
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        answer = ProblemError("method_not_allowed", f"allowed here: {allowed}").response(language_of(request))
        answer.headers["Allow"] = allowed
        return answer
    except TimeoutError:
        problem = ProblemError("timeout", "not answered in time; it may still be carried out, so look first")
    except web.HTTPException:
        raise
    except Exception:
        # The address only: ids in it are in the log of any web server, bodies are not.
        _log.exception("%s of %s failed", request.method, request.match_info.route.resource)
        problem = ProblemError("internal", "an error that is the worker's fault; its log says more")
    return problem.response(language_of(request))
