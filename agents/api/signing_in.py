"""The handlers of /session: a page signs in and out, and asks who is signed in."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from pydantic import Field

from agents.api.auth import SESSION, SESSION_PATH, caller_of, note_caller
from agents.api.problems import ProblemError
from agents.api.requests import answer, read_model
from agents.api.roles import CALLER, Right
from agents.api.sessions import COOKIE, LIFETIME_SECONDS, Session, Sessions
from agents.api.tokens import Tokens
from schemas.wire import WireModel
from streamseg.json_text import Json
from streamseg.times import format_ms

SIGNED_IN: Final = ("cookie", "token", "machine")
"""How the account of a request is known: `machine` means that the worker has no tokens and answers its own
machine."""


class SignIn(WireModel):
    """A token."""

    token: str = Field(min_length=1)


class SigningIn:
    """The handlers of /session."""

    def __init__(self, tokens: Tokens, sessions: Sessions) -> None:
        self._tokens = tokens
        self._sessions = sessions

    def routes(self) -> list[web.RouteDef]:
        path = f"/{SESSION_PATH.rpartition('/')[2]}"
        return [
            web.get(path, self.get),
            web.post(path, self.sign_in),
            web.delete(path, self.sign_out),
        ]

    async def get(self, request: web.Request) -> web.Response:
        way = "machine"
        if self._tokens.are_asked:
            way = "cookie" if SESSION in request else "token"
        return answer(self._shown(request, way, request.get(SESSION)))

    async def sign_in(self, request: web.Request) -> web.Response:
        token = (await read_model(request, SignIn)).token.encode()
        if not self._tokens.are_asked:
            raise ProblemError("conflict", "no tokens are set, so there is nothing to sign in to")
        known = self._tokens.find(token)
        if known is None:
            raise ProblemError("unauthorized", "an unknown token", "token")
        cookie = self._sessions.cookie_for(token)
        note_caller(request, caller_of(known))
        response = answer(self._shown(request, "cookie", self._sessions.read(cookie)))
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=LIFETIME_SECONDS,
            path="/",
            httponly=True,
            samesite="Strict",
            secure=_is_encrypted(request),
        )
        response.headers["Cache-Control"] = "no-store"
        return response

    async def sign_out(self, request: web.Request) -> web.Response:
        response = web.Response(status=204)
        response.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict", secure=_is_encrypted(request))
        return response

    def _shown(self, request: web.Request, way: str, session: Session | None) -> Json:
        caller = request[CALLER]
        return {
            "account": caller.account,
            "signed_in": way,
            "role": caller.role.value,
            "contacts": caller.may(Right.CONTACTS),
            "expires_at": None if session is None else format_ms(session.expires_s * 1000),
        }


def _is_encrypted(request: web.Request) -> bool:
    """Return whether the page came encrypted: to this worker, or to a proxy, as the page's `Origin` says."""
    return request.secure or request.headers.get("Origin", "").lower().startswith("https://")
