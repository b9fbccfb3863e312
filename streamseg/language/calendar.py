"""Parts of a local time, and anniversaries, in a segment's time zone."""

from __future__ import annotations

from datetime import MAXYEAR, date, timedelta
from zoneinfo import ZoneInfo

from streamseg.language.answer import NO, YES, Answer
from streamseg.times import day_start_ms, local_date, to_local

LONGEST_YEAR = 366
"""The greatest number of days between two anniversaries."""


def calendar_part(at_ms: int, unit: str, zone: ZoneInfo) -> int:
    """Return the part of an instant's local time that `unit` names: minute 0-59, hour 0-23, day 1-31,
    weekday 1-7 from Monday, month 1-12 or quarter 1-4."""
    local = to_local(at_ms, zone)
    match unit:
        case "minute":
            return local.minute
        case "hour":
            return local.hour
        case "day":
            return local.day
        case "weekday":
            return local.isoweekday()
        case "month":
            return local.month
        case "quarter":
            return (local.month + 2) // 3
    raise ValueError(f"{unit!r} is not a calendar unit")


def anniversary_in(year: int, day: date) -> date | None:
    """Return the anniversary of `day` in a year, None after the calendar's last year. In years without a
    29 February its anniversary is 28 February."""
    if year > MAXYEAR:
        return None
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


class Anniversary:
    """The test whether the anniversary of a date is within the next `days` whole local days, today
    included."""

    __slots__ = ("days", "zone")

    def __init__(self, days: int, zone: ZoneInfo) -> None:
        self.days = days
        self.zone = zone

    def at(self, at_ms: int, now_ms: int) -> Answer:
        """Return the answer at `now_ms` for the date of `at_ms`, with the local midnight at which it
        changes."""
        if self.days < 1:
            return NO
        if self.days >= LONGEST_YEAR:
            return YES
        day, today = to_local(at_ms, self.zone).date(), local_date(now_ms, self.zone)
        coming = anniversary_in(today.year, day)
        if coming is not None and coming < today:
            coming = anniversary_in(today.year + 1, day)
        if coming is None:
            return NO
        ahead = timedelta(days=self.days - 1)
        if coming - today > ahead:
            return Answer(False, day_start_ms(coming - ahead, self.zone))
        last, following = coming, anniversary_in(coming.year + 1, day)
        while following is not None and following - last <= ahead + timedelta(days=1):
            last, following = following, anniversary_in(following.year + 1, day)
        return YES if last == date.max else Answer(True, day_start_ms(last + timedelta(days=1), self.zone))


def birthday_in(years: int, born: date) -> date | None:
    """Return the day on which `years` full years since `born` are complete, None after the calendar's last
    year. In years without a 29 February, a year since that day is complete on 1 March."""
    year = born.year + years
    if year > MAXYEAR:
        return None
    try:
        return born.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


class AgeRange:
    """The test whether the full years from a local calendar day until today are `youngest` to `oldest`, both
    included (None: no bound). A day in the future has no age, so the test is false."""

    __slots__ = ("oldest", "youngest", "zone")

    def __init__(self, youngest: int | None, oldest: int | None, zone: ZoneInfo) -> None:
        self.youngest = youngest
        self.oldest = oldest
        self.zone = zone

    def at(self, at_ms: int, now_ms: int) -> Answer:
        """Return the answer at `now_ms` for the date of `at_ms`, with the local midnight at which it
        changes."""
        born = local_date(at_ms, self.zone)
        first = birthday_in(self.youngest or 0, born)
        if first is None:
            return NO
        first_ms = day_start_ms(first, self.zone)
        if now_ms < first_ms:
            return Answer(False, first_ms)
        beyond = None if self.oldest is None else birthday_in(self.oldest + 1, born)
        if beyond is None:
            return YES
        beyond_ms = day_start_ms(beyond, self.zone)
        return Answer(True, beyond_ms) if now_ms < beyond_ms else NO
