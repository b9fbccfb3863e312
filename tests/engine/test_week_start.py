"""Sections 3 and 4, `week_start`: weeks begin on Monday, or on any other day."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import case, flips, op, passing, refused
from tests.engine.story import Line, Replayed, event, segment, tick


def week(first: int, last: int, **more: Any) -> Line:
    return {"unit": "week", "from": first, "to": last, **more}


DAYS = [f"2026-05-{day:02}" for day in range(1, 20)]


# Today is 15 May 2026, a Friday.
@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        case("from Monday", week(0, 0), 11, 17),
        case("from Monday, said", week(0, 0, week_start=1), 11, 17),
        case("from Thursday", week(0, 0, week_start=4), 14, 20),
        case("from today", week(0, 0, week_start=5), 15, 21),
        case("from tomorrow", week(0, 0, week_start=6), 9, 15),
        case("from Sunday", week(0, 0, week_start=7), 10, 16),
        case("last week from Sunday", week(-1, -1, week_start=7), 3, 9),
        case("this week and the last from Saturday", week(-1, 0, week_start=6), 2, 15),
    ],
)
def test_a_time_lies_in_weeks_from_a_day(changes_of: Replayed, period: Line, first: int, last: int) -> None:
    assert passing(changes_of, op("in_period", period), DAYS) == DAYS[first - 1 : last]


@pytest.mark.parametrize(
    ("day", "expected"),
    [(1, "05-11 out"), (2, "05-05 out"), (6, "05-09 out"), (7, "05-10 out")],
)
def test_a_window_of_weeks_turns_on_that_day(changes_of: Replayed, day: int, expected: str) -> None:
    this_week = {"event": "buy", "window": {"period": week(0, 0, week_start=day)}}
    lines = [segment(this_week), event("05-04 12:00", "buy"), tick("06-01")]
    assert flips(changes_of(*lines)) == ["05-04 12:00 in", expected]


@pytest.mark.parametrize("unit", ["day", "month", "quarter", "year"])
def test_refused_with_another_unit(unit: str) -> None:
    period = {"unit": unit, "from": 0, "to": 0, "week_start": 7}
    assert refused({"attribute": "a", **op("in_period", period)}) == ("invalid_schema", "value.week_start")
    assert refused({"event": "buy", "window": {"period": period}}) == (
        "invalid_schema",
        "window.period.week_start",
    )


@pytest.mark.parametrize("day", [0, 8, -1, 1.5, "7", True])
def test_a_day_is_one_to_seven(day: Any) -> None:
    condition = {"event": "buy", "window": {"period": week(0, 0, week_start=day)}}
    assert refused(condition) == ("invalid_schema", "window.period.week_start")
