"""A page signs in with a token and gets a cookie, which every worker with the same tokens accepts."""

from __future__ import annotations

import asyncio
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from agents.api.roles import Role
from agents.api.sessions import COOKIE, LIFETIME_SECONDS, Sessions
from agents.api.tokens import Tokens
from streamseg.settings import Settings
from tests.agents.api.served import served
from tests.agents.known_tokens import token_of, write_tokens

ANN, ANOTHER, BEN = token_of("ann"), token_of("ann", "-2"), token_of("ben")
TOKENS: dict[str, str | tuple[str, Role]] = {ANN: "ann", BEN: ("ben", Role.ADMIN), ANOTHER: "ann"}
NOW = 1_795_000_000


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens(write_tokens(tmp_path / "tokens.yaml", TOKENS))


def test_a_cookie_is_valid_at_every_worker_with_the_same_tokens_until_it_expires(
    tokens: Tokens, tmp_path: Path
) -> None:
    cookie = Sessions(tokens, lambda: NOW * 10**9).cookie_for(ANN.encode())
    assert "secret" not in cookie
    others = Tokens(write_tokens(tmp_path / "others.yaml", dict(reversed(TOKENS.items()))))
    for late, account in ((0, "ann"), (LIFETIME_SECONDS - 1, "ann"), (LIFETIME_SECONDS, None)):
        session = Sessions(others, lambda late=late: (NOW + late) * 10**9).read(cookie)  # type: ignore[misc]
        assert (session and session.token.account) == account
    session = Sessions(tokens, lambda: NOW * 10**9).read(cookie)
    assert session is not None
    assert session.expires_s == NOW + LIFETIME_SECONDS


def test_a_cookie_ends_with_its_token(tokens: Tokens, tmp_path: Path) -> None:
    cookie = Sessions(tokens).cookie_for(ANN.encode())
    left = Tokens(write_tokens(tmp_path / "left.yaml", {BEN: "ben", ANOTHER: "ann"}))
    assert Sessions(left).read(cookie) is None


def test_a_cookie_cannot_be_changed_or_made_up(tokens: Tokens) -> None:
    sessions = Sessions(tokens)
    cookie = sessions.cookie_for(ANN.encode())
    name, expires, signature = cookie.split(".")
    other = sessions.cookie_for(BEN.encode()).split(".")[0]
    for forged in (
        "",
        ".",
        "..",
        name,
        f"{name}.{expires}",
        f"{name}.{expires}.",
        f"{name}.{int(expires) + 1}.{signature}",
        f"{other}.{expires}.{signature}",
        f"{name}.{expires}.{signature[:-1]}",
        f"{name}.{expires}.{signature}é",
        f"{name}.\udcff.{signature}",
        f"{name}.{expires}.{expires}.{signature}",
        ANN,
    ):
        assert sessions.read(forged) is None, forged
    assert sessions.read(cookie) is not None


Answer = tuple[int, Any, SimpleCookie]


class Page:
    """A page at a worker: it sends the cookie that it was given, and its origin."""

    def __init__(self, session: aiohttp.ClientSession, port: int) -> None:
        self._session = session
        self._base = f"http://localhost:{port}"
        self.cookie = ""

    async def ask(
        self, method: str, path: str, body: Any = None, *, origin: str | None = "own", **headers: str
    ) -> Answer:
        if origin is not None:
            headers["Origin"] = self._base if origin == "own" else origin
        if self.cookie:
            headers["Cookie"] = f"{COOKIE}={self.cookie}"
        url = f"{self._base}/api/v1{path}"
        async with self._session.request(method, url, json=body, headers=headers) as answer:
            data = await answer.read()
            return answer.status, await answer.json(content_type=None) if data else None, answer.cookies


def opened(tmp_path: Path, tokens: Path | None, visit: Any) -> None:
    """Let a page do what `visit` says at a worker with these tokens."""

    async def main() -> None:
        settings = Settings(data_dir=tmp_path, http_port=0, api_tokens_file=tokens)
        async with (
            served(settings) as (_, port),
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
        ):
            await visit(Page(session, port))

    asyncio.run(main())


def test_a_page_signs_in_and_out(tmp_path: Path) -> None:
    async def visit(page: Page) -> None:
        assert (await page.ask("GET", "/session"))[0] == 401
        status, problem, cookies = await page.ask("POST", "/session", {"token": token_of("nobody")})
        assert (status, problem["code"], problem["path"]) == (401, "unauthorized", "token")
        assert not cookies
        status, shown, cookies = await page.ask("POST", "/session", {"token": BEN})
        assert (status, shown["account"], shown["signed_in"]) == (200, "ben", "cookie")
        assert (shown["role"], shown["contacts"]) == ("admin", True)
        morsel = cookies[COOKIE]
        assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "Strict", "/")
        assert not morsel["secure"]
        page.cookie = morsel.value
        status, again, _ = await page.ask("GET", "/session")
        assert (status, again) == (200, shown)
        assert again["expires_at"].endswith("Z")
        # A token in the header is stronger than the cookie.
        named = await page.ask("GET", "/session", Authorization=f"Bearer {ANN}")
        rights = {"role": "edit", "contacts": True}
        expected = {"account": "ann", "signed_in": "token", **rights, "expires_at": None}
        assert named[:2] == (200, expected)
        assert (await page.ask("GET", "/session", Authorization="Bearer no"))[0] == 401
        status, _, cookies = await page.ask("DELETE", "/session")
        assert (status, cookies[COOKIE].value, cookies[COOKIE]["max-age"]) == (204, "", "0")
        page.cookie = page.cookie[:-1]
        assert (await page.ask("GET", "/session"))[0] == 401
        # A page whose sign-in has expired signs out all the same.
        assert (await page.ask("DELETE", "/session"))[0] == 204

    opened(tmp_path, write_tokens(tmp_path / "tokens.yaml", TOKENS), visit)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/check"), ("PUT", "/segments/s"), ("DELETE", "/segments/s")]
)
def test_a_change_with_a_cookie_needs_the_origin_of_an_own_page(
    tmp_path: Path, method: str, path: str
) -> None:
    async def visit(page: Page) -> None:
        page.cookie = (await page.ask("POST", "/session", {"token": ANN}))[2][COOKIE].value
        for origin in (None, "http://evil.example", "http://localhost:1", "null"):
            status, problem, _ = await page.ask(method, path, origin=origin)
            assert (status, problem["code"], problem["path"]) == (403, "not_permitted", "Origin")
        assert (await page.ask(method, path))[0] != 403
        assert (await page.ask("GET", "/session", origin=None))[0] == 200

    opened(tmp_path, write_tokens(tmp_path / "tokens.yaml", TOKENS), visit)


def test_no_page_of_another_origin_signs_in_or_out(tmp_path: Path) -> None:
    async def visit(page: Page) -> None:
        for method, body in (("POST", {"token": ANN}), ("DELETE", None)):
            status, problem, cookies = await page.ask(method, "/session", body, origin="http://evil.example")
            assert (status, problem["path"], bool(cookies)) == (403, "Origin", False)

    opened(tmp_path, write_tokens(tmp_path / "tokens.yaml", TOKENS), visit)


def test_the_cookie_of_an_encrypted_page_is_sent_encrypted_only(tmp_path: Path) -> None:
    async def visit(page: Page) -> None:
        origin = page._base.replace("http:", "https:")
        status, _, cookies = await page.ask("POST", "/session", {"token": ANN}, origin=origin)
        assert (status, cookies[COOKIE]["secure"]) == (200, True)

    opened(tmp_path, write_tokens(tmp_path / "tokens.yaml", TOKENS), visit)


def test_without_tokens_a_page_of_this_machine_needs_no_sign_in(tmp_path: Path) -> None:
    async def visit(page: Page) -> None:
        rights = {"role": "admin", "contacts": True}
        expected = {"account": "local", "signed_in": "machine", **rights, "expires_at": None}
        assert (await page.ask("GET", "/session"))[:2] == (200, expected)
        status, problem, cookies = await page.ask("POST", "/session", {"token": "any"})
        assert (status, problem["code"], bool(cookies)) == (409, "conflict", False)
        for headers in ({"Host": "evil.example"}, {"Host": "evil.example", "Origin": "http://evil.example"}):
            status, problem, _ = await page.ask("GET", "/session", origin=None, **headers)
            assert (status, problem["path"]) == (403, "Host")

    opened(tmp_path, None, visit)
