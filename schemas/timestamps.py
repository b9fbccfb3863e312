"""Instants on the wire: RFC 3339 text, a date alone, or integer epoch milliseconds."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field
from pydantic_core import core_schema

from schemas.scalars import OneOf

TIMESTAMP_PATTERN: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})?)?$"
)

# The instants of the years 1 to 9999, a day's room left for offsets.
EARLIEST_MS: Final = -62_135_510_400_000
LATEST_MS: Final = 253_402_214_400_000

Timestamp = Annotated[
    str | int,
    OneOf(
        core_schema.str_schema(strict=True, pattern=TIMESTAMP_PATTERN),
        core_schema.int_schema(strict=True, ge=EARLIEST_MS, le=LATEST_MS),
        message="must be RFC 3339 text, such as 2026-05-01T08:00:00+08:00, or integer epoch milliseconds",
        json_schema={
            "description": "RFC 3339 text, with or without an offset, a date alone, or epoch milliseconds.",
            "anyOf": [
                {"type": "string", "pattern": TIMESTAMP_PATTERN},
                {"type": "integer", "minimum": EARLIEST_MS, "maximum": LATEST_MS},
            ],
        },
    ),
]
"""Text of the right form, or epoch milliseconds; whether the calendar has that moment, the reader decides."""

UtcTimestamp = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
        description="RFC 3339 in UTC with milliseconds, such as 2026-05-01T00:00:00.000Z.",
    ),
]
"""The one form that we write: UTC with milliseconds."""
