"""Section 4, the operators that move with the clock: when exactly a contact comes in and goes out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.story import Replayed, segment, tick, update

DAY = {"unit": "day", "from": -1, "to": 0}

# operator, operand, the attribute's value; the changes after the update of 05-10 12:00 until 06-30
CASES = [
    # now - 7d < t <= now: in from t on, out at exactly t + 7d
    ("within_last", "P7D", "2026-05-10T12:00:00", ["05-10 12:00 entered", "05-17 12:00 exited"]),
    ("within_last", "P7D", "2026-05-05", ["05-10 12:00 entered", "05-12 exited"]),
    ("within_last", "P7D", "2026-05-03T12:00:00", []),
    ("within_last", "P7D", "2026-05-03T12:00:00.001", ["05-10 12:00 entered", "05-10 12:00:00.001 exited"]),
    ("within_last", "P7D", "2026-05-12", ["05-12 entered", "05-19 exited"]),
    ("not_within_last", "P7D", "2026-05-05", ["05-12 entered"]),
    ("not_within_last", "P7D", "whenever", ["05-10 12:00 entered"]),
    # now < t <= now + 1d: in at exactly t - 1d, out at t
    ("within_next", "P1D", "2026-05-12", ["05-11 entered", "05-12 exited"]),
    ("within_next", "P1D", "2026-05-11T12:00:00", ["05-10 12:00 entered", "05-11 12:00 exited"]),
    ("within_next", "P1D", "2026-05-10T12:00:00", []),
    ("not_within_next", "P1D", "2026-05-12", ["05-10 12:00 entered", "05-11 exited", "05-12 entered"]),
    # now - 1d <= t <= now + 2d: in at t - 2d, out right after t + 1d
    ("relative_between", ["-P1D", "P2D"], "2026-05-20", ["05-18 entered", "05-21 00:00:00.001 exited"]),
    (
        "relative_between",
        ["-P1D", "P2D"],
        "2026-05-09T12:00:00",
        ["05-10 12:00 entered", "05-10 12:00:00.001 exited"],
    ),
    ("relative_between", ["-P1D", "P2D"], "2026-05-09T11:59:59.999", []),
    (
        "not_relative_between",
        ["P1D", "P2D"],
        "2026-05-20",
        ["05-10 12:00 entered", "05-18 exited", "05-19 00:00:00.001 entered"],
    ),
    # whole local units, counted from the one that holds now
    ("in_period", DAY, "2026-05-10T23:59:59.999", ["05-10 12:00 entered", "05-12 exited"]),
    ("in_period", DAY, "2026-05-11", ["05-11 entered", "05-13 exited"]),
    ("in_period", {"unit": "week", "from": 1, "to": 1}, "2026-05-20", ["05-11 entered", "05-18 exited"]),
    ("in_period", {"unit": "week", "from": -1, "to": -1}, "2026-05-10", ["05-11 entered", "05-18 exited"]),
    (
        "in_period",
        {"unit": "month", "from": 0, "to": 0},
        "2026-05-01",
        ["05-10 12:00 entered", "06-01 exited"],
    ),
    ("in_period", {"unit": "month", "from": -1, "to": -1}, "2026-05-01", ["06-01 entered"]),
    ("in_period", {"unit": "quarter", "from": 0, "to": 0}, "2026-04-01", ["05-10 12:00 entered"]),
    ("in_period", {"unit": "quarter", "from": 0, "to": 0}, "2026-03-31T23:59:59.999", []),
    ("in_period", {"unit": "year", "from": -1, "to": 0}, "2025-01-01", ["05-10 12:00 entered"]),
    ("not_in_period", {"unit": "month", "from": 0, "to": 0}, "2026-05-01", ["06-01 entered"]),
    # today and the six days after it
    ("anniversary", {"in_next": "P7D"}, "1990-05-20", ["05-14 entered", "05-21 exited"]),
    ("anniversary", {"in_next": "P7D"}, "1990-05-10", ["05-10 12:00 entered", "05-11 exited"]),
    ("anniversary", {"in_next": "P1D"}, "2030-05-20T23:59:59", ["05-20 entered", "05-21 exited"]),
    (
        "not_anniversary",
        {"in_next": "P1D"},
        "1990-05-20",
        ["05-10 12:00 entered", "05-20 exited", "05-21 entered"],
    ),
]


@pytest.mark.parametrize(("operator", "operand", "value", "expected"), CASES)
def test_a_test_flips_at_the_exact_instant(
    changes_of: Replayed, operator: str, operand: Any, value: str, expected: list[str]
) -> None:
    lines = [
        segment({"attribute": "v", "operator": operator, "value": operand}),
        update("05-10 12:00", {"v": value}),
        tick("06-30"),
    ]
    assert [change.split(" (")[0].replace(" s ", " ") for change in changes_of(*lines)] == expected


def test_a_polling_interval_never_shows_in_the_reason_or_the_time(changes_of: Replayed) -> None:
    ticks = [tick("05-10 13:00"), tick("05-17 11:59"), tick("05-17 12:00:00.001")]
    lines = [
        segment({"attribute": "imported_at", "operator": "within_last", "value": "P7D"}),
        update("05-10 12:00", {"imported_at": "2026-05-10T12:00:00"}),
    ]
    expected = ["05-10 12:00 s entered (contact_update)", "05-17 12:00 s exited (time)"]
    assert changes_of(*lines, *ticks) == changes_of(*lines, tick("08-01")) == expected


def test_29_february_counts_as_28_in_other_years(changes_of: Replayed) -> None:
    lines = [
        segment({"attribute": "member_day", "operator": "anniversary", "value": {"in_next": "P1D"}}),
        update("05-10", {"member_day": "2000-02-29"}),
        tick("2028-04-01"),
    ]
    assert changes_of(*lines) == [
        "2027-02-28 s entered (time)",
        "2027-03-01 s exited (time)",
        "2028-02-29 s entered (time)",
        "2028-03-01 s exited (time)",
    ]


def test_days_begin_at_midnight_of_the_definitions_zone_on_days_of_23_hours_too(changes_of: Replayed) -> None:
    # In New York 8 March 2026 has 23 hours: it lasts from 13:00 of the 8th to 12:00 of the 9th in Shanghai.
    today = {"unit": "day", "from": 0, "to": 0}
    lines = [
        segment({"attribute": "v", "operator": "in_period", "value": today}, timezone="America/New_York"),
        update("03-01", {"v": "2026-03-08T12:00:00-04:00"}),
        tick("04-01"),
    ]
    assert changes_of(*lines) == ["03-08 13:00 s entered (time)", "03-09 12:00 s exited (time)"]
