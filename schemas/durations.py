"""ISO 8601 durations of weeks, days, hours, minutes and seconds, as text on the wire."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from schemas.paths import problem

DAY_MS: Final = 86_400_000

# An alternation of the parts that may follow T replaces a look-ahead, because not every JSON Schema validator
# supports look-aheads.
_SECONDS = r"[0-9]+(\.[0-9]{1,3})?S"
_CLOCK = rf"T([0-9]+H([0-9]+M)?({_SECONDS})?|[0-9]+M({_SECONDS})?|{_SECONDS})"
_UNSIGNED = rf"P([0-9]+W([0-9]+D)?({_CLOCK})?|[0-9]+D({_CLOCK})?|{_CLOCK})"

_PARTS = re.compile(
    r"([+-]?)P(?:([0-9]+)W)?(?:([0-9]+)D)?"
    r"(?:T(?=[0-9])(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)(?:\.([0-9]{1,3}))?S)?)?"
)
_YEARS_OR_MONTHS = re.compile(r"[+-]?P[^T]*[YM].*")
_LONGEST_MS = 253_402_214_400_000
_LONGEST_TEXT = 100


def duration_ms(text: str) -> int:
    """Return a duration in milliseconds; a sign is allowed. Raises PydanticCustomError, a ValueError, for
    other text."""
    if len(text) > _LONGEST_TEXT:
        raise problem("is longer than any calendar; give a shorter duration")
    match = _PARTS.fullmatch(text)
    if match is None or not any(match.groups()[1:]):
        if _YEARS_OR_MONTHS.fullmatch(text):
            raise problem("years and months have no fixed length; use weeks, days or hours, such as P30D")
        raise problem("must be an ISO 8601 duration of weeks, days, hours, minutes or seconds, such as P7D")
    sign, weeks, days, hours, minutes, seconds, fraction = match.groups()
    total_ms = (
        (int(weeks or 0) * 7 + int(days or 0)) * DAY_MS
        + int(hours or 0) * 3_600_000
        + int(minutes or 0) * 60_000
        + int(seconds or 0) * 1_000
        + int((fraction or "0").ljust(3, "0"))
    )
    if total_ms > _LONGEST_MS:
        raise problem("is longer than any calendar; give a shorter duration")
    return -total_ms if sign == "-" else total_ms


def _signed(text: str) -> str:
    duration_ms(text)
    return text


def _positive(text: str) -> str:
    if duration_ms(text) <= 0 or text[0] == "+":
        raise problem("must be a duration longer than nothing and without a sign, such as P7D")
    return text


def _whole_days(text: str) -> str:
    if duration_ms(_positive(text)) % DAY_MS:
        raise problem("must be whole days, such as P7D")
    return text


Duration = Annotated[
    str,
    Field(
        description="An ISO 8601 duration of weeks, days, hours, minutes and seconds, such as P7D.",
        json_schema_extra={"pattern": f"^{_UNSIGNED}$"},
    ),
    AfterValidator(_positive),
]
"""A duration longer than zero, without a sign."""

SignedDuration = Annotated[
    str,
    Field(
        description="An ISO 8601 duration counted from now; a leading - points to the past, such as -P14D.",
        json_schema_extra={"pattern": f"^[+-]?{_UNSIGNED}$"},
    ),
    AfterValidator(_signed),
]
"""A duration counted from now; negative values lie in the past."""

WholeDays = Annotated[
    str,
    Field(
        description="An ISO 8601 duration of whole days, such as P7D.",
        json_schema_extra={"pattern": f"^{_UNSIGNED}$"},
    ),
    AfterValidator(_whole_days),
]
"""A duration of whole days."""
