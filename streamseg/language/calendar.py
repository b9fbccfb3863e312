"""Parts of a local time, and anniversaries, in a segment's time zone."""

from __future__ import annotations

from calendar import isleap
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from streamseg.language.answer import NO, YES, Answer
from streamseg.times import (
    MAX_MS,
    NEVER_MS,
    LocalDay,
    away_from_ends_ms,
    day_start_ms,
    local_day,
    local_day_start_ms,
    to_local,
)

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


def anniversary_in(year: int, day: date) -> date:
    """Return the anniversary of `day` in a year. In years without a 29 February its anniversary is
    28 February."""
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
        # The days after the calendar's last one count as days to come, although they never do.
        moved_ms = away_from_ends_ms(now_ms)
        day, today = to_local(at_ms, self.zone).date(), to_local(now_ms + moved_ms, self.zone).date()
        coming = anniversary_in(today.year, day)
        if coming < today:
            coming = anniversary_in(today.year + 1, day)
        ahead = timedelta(days=self.days - 1)
        if coming - today > ahead:
            return self._until(coming - ahead, moved_ms, holds=False)
        last, following = coming, anniversary_in(coming.year + 1, day)
        while following - last <= ahead + timedelta(days=1):
            last, following = following, anniversary_in(following.year + 1, day)
        return self._until(last + timedelta(days=1), moved_ms, holds=True)

    def _until(self, day: date, moved_ms: int, *, holds: bool) -> Answer:
        """Return the answer until a day that was moved by so many ms begins."""
        at_ms = day_start_ms(day, self.zone) - moved_ms
        return Answer(holds, at_ms if at_ms <= MAX_MS else None)


def birthday_in(year: int, born: LocalDay) -> LocalDay:
    """Return the day of a year on which a full year since `born` is complete. In years without a 29 February,
    a year since that day is complete on 1 March."""
    if (born.month, born.day) == (2, 29) and not isleap(year):
        return LocalDay(year, 3, 1)
    return born._replace(year=year)


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
        born = local_day(at_ms, self.zone)
        first_ms = self._complete_ms(self.youngest or 0, born)
        if now_ms < first_ms:
            return Answer(False, first_ms if first_ms <= MAX_MS else None)
        beyond_ms = NEVER_MS if self.oldest is None else self._complete_ms(self.oldest + 1, born)
        if beyond_ms > MAX_MS:
            return YES
        return Answer(True, beyond_ms) if now_ms < beyond_ms else NO

    def _complete_ms(self, years: int, born: LocalDay) -> int:
        """Return when so many full years since `born` are complete; NEVER_MS after the calendar."""
        return local_day_start_ms(birthday_in(born.year + years, born), self.zone)
