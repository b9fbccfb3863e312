"""Instants on the wire: RFC 3339 text and near relatives, a date alone, or integer epoch milliseconds."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from schemas.scalars import OneOf

_BLANK: Final = r"[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
TIMESTAMP_PATTERN: Final = (
    rf"^{_BLANK}*[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}"
    rf"([Tt ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]+)?)?({_BLANK}?([Zz]|[+-][0-9]{{2}}(:?[0-9]{{2}})?))?)?"
    rf"{_BLANK}*$"
)

EARLIEST_MS: Final = -62_135_596_800_000
"""The first instant of the year 1, UTC, in epoch ms."""
LATEST_MS: Final = 253_402_300_799_999
"""The last instant of the year 9999, UTC, in epoch ms."""
EARLIEST_STATED_MS: Final = 100_000_000_000
"""The least integer that `occurred_at` and `updated_at` accept, in epoch ms. A smaller integer was probably
meant as seconds and would be read as a day in 1970."""

_TEXT: Final = core_schema.str_schema(strict=True, pattern=TIMESTAMP_PATTERN)


def _milliseconds(earliest_ms: int) -> core_schema.IntSchema:
    return core_schema.int_schema(strict=True, ge=earliest_ms, le=LATEST_MS)


def _json_schema(earliest_ms: int) -> JsonSchemaValue:
    return {
        "description": "RFC 3339 text, with or without an offset, a date alone, or epoch milliseconds.",
        "anyOf": [
            {"type": "string", "pattern": TIMESTAMP_PATTERN},
            {"type": "integer", "minimum": earliest_ms, "maximum": LATEST_MS},
        ],
    }


Timestamp = Annotated[
    str | int,
    OneOf(
        _TEXT,
        _milliseconds(EARLIEST_MS),
        message="must be RFC 3339 text, such as 2026-05-01T08:00:00+08:00, or integer epoch milliseconds",
        json_schema=_json_schema(EARLIEST_MS),
    ),
]
"""Text of the right form, or epoch milliseconds. The reader checks whether the calendar has that instant."""

StatedTimestamp = Annotated[
    str | int,
    OneOf(
        _TEXT,
        _milliseconds(EARLIEST_STATED_MS),
        message=(
            "must be RFC 3339 text, such as 2026-05-01T08:00:00+08:00, or integer epoch milliseconds "
            f"(not seconds: {EARLIEST_STATED_MS} at least)"
        ),
        json_schema=_json_schema(EARLIEST_STATED_MS),
    ),
]
"""The time at which something happened or became true. Integers that were probably meant as seconds are
refused."""

UtcTimestamp = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
        description="RFC 3339 in UTC with milliseconds, such as 2026-05-01T00:00:00.000Z.",
    ),
]
"""The one form that streamseg writes: UTC with milliseconds."""
