"""Section 3, counts: each comparator in each form of window, coming in and going out by time alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import case, refused
from tests.engine.story import Line, Replayed, event, segment, tick, update

# Each window with the events of its story and the count that holds from each day on; known since 05-01.
LAST: tuple[Any, list[Line], list[tuple[str, int]]] = (
    {"last": "P3D"},
    [event("05-02", "buy"), event("05-03", "buy")],
    [("05-01", 0), ("05-02", 1), ("05-03", 2), ("05-05", 1), ("05-06", 0)],
)
ENDED: tuple[Any, list[Line], list[tuple[str, int]]] = (
    {"from": "-P3D", "to": "-P1D"},
    [event("05-02", "buy"), event("05-03", "buy")],
    [("05-01", 0), ("05-03", 1), ("05-04", 2), ("05-05", 1), ("05-06", 0)],
)
YESTERDAY: tuple[Any, list[Line], list[tuple[str, int]]] = (
    {"period": {"unit": "day", "from": -1, "to": -1}},
    [event("05-02 09:00", "buy"), event("05-02 10:00", "buy"), event("05-03 11:00", "buy")],
    [("05-01", 0), ("05-03", 2), ("05-04", 1), ("05-05", 0)],
)
FIXED: tuple[Any, list[Line], list[tuple[str, int]]] = (
    {"between": ["2026-05-02", "2026-05-04"]},
    [event("05-01 12:00", "buy"), event("05-02", "buy"), event("05-03", "buy"), event("05-04", "buy")],
    [("05-01", 0), ("05-02", 1), ("05-03", 2)],
)
EVER: tuple[Any, list[Line], list[tuple[str, int]]] = (
    None,
    [event("05-02", "buy"), event("05-03", "buy"), event("05-04", "buy")],
    [("05-01", 0), ("05-02", 1), ("05-03", 2), ("05-04", 3)],
)
# The counts, from 0 to 3, for which the comparison holds.
COMPARISONS = [
    case("never", "eq", 0, {0}),
    case("exactly once", "eq", 1, {1}),
    case("exactly twice", "eq", 2, {2}),
    case("any number but one", "ne", 1, {0, 2, 3}),
    case("at all", "ne", 0, {1, 2, 3}),
    case("more than never", "gt", 0, {1, 2, 3}),
    case("more than once", "gt", 1, {2, 3}),
    case("at least once", "ge", 1, {1, 2, 3}),
    case("at least twice", "ge", 2, {2, 3}),
    case("at least never", "ge", 0, {0, 1, 2, 3}),
    case("fewer than once", "lt", 1, {0}),
    case("fewer than twice", "lt", 2, {0, 1}),
    case("fewer than never", "lt", 0, set()),
    case("at most never", "le", 0, {0}),
    case("at most once", "le", 1, {0, 1}),
    case("at most nine times", "le", 9, {0, 1, 2, 3}),
]


@pytest.mark.parametrize(("operator", "value", "holding"), COMPARISONS)
@pytest.mark.parametrize(
    "window",
    [
        case("in the last days", LAST),
        case("in days that ended a while ago", ENDED),
        case("yesterday", YESTERDAY),
        case("between fixed days", FIXED),
        case("ever", EVER),
    ],
)
@pytest.mark.parametrize("negated", [False, True])
def test_a_count_holds_while_so_many_lie_in_the_window(
    changes_of: Replayed, window: Any, operator: str, value: int, holding: set[int], negated: bool
) -> None:
    form, events, counts = window
    condition: dict[str, Any] = {"event": "buy", "count": {"operator": operator, "value": value}}
    if form is not None:
        condition["window"] = form
    if negated:
        condition["not"] = True
    expected, member = [], False
    for at, number in counts:
        holds = (number in holding) is not negated
        if holds is not member:
            expected.append(f"{at} {'entered' if holds else 'exited'}")
        member = holds
    found = changes_of(segment(condition), update("05-01"), *events, tick("06-01"))
    assert [change.split(" (")[0].replace(" s ", " ") for change in found] == expected


def test_the_kind_of_each_change_says_what_made_it(changes_of: Replayed) -> None:
    form, events, _ = LAST
    none = {"event": "buy", "window": form, "count": {"operator": "eq", "value": 0}}
    assert changes_of(segment(none), update("05-01"), *events, tick("06-01")) == [
        "05-01 s entered (contact_update)",
        "05-02 s exited (behavior_event)",
        "05-06 s entered (time)",
    ]


def test_occurrences_of_one_instant_all_count_and_age_together(changes_of: Replayed) -> None:
    twice = {"event": "buy", "window": {"last": "P1D"}, "count": {"operator": "ge", "value": 2}}
    lines = [segment(twice), event("05-01", "buy"), event("05-01", "buy"), event("05-01", "buy")]
    assert changes_of(*lines, tick("05-03")) == ["05-01 s entered (behavior_event)", "05-02 s exited (time)"]


def test_a_late_occurrence_fills_the_window_between_two_others(changes_of: Replayed) -> None:
    # 05-01, 05-02 and, told on the 3rd, 05-01 12:00: three until the first leaves on 05-04
    thrice = {"event": "buy", "window": {"last": "P3D"}, "count": {"operator": "ge", "value": 3}}
    lines = [
        segment(thrice),
        event("05-01", "buy"),
        event("05-02", "buy"),
        event("05-03", "buy", occurred="05-01 12:00"),
        tick("06-01"),
    ]
    assert changes_of(*lines) == ["05-03 s entered (behavior_event)", "05-04 s exited (time)"]


def test_a_window_of_which_an_occurrence_is_told_just_when_it_leaves(changes_of: Replayed) -> None:
    recent = {"event": "buy", "window": {"last": "P3D"}}
    lines = [
        segment(recent),
        event("05-04", "buy", occurred="05-01"),
        event("05-04", "buy", occurred="05-01 00:00:00.001"),
        tick("06-01"),
    ]
    assert changes_of(*lines) == [
        "05-04 s entered (behavior_event)",
        "05-04 00:00:00.001 s exited (time)",
    ]


def test_a_window_that_ended_is_entered_at_once_by_what_is_told_late(changes_of: Replayed) -> None:
    # now - 3d < t <= now - 1d
    lines = [
        segment({"event": "buy", "window": {"from": "-P3D", "to": "-P1D"}}),
        event("05-04", "buy", occurred="05-03", of="c1"),
        event("05-04", "buy", occurred="05-01", of="c2"),
        event("05-04", "buy", occurred="05-01 00:00:00.001", of="c3"),
        tick("06-01"),
    ]
    assert changes_of(*lines) == [
        "05-04 s entered (behavior_event)",
        "05-04 c3 s entered (behavior_event)",
        "05-04 00:00:00.001 c3 s exited (time)",
        "05-06 s exited (time)",
    ]


def test_an_event_of_the_clock_itself_is_in_the_window(changes_of: Replayed) -> None:
    lines = [segment({"event": "buy", "window": {"last": "PT1S"}}), event("05-01", "buy"), tick("05-02")]
    assert changes_of(*lines) == ["05-01 s entered (behavior_event)", "05-01 00:00:01.000 s exited (time)"]


@pytest.mark.parametrize(
    ("condition", "path"),
    [
        case("a count below nothing", {"count": {"operator": "ge", "value": -1}}, "count.value"),
        case("half a count", {"count": {"operator": "ge", "value": 1.5}}, "count.value"),
        case("a count in text", {"count": {"operator": "ge", "value": "1"}}, "count.value"),
        case("a count between", {"count": {"operator": "between", "value": [1, 2]}}, "count.operator"),
        case("a count without operator", {"count": {"value": 1}}, "count.operator"),
        case("two windows", {"window": {"last": "P1D", "between": ["2026-05-01", None]}}, "window"),
        case("no window", {"window": {}}, "window"),
        case("a window without ends", {"window": {"between": [None, None]}}, "window.between"),
        case("a window in months", {"window": {"last": "P1M"}}, "window.last"),
        case("a window the wrong way round", {"window": {"from": "-P1D", "to": "-P2D"}}, "window.to"),
        case("a window of which only one end is told", {"window": {"from": "-P1D"}}, "window"),
        case("a window longer than what is kept", {"window": {"last": "P400DT0.001S"}}, "window.last"),
        case("its beginning longer ago", {"window": {"from": "-P401D", "to": "-P1D"}}, "window.from"),
        case(
            "a period the wrong way round",
            {"window": {"period": {"unit": "day", "from": 0, "to": -1}}},
            "window.period.to",
        ),
        case("a where of nothing", {"where": {"match": "all", "conditions": []}}, "where.conditions"),
        case("a where that matches some", {"where": {"match": "some", "conditions": []}}, "where.match"),
        case(
            "count and aggregate",
            {
                "count": {"operator": "ge", "value": 1},
                "aggregate": {"function": "sum", "property": "a", "operator": "ge", "value": 1},
            },
            "",
        ),
        case("held", {"held": {"at_least": "P1D"}}, "held"),
    ],
)
def test_what_makes_no_sense_is_refused(condition: dict[str, Any], path: str) -> None:
    found = refused({"event": "buy", **condition})
    assert found is not None
    assert found[0] == "invalid_schema"
    assert found[1].startswith(path)


def test_a_window_as_long_as_what_is_kept_is_taken(changes_of: Replayed) -> None:
    assert refused({"event": "buy", "window": {"last": "P400D"}}) is None
    assert refused({"event": "buy", "window": {"from": "-P400D", "to": "-P1D"}}) is None
