"""The client of a worker's HTTP API."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from importlib.metadata import version
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

import httpx
import orjson

from schemas.pages import MOST_ROWS
from streamseg.catalogue.labels import DEFAULT_LANGUAGE, Language
from streamseg.errors import ConfigurationError, StreamsegError
from streamseg.json_text import dumps, loads

DEFAULT_URL: Final = "http://127.0.0.1:8080"
TIMEOUT_SECONDS: Final = 30.0
"""The longest wait for an answer. It is long because a preview evaluates every contact."""
CONNECT_SECONDS: Final = 5.0
"""Rows of the list, and contacts of a segment, for each request: the most that the API returns."""

_REPEATS: Final = 5
"""How often a request is sent again after the API had no room for it."""
_LONGEST_WAIT_SECONDS: Final = 10.0

_BASE: Final = "/api/v1"
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


class ApiError(StreamsegError):
    """The API refused a request. `path` is the path of the wrong field in the request, or empty. `code` is
    the contract's code, or empty if the answer did not come from a worker."""

    def __init__(
        self,
        *,
        status: int,
        title: str,
        detail: str = "",
        code: str = "",
        path: str = "",
        current_version: int | None = None,
    ) -> None:
        super().__init__(": ".join(part for part in (title, path, detail) if part))
        self.status = status
        self.title = title
        self.detail = detail
        self.code = code
        self.path = path
        self.current_version = current_version

    def wire(self) -> dict[str, Any]:
        """Return the error as problem+json, without members that have no value."""
        members = {
            "status": self.status,
            "title": self.title,
            "detail": self.detail,
            "code": self.code,
            "path": self.path,
            "current_version": self.current_version,
        }
        return {name: value for name, value in members.items() if value not in ("", None)}


class UnreachableError(StreamsegError):
    """No answer came. Start a worker, or give another address."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(f"no answer from {url} ({problem})")
        self.url = url
        self.problem = problem


class Api:
    """A worker's API for one account and one language. Close it after use, or use it in `with`.

    Every request raises ApiError if the API refuses it and UnreachableError if no answer comes.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        account: str | None = None,
        language: Language = DEFAULT_LANGUAGE,
        timeout_seconds: float = TIMEOUT_SECONDS,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`token` selects the account if the API has tokens; `account` is the one in whose name an
        administrator, or a caller of an API without tokens, asks. A `transport` replaces the network, `sleep`
        (s) the waiting. Raises ConfigurationError for a bad URL."""
        self.url = url.rstrip("/")
        self._sleep = sleep
        headers = {
            "Accept": "application/json, application/problem+json",
            "Accept-Language": language,
            "User-Agent": f"streamseg/{version('streamseg')}",
        }
        if token:
            headers["Authorization"] = f"Bearer {_printable(token, 'the token')}"
        if account:
            headers["X-Account"] = _printable(account, "the account")
        self._client = httpx.Client(
            headers=[(name.encode(), value.encode()) for name, value in headers.items()],
            timeout=httpx.Timeout(timeout_seconds, connect=min(timeout_seconds, CONNECT_SECONDS)),
            transport=transport,
            # The system's authorities, or those of SSL_CERT_FILE.
            verify=ssl.create_default_context(),
            # A proxy from the environment cannot reach this machine's own loopback.
            trust_env=_host(self.url) not in _LOOPBACK,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    def get(self, *steps: str, **parameters: Any) -> Any:
        """Return the JSON at `/api/v1/` followed by the steps. Parameters that are None are left out."""
        return self._ask("GET", steps, parameters=parameters)

    def post(self, *steps: str, body: Any = None) -> Any:
        return self._ask("POST", steps, body=body)

    def put(self, *steps: str, body: Any) -> Any:
        return self._ask("PUT", steps, body=body)

    def patch(self, *steps: str, body: Any) -> Any:
        return self._ask("PATCH", steps, body=body)

    def delete(self, *steps: str, **parameters: Any) -> Any:
        return self._ask("DELETE", steps, parameters=parameters)

    def segments(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """Yield the rows of the list, page by page. `filters` have the API's parameter names."""
        cursor: str | None = None
        while True:
            page = self.get("segments", **filters, cursor=cursor, limit=MOST_ROWS)
            yield from page["rows"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def events(self, *steps: str, **parameters: Any) -> Iterator[tuple[str, Any]]:
        """Yield the server-sent events at an address as they come: (name, data)."""
        with (
            self._errors(),
            self._client.stream("GET", self._address(steps), params=_given(parameters)) as found,
        ):
            if not found.is_success:
                found.read()
                self._read(found)
            name = ""
            for line in _lines(found):
                field, _, text = line.partition(": ")
                if field == "event":
                    name = text
                elif field == "data":
                    yield name, loads(text.encode())

    def _ask(
        self,
        method: str,
        steps: tuple[str, ...],
        *,
        parameters: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> Any:
        def response() -> httpx.Response:
            return self._client.request(
                method,
                self._address(steps),
                params=_given(parameters or {}),
                content=None if body is None else dumps(body),
                headers=None if body is None else {"Content-Type": "application/json"},
            )

        with self._errors():
            found = response()
            for _ in range(_REPEATS):
                wait_s = _wait_s(found)
                if wait_s is None:
                    break
                self._sleep(wait_s)
                found = response()
        return self._read(found)

    def _address(self, steps: tuple[str, ...]) -> str:
        return "/".join([self.url + _BASE, *(quote(step, safe="") for step in steps)])

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn the errors of the connection into ours."""
        try:
            yield
        except httpx.TimeoutException as error:
            raise UnreachableError(self.url, "it took too long") from error
        except httpx.UnsupportedProtocol as error:
            raise _bad_url(self.url) from error
        except httpx.TransportError as error:
            raise UnreachableError(self.url, str(error) or type(error).__name__) from error

    def _read(self, response: httpx.Response) -> Any:
        if response.is_success and not response.content:
            return None
        try:
            value = loads(response.content)
        except orjson.JSONDecodeError as error:
            if not response.is_success:
                raise ApiError(status=response.status_code, title=_phrase(response.status_code)) from error
            raise ApiError(
                status=response.status_code,
                title=f"{self.url} answers, but not as a streamseg worker does",
            ) from error
        if response.is_success:
            return value
        problem = value if isinstance(value, dict) else {}
        raise ApiError(
            status=response.status_code,
            title=str(problem.get("title") or _phrase(response.status_code)),
            detail=str(problem.get("detail") or ""),
            code=str(problem.get("code") or ""),
            path=str(problem.get("path") or ""),
            current_version=problem.get("current_version"),
        )


def _wait_s(response: httpx.Response) -> float | None:
    """Return the time in s after which the API has room for a request that it did not carry out; None if the
    answer is another one."""
    if response.status_code != HTTPStatus.TOO_MANY_REQUESTS or b'"rate_limited"' not in response.content:
        return None
    given = response.headers.get("Retry-After", "")
    return min(float(given), _LONGEST_WAIT_SECONDS) if given.isdecimal() else 1.0


def _host(url: str) -> str:
    try:
        return httpx.URL(url).host
    except httpx.InvalidURL as error:
        raise _bad_url(url) from error


def _lines(response: httpx.Response) -> Iterator[str]:
    """Yield the lines of an answer as they come."""
    # httpx's own `iter_lines` also breaks lines at characters such as U+2028, which an id may contain.
    rest = b""
    for data in response.iter_bytes():
        *lines, rest = (rest + data).split(b"\n")
        yield from (line.decode() for line in lines)


def _bad_url(url: str) -> ConfigurationError:
    return ConfigurationError(f"{url!r} is not the address of a worker; give one such as {DEFAULT_URL}")


def _printable(text: str, what: str) -> str:
    if not text.isprintable():
        raise ConfigurationError(f"{what} must be printable text to be sent in an HTTP header")
    return text


def _given(parameters: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the parameters that are not None, as text; None if there are none."""
    return {name: _parameter(value) for name, value in parameters.items() if value is not None} or None


def _parameter(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _phrase(status: int) -> str:
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"
