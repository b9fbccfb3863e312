"""Parts of a local time, and anniversaries, in a segment's time zone."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from streamseg.language.answer import NO, YES, Answer
from streamseg.times import MAX_MS, NEVER_MS, CivilDay, civil, day_number, day_start_ms, local_day, to_local

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


def anniversary_in(year: int, born: CivilDay) -> int:
    """Return the anniversary of a day in a year, as days since 1970-01-01. In years without a 29 February its
    anniversary is 28 February."""
    try:
        return day_number(year, born.month, born.day)
    except ValueError:
        return day_number(year, 2, 28)


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
        born, today = civil(local_day(at_ms, self.zone)), local_day(now_ms, self.zone)
        year = civil(today).year
        coming = anniversary_in(year, born)
        if coming < today:
            year += 1
            coming = anniversary_in(year, born)
        ahead = self.days - 1
        if coming - today > ahead:
            return self._until(coming - ahead, holds=False)
        last, following = coming, anniversary_in(year + 1, born)
        while following - last <= self.days:
            year += 1
            last, following = following, anniversary_in(year + 1, born)
        return self._until(last + 1, holds=True)

    def _until(self, day: int, *, holds: bool) -> Answer:
        """Return the answer until a day begins."""
        at_ms = day_start_ms(day, self.zone)
        return Answer(holds, at_ms if at_ms <= MAX_MS else None)


def birthday_in(year: int, born: CivilDay) -> int:
    """Return the day of a year on which a full year since `born` is complete, as days since 1970-01-01. In
    years without a 29 February, a year since that day is complete on 1 March."""
    return day_number(year, born.month, 1) + born.day - 1


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
        born = civil(local_day(at_ms, self.zone))
        first_ms = self._complete_ms(self.youngest or 0, born)
        if now_ms < first_ms:
            return Answer(False, first_ms if first_ms <= MAX_MS else None)
        beyond_ms = NEVER_MS if self.oldest is None else self._complete_ms(self.oldest + 1, born)
        if beyond_ms > MAX_MS:
            return YES
        return Answer(True, beyond_ms) if now_ms < beyond_ms else NO

    def _complete_ms(self, years: int, born: CivilDay) -> int:
        """Return when so many full years since `born` are complete; after the calendar for never."""
        return day_start_ms(birthday_in(born.year + years, born), self.zone)
