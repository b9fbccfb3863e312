"""The outcome of a command: the value on the outcomes topic."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import orjson

REQUEST_ID = "request.id"
"""The header with the id by which the caller finds the outcome. Without it, the id is the command's
position."""

ORIGIN = "command.origin"
"""The header that names the writer of a command: `api`, whose callers get a refusal in their answer."""

VERSIONS = "if.versions"
"""The header with the accepted versions of the command's segment, separated by commas."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome: accepted, or refused with `code`, `message` and `path`.

    segment_ids      the segments that were changed, made or deleted
    catalogue        the next offset of `segment-catalog` from which on the change is visible to a reader
    definitions      the same for `segment-definitions`
    current_version  the segment's version, if the command was refused because it named another one
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
