"""API tokens: how one is made, and the file of those that are known.

A token is `streamseg_ID_SECRET`, with 256 random bits in SECRET. The file has a line for each token: its ID,
its account and rights, and a public key. The key pair is made from the token alone. So whoever reads the file
cannot compute a token, and cannot sign the cookie of a page either (`agents.api.sessions`). A slow hash, as
for passwords, would add nothing: nobody can try 2^256 secrets.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.api.roles import Role
from agents.renewed_files import states_of
from schemas.paths import all_errors
from streamseg.errors import ConfigurationError

_log = logging.getLogger(__name__)

_SECRET_BYTES: Final = 32
_ID_BYTES: Final = 4
_TOKEN: Final = re.compile(rb"streamseg_([A-Za-z0-9-]{1,40})_[A-Za-z0-9_-]{1,200}")
_PURPOSE: Final = b"streamseg token\n"


class TokenLine(BaseModel):
    """A line of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: str = Field(pattern=r"^[A-Za-z0-9-]{1,40}$")
    account: str = Field(min_length=1)
    role: Role = Field(strict=False)
    contacts: bool = False
    created: str | None = None
    key: str = Field(pattern=r"^[A-Za-z0-9_-]{43}$")


class Known(NamedTuple):
    """A token that is known, without the token."""

    id: str
    account: str
    role: Role
    contacts: bool
    public_key: bytes


class NewToken(NamedTuple):
    """A new token, and the line with which the workers know it."""

    token: str
    line: str


def new_token(account: str, role: Role, *, contacts: bool, created: str) -> NewToken:
    """Make a token. `created`, an instant as text, is noted in its line."""
    token = f"streamseg_{secrets.token_hex(_ID_BYTES)}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    return NewToken(token, line_of(token, account, role, contacts=contacts, created=created))


def line_of(
    token: str, account: str, role: Role, *, contacts: bool = False, created: str | None = None
) -> str:
    """Return the line of a token. Raises ValueError if the text has another form than a token."""
    token_id = id_of(token.encode())
    if token_id is None:
        raise ValueError("a token has the form streamseg_ID_SECRET")
    line = {
        "id": token_id,
        "account": account,
        "role": role.value,
        "contacts": contacts,
        **({} if created is None else {"created": created}),
        "key": urlsafe_b64encode(_public_key(token.encode())).rstrip(b"=").decode(),
    }
    return f"- {orjson.dumps(line).decode()}"


def id_of(token: bytes) -> str | None:
    """Return the id in a token, which is no secret; None if the token has another form."""
    found = _TOKEN.fullmatch(token)
    return None if found is None else found[1].decode()


def private_key(token: bytes) -> Ed25519PrivateKey:
    """Return the key that only the owner of the token has."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(_PURPOSE + token).digest())


def _public_key(token: bytes) -> bytes:
    return private_key(token).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


class Tokens:
    """The known tokens. The file is read again when it changes."""

    def __init__(self, path: Path | None, unreadable: Callable[[bool], object] = lambda _: None) -> None:
        """`unreadable` is called with whether the changed file could not be read, so that the tokens before
        are still in force. Raises ConfigurationError if the file cannot be read now."""
        self._path = path
        self._unreadable = unreadable
        self._seen = None if path is None else states_of([path])
        self._known = {} if path is None else _read(path)

    @property
    def are_asked(self) -> bool:
        """Whether callers need a token: they do if there is a file, also if it is empty."""
        return self._path is not None

    def look(self) -> bool:
        """Read the file again if it has changed. Return whether other tokens are known now. A file that
        cannot be read changes nothing, since it may be half written."""
        if self._path is None:
            return False
        seen = states_of([self._path])
        if seen == self._seen:
            return False
        self._seen = seen
        try:
            known = _read(self._path)
        except ConfigurationError as error:
            self._unreadable(True)
            _log.error("%s; the tokens before stay in force", error)
            return False
        self._unreadable(False)
        changed = known != self._known
        self._known = known
        if changed:
            _log.info("%s was read again: %d tokens", self._path, len(known))
        return changed

    def find(self, token: bytes) -> Known | None:
        """Return what is known of a token; None if it is unknown."""
        known = self.by_id(id_of(token) or "")
        if known is None or not hmac.compare_digest(_public_key(token), known.public_key):
            return None
        return known

    def by_id(self, token_id: str) -> Known | None:
        return self._known.get(token_id)


def _read(path: Path) -> dict[str, Known]:
    """Return the tokens of a file by id. Raises ConfigurationError if it has another form."""
    try:
        found: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _refused(path, f"cannot be read as YAML or JSON ({type(error).__name__})") from error
    if isinstance(found, dict):
        raise _refused(
            path,
            "has tokens as they are (token: account), which is not read any more; make new ones with "
            "`streamseg tokens new` and write their lines to it",
        )
    if not isinstance(found or [], list):
        raise _refused(path, "must be a list of lines that `streamseg tokens new` has printed")
    known: dict[str, Known] = {}
    for number, entry in enumerate(found or [], 1):
        try:
            line = TokenLine.model_validate(entry)
        except ValidationError as error:
            # Values are left out of the message: somebody may have written a token there.
            faults = ", ".join(sorted({where or "line" for where, _ in all_errors(error)}))
            raise _refused(
                path, f"token {number} is not as `streamseg tokens new` prints it: {faults}"
            ) from None
        if line.id in known:
            raise _refused(path, f"token {number} has the id {line.id} of another one; keep one of them")
        public_key = urlsafe_b64decode(line.key + "=")
        known[line.id] = Known(line.id, line.account, line.role, line.contacts, public_key)
    return known


def _refused(path: Path, why: str) -> ConfigurationError:
    return ConfigurationError(f"STREAMSEG_API_TOKENS_FILE: {path} {why}")
