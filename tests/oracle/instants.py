"""Times as epoch milliseconds, durations as milliseconds, and local calendar units as running numbers."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
DAY_MS = 86_400_000

FIRST_MS, LAST_MS = -62_135_596_800_000, 253_402_300_799_999
BLANKS = (
    "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
)

_DURATION = re.compile(
    r"(?P<sign>[+-])?P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)


def timestamp_ms(value: Any, zone: ZoneInfo, day_zone: ZoneInfo | None = None) -> int | None:
    """The instant a JSON value stands for, or None where it is no timestamp.

    An integer is epoch milliseconds; a text without an offset is read in `zone`, a date alone as its first
    instant in `day_zone` (or `zone`).
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    if isinstance(value, int):
        return value if FIRST_MS <= value <= LAST_MS else None
    text = value.strip(BLANKS)
    if text[:5] == "0000-" and _has_offset(text):
        # It may be an instant of the year 1. The year 400 has the same calendar as the year 0.
        later = timestamp_ms(f"0400{text[4:]}", zone)
        at = None if later is None else later - 146_097 * DAY_MS
        return None if at is None or at < FIRST_MS else at
    try:
        day = _day(text[:10])
        if text[10:] == "":
            return _within_calendar(midnight_ms(day, day_zone or zone))
        clock, offset_minutes = _clock_and_offset(text[10:])
        hour, minute, second, milliseconds = _clock(clock)
        moment = datetime(day.year, day.month, day.day, hour, minute, second, milliseconds * 1000)  # noqa: DTZ001
    except ValueError:
        return None
    if offset_minutes is not None:
        at = (moment.replace(tzinfo=UTC) - EPOCH) // MILLISECOND - offset_minutes * 60_000
        return at if FIRST_MS <= at <= LAST_MS else None
    if (hour, minute, second, milliseconds) == (0, 0, 0, 0):
        return _within_calendar(midnight_ms(day, zone))
    return _within_calendar((moment.replace(tzinfo=zone) - EPOCH) // MILLISECOND)


def _has_offset(text: str) -> bool:
    return text[-1] in "Zz" or "+" in text or "-" in text[10:]


def _within_calendar(at: int) -> int:
    return max(FIRST_MS, min(at, LAST_MS))


def _number(text: str, length: int) -> int:
    if len(text) != length or any(char not in "0123456789" for char in text):
        raise ValueError(text)
    return int(text)


def _day(text: str) -> date:
    year, month, day = text.split("-")
    return date(_number(year, 4), _number(month, 2), _number(day, 2))


def _clock_and_offset(text: str) -> tuple[str, int | None]:
    """What stands between the T and the offset, and the offset in minutes (None: there is none)."""
    if text[0] not in "Tt ":
        raise ValueError(text)
    rest = text[1:]
    if rest[-1:] in ("Z", "z"):
        return _less_a_blank(rest[:-1]), 0
    for sign in "+-":
        if sign in rest:
            clock, offset = rest.split(sign)
            hours = _number(offset[:2], 2)
            minutes = _number(offset[2:].replace(":", "", 1), 2) if offset[2:] else 0
            if hours > 23 or minutes > 59 or offset[-1] == ":" or len(offset) > 5:
                raise ValueError(text)
            return _less_a_blank(clock), (hours * 60 + minutes) * (-1 if sign == "-" else 1)
    return rest, None


def _less_a_blank(clock: str) -> str:
    return clock[:-1] if clock[-1:] in BLANKS else clock


def _clock(text: str) -> tuple[int, int, int, int]:
    """Hour, minute, second and milliseconds."""
    hour, minute, *rest = text.split(":")
    second, milliseconds = 0, 0
    if rest:
        (seconds,) = rest
        whole, dot, fraction = seconds.partition(".")
        second = _number(whole, 2)
        if dot:
            _number(fraction, max(1, len(fraction)))
            milliseconds = int((fraction + "000")[:3])
    return _number(hour, 2), _number(minute, 2), second, milliseconds


def duration_ms(text: str) -> int:
    """Milliseconds of an ISO 8601 duration, negative where it begins with a minus."""
    match = _DURATION.fullmatch(text)
    assert match is not None, f"{text!r} is not a duration"
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
    """When a local day begins: at midnight, or later where there is none."""
    at = (datetime(day.year, day.month, day.day, tzinfo=zone) - EPOCH) // MILLISECOND
    if not FIRST_MS + DAY_MS < at < LAST_MS - DAY_MS or local(at, zone).hour == 0:
        return at
    at -= DAY_MS
    while local(at, zone).date() < day:
        at += 60_000
    return at


def unit_number(at_ms: int, unit: str, zone: ZoneInfo, week_start: int = 1) -> int:
    """The running number of the local calendar unit that holds an instant; weeks begin on a day, 1-7 from
    Monday."""
    day = local(at_ms, zone).date()
    match unit:
        case "day":
            return day.toordinal()
        case "week":
            return (day.toordinal() - week_start) // 7  # 1 January of the year 1 was a Monday
        case "month":
            return day.year * 12 + day.month - 1
        case "quarter":
            return day.year * 4 + (day.month - 1) // 3
        case "year":
            return day.year
    raise AssertionError(unit)


def unit_start_ms(number: int, unit: str, zone: ZoneInfo, week_start: int = 1) -> int:
    """When the local calendar unit with this running number begins."""
    match unit:
        case "day":
            day = date.fromordinal(number)
        case "week":
            day = date.fromordinal(number * 7 + week_start)
        case "month":
            day = date(number // 12, number % 12 + 1, 1)
        case "quarter":
            day = date(number // 4, number % 4 * 3 + 1, 1)
        case "year":
            day = date(number, 1, 1)
        case _:
            raise AssertionError(unit)
    return midnight_ms(day, zone)
