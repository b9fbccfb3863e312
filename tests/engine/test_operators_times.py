"""Section 4, times: strict and half-open bounds, naive and bare dates, the edges of what moves."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import ABSENT, MISSING, case, op, passing, refused
from tests.engine.story import Replayed, all_of, event, ms, segment, tick, update

# `now` is noon of Friday 15 May 2026 in Shanghai, 04:00 UTC
NOW = "2026-05-15T12:00:00+08:00"
JUST_BEFORE, JUST_AFTER = "2026-05-15T11:59:59.999+08:00", "2026-05-15T12:00:00.001+08:00"
DAY_AGO, AFTER_DAY_AGO = "2026-05-14T12:00:00+08:00", "2026-05-14T12:00:00.001+08:00"
BEFORE_DAY_AGO = "2026-05-14T11:59:59.999+08:00"
IN_A_DAY, AFTER_A_DAY = "2026-05-16T12:00:00+08:00", "2026-05-16T12:00:00.001+08:00"
FOREIGN = (True, ["2026-05-15"], {"at": NOW}, "soon", "2026-02-30", "15.05.2026", "1778817600000", *MISSING)
ALL_TIME = {"unit": "year", "from": -100, "to": 100}
EVERY_DAY = {"unit": "weekday", "values": [1, 2, 3, 4, 5, 6, 7]}


@pytest.mark.parametrize(
    ("operator", "operand"),
    [
        ("before", "2100-01-01"),
        ("after", "1900-01-01"),
        ("between", ["1900-01-01", "2100-01-01"]),
        ("within_last", "P9D"),
        ("relative_between", ["-P9D", "P9D"]),
        ("in_period", ALL_TIME),
        ("calendar", EVERY_DAY),
        ("anniversary", {"in_next": "P366D"}),
    ],
)
def test_a_time_operator_takes_times_alone(changes_of: Replayed, operator: str, operand: Any) -> None:
    times = [NOW, "2026-05-15", "2026-05-15T12:00:00", "2026-05-15T04:00:00Z", 1_778_817_600_000]
    assert passing(changes_of, op(operator, operand), [*times, *FOREIGN]) == times


@pytest.mark.parametrize(
    ("test", "candidates", "expected"),
    [
        case("before is strict", op("before", NOW), [JUST_BEFORE, NOW, JUST_AFTER], [JUST_BEFORE]),
        case("after is strict", op("after", NOW), [JUST_BEFORE, NOW, JUST_AFTER], [JUST_AFTER]),
        case(
            "between has its start, not its end",
            op("between", [NOW, IN_A_DAY]),
            [JUST_BEFORE, NOW, IN_A_DAY],
            [NOW],
        ),
        case(
            "an open start",
            op("between", [None, NOW]),
            ["0002-01-01", JUST_BEFORE, NOW],
            ["0002-01-01", JUST_BEFORE],
        ),
        case(
            "an open end",
            op("between", [NOW, None]),
            [JUST_BEFORE, NOW, "9000-01-01"],
            [NOW, "9000-01-01"],
        ),
        case("equal bounds hold nothing", op("between", [NOW, NOW]), [JUST_BEFORE, NOW, JUST_AFTER], []),
        case(
            "one instant in several zones",
            op("between", [NOW, JUST_AFTER]),
            ["2026-05-15T04:00:00Z", "2026-05-15T00:00:00-04:00", 1_778_817_600_000, "2026-05-15T12:00:00"],
            "all",
        ),
        case(
            "a bound without offset is local",
            op("before", "2026-05-15T12:00:00"),
            [JUST_BEFORE, NOW],
            [JUST_BEFORE],
        ),
        case(
            "a bare date is its local midnight",
            op("before", "2026-05-15"),
            ["2026-05-14T15:59:59.999Z", "2026-05-14T16:00:00Z"],
            ["2026-05-14T15:59:59.999Z"],
        ),
        case(
            "a bare date as a value too",
            op("after", "2026-05-14T15:59:59.999Z"),
            ["2026-05-15", "2026-05-14"],
            ["2026-05-15"],
        ),
        case("a bound in milliseconds", op("before", 1_778_817_600_000), [JUST_BEFORE, NOW], [JUST_BEFORE]),
        case(
            "within_last leaves its far end out and takes now",
            op("within_last", "P1D"),
            [BEFORE_DAY_AGO, DAY_AGO, AFTER_DAY_AGO, NOW, JUST_AFTER],
            [AFTER_DAY_AGO, NOW],
        ),
        case(
            "within_next leaves now out and takes its far end",
            op("within_next", "P1D"),
            [NOW, JUST_AFTER, IN_A_DAY, AFTER_A_DAY],
            [JUST_AFTER, IN_A_DAY],
        ),
        case(
            "relative_between takes both ends",
            op("relative_between", ["-P1D", "P1D"]),
            [BEFORE_DAY_AGO, DAY_AGO, NOW, IN_A_DAY, AFTER_A_DAY],
            [DAY_AGO, NOW, IN_A_DAY],
        ),
        case(
            "relative_between one instant",
            op("relative_between", ["PT0S", "PT0S"]),
            [JUST_BEFORE, NOW, JUST_AFTER],
            [NOW],
        ),
        case(
            "relative_between all in the past",
            op("relative_between", ["-P2D", "-P1D"]),
            [DAY_AGO, AFTER_DAY_AGO, BEFORE_DAY_AGO],
            [DAY_AGO, BEFORE_DAY_AGO],
        ),
        case(
            "weeks, hours and seconds are durations",
            op("within_last", "P1W"),
            ["2026-05-08T12:00:00", "2026-05-08T12:00:00.001"],
            ["2026-05-08T12:00:00.001"],
        ),
        case(
            "a day and a half",
            op("within_last", "P1DT12H"),
            ["2026-05-14", "2026-05-14T00:00:00.001"],
            ["2026-05-14T00:00:00.001"],
        ),
    ],
)
def test_times(changes_of: Replayed, test: Any, candidates: list[Any], expected: Any) -> None:
    assert passing(changes_of, test, candidates) == (candidates if expected == "all" else expected)


def test_numbers_as_bounds_mean_numbers_for_a_value_of_ones_own(changes_of: Replayed) -> None:
    # between on numbers takes both ends, and no text that could be a time
    start, end = ms("05-15 12:00"), ms("05-16 12:00")
    candidates = [start, end, end + 1, NOW, "2026-05-15"]
    assert passing(changes_of, op("between", [start, end]), candidates) == [start, end]


def test_a_standard_time_attribute_is_always_a_time(changes_of: Replayed) -> None:
    # numbers as bounds are milliseconds there, and the end is left out
    bounds = [ms("05-15 12:00"), ms("05-16 12:00")]
    lines = [
        segment({"attribute": "created_at", "operator": "between", "value": bounds}),
        update("06-01", {"created_at": "2026-05-15T12:00:00"}, of="c1"),
        update("06-01", {"created_at": ms("05-16 12:00")}, of="c2"),
        update("06-01", {"created_at": ms("05-16 12:00") - 1}, of="c3"),
    ]
    assert changes_of(*lines) == ["06-01 s entered (contact_update)", "06-01 c3 s entered (contact_update)"]


def test_naive_values_are_read_in_the_configured_zone_and_bounds_in_the_definitions(
    changes_of: Replayed,
) -> None:
    # 12:00 in New York (EDT) is 16:00 UTC, midnight of the 16th in Shanghai
    test = op("before", "2026-05-15T12:00:00")
    candidates = ["2026-05-15T23:59:59", "2026-05-16", "2026-05-15T12:00:00-04:00"]
    found = passing(changes_of, test, candidates, zone="America/New_York", at="06-01")
    assert found == ["2026-05-15T23:59:59"]


def test_a_local_time_that_comes_twice_means_the_first_and_one_that_never_comes_is_read_on(
    changes_of: Replayed,
) -> None:
    # London: 01:30 on 25 October comes at 00:30 and 01:30 UTC; 01:30 on 29 March is read as 01:30 UTC
    twice = op("between", ["2026-10-25T00:30:00Z", "2026-10-25T00:30:00.001Z"])
    assert passing(changes_of, twice, ["2026-10-25T01:30:00"], at="11-01", timezone="Europe/London")
    never = op("between", ["2026-03-29T01:30:00Z", "2026-03-29T01:30:00.001Z"])
    assert passing(changes_of, never, ["2026-03-29T01:30:00"], at="11-01", timezone="Europe/London")


MOVES = [
    case("within_last", op("within_last", "P7D"), "2026-05-10", ["05-10 in", "05-17 out"]),
    case("within_next", op("within_next", "P7D"), "2026-05-20", ["05-13 in", "05-20 out"]),
    case(
        "relative_between",
        op("relative_between", ["-P2D", "P1D"]),
        "2026-05-20",
        ["05-19 in", "05-22 00:00:00.001 out"],
    ),
    case(
        "not_within_last",
        op("not_within_last", "P7D"),
        "2026-05-12",
        ["05-10 in", "05-12 out", "05-19 in"],
    ),
    case(
        "today",
        op("in_period", {"unit": "day", "from": 0, "to": 0}),
        "2026-05-12T09:00:00",
        ["05-12 in", "05-13 out"],
    ),
    case("anniversary", op("anniversary", {"in_next": "P2D"}), "1990-05-20", ["05-19 in", "05-21 out"]),
    case("a missing time", op("not_within_next", "P1D"), ABSENT, ["05-10 in"]),
]


@pytest.mark.parametrize(("test", "value", "expected"), MOVES)
def test_a_property_moves_with_the_clock_as_an_attribute_does(
    changes_of: Replayed, test: Any, value: Any, expected: list[str]
) -> None:
    body = {} if value is ABSENT else {"at": value}
    where = all_of({"property": "at", **test})
    lines = [
        segment({"attribute": "at", **test}, of="attribute"),
        segment({"event": "order", "where": where}, of="property"),
        segment({"event": "order", "select": "last", "has": where}, of="selected"),
        segment({"event": "order", "where": where, "not": True}, of="unlike"),
        update("05-10", body),
        event("05-10", "order", body),
        tick("06-30"),
    ]
    told: dict[str, list[str]] = {}
    for change in changes_of(*lines):
        at, name, verb, _ = change.rsplit(" ", 3)
        told.setdefault(name, []).append(f"{at} {'in' if verb == 'entered' else 'out'}")
    assert told["attribute"] == told["property"] == told["selected"] == expected
    turned = [one.replace(" in", " OUT").replace(" out", " IN").lower() for one in expected]
    # before the order there was none that passes: the complement held from the contact's first record on
    assert told["unlike"] == ["05-10 in", *turned]


@pytest.mark.parametrize(
    ("test", "path"),
    [
        case("months have no fixed length", op("within_last", "P1M"), "value"),
        case("nor have years", op("within_next", "P1Y"), "value"),
        case("a duration has no sign", op("within_last", "-P1D"), "value"),
        case("a number is no duration", op("within_last", 7), "value"),
        case("offsets the wrong way round", op("relative_between", ["P5D", "-P5D"]), "value[1]"),
        case("one offset", op("relative_between", ["P5D"]), "value"),
        case("times the wrong way round", op("between", ["2026-05-02", "2026-05-01"]), "value"),
        case("no bound at all", op("between", [None, None]), "value"),
        case("no time", op("before", "soon"), "value"),
        case("no day of the calendar", op("after", "2026-02-30"), "value"),
        case("units the wrong way round", op("in_period", {"unit": "day", "from": 1, "to": 0}), "value.to"),
        case("no unit", op("in_period", {"unit": "hour", "from": 0, "to": 0}), "value.unit"),
        case("half a unit", op("in_period", {"unit": "day", "from": 0.5, "to": 1}), "value.from"),
        case("no part", op("calendar", {"unit": "year", "values": [2026]}), "value.unit"),
        case("a 60th minute", op("calendar", {"unit": "minute", "values": [60]}), "value.values[0]"),
        case("a 24th hour", op("calendar", {"unit": "hour", "values": [0, 24]}), "value.values[1]"),
        case("a day 0", op("calendar", {"unit": "day", "values": [0]}), "value.values[0]"),
        case("a day 32", op("calendar", {"unit": "day", "values": [32]}), "value.values[0]"),
        case("a weekday 0", op("calendar", {"unit": "weekday", "values": [0]}), "value.values[0]"),
        case("a weekday 8", op("calendar", {"unit": "weekday", "values": [8]}), "value.values[0]"),
        case("a month 13", op("calendar", {"unit": "month", "values": [13]}), "value.values[0]"),
        case("a quarter 5", op("calendar", {"unit": "quarter", "values": [5]}), "value.values[0]"),
        case("no values", op("calendar", {"unit": "quarter", "values": []}), "value.values"),
        case("hours before an anniversary", op("anniversary", {"in_next": "PT1H"}), "value.in_next"),
        case("an anniversary without days", op("anniversary", {}), "value.in_next"),
        case("an anniversary in text", op("anniversary", "P7D"), "value"),
    ],
)
def test_an_operand_of_another_shape_is_refused(test: Any, path: str) -> None:
    assert refused({"attribute": "v", **test}) == ("invalid_schema", path)
