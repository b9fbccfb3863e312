"""Section 4, parts of a local time, and anniversaries. Stories are told in Shanghai (UTC+8)."""

from __future__ import annotations

import pytest

from tests.engine.cases import case, flips, op, passing
from tests.engine.story import Replayed, segment, tick, update

SHANGHAI, NEW_YORK, LONDON, LORD_HOWE = (
    "Asia/Shanghai",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
)


FRIDAY = "2026-05-15T23:59:59.999+08:00"
SATURDAY = "2026-05-16T00:00:00+08:00"


@pytest.mark.parametrize(
    ("unit", "values", "candidates", "expected"),
    [
        case("minute", "minute", [59], [FRIDAY, SATURDAY], [FRIDAY]),
        case(
            "minute of a zone with half an hour",
            "minute",
            [0],
            ["2026-05-15T10:30:00+05:30", SATURDAY, FRIDAY],
            ["2026-05-15T10:30:00+05:30", SATURDAY],
        ),
        case("hour", "hour", [23], [FRIDAY, SATURDAY], [FRIDAY]),
        case("hour midnight", "hour", [0], [FRIDAY, SATURDAY], [SATURDAY]),
        case("day", "day", [16], [FRIDAY, SATURDAY], [SATURDAY]),
        case("the 31st", "day", [31], ["2026-05-31", "2026-04-30"], ["2026-05-31"]),
        case("weekday Friday", "weekday", [5], [FRIDAY, SATURDAY], [FRIDAY]),
        case(
            "weekend",
            "weekday",
            [6, 7],
            [FRIDAY, SATURDAY, "2026-05-17", "2026-05-18"],
            [SATURDAY, "2026-05-17"],
        ),
        case(
            "month",
            "month",
            [12, 1],
            ["2026-12-31", "2027-01-01", "2026-11-30"],
            ["2026-12-31", "2027-01-01"],
        ),
        case(
            "quarters",
            "quarter",
            [1, 4],
            ["2026-01-01", "2026-03-31", "2026-04-01", "2026-10-01"],
            ["2026-01-01", "2026-03-31", "2026-10-01"],
        ),
    ],
)
def test_a_part_of_the_time(
    changes_of: Replayed, unit: str, values: list[int], candidates: list[str], expected: list[str]
) -> None:
    test = op("calendar", {"unit": unit, "values": values})
    assert passing(changes_of, test, candidates) == expected


@pytest.mark.parametrize(
    ("zone", "unit", "part", "instant"),
    [
        case("the hour after the switch in New York is 3", NEW_YORK, "hour", 3, "2026-03-08T07:00:00Z"),
        case("the hour before it is 1", NEW_YORK, "hour", 1, "2026-03-08T06:59:59Z"),
        case("the first 1 o'clock of 1 November", NEW_YORK, "hour", 1, "2026-11-01T05:59:59Z"),
        case("and the second", NEW_YORK, "hour", 1, "2026-11-01T06:00:00Z"),
        case("midnight in London in summer", LONDON, "hour", 0, "2026-06-30T23:00:00Z"),
        case("which is the next day", LONDON, "day", 1, "2026-06-30T23:00:00Z"),
        case("and the next quarter", LONDON, "quarter", 3, "2026-06-30T23:00:00Z"),
        case("half past on Lord Howe in winter", LORD_HOWE, "minute", 30, "2026-07-01T00:00:00Z"),
        case("the full hour there in summer", LORD_HOWE, "minute", 0, "2026-12-01T00:00:00Z"),
        case("Monday there while it is Sunday in UTC", LORD_HOWE, "weekday", 1, "2026-05-17T13:30:00Z"),
    ],
)
def test_a_part_is_that_of_the_definitions_zone(
    changes_of: Replayed, zone: str, unit: str, part: int, instant: str
) -> None:
    test = op("calendar", {"unit": unit, "values": [part]})
    assert passing(changes_of, test, [instant], at="2027-01-01", zone=zone) == [instant]


# days, the date, and when it is in from the record of 12-20 12:00 on
ANNIVERSARIES = [
    case("today alone", "P1D", "1990-12-20", ["12-20 12:00 in", "12-21 out"]),
    case("a week with today", "P7D", "1990-12-26", ["12-20 12:00 in", "12-27 out"]),
    case("a week and a day is too far", "P7D", "1990-12-27", ["12-21 in", "12-28 out"]),
    case("a week in weeks", "P1W", "1990-12-27", ["12-21 in", "12-28 out"]),
    case("over the end of the year", "P7D", "1990-01-02", ["12-27 in", "2027-01-03 out"]),
    case("at the end of the year", "P1D", "1990-12-31", ["12-31 in", "2027-01-01 out"]),
    case("at its beginning", "P1D", "1990-01-01", ["2027-01-01 in", "2027-01-02 out"]),
    case("the time of the day plays no part", "P1D", "1990-12-22T23:59:59", ["12-22 in", "12-23 out"]),
    case("nor does a year to come", "P1D", "2050-12-22", ["12-22 in", "12-23 out"]),
    case("29 February is the 28th in 2027", "P1D", "2000-02-29", ["2027-02-28 in", "2027-03-01 out"]),
    case("a week before it", "P7D", "2000-02-29", ["2027-02-22 in", "2027-03-01 out"]),
    case("28 February itself", "P1D", "2001-02-28", ["2027-02-28 in", "2027-03-01 out"]),
    case("1 March", "P1D", "2001-03-01", ["2027-03-01 in", "2027-03-02 out"]),
    case("the rest of the year", "P366D", "1990-05-01", ["12-20 12:00 in"]),
]


@pytest.mark.parametrize(("days", "value", "expected"), ANNIVERSARIES)
def test_anniversaries(changes_of: Replayed, days: str, value: str, expected: list[str]) -> None:
    test = op("anniversary", {"in_next": days})
    lines = [
        segment({"attribute": "v", **test}),
        update("12-20 12:00", {"v": value}),
        tick("2027-04-01"),
    ]
    assert flips(changes_of(*lines)) == expected


def test_29_february_comes_on_its_own_day_in_a_leap_year(changes_of: Replayed) -> None:
    lines = [
        segment({"attribute": "v", **op("anniversary", {"in_next": "P2D"})}),
        update("2028-01-01", {"v": "2000-02-29"}, of="c1"),
        update("2028-01-01", {"v": "2001-02-28"}, of="c2"),
        tick("2028-06-01"),
    ]
    assert changes_of(*lines) == [
        "2028-02-27 c2 s entered (time)",
        "2028-02-28 s entered (time)",
        "2028-02-29 c2 s exited (time)",
        "2028-03-01 s exited (time)",
    ]


def test_an_anniversary_begins_and_ends_at_midnight_of_the_definitions_zone(changes_of: Replayed) -> None:
    # noon of 8 March in New York: that day lasts from 13:00 to 12:00 of the 9th in Shanghai
    lines = [
        segment({"attribute": "v", **op("anniversary", {"in_next": "P1D"})}, timezone=NEW_YORK),
        update("03-01", {"v": "1990-03-08T12:00:00-05:00"}),
        tick("04-01"),
    ]
    assert changes_of(*lines) == ["03-08 13:00 s entered (time)", "03-09 12:00 s exited (time)"]
