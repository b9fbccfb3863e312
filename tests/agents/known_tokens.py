"""Files of tokens for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from agents.api.roles import Role
from agents.api.tokens import line_of


def token_of(account: str, more: str = "") -> str:
    """A token that is not secret; `more` tells several of an account apart."""
    return f"streamseg_{account}{more}_not-a-secret"


def write_tokens(
    path: Path, tokens: Mapping[str, str | tuple[str, Role]], *, without_contacts: tuple[str, ...] = ()
) -> Path:
    """Write the file: token -> account, or account and role; the role is `edit` and contacts may be read
    unless something else is given."""
    lines = []
    for token, given in tokens.items():
        account, role = (given, Role.EDIT) if isinstance(given, str) else given
        lines.append(line_of(token, account, role, contacts=token not in without_contacts))
    path.write_text("\n".join(lines) or "[]")
    return path


TOKENS_FILE = Path(__file__).parent / "tokens.yaml"
"""The tokens of ann and ben, with the role `edit`, and of the administrator otto, as from `token_of`."""
