"""Authentication: the account of a request, by its token or by the cookie of a page that has signed in."""

from __future__ import annotations

import hmac
import ipaddress
import logging

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from agents.api.problems import ProblemError
from agents.api.roles import CALLER, Caller, Role
from agents.api.sessions import COOKIE, Session, Sessions
from agents.api.tokens import Known, Tokens

_log = logging.getLogger(__name__)

ACCOUNT = web.RequestKey("account", str)
"""The key under which a request stores the account in whose name it is carried out."""

SESSION = web.RequestKey("session", Session)
"""The key under which a request stores its session, if its account comes from a cookie."""

LOCAL_ACCOUNT = "local"
OPEN_PATHS = ("/api/v1/openapi.json",)
SESSION_PATH = "/api/v1/session"

_READING = ("GET", "HEAD")
_HEADER = "X-Account"


def authentication(tokens: Tokens, sessions: Sessions) -> Middleware:
    """Return a middleware that stores each request's caller. Without a file of tokens only requests from this
    machine are accepted, for any account. Signing in and signing out need no account."""
    if not tokens.are_asked:
        _log.warning("no tokens are set (STREAMSEG_API_TOKENS_FILE): the API answers this machine only")

    @web.middleware
    async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in OPEN_PATHS:
            return await handler(request)
        if not tokens.are_asked:
            note_caller(request, _local_caller(request))
        elif request.path != SESSION_PATH or request.method in _READING:
            note_caller(request, _named(request, _token(request, tokens, sessions)))
        return await handler(request)

    return authenticate


def note_caller(request: web.Request, caller: Caller) -> None:
    """Store who sends a request, and in whose name."""
    request[CALLER], request[ACCOUNT] = caller, caller.account


def caller_of(known: Known) -> Caller:
    """Return the caller who has a token."""
    return Caller(known.account, known.account, known.role, known.contacts, known.id)


def peers_only(secret: str) -> Middleware:
    """Return a middleware that accepts only requests with this worker's own secret. The other workers get the
    secret over Kafka."""
    wanted = secret.encode()

    @web.middleware
    async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not hmac.compare_digest(_bearer_token(request), wanted):
            raise ProblemError("unauthorized", "for workers only; use /api/v1")
        return await handler(request)

    return authenticate


def _bearer_token(request: web.Request) -> bytes:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip().encode("utf-8", "surrogateescape") if scheme.lower() == "bearer" else b""


def _token(request: web.Request, tokens: Tokens, sessions: Sessions) -> Known:
    if "Authorization" not in request.headers and COOKIE in request.cookies:
        return _token_of_page(request, sessions)
    known = tokens.find(_bearer_token(request))
    if known is None:
        raise ProblemError("unauthorized", "send a known token: Authorization: Bearer TOKEN")
    return known


def _token_of_page(request: web.Request, sessions: Sessions) -> Known:
    session = sessions.read(request.cookies[COOKIE])
    if session is None:
        raise ProblemError("unauthorized", "the sign-in has expired or was ended; sign in again")
    # A browser adds the cookie by itself, and `Origin` to every change. `own_pages_only` has compared it.
    if request.method not in _READING and "Origin" not in request.headers:
        raise ProblemError("not_permitted", "a change with a cookie needs the Origin of its page", "Origin")
    request[SESSION] = session
    return session.token


def _named(request: web.Request, known: Known) -> Caller:
    """Return the caller who has a token, in the name of the account that the request names."""
    caller = caller_of(known)
    account = _named_account(request)
    if account in ("", known.account):
        return caller
    if known.role is not Role.ADMIN:
        raise ProblemError("not_permitted", "only the role admin may act for another account", _HEADER)
    return caller._replace(account=account)


def _local_caller(request: web.Request) -> Caller:
    if not is_loopback(request.remote):
        raise ProblemError(
            "not_permitted",
            "no tokens are set, so only this machine is served; set STREAMSEG_API_TOKENS_FILE",
        )
    account = _named_account(request) or LOCAL_ACCOUNT
    return Caller(account, account, Role.ADMIN, contacts=True)


def _named_account(request: web.Request) -> str:
    given = request.headers.get(_HEADER, "").encode("utf-8", "surrogateescape")
    try:
        return given.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise ProblemError("invalid_schema", "must be UTF-8", _HEADER) from error


def is_loopback(host: str | None) -> bool:
    """Return whether an address, as text, is a loopback address, which never leaves the machine."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
