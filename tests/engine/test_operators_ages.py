"""Section 4, `age_between`: full years from a calendar day to today's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import case, flips, op, passing, refused
from tests.engine.story import Replayed, segment, tick, update


@pytest.mark.parametrize(
    ("ages", "values", "passes"),
    [
        case(
            "eighteen to twenty-five, today being 15 May 2026",
            [18, 25],
            ["2008-05-15", "2008-05-16", "2000-05-16", "2000-05-15", "2000-05-15T23:59:59"],
            ["2008-05-15", "2000-05-16"],
        ),
        case(
            "eighteen at least",
            [18, None],
            ["1900-01-01", "2008-05-15", "2008-05-16", "soon", None],
            ["1900-01-01", "2008-05-15"],
        ),
        case(
            "seventeen at most",
            [None, 17],
            ["2008-05-16", "2008-05-15", "2026-05-15", "2026-05-16", True],
            ["2008-05-16", "2026-05-15"],
        ),
        case(
            "born today is nought",
            [0, 0],
            ["2026-05-15T23:00:00", "2026-05-16", "2025-05-16", "2025-05-15"],
            ["2026-05-15T23:00:00", "2025-05-16"],
        ),
        case(
            "milliseconds are a time too",
            [18, None],
            [1_000_000_000_000, 1_700_000_000_000, 1.5],
            [1_000_000_000_000],
        ),
        case("more years than there are", [9_998, None], ["0002-01-01", "2000-01-01"], []),
        case("a day still to come has no age", [None, 200], ["2026-05-16", "2027-01-01"], []),
    ],
)
def test_full_years(changes_of: Replayed, ages: list[Any], values: list[Any], passes: list[Any]) -> None:
    assert passing(changes_of, op("age_between", ages), values) == passes


def turns(changes_of: Replayed, ages: list[Any], born: str, *, at: str, until: str, **more: Any) -> list[str]:
    adult = {"attribute": "born", **op("age_between", ages)}
    return flips(changes_of(segment(adult, at=at, **more), update(at, {"born": born}), tick(until)))


def test_it_turns_at_local_midnights(changes_of: Replayed) -> None:
    assert turns(changes_of, [18, 18], "2008-05-20", at="05-01", until="2028-01-01") == [
        "05-20 in",
        "2027-05-20 out",
    ]


def test_a_birth_to_come_begins_at_its_day(changes_of: Replayed) -> None:
    assert turns(changes_of, [None, 0], "2026-06-01T15:00:00", at="05-01", until="2028-01-01") == [
        "06-01 in",
        "2027-06-01 out",
    ]


@pytest.mark.parametrize(
    ("ages", "expected"),
    [
        case("on 1 March where there is no 29 February", [18, 18], ["03-01 in", "2027-03-01 out"]),
        case("on 29 February where there is one", [20, 20], ["2028-02-29 in", "2029-03-01 out"]),
    ],
)
def test_29_february_completes_a_year(changes_of: Replayed, ages: list[Any], expected: list[str]) -> None:
    assert turns(changes_of, ages, "2008-02-29", at="02-01", until="2030-01-01") == expected


def test_today_is_that_of_the_definition(changes_of: Replayed) -> None:
    # Midnight of 20 May in New York is noon in Shanghai.
    assert turns(
        changes_of,
        [18, None],
        "2008-05-20T12:00:00-04:00",
        at="05-01",
        until="07-01",
        timezone="America/New_York",
    ) == ["05-20 12:00 in"]


def test_standard_times_have_an_age_too() -> None:
    assert refused({"attribute": "member_day", **op("age_between", [1, None])}) is None
    assert refused({"attribute": "location", **op("age_between", [1, None])}) == (
        "invalid_schema",
        "operator",
    )
    held = {"attribute": "member_day", **op("not_age_between", [1, None]), "held": {"at_least": "P1D"}}
    assert refused(held) == ("invalid_schema", "held")
