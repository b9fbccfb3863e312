"""Sign-in for pages in a browser: a token is exchanged once for a cookie.

The cookie is an expiry time, signed with the key that only the owner of the token has. Workers know the
public key of the token (`agents.api.tokens`). So every worker with the same tokens accepts the cookie, no
worker keeps anything about it, it ends when its token is removed, and whoever reads the file of tokens cannot
make one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agents.api.tokens import Known, Tokens, id_of, private_key

COOKIE: Final = "streamseg_session"
LIFETIME_SECONDS: Final = 12 * 60 * 60
"""The time after which a page must sign in again, in s."""

_PURPOSE: Final = b"streamseg session\n"


class Session(NamedTuple):
    """A page that is signed in. `expires_s` is in epoch seconds."""

    token: Known
    expires_s: int


class Sessions:
    """The cookies of known tokens. A cookie's value is `ID.EXPIRES.SIGNATURE`: ID is the token's, EXPIRES is
    in epoch seconds, SIGNATURE is hexadecimal."""

    def __init__(
        self,
        tokens: Tokens,
        now_ns: Callable[[], int] = time.time_ns,  # noqa: TID251 - sessions end by the host's clock
    ) -> None:
        """`now_ns` returns epoch nanoseconds."""
        self._now_ns = now_ns
        self._tokens = tokens

    @property
    def _now_s(self) -> int:
        return self._now_ns() // 1_000_000_000

    def cookie_for(self, token: bytes) -> str:
        """Return the value of a new cookie for a known token."""
        signed = f"{id_of(token)}.{self._now_s + LIFETIME_SECONDS}"
        return f"{signed}.{private_key(token).sign(_PURPOSE + signed.encode()).hex()}"

    def read(self, cookie: str) -> Session | None:
        """Return the session of a cookie; None if the cookie is forged, has expired, or was made from a token
        that is unknown now."""
        signed, _, signature = cookie.rpartition(".")
        token_id, _, expires = signed.partition(".")
        known = self._tokens.by_id(token_id)
        if known is None:
            return None
        try:
            Ed25519PublicKey.from_public_bytes(known.public_key).verify(
                bytes.fromhex(signature), _PURPOSE + signed.encode("utf-8", "surrogateescape")
            )
        except (InvalidSignature, ValueError):
            return None
        # What is signed was written by `cookie_for`, so it is a number.
        expires_s = int(expires)
        return Session(known, expires_s) if self._now_s < expires_s else None
