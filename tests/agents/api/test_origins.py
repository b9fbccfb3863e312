"""The host names and the page origins for which a worker answers."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from agents.api.origins import own_pages_only
from agents.api.problems import ProblemError
from streamseg.settings import Settings

OWN = "localhost:8080"


def answer(
    headers: list[tuple[str, str]], *, method: str = "POST", tokens: bool = False, **settings: Any
) -> str | None:
    """What the request is refused for: the header at fault; None where it is let through."""
    check = own_pages_only(Settings(**settings), tokens=tokens)

    async def handler(request: web.Request) -> web.Response:
        return web.Response()

    asked = check(make_mocked_request(method, "/api/v1/segments", headers=CIMultiDict(headers)), handler)
    try:
        # It waits for nothing, so it needs no loop.
        next(asked.__await__())
    except StopIteration:
        return None
    except ProblemError as error:
        return error.path if error.code == "not_permitted" else error.code
    raise AssertionError("it waits")


NAMES = {
    "localhost": True,
    "localhost:8080": True,
    "LocalHost.:1": True,
    "127.0.0.1:8080": True,
    "127.3.2.1": True,
    "[::1]:8080": True,
    "[::ffff:127.0.0.1]": True,
    "worker-1:9": True,
    "console.example": True,
    "evil.example": False,
    "localhost.evil.example": False,
    "evil.example:8080": False,
    "127.0.0.1.evil.example": False,
    "128.0.0.1": False,
    "localhost@evil.example": False,
    "user@localhost": False,
    "localhost:port": False,
    "localhost/": False,
    "[::1": False,
    "": False,
}


@pytest.mark.parametrize(("host", "own"), NAMES.items())
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_without_tokens_only_names_of_its_own_are_answered(host: str, own: bool, method: str) -> None:
    named: dict[str, Any] = {"advertised_url": "http://Worker-1:8080", "allowed_hosts": ["Console.example"]}
    assert answer([("Host", host)], method=method, **named) == (None if own else "Host")
    # Where some are named, with tokens too; else any name will do, as behind a proxy.
    assert answer([("Host", host)], method=method, tokens=True, **named) == (None if own else "Host")
    assert answer([("Host", host)], method=method, tokens=True) is None


def test_a_request_has_one_name() -> None:
    assert answer([]) == "Host"
    assert answer([("Host", OWN), ("Host", "evil.example")]) == "Host"


ORIGINS = {
    None: None,
    "http://localhost:8080": None,
    "http://LOCALHOST:8080": None,
    "https://localhost:8080": None,
    "https://console.example": None,
    "http://worker-1:8080": None,
    "http://localhost": "Origin",
    "http://localhost:3000": "Origin",
    "http://127.0.0.1:8080": "Origin",
    "http://evil.example": "Origin",
    "http://localhost:8080.evil.example": "Origin",
    "http://console.example": "Origin",
    "null": "Origin",
    "": "Origin",
    "file://": "Origin",
    "localhost:8080": "Origin",
}
SITES = {None: None, "same-origin": None, "none": None, "same-site": "no", "cross-site": "no", "new": "no"}


@pytest.mark.parametrize(("origin", "refused"), ORIGINS.items())
@pytest.mark.parametrize(("site", "foreign"), SITES.items())
@pytest.mark.parametrize("tokens", [False, True])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pages_of_the_own_origin_are_answered_and_no_others(
    origin: str | None, refused: str | None, site: str | None, foreign: str | None, tokens: bool, method: str
) -> None:
    headers = [("Host", OWN)]
    if origin is not None:
        headers.append(("Origin", origin))
    if site is not None:
        headers.append(("Sec-Fetch-Site", site))
    named = origin in ("https://console.example", "http://worker-1:8080")
    expected = refused or ("Sec-Fetch-Site" if foreign and not named else None)
    found = answer(
        headers,
        method=method,
        tokens=tokens,
        advertised_url="http://worker-1:8080/",
        allowed_origins=["https://console.example/"],
    )
    assert found == expected


@pytest.mark.parametrize(
    ("host", "origin"),
    [("localhost", "http://localhost:80"), ("localhost:443", "https://localhost"), ("[::1]", "http://[::1]")],
)
def test_a_port_that_goes_without_saying_is_the_same(host: str, origin: str) -> None:
    assert answer([("Host", host), ("Origin", origin)]) is None


def test_the_origin_of_a_name_that_leads_here_does_not_help() -> None:
    assert answer([("Host", "evil.example:8080"), ("Origin", "http://evil.example:8080")]) == "Host"
