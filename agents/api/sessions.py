"""Sign-in for pages in a browser: a token is exchanged once for a cookie.

The cookie is made from the token and an expiry time alone. So every worker with the same tokens accepts it,
no worker keeps anything about it, and it ends when its token is removed from the settings.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Final, NamedTuple

COOKIE: Final = "streamseg_session"
LIFETIME_SECONDS: Final = 12 * 60 * 60
"""The time after which a page must sign in again, in s."""

_KEY: Final = b"streamseg session key"
_NAME: Final = b"streamseg session name"
_NAME_LENGTH: Final = 16


class Session(NamedTuple):
    """A page that is signed in. `expires_s` is in epoch seconds."""

    account: str
    expires_s: int


class _Signer(NamedTuple):
    account: str
    key: bytes


class Sessions:
    """The accounts of tokens and of cookies. A cookie's value is `NAME.EXPIRES.SIGNATURE`: NAME tells which
    token it was made from and does not reveal the token, EXPIRES is in epoch seconds."""

    def __init__(self, tokens: dict[str, str], now_ns: Callable[[], int] = time.time_ns) -> None:
        """`tokens` is token -> account; `now_ns` returns epoch nanoseconds."""
        self._now_ns = now_ns
        self._tokens = [(token.encode(), account) for token, account in tokens.items()]
        self._signers = {
            _named(token): _Signer(account, _digest(token, _KEY)) for token, account in self._tokens
        }

    @property
    def has_tokens(self) -> bool:
        return bool(self._tokens)

    def account_of(self, token: bytes) -> str | None:
        """Return the account of a token; None if the token is unknown."""
        # All tokens are compared, so that the time does not reveal a matching one.
        found = [account for one, account in self._tokens if hmac.compare_digest(one, token)]
        return found[0] if found else None

    @property
    def _now_s(self) -> int:
        return self._now_ns() // 1_000_000_000

    def cookie_for(self, token: bytes) -> str:
        """Return the value of a new cookie for a known token."""
        signed = f"{_named(token)}.{self._now_s + LIFETIME_SECONDS}"
        return f"{signed}.{_signature(_digest(token, _KEY), signed)}"

    def read(self, cookie: str) -> Session | None:
        """Return the session of a cookie; None if the cookie is forged, has expired, or was made from a token
        that is unknown now."""
        signed, _, signature = cookie.rpartition(".")
        name, _, expires = signed.partition(".")
        signer = self._signers.get(name)
        if signer is None or not signature.isascii():
            return None
        if not hmac.compare_digest(_signature(signer.key, signed), signature):
            return None
        # What is signed was written by `cookie_for`, so it is a number.
        expires_s = int(expires)
        return Session(signer.account, expires_s) if self._now_s < expires_s else None


def _digest(token: bytes, purpose: bytes) -> bytes:
    return hmac.digest(token, purpose, hashlib.sha256)


def _named(token: bytes) -> str:
    return _digest(token, _NAME).hex()[:_NAME_LENGTH]


def _signature(key: bytes, signed: str) -> str:
    return hmac.digest(key, signed.encode("utf-8", "surrogateescape"), hashlib.sha256).hex()
