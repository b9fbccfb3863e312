"""Section 4, whole local units across switches of the clocks, of times and of occurrences.

Stories are told in Shanghai (UTC+8). In 2026 the clocks of New York go forward on 8 March and back on
1 November, those of London on 29 March and 25 October, those of Lord Howe (UTC+10:30, by half an hour) back
on 5 April and forward on 4 October. Those of Havana skip midnight of 8 March.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import case, op
from tests.engine.story import (
    Replayed,
    event,
    segment,
    tick,
    update,
)

SHANGHAI, NEW_YORK, LONDON, LORD_HOWE = (
    "Asia/Shanghai",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
)


def period(unit: str, first: int = 0, last: int = 0) -> dict[str, Any]:
    return {"unit": unit, "from": first, "to": last}


# zone, period, an instant within the unit, when it comes into the period, when it leaves it
UNITS = [
    case("a day in Shanghai has 24 hours", SHANGHAI, period("day"), "2026-03-08T12:00:00Z", "03-08", "03-09"),
    case("yesterday in Shanghai", SHANGHAI, period("day", -1, -1), "2026-03-08T12:00:00Z", "03-09", "03-10"),
    case("a week from Monday", SHANGHAI, period("week"), "2026-05-10T15:59:59Z", "05-04", "05-11"),
    case("a week over the new year", SHANGHAI, period("week"), "2026-12-31", "12-28", "2027-01-04"),
    case("a short month", SHANGHAI, period("month"), "2026-02-28T23:59:59", "02-01", "03-01"),
    case(
        "last month in January", SHANGHAI, period("month", -1, -1), "2026-12-31", "2027-01-01", "2027-02-01"
    ),
    case("the fourth quarter", SHANGHAI, period("quarter"), "2026-10-01", "10-01", "2027-01-01"),
    case("the quarter to come", SHANGHAI, period("quarter", 1, 1), "2026-12-31", "07-01", "10-01"),
    case("a year", SHANGHAI, period("year"), "2026-12-31T23:59:59.999", "2026-01-01", "2027-01-01"),
    case("last year and this one", SHANGHAI, period("year", -1, 0), "2026-06-01", "2026-01-01", "2028-01-01"),
    case(
        "a day of 23 hours in New York",
        NEW_YORK,
        period("day"),
        "2026-03-08T12:00:00Z",
        "03-08 13:00",
        "03-09 12:00",
    ),
    case(
        "a day of 25 hours in New York",
        NEW_YORK,
        period("day"),
        "2026-11-02T04:59:59Z",
        "11-01 12:00",
        "11-02 13:00",
    ),
    case(
        "yesterday of 25 hours in New York",
        NEW_YORK,
        period("day", -1, -1),
        "2026-11-01T12:00:00Z",
        "11-02 13:00",
        "11-03 13:00",
    ),
    case(
        "a week with a switch in New York",
        NEW_YORK,
        period("week"),
        "2026-03-08T12:00:00Z",
        "03-02 13:00",
        "03-09 12:00",
    ),
    case(
        "a month with a switch in New York",
        NEW_YORK,
        period("month"),
        "2026-03-08T12:00:00Z",
        "03-01 13:00",
        "04-01 12:00",
    ),
    case(
        "a quarter with a switch in New York",
        NEW_YORK,
        period("quarter"),
        "2026-12-01T12:00:00Z",
        "10-01 12:00",
        "2027-01-01 13:00",
    ),
    case(
        "a year in New York",
        NEW_YORK,
        period("year"),
        "2026-07-01T12:00:00Z",
        "2026-01-01 13:00",
        "2027-01-01 13:00",
    ),
    case(
        "a day of 23 hours in London",
        LONDON,
        period("day"),
        "2026-03-29T00:00:00Z",
        "03-29 08:00",
        "03-30 07:00",
    ),
    case(
        "a day of 25 hours in London",
        LONDON,
        period("day"),
        "2026-10-25T23:59:59Z",
        "10-25 07:00",
        "10-26 08:00",
    ),
    case(
        "a month with a switch in London",
        LONDON,
        period("month", 1, 1),
        "2026-04-30T22:59:59Z",
        "03-01 08:00",
        "04-01 07:00",
    ),
    case(
        "a day of 23 and a half hours on Lord Howe",
        LORD_HOWE,
        period("day"),
        "2026-10-04T00:00:00Z",
        "10-03 21:30",
        "10-04 21:00",
    ),
    case(
        "a day of 24 and a half hours on Lord Howe",
        LORD_HOWE,
        period("day"),
        "2026-04-05T13:29:59Z",
        "04-04 21:00",
        "04-05 21:30",
    ),
    case(
        "a week with a switch on Lord Howe",
        LORD_HOWE,
        period("week", -1, -1),
        "2026-04-05T00:00:00Z",
        "04-05 21:30",
        "04-12 21:30",
    ),
    case(
        "a day without midnight in Havana",
        "America/Havana",
        period("day"),
        "2026-03-08T12:00:00Z",
        "03-08 13:00",
        "03-09 12:00",
    ),
    case(
        "the day before it in Havana",
        "America/Havana",
        period("day"),
        "2026-03-08T04:59:59Z",
        "03-07 13:00",
        "03-08 13:00",
    ),
]


@pytest.mark.parametrize(("zone", "operand", "value", "comes", "goes"), UNITS)
def test_a_time_is_in_a_period_of_whole_local_units(
    changes_of: Replayed, zone: str, operand: dict[str, Any], value: str, comes: str, goes: str
) -> None:
    period_test = op("in_period", operand)
    lines = [
        segment({"attribute": "v", **period_test}, timezone=zone, at="2025-01-01"),
        segment({"attribute": "v", **op("not_in_period", operand)}, of="t", timezone=zone, at="2025-01-01"),
        update("2025-12-01", {"v": value}),
        tick("2029-06-01"),
    ]
    assert changes_of(*lines) == [
        "2025-12-01 t entered (contact_update)",
        f"{_told(comes)} s entered (time)",
        f"{_told(comes)} t exited (time)",
        f"{_told(goes)} s exited (time)",
        f"{_told(goes)} t entered (time)",
    ]


def _told(at: str) -> str:
    """A story leaves out its own year."""
    return at.removeprefix("2026-")


@pytest.mark.parametrize(
    ("zone", "operand", "value", "comes", "goes"),
    [unit for unit in UNITS if unit.values[1]["to"] <= 0 and not unit.values[2].endswith("59.999")],
)
def test_an_occurrence_is_in_the_same_period_as_a_time(
    changes_of: Replayed, zone: str, operand: dict[str, Any], value: str, comes: str, goes: str
) -> None:
    # An occurrence that is told of late: it is in the window at once, or from when the unit begins.
    happened = event("2025-12-01", "buy")
    happened["value"]["occurred_at"] = happened["timestamp"] = value
    lines = [
        segment({"event": "buy", "window": {"period": operand}}, timezone=zone, at="2025-01-01"),
        happened,
        tick("2029-06-01"),
    ]
    entered, exited = changes_of(*lines)
    assert exited == f"{_told(goes)} s exited (time)"
    if operand["to"] < 0:
        assert entered == f"{_told(comes)} s entered (time)"
    else:
        assert entered.endswith(" s entered (behavior_event)")
