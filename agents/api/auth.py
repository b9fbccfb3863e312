"""Authentication: the account of a request, by its token or by the cookie of a page that has signed in."""

from __future__ import annotations

import hmac
import ipaddress
import logging

import yaml
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from agents.api.problems import ProblemError
from agents.api.sessions import COOKIE, Session, Sessions
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings

_log = logging.getLogger(__name__)

ACCOUNT = web.RequestKey("account", str)
"""The key under which a request stores its account."""

SESSION = web.RequestKey("session", Session)
"""The key under which a request stores its session, if its account comes from a cookie."""

LOCAL_ACCOUNT = "local"
OPEN_PATHS = ("/api/v1/openapi.json",)
SESSION_PATH = "/api/v1/session"

_READING = ("GET", "HEAD")


def load_tokens(settings: Settings) -> dict[str, str]:
    """Return token -> account, from the settings and the file. Raises ConfigurationError if the file has
    another form."""
    tokens = dict(settings.api_tokens)
    path = settings.api_tokens_file
    if path is not None:
        try:
            found = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ConfigurationError(
                f"STREAMSEG_API_TOKENS_FILE: {path} cannot be read as JSON or YAML ({type(error).__name__})"
            ) from error
        if not isinstance(found, dict) or not all(
            isinstance(token, str) and isinstance(account, str) for token, account in found.items()
        ):
            raise ConfigurationError(
                f"STREAMSEG_API_TOKENS_FILE: {path} must be one object of token: account, both text"
            )
        tokens.update(found)
    if not all(token and account for token, account in tokens.items()):
        raise ConfigurationError("STREAMSEG_API_TOKENS: neither a token nor an account may be empty")
    return tokens


def authentication(sessions: Sessions) -> Middleware:
    """Return a middleware that stores each request's account. Without tokens only requests from this machine
    are accepted, for any account. Signing in and signing out need no account."""
    if not sessions.has_tokens:
        _log.warning("no API tokens are set (STREAMSEG_API_TOKENS): the API answers this machine only")

    @web.middleware
    async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in OPEN_PATHS:
            return await handler(request)
        if not sessions.has_tokens:
            request[ACCOUNT] = _local_account(request)
        elif request.path != SESSION_PATH or request.method in _READING:
            request[ACCOUNT] = _account(request, sessions)
        return await handler(request)

    return authenticate


def may_operate(request: web.Request, settings: Settings) -> bool:
    """Return whether the account may read every account's segments, and the diagnosis. It may if it is one of
    the configured operators. If neither operators nor tokens are set, every request from this machine may."""
    if not settings.operators:
        return not settings.api_tokens and settings.api_tokens_file is None
    return request[ACCOUNT] in settings.operators


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


def _account(request: web.Request, sessions: Sessions) -> str:
    if "Authorization" not in request.headers and COOKIE in request.cookies:
        return _account_of_page(request, sessions)
    account = sessions.account_of(_bearer_token(request))
    if account is None:
        raise ProblemError("unauthorized", "send a known token: Authorization: Bearer TOKEN")
    return account


def _account_of_page(request: web.Request, sessions: Sessions) -> str:
    session = sessions.read(request.cookies[COOKIE])
    if session is None:
        raise ProblemError("unauthorized", "the sign-in has expired or was ended; sign in again")
    # A browser adds the cookie by itself, and `Origin` to every change. `own_pages_only` has compared it.
    if request.method not in _READING and "Origin" not in request.headers:
        raise ProblemError("not_permitted", "a change with a cookie needs the Origin of its page", "Origin")
    request[SESSION] = session
    return session.account


def _local_account(request: web.Request) -> str:
    if not is_loopback(request.remote):
        raise ProblemError(
            "not_permitted", "no tokens are set, so only this machine is served; set STREAMSEG_API_TOKENS"
        )
    given = request.headers.get("X-Account", "").encode("utf-8", "surrogateescape")
    try:
        return given.decode("utf-8").strip() or LOCAL_ACCOUNT
    except UnicodeDecodeError as error:
        raise ProblemError("invalid_schema", "must be UTF-8", "X-Account") from error


def is_loopback(host: str | None) -> bool:
    """Return whether an address, as text, is a loopback address, which never leaves the machine."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
