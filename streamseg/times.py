"""Instants, durations and the boundaries of local days, weeks, months, quarters and years.

All instants are integer epoch milliseconds (UTC), all durations are integer milliseconds. A function about
local time always takes a ZoneInfo. Windows are half-open.

The calendar has the years 1 to 9999 of UTC. A local day is an integer: the days since 1970-01-01. So days may
lie outside these years: in the first and last hours of the calendar the local year of some zones is 0 or
10000, and a unit of the calendar may begin or end far outside. The calendar repeats itself after 400 years,
so days are converted to years, months and days of the month modulo 400 years.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from schemas.operands import CalendarUnit
from schemas.scalars import BLANKS
from schemas.timestamps import EARLIEST_MS, LATEST_MS

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

MONDAY = 1

MIN_MS: Final = EARLIEST_MS  # 0001-01-01T00:00:00.000Z
MAX_MS: Final = LATEST_MS  # 9999-12-31T23:59:59.999Z
NEVER_MS: Final = MAX_MS + 1
"""The end of a time span without an end."""

FIRST_DAY: Final = MIN_MS // DAY_MS  # 0001-01-01
LAST_DAY: Final = MAX_MS // DAY_MS  # 9999-12-31

_CYCLE_DAYS: Final = 146_097
_CYCLE_MS: Final = _CYCLE_DAYS * DAY_MS
"""400 years, after which the Gregorian calendar repeats itself."""

_EDGE_MS: Final = 2 * DAY_MS
"""More than local time differs from UTC, and less than the time from an end of the calendar to the nearest
switch of clocks."""

_MONTHS: Final[dict[CalendarUnit, int]] = {"month": 1, "quarter": 3, "year": 12}

_SIGN = 1 << 63
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL: Final = _EPOCH.toordinal()
_MILLISECOND = timedelta(milliseconds=1)
_TIMESTAMP = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})"
    r"(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?"
    rf"(?:[{BLANKS}]?([Zz]|[+-]\d{{2}}(?::?\d{{2}})?))?)?",
    re.ASCII,
)


_FILES_BESIDE_ZONES = re.compile(r"localtime|posixrules|posix/.*|right/.*")
"""What a machine's folder of time zones holds beside those of IANA. Other machines have other files there, or
none, and in `localtime` their own zone, so two workers would not agree."""


def time_zone(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name. Raises ValueError if there is none."""
    try:
        if _FILES_BESIDE_ZONES.fullmatch(name) is not None:
            raise ValueError(name)
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not an IANA time zone, such as Asia/Shanghai") from error


def to_ms(moment: datetime) -> int:
    """Return the epoch milliseconds of an aware datetime, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def time_bytes(at_ms: int) -> bytes:
    """Return a time (epoch ms) as 8 bytes that sort as the times do."""
    return (at_ms + _SIGN).to_bytes(8, "big")


def time_ms(data: bytes) -> int:
    """Return the time (epoch ms) of the bytes that `time_bytes` made."""
    return int.from_bytes(data, "big") - _SIGN


def to_local(at_ms: int, zone: ZoneInfo) -> datetime:
    """Return the aware local datetime of an instant. In the first and last two days of the calendar its year
    is 400 years nearer to the present, because `datetime` does not have the years 0 and 10000. Nothing else
    differs: weekdays and the rules of zones repeat themselves too."""
    if at_ms < MIN_MS + _EDGE_MS:
        at_ms += _CYCLE_MS
    elif at_ms > MAX_MS - _EDGE_MS:
        at_ms -= _CYCLE_MS
    return (_EPOCH + _MILLISECOND * at_ms).astimezone(zone)


def offset_ms(at_ms: int, zone: ZoneInfo) -> int:
    """Return how far (ms) the local clock is ahead of UTC at an instant."""
    return _ahead_ms(to_local(at_ms, zone), zone)


def _ahead_ms(local: datetime, zone: ZoneInfo) -> int:
    """Return how far (ms) the local clock is ahead of UTC at a local time. If clocks go back over a naive one
    or skip it, this is the offset before the switch (PEP 495, fold=0)."""
    offset = zone.utcoffset(local)
    return 0 if offset is None else offset // _MILLISECOND


def format_ms(at_ms: int) -> str:
    """Return a time as RFC 3339 text in UTC with milliseconds: `2026-05-01T00:00:00.000Z`."""
    day, ms = divmod(at_ms, DAY_MS)
    second = ms // 1_000
    minute = second // 60
    return f"{date_text(day)}T{minute // 60:02}:{minute % 60:02}:{second % 60:02}.{ms % 1_000:03}Z"


@lru_cache(maxsize=4_096)
def date_text(day: int) -> str:
    """Return the date of a day of the years 1 to 9999: `2026-05-01`. Raises ValueError for other days."""
    return date.fromordinal(_EPOCH_ORDINAL + day).isoformat()


def parse_timestamp_ms(value: object, zone: ZoneInfo, day_zone: ZoneInfo | None = None) -> int:
    """Return the epoch milliseconds of a value: text in RFC 3339 or a form close to it (docs/messages.md), or
    an integer, which is in epoch milliseconds already.

    Text without an offset is local time in `zone`; a date alone is the first instant of that day in
    `day_zone` (None: `zone`). If the instant of such a text lies outside the years 1 to 9999, the result is
    the first or last instant of these years. Raises ValueError for anything else, and for other instants
    outside these years.
    """
    if isinstance(value, str):
        return _parse_text_ms(value, zone, zone if day_zone is None else day_zone)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("not a timestamp: give RFC 3339 text or integer epoch milliseconds")
    if not MIN_MS <= value <= MAX_MS:
        raise ValueError("a timestamp outside the years 1 to 9999")
    return value


def timestamp_or_none(value: object, zone: ZoneInfo, day_zone: ZoneInfo | None = None) -> int | None:
    """Return the same as parse_timestamp_ms, but None if the value is not a timestamp."""
    try:
        return parse_timestamp_ms(value, zone, day_zone)
    except ValueError:
        return None


@lru_cache(maxsize=65_536)
def _parse_text_ms(text: str, zone: ZoneInfo, day_zone: ZoneInfo) -> int:
    match = _TIMESTAMP.fullmatch(text.strip(BLANKS))
    if match is None:
        raise ValueError(f"{text!r} is not RFC 3339, such as 2026-05-01T08:00:00+08:00")
    year, month, day = map(int, match.group(1, 2, 3))
    hour, minute, second, fraction, offset = match.group(4, 5, 6, 7, 8)
    try:
        clock = time(
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int((fraction or "")[:3].ljust(3, "0")) * 1_000,
        )
        if offset is None:
            local = datetime.combine(date(year, month, day), clock)
            return _naive_ms(local, day_zone if hour is None else zone)
        # With an offset, an instant of the year 1 may be written in the year 0, which `date` does not have.
        at_ms = day_number(year, month, day) * DAY_MS + _clock_ms(clock) - _parse_offset_ms(offset)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a moment of the calendar") from error
    if not MIN_MS <= at_ms <= MAX_MS:
        raise ValueError(f"{text!r} lies outside the years 1 to 9999")
    return at_ms


def _clock_ms(clock: time) -> int:
    seconds = (clock.hour * 60 + clock.minute) * 60 + clock.second
    return seconds * SECOND_MS + clock.microsecond // 1_000


def _parse_offset_ms(text: str) -> int:
    if text in "Zz":
        return 0
    hours, minutes = int(text[1:3]), int(text[3:].removeprefix(":") or 0)
    if hours > 23 or minutes > 59:
        raise ValueError(text)
    size = hours * HOUR_MS + minutes * MINUTE_MS
    return -size if text[0] == "-" else size


def _naive_ms(local: datetime, zone: ZoneInfo) -> int:
    """Return the instant of a naive local time, within the calendar. Midnight is the first instant of its
    day. If clocks go back over another time, this is the first of two instants. If they skip it, it is as
    much later than the switch as the local time is."""
    if local.time() == time.min:
        at_ms = day_start_ms(local.toordinal() - _EPOCH_ORDINAL, zone)
    else:
        at_ms = to_ms(local.replace(tzinfo=UTC)) - _ahead_ms(local, zone)
    return min(max(at_ms, MIN_MS), MAX_MS)


@lru_cache(maxsize=16_384)
def local_day(at_ms: int, zone: ZoneInfo) -> int:
    """Return the local day of an instant, as days since 1970-01-01."""
    return (at_ms + offset_ms(at_ms, zone)) // DAY_MS


@lru_cache(maxsize=16_384)
def day_start_ms(day: int, zone: ZoneInfo) -> int:
    """Return the first instant of a local day, which is after midnight if clocks skip midnight. For a day
    outside the calendar, this is an instant outside it."""
    midnight_ms = day * DAY_MS
    if not MIN_MS + _EDGE_MS <= midnight_ms <= MAX_MS - _EDGE_MS:
        # No zone switches its clocks there. Outside the calendar nothing depends on the exact instant.
        return midnight_ms - offset_ms(min(max(midnight_ms, MIN_MS), MAX_MS), zone)
    at_ms = midnight_ms - _ahead_ms(datetime.fromordinal(_EPOCH_ORDINAL + day), zone)
    if at_ms + offset_ms(at_ms, zone) > midnight_ms:
        # Clocks skipped midnight. The day begins at the switch: search for the first instant of this day.
        before_ms = at_ms - DAY_MS
        while at_ms - before_ms > 1:
            middle_ms = (before_ms + at_ms) // 2
            if middle_ms + offset_ms(middle_ms, zone) < midnight_ms:
                before_ms = middle_ms
            else:
                at_ms = middle_ms
    return at_ms


class CivilDay(NamedTuple):
    """The year, month 1-12 and day of the month 1-31 of a day. `date` has only the years 1 to 9999."""

    year: int
    month: int
    day: int


@lru_cache(maxsize=4_096)
def civil(day: int) -> CivilDay:
    """Return the year, month and day of the month of a day that is counted from 1970-01-01."""
    cycles, rest = divmod(day, _CYCLE_DAYS)
    near = date.fromordinal(_EPOCH_ORDINAL + rest)
    return CivilDay(near.year + 400 * cycles, near.month, near.day)


def day_number(year: int, month: int, day: int) -> int:
    """Return the days since 1970-01-01. Raises ValueError if the month does not have the day."""
    cycles, rest = divmod(year - 2000, 400)
    return date(2000 + rest, month, day).toordinal() - _EPOCH_ORDINAL + cycles * _CYCLE_DAYS


def shift_units(day: int, unit: CalendarUnit, count: int, week_start: int = MONDAY) -> int:
    """Return the first day of the calendar unit that is `count` units after the one that contains `day`.
    Weeks begin on `week_start`, 1-7 from Monday."""
    if unit == "day":
        return day + count
    if unit == "week":
        # 1970-01-01 was a Thursday, weekday 4.
        return day - (day + 4 - week_start) % 7 + 7 * count
    size = _MONTHS[unit]
    first = civil(day)
    month = (first.year * 12 + first.month - 1) // size * size + size * count
    return day_number(month // 12, month % 12 + 1, 1)


def unit_boundary_ms(
    at_ms: int, unit: CalendarUnit, count: int, zone: ZoneInfo, week_start: int = MONDAY
) -> int:
    """Return the first instant of the local unit that is `count` units after the one that contains `at_ms`;
    MIN_MS or NEVER_MS if that lies outside the calendar."""
    day = shift_units(local_day(at_ms, zone), unit, count, week_start)
    return min(max(day_start_ms(day, zone), MIN_MS), NEVER_MS)


class Period:
    """A period of whole local calendar units: `first` to `last`, relative to the unit that contains now (0).
    Weeks begin on `week_start`, 1-7 from Monday."""

    __slots__ = ("first", "last", "unit", "week_start", "zone")

    def __init__(self, unit: CalendarUnit, first: int, last: int, week_start: int, zone: ZoneInfo) -> None:
        self.unit = unit
        self.first = first
        self.last = last
        self.week_start = week_start
        self.zone = zone

    @property
    def key(self) -> tuple[Any, ...]:
        """A key that is equal for equal periods. Ids of conditions are made of it and outlive this version.
        So a week that begins on Monday is left out, as it was before other weeks existed."""
        week_start = () if self.week_start == MONDAY else (self.week_start,)
        return (self.unit, self.first, self.last, self.zone.key, *week_start)

    def span(self, at_ms: int) -> tuple[int, int]:
        """Return the span [start, end) of now in which `at_ms` lies in the period."""
        return (
            unit_boundary_ms(at_ms, self.unit, -self.last, self.zone, self.week_start),
            unit_boundary_ms(at_ms, self.unit, 1 - self.first, self.zone, self.week_start),
        )

    def bounds(self, now_ms: int) -> tuple[int, int]:
        """Return the instants [start, end) of the period at `now_ms`."""
        return (
            unit_boundary_ms(now_ms, self.unit, self.first, self.zone, self.week_start),
            unit_boundary_ms(now_ms, self.unit, self.last + 1, self.zone, self.week_start),
        )


def next_aligned_ms(at_ms: int, length_ms: int, zone: ZoneInfo) -> int:
    """Return the end of the clock-aligned window that contains an instant: the least boundary > at_ms.

    If the length is n whole days, the boundaries are local midnights, every n-th counted from 1970-01-01.
    Otherwise they are the multiples of the length on the local clock since midnight, and every midnight. If
    there is no boundary before the end of the calendar, the result is NEVER_MS.
    """
    whole = length_ms % DAY_MS == 0
    days = length_ms // DAY_MS if whole else 1
    today = local_day(at_ms, zone)
    close_ms = min(day_start_ms(today + days - today % days, zone), NEVER_MS)
    if whole:
        return close_ms
    boundary_ms, offset = at_ms, offset_ms(at_ms, zone)
    while True:
        since_ms = boundary_ms
        into_ms = (since_ms + offset) % DAY_MS % length_ms
        boundary_ms = min(since_ms + length_ms - into_ms, close_ms)
        following = offset_ms(boundary_ms, zone)
        if following != offset:
            # Clocks switch in between. There is no boundary before the switch: search again from there.
            boundary_ms = _switch_ms(since_ms, boundary_ms, zone)
            offset = offset_ms(boundary_ms, zone)
        if boundary_ms == close_ms or (boundary_ms + offset) % DAY_MS % length_ms == 0:
            return boundary_ms


def _switch_ms(before_ms: int, after_ms: int, zone: ZoneInfo) -> int:
    """Return when the clocks switch between two instants with different offsets: the first instant of the new
    offset."""
    before = offset_ms(before_ms, zone)
    while after_ms - before_ms > 1:
        middle_ms = (before_ms + after_ms) // 2
        if offset_ms(middle_ms, zone) == before:
            before_ms = middle_ms
        else:
            after_ms = middle_ms
    return after_ms
