"""A condition that turns with the clock is foreseen as it will be, whatever it keeps at the same cost."""

from __future__ import annotations

from time import process_time
from typing import Any

import orjson
import pytest

from streamseg.contact.contact import Contact
from streamseg.language.conditions.base import Condition, EventFed
from streamseg.plan.definitions import Definitions
from streamseg.records.inputs import Event, Record
from streamseg.settings import Settings
from tests.engine.cases import case, heard
from tests.engine.story import Line, all_of, event, ms, segment

DAY = 86_400_000


def compiled(condition: Line) -> Condition:
    """The condition as the engine asks it."""
    definitions = Definitions(Settings())
    value = segment(condition)["value"]
    definitions.take(Record("segment-definitions", 0, 0, 0, b"s", orjson.dumps(value)))
    (found,) = (one for one in definitions.plan.segments["s"].conditions)
    return found


def filled(condition: Any, dates: list[str], start_ms: int) -> Contact:
    contact = Contact("c1", known_since_ms=start_ms)
    for number, date in enumerate(dates):
        occurred = Event(f"e{number}", "x", start_ms + number, {"p": date, "n": number % 3}, offset=number)
        condition.feed(contact, occurred, start_ms + number)
    return contact


def counting(test: Line, **more: Any) -> Line:
    return {"event": "x", "where": all_of({"property": "p", **test}), **more}


SOON = {"operator": "anniversary", "value": {"in_next": "P30D"}}
HALF_A_YEAR = {"operator": "anniversary", "value": {"in_next": "P184D"}}
FRESH = {"operator": "within_next", "value": "P9D"}
DATES = ["1990-05-10", "1990-07-01", "1991-05-10", "2026-05-11", "2026-05-20", "soon", "2026-06-30"]


MOVING = [
    case("a count", counting(SOON)),
    case("at least two", counting(SOON, count={"operator": "ge", "value": 2})),
    case("exactly one", counting(FRESH, count={"operator": "eq", "value": 1})),
    case(
        "in a window that slides",
        counting(SOON, window={"last": "P20D"}, count={"operator": "ge", "value": 2}),
    ),
    case("in a window that ends a while ago", counting(FRESH, window={"from": "-P20D", "to": "-P5D"})),
    case(
        "in a week",
        counting(FRESH, window={"period": {"unit": "week", "from": -1, "to": 0, "week_start": 7}}),
    ),
    case(
        "an age",
        counting({"operator": "age_between", "value": [0, 35]}, count={"operator": "eq", "value": 3}),
    ),
    case(
        "a sum",
        counting(SOON, aggregate={"function": "sum", "property": "n", "operator": "ge", "value": 2}),
    ),
    case("the latest", counting(FRESH, select="last")),
]

ABOUT_X = {"event": "x"}
STANDING = [
    case("a count of occurrences", {**ABOUT_X, "window": {"last": "P3D"}}),
    case("two of them", {**ABOUT_X, "window": {"last": "P3D"}, "count": {"operator": "ge", "value": 2}}),
    case("exactly two", {**ABOUT_X, "window": {"last": "P3D"}, "count": {"operator": "eq", "value": 2}}),
    case("a count over all history", {**ABOUT_X, "count": {"operator": "eq", "value": 3}}),
    case(
        "a maximum",
        {
            **ABOUT_X,
            "aggregate": {"function": "max", "property": "n", "operator": "ge", "value": 2},
            "window": {"last": "P3D"},
        },
    ),
    case("a chain", {"sequence": [ABOUT_X, ABOUT_X], "within": "P1D"}),
    case("a chain in a window", {"sequence": [ABOUT_X, ABOUT_X], "within": "P1D", "window": {"last": "P3D"}}),
    case(
        "an absence",
        {"sequence": [ABOUT_X, {"absent": {"event": "y"}}], "within": "P1D", "window": {"last": "P3D"}},
    ),
]


@pytest.mark.parametrize("condition", MOVING)
def test_a_forecast_says_what_will_be(condition: Line) -> None:
    start_ms = ms("05-01")
    asked = compiled(condition)
    foreseen = asked.forecast(filled(asked, DATES, start_ms))
    lived = filled(asked, DATES, start_ms)
    now_ms = start_ms + len(DATES)
    for _ in range(60):
        asked.age(lived, now_ms)
        expected, due_ms = asked.answer(lived, now_ms)
        holds, next_ms = foreseen.at(now_ms)
        assert holds == expected, now_ms
        if due_ms is None:
            break
        # It may look again sooner than it has to.
        assert next_ms is not None
        assert next_ms <= due_ms
        now_ms = due_ms if now_ms % 2 else due_ms + DAY // 2


@pytest.mark.parametrize("condition", [*MOVING, *STANDING])
def test_asking_changes_nothing_and_age_changes_no_answer(condition: Line) -> None:
    start_ms = ms("05-01")
    asked = compiled(condition)
    unaged, aged = filled(asked, DATES, start_ms), filled(asked, DATES, start_ms)
    kept = unaged.body.to_bytes()
    now_ms = start_ms + len(DATES)
    for _ in range(60):
        asked.age(aged, now_ms)
        at_first, after = asked.answer(unaged, now_ms), asked.answer(aged, now_ms)
        assert at_first.holds == after.holds, now_ms
        assert unaged.body.to_bytes() == kept
        if after.next_ms is None:
            break
        # What could be dropped may have it look again sooner than it has to.
        assert at_first.next_ms is not None
        assert at_first.next_ms <= after.next_ms
        now_ms = after.next_ms if now_ms % 2 else after.next_ms + DAY // 2


def looks(count: int) -> int:
    """How many kept occurrences 400 answers look at, of so many with one of two dates."""
    asked = compiled(counting(HALF_A_YEAR))
    forecast = asked.forecast(filled(asked, ["1990-05-05", "1990-11-05"] * (count // 2), ms("05-01")))
    now_ms: int | None = ms("05-02")
    total = 0
    for _ in range(400):
        assert now_ms is not None
        _, now_ms = forecast.at(now_ms)
        total += forecast.cost
    return total


def test_what_turns_for_ever_costs_no_more_the_more_there_is_of_it() -> None:
    # Each occurrence enters the window once; after that only the two dates are looked at.
    assert looks(200) - looks(100) == 100


def test_a_membership_that_anniversaries_keep_up_has_no_end() -> None:
    dates = ["1990-05-05", "1990-11-05"] * 30
    found = heard(segment(counting(HALF_A_YEAR)), *(event("05-01", "x", {"p": date}) for date in dates))
    assert found.changes == ["05-01 s entered (behavior_event)"]
    membership = found.memberships["s", "c1"]
    assert membership is not None
    assert "next_change_at" not in membership


@pytest.mark.parametrize("function", ["sum", "avg"])
@pytest.mark.parametrize(
    "window",
    [
        {"last": "P3D"},
        {"from": "-P4D", "to": "-P1D"},
        {"from": "-P2D", "to": "-P2D"},
        {"period": {"unit": "day", "from": -2, "to": -1}},
    ],
)
def test_a_total_is_foreseen_as_it_will_be(function: str, window: Line) -> None:
    aggregate = {"function": function, "property": "n", "operator": "ge", "value": 0.5}
    condition = compiled({"event": "x", "aggregate": aggregate, "window": window})
    assert isinstance(condition, EventFed)
    start_ms = ms("05-01")
    contact = Contact("c1", known_since_ms=start_ms)
    for number in range(60):
        at_ms = start_ms + number // 3 * 5 * 3_600_000
        value = (1, 2.5, -3, 0.1, 4)[number % 5]
        condition.feed(contact, Event(f"e{number:02}", "x", at_ms, {"n": value}, offset=number), at_ms)
    forecast = condition.forecast(contact)
    now_ms: int | None = start_ms
    turns = []
    while now_ms is not None:
        found = forecast.at(now_ms)
        assert found == condition.answer(contact, now_ms)
        turns.append(found.holds)
        now_ms = found.next_ms
    assert turns[-1] is False
    assert (True in turns) == (window != {"from": "-P2D", "to": "-P2D"})


def test_an_average_of_many_occurrences_is_foreseen_at_once() -> None:
    average = {"function": "avg", "property": "n", "operator": "ge", "value": 50}
    condition = {"event": "x", "aggregate": average, "window": {"from": "-P20D", "to": "-P1D"}}
    lines = [
        event(f"05-{1 + number // 20:02d} {number % 20:02d}:00", "x", {"n": number}) for number in range(400)
    ]
    started = process_time()
    found = heard(segment(condition), *lines, until="07-01")
    assert process_time() - started < 8
    assert [change.rsplit(" ", 1)[0] for change in found.changes] == [
        "05-07 s entered",
        "06-09 19:00 s exited",
    ]
