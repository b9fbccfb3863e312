"""Instants, durations and the boundaries of local days, weeks, months, quarters and years.

All instants are integer epoch milliseconds (UTC), all durations are integer milliseconds. A function about
local time always takes a ZoneInfo. Windows are half-open.

The calendar has the years 1 to 9999 of UTC. In its first and last hours the local time of some zones lies in
the year 0 or 10000, which `datetime` does not have. Such an instant is moved by 400 years towards the present
for the calculation: the calendar repeats itself after 400 years, including weekdays and the rules of zones.
"""

from __future__ import annotations

import re
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
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

_CYCLE_DAYS: Final = 146_097
_CYCLE_MS: Final = _CYCLE_DAYS * DAY_MS
"""400 years, after which the Gregorian calendar repeats itself."""

_END_MS: Final = 20 * 366 * DAY_MS

_SIGN = 1 << 63
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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
    """Return the aware local datetime of an instant. If the local year is 0 or 10000, the result is moved by
    400 years towards the present; only its year differs."""
    try:
        return _to_local(at_ms, zone)
    except OverflowError:
        return _to_local(at_ms + _nearer_ms(at_ms), zone)


def _to_local(at_ms: int, zone: ZoneInfo) -> datetime:
    """Raises OverflowError if the local year is 0 or 10000."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone)


def _nearer_ms(at_ms: int) -> int:
    """Return the milliseconds that move an instant at an end of the calendar by 400 years towards the
    present."""
    return -_CYCLE_MS if at_ms > 0 else _CYCLE_MS


def away_from_ends_ms(at_ms: int) -> int:
    """Return the milliseconds that move an instant by 400 years towards the present if it lies within some
    years of an end of the calendar, and 0 otherwise. Then the local days around it are all days that `date`
    has."""
    return 0 if MIN_MS + _END_MS <= at_ms <= MAX_MS - _END_MS else _nearer_ms(at_ms)


def format_ms(at_ms: int) -> str:
    """Return a time as RFC 3339 text in UTC with milliseconds: `2026-05-01T00:00:00.000Z`."""
    day, ms = divmod(at_ms, DAY_MS)
    second = ms // 1_000
    minute = second // 60
    return f"{_date_text(day)}T{minute // 60:02}:{minute % 60:02}:{second % 60:02}.{ms % 1_000:03}Z"


@lru_cache(maxsize=4_096)
def _date_text(day: int) -> str:
    """Return the date of a day that is counted from 1970-01-01: `2026-05-01`."""
    return (_EPOCH + timedelta(days=day)).date().isoformat()


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
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        if hour is None:
            return day_start_ms(date(int(year), int(month), int(day)), day_zone)
        local = datetime(  # noqa: DTZ001 - the zone or the offset is added below
            int(year),
            int(month),
            int(day),
            int(hour),
            int(minute),
            int(second or 0),
            int((fraction or "")[:3].ljust(3, "0")) * 1_000,
        )
        if offset is None:
            return _naive_ms(local, zone)
        at_ms = to_ms(local.replace(tzinfo=UTC)) - _offset_ms(offset)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a moment of the calendar") from error
    if not MIN_MS <= at_ms <= MAX_MS:
        raise ValueError(f"{text!r} lies outside the years 1 to 9999")
    return at_ms


def _offset_ms(text: str) -> int:
    if text in "Zz":
        return 0
    hours, minutes = int(text[1:3]), int(text[3:].removeprefix(":") or 0)
    if hours > 23 or minutes > 59:
        raise ValueError(text)
    size = hours * HOUR_MS + minutes * MINUTE_MS
    return -size if text[0] == "-" else size


def _naive_ms(local: datetime, zone: ZoneInfo) -> int:
    """Return the instant of a naive local time, within the calendar. Midnight is the first instant of its
    day."""
    if local.time() == time.min:
        return day_start_ms(local.date(), zone)
    return min(max(_resolve_ms(local, zone), MIN_MS), MAX_MS)


def _resolve_ms(local: datetime, zone: ZoneInfo) -> int:
    """Return the instant of a naive local time (PEP 495, fold=0). If clocks go back over it, this is the
    first of two instants. If they skip it, it is as much later than the switch as the local time is."""
    return to_ms(local.replace(tzinfo=zone))


@lru_cache(maxsize=16_384)
def day_start_ms(day: date, zone: ZoneInfo) -> int:
    """Return the first instant of a local day, which is after midnight if clocks skip midnight. If the day
    begins outside the calendar, this is the calendar's first or last instant."""
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - made aware on the next line
    at_ms = _resolve_ms(midnight, zone)
    if not MIN_MS + DAY_MS <= at_ms <= MAX_MS - DAY_MS:
        # No zone switches its clocks there, and `to_local` might return another year.
        return min(max(at_ms, MIN_MS), MAX_MS)
    if to_local(at_ms, zone).replace(tzinfo=None) > midnight:
        # Clocks skipped midnight. The day begins at the switch: search for the first instant of this day.
        before_ms = at_ms - DAY_MS
        while at_ms - before_ms > 1:
            middle_ms = (before_ms + at_ms) // 2
            if _to_local(middle_ms, zone).date() < day:
                before_ms = middle_ms
            else:
                at_ms = middle_ms
    return at_ms


@lru_cache(maxsize=16_384)
def local_date(at_ms: int, zone: ZoneInfo) -> date:
    """Return the local calendar day of an instant; the calendar's first or last day if that lies outside."""
    try:
        return _to_local(at_ms, zone).date()
    except OverflowError:
        return date.max if at_ms > 0 else date.min


class LocalDay(NamedTuple):
    """A day of the local calendar. Its year may be 0 or 10000, which `date` does not have."""

    year: int
    month: int
    day: int


@lru_cache(maxsize=16_384)
def local_day(at_ms: int, zone: ZoneInfo) -> LocalDay:
    """Return the local calendar day of an instant."""
    moved_ms = away_from_ends_ms(at_ms)
    local = _to_local(at_ms + moved_ms, zone)
    return LocalDay(local.year - 400 * moved_ms // _CYCLE_MS, local.month, local.day)


def local_day_start_ms(day: LocalDay, zone: ZoneInfo) -> int:
    """Return the first instant of a local day, which may lie before MIN_MS; NEVER_MS if it lies after the
    calendar."""
    if day.year > MAXYEAR + 1:
        return NEVER_MS
    cycles = 1 if day.year <= MINYEAR else -1 if day.year >= MAXYEAR else 0
    moved_ms = day_start_ms(date(day.year + 400 * cycles, day.month, day.day), zone)
    return min(moved_ms - cycles * _CYCLE_MS, NEVER_MS)


def unit_start(day: date, unit: CalendarUnit, week_start: int = MONDAY) -> date:
    """Return the first day of the calendar unit that contains `day`. Weeks begin on `week_start`, 1-7 from
    Monday."""
    if unit == "day":
        return day
    if unit == "week":
        return day - timedelta(days=(day.isoweekday() - week_start) % 7)
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return day.replace(month=day.month - (day.month - 1) % 3, day=1)
    return day.replace(month=1, day=1)


def shift_units(start: date, unit: CalendarUnit, count: int) -> date:
    """Return the first day of the unit that is `count` units after the one that begins at `start`.

    Raises OverflowError outside the years 1 to 9999."""
    if unit == "day":
        return start + timedelta(days=count)
    if unit == "week":
        return start + timedelta(weeks=count)
    months = {"month": 1, "quarter": 3, "year": 12}[unit] * count
    index = start.year * 12 + start.month - 1 + months
    if not 12 <= index < 120_000:
        raise OverflowError("date out of range")
    return start.replace(year=index // 12, month=index % 12 + 1, day=1)


def unit_boundary_ms(
    at_ms: int, unit: CalendarUnit, count: int, zone: ZoneInfo, week_start: int = MONDAY
) -> int:
    """Return the first instant of the local unit that is `count` units after the one that contains `at_ms`;
    MIN_MS or NEVER_MS if that lies outside the calendar."""
    for nearer_ms in (0, -_CYCLE_MS, _CYCLE_MS):
        try:
            start = unit_start(_to_local(at_ms + nearer_ms, zone).date(), unit, week_start)
            boundary_ms = day_start_ms(shift_units(start, unit, count), zone) - nearer_ms
        except (OverflowError, ValueError):
            continue
        return min(max(boundary_ms, MIN_MS), NEVER_MS)
    return MIN_MS if count < 0 else NEVER_MS


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
    try:
        return _next_aligned_ms(at_ms, length_ms, zone, 0)
    except OverflowError:
        nearer_ms = _nearer_ms(at_ms)
    try:
        days = nearer_ms // DAY_MS
        return min(_next_aligned_ms(at_ms + nearer_ms, length_ms, zone, days) - nearer_ms, NEVER_MS)
    except OverflowError:
        return NEVER_MS


def _next_aligned_ms(at_ms: int, length_ms: int, zone: ZoneInfo, shifted_days: int) -> int:
    """Return the result of `next_aligned_ms` for an instant that was moved by `shifted_days`. Raises
    OverflowError outside the local years 1 to 9999."""
    whole = length_ms % DAY_MS == 0
    days = length_ms // DAY_MS if whole else 1
    today = _to_local(at_ms, zone).date()
    passed = ((today - date(1970, 1, 1)).days - shifted_days) % days
    close_ms = day_start_ms(today + timedelta(days=days - passed), zone)
    if whole:
        return close_ms
    boundary_ms = at_ms
    while True:
        since_ms = boundary_ms
        boundary_ms += length_ms - _since_midnight_ms(boundary_ms, zone) % length_ms
        if _offset(boundary_ms, zone) != _offset(since_ms, zone):
            # Clocks switch in between. There is no boundary before the switch: search again from there.
            boundary_ms = _switch_ms(since_ms, boundary_ms, zone)
        if boundary_ms >= close_ms:
            return close_ms
        if _since_midnight_ms(boundary_ms, zone) % length_ms == 0:
            return boundary_ms


def _offset(at_ms: int, zone: ZoneInfo) -> timedelta | None:
    return _to_local(at_ms, zone).utcoffset()


def _switch_ms(before_ms: int, after_ms: int, zone: ZoneInfo) -> int:
    """Return when the clocks switch between two instants with different offsets: the first instant of the new
    offset."""
    before = _offset(before_ms, zone)
    while after_ms - before_ms > 1:
        middle_ms = (before_ms + after_ms) // 2
        if _offset(middle_ms, zone) == before:
            before_ms = middle_ms
        else:
            after_ms = middle_ms
    return after_ms


def _since_midnight_ms(at_ms: int, zone: ZoneInfo) -> int:
    """Return the time on the local clock as milliseconds after midnight."""
    local = _to_local(at_ms, zone)
    return (
        local.hour * HOUR_MS + local.minute * MINUTE_MS + local.second * SECOND_MS + local.microsecond // 1000
    )
