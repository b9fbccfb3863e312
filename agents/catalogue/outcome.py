"""How a command ended: the value on the outcomes topic."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import orjson

REQUEST_ID = "request.id"
"""The header of a command by which the outcome is found; without it, its position."""

ORIGIN = "command.origin"
"""The header of a command that says who wrote it: `api`, whose callers hear of a refusal themselves."""

VERSIONS = "if.versions"
"""The header with the versions, comma-separated, of which the command's segment has to have one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Accepted, or refused with `code`, `message` and `path`.

    segment_ids      what was changed, made or deleted
    catalogue        the offset up to which `segment-catalog` has to be read to see it
    definitions      likewise `segment-definitions`
    current_version  of the segment, where the command was about another one
    """

    command_offset: int
    segment_ids: tuple[str, ...] = ()
    catalogue: int = 0
    definitions: int = 0
    code: str | None = None
    message: str = ""
    path: str = ""
    current_version: int | None = None

    def to_bytes(self) -> bytes:
        return orjson.dumps(asdict(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> Outcome:
        body: dict[str, Any] = orjson.loads(data)
        return cls(**{**body, "segment_ids": tuple(body["segment_ids"])})
