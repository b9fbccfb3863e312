"""Times as epoch milliseconds, durations as milliseconds, and local calendar units as running numbers."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

_TIMESTAMP = re.compile(
    r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d:\d\d(?P<fraction>\.\d+)?(?P<offset>[Zz]|[+-]\d\d:\d\d)?)?"
)
_DURATION = re.compile(
    r"(?P<sign>[+-])?P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)


def timestamp_ms(value: Any, zone: ZoneInfo) -> int | None:
    """The instant a JSON value stands for, or None where it is no timestamp.

    An integer is epoch milliseconds; a text without an offset is read in `zone`, a date as its midnight.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if not isinstance(value, str) or _TIMESTAMP.fullmatch(value) is None:
        return None
    try:
        moment = datetime.fromisoformat(value.upper())
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return (moment - EPOCH) // MILLISECOND


def duration_ms(text: str) -> int:
    """Milliseconds of an ISO 8601 duration, negative where it begins with a minus."""
    match = _DURATION.fullmatch(text)
    assert match is not None, f"{text!r} is no duration"
    amounts = {unit: int(amount) for unit, amount in match.groupdict(default="0").items() if unit != "sign"}
    length = timedelta(**amounts) // MILLISECOND
    return -length if match["sign"] == "-" else length


def text_of(at_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    moment = EPOCH + timedelta(milliseconds=at_ms)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


def local(at_ms: int, zone: ZoneInfo) -> datetime:
    return (EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone)


def midnight_ms(day: date, zone: ZoneInfo) -> int:
    """When a local day begins."""
    return (datetime(day.year, day.month, day.day, tzinfo=zone) - EPOCH) // MILLISECOND


def unit_number(at_ms: int, unit: str, zone: ZoneInfo) -> int:
    """The running number of the local calendar unit that holds an instant."""
    day = local(at_ms, zone).date()
    match unit:
        case "day":
            return day.toordinal()
        case "week":
            return (day.toordinal() - 1) // 7  # 1 January of the year 1 was a Monday
        case "month":
            return day.year * 12 + day.month - 1
        case "quarter":
            return day.year * 4 + (day.month - 1) // 3
        case "year":
            return day.year
    raise AssertionError(unit)


def unit_start_ms(number: int, unit: str, zone: ZoneInfo) -> int:
    """When the local calendar unit with this running number begins."""
    match unit:
        case "day":
            day = date.fromordinal(number)
        case "week":
            day = date.fromordinal(number * 7 + 1)
        case "month":
            day = date(number // 12, number % 12 + 1, 1)
        case "quarter":
            day = date(number // 4, number % 4 * 3 + 1, 1)
        case "year":
            day = date(number, 1, 1)
        case _:
            raise AssertionError(unit)
    return midnight_ms(day, zone)


def next_full_hour_ms(at_ms: int, zone: ZoneInfo) -> int:
    """The first instant after `at_ms` at which the local clock shows a full hour."""
    offset = local(at_ms, zone).utcoffset()
    assert offset is not None
    shift = offset // MILLISECOND
    return ((at_ms + shift) // 3_600_000 + 1) * 3_600_000 - shift
