"""Section 3, event conditions: counts, properties of one occurrence, prefixes, aggregates, select."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.story import Replayed, all_of, any_of, event, segment, tick, update


def _where(*tests: dict[str, Any]) -> dict[str, Any]:
    return {"where": {"match": "all", "conditions": list(tests)}}


def test_an_event_condition_means_at_least_once(changes_of: Replayed) -> None:
    lines = [segment({"event": "buy"}), event("05-01", "open"), event("05-02", "buy"), event("05-03", "buy")]
    assert changes_of(*lines) == ["05-02 s entered (behavior_event)"]


@pytest.mark.parametrize(
    ("operator", "value", "member_after"),
    [
        ("eq", 0, [True, False, False, False]),
        ("lt", 1, [True, False, False, False]),
        ("ge", 2, [False, False, True, True]),
        ("gt", 2, [False, False, False, True]),
        ("eq", 2, [False, False, True, False]),
        ("ne", 2, [True, True, False, True]),
        ("le", 1, [True, True, False, False]),
        ("ge", 0, [True, True, True, True]),
        ("lt", 0, [False, False, False, False]),
    ],
)
@pytest.mark.parametrize("window", [None, {"last": "P30D"}])
def test_counts_are_compared(
    changes_of: Replayed, operator: str, value: int, member_after: list[bool], window: dict[str, Any] | None
) -> None:
    condition = {"event": "buy", "count": {"operator": operator, "value": value}}
    if window is not None:
        condition["window"] = window
    lines = [segment(condition), update("05-01"), *(event(f"05-0{day}", "buy") for day in (2, 3, 4))]
    expected, member = [], False
    for day, is_member in enumerate(member_after, start=1):
        if is_member != member:
            kind = "contact_update" if day == 1 else "behavior_event"
            expected.append(f"05-0{day} s {'entered' if is_member else 'exited'} ({kind})")
        member = is_member
    assert changes_of(*lines) == expected


def test_all_properties_must_hold_on_the_same_occurrence(changes_of: Replayed) -> None:
    form, email = (
        {"property": "form", "operator": "eq", "value": "会员注册"},
        {"property": "email", "operator": "is_set"},
    )
    lines = [
        segment({"event": "form_submit", "where": all_of(form, email)}, of="both"),
        segment({"event": "form_submit", "where": any_of(form, email)}, of="either"),
        event("05-01", "form_submit", {"form": "会员注册"}),
        event("05-02", "form_submit", {"form": "x", "email": "a@b.cn"}),
        event("05-03", "form_submit", {"form": "会员注册", "email": "a@b.cn"}),
    ]
    assert changes_of(*lines) == [
        "05-01 either entered (behavior_event)",
        "05-03 both entered (behavior_event)",
    ]


def test_a_prefix_matches_names_that_begin_so_but_no_derived_event(changes_of: Replayed) -> None:
    lines = [
        segment({"event": "tag_*"}),
        update("05-01", tags={"add": ["vip"]}),
        event("05-02", "tag"),
        event("05-03", "tag_added"),
    ]
    assert changes_of(*lines) == ["05-03 s entered (behavior_event)"]


def test_a_star_elsewhere_is_itself(changes_of: Replayed) -> None:
    lines = [segment({"event": "b*y"}), event("05-01", "buy"), event("05-02", "b*y")]
    assert changes_of(*lines) == ["05-02 s entered (behavior_event)"]


@pytest.mark.parametrize(
    ("function", "operator", "value", "days"),
    [
        # amounts of 2, 3, 4 May: 10, 2.5, missing; of 5 May: "9", which is no number; of 6 May: 10
        ("sum", "ge", 12.5, ["05-03 entered"]),
        ("sum", "eq", 0, ["05-01 entered", "05-02 exited"]),
        ("sum", "lt", 20, ["05-01 entered", "05-06 exited"]),
        ("avg", "lt", 10, ["05-03 entered"]),
        ("avg", "eq", 6.25, ["05-03 entered", "05-06 exited"]),
        ("avg", "eq", 7.5, ["05-06 entered"]),
        ("min", "le", 2.5, ["05-03 entered"]),
        ("min", "gt", 2.5, ["05-02 entered", "05-03 exited"]),
        ("max", "between", [10, 10], ["05-02 entered"]),
        ("distinct", "eq", 0, ["05-01 entered", "05-02 exited"]),
        ("distinct", "eq", 2, ["05-03 entered", "05-05 exited"]),
        ("distinct", "ge", 3, ["05-05 entered"]),
    ],
)
def test_aggregates_leave_out_what_is_missing_or_no_number(
    changes_of: Replayed, function: str, operator: str, value: Any, days: list[str]
) -> None:
    aggregate = {"function": function, "property": "order.amount", "operator": operator, "value": value}
    lines = [
        segment({"event": "buy", "aggregate": aggregate}),
        update("05-01"),
        event("05-02", "buy", {"order": {"amount": 10}}),
        event("05-03", "buy", {"order": {"amount": 2.5}}),
        event("05-04", "buy", {"order": {}}),
        event("05-05", "buy", {"order": {"amount": "9"}}),
        event("05-06", "buy", {"order": {"amount": 10.0}}),
    ]
    assert [change.split(" (")[0].replace(" s ", " ") for change in changes_of(*lines)] == days


def test_sums_are_those_of_the_numbers_as_written(changes_of: Replayed) -> None:
    sums = {"function": "sum", "property": "amount", "operator": "eq", "value": 0.3}
    averages = {"function": "avg", "property": "amount", "operator": "eq", "value": 0.15}
    lines = [
        segment({"event": "buy", "aggregate": sums}, of="sum"),
        segment({"event": "buy", "aggregate": averages}, of="avg"),
        event("05-01", "buy", {"amount": 0.1}),
        event("05-02", "buy", {"amount": 0.2}),
    ]
    assert changes_of(*lines) == [
        "05-02 avg entered (behavior_event)",
        "05-02 sum entered (behavior_event)",
    ]


def test_an_aggregate_forgets_what_leaves_its_window(changes_of: Replayed) -> None:
    best = {"function": "max", "property": "amount", "operator": "ge", "value": 5}
    lines = [
        segment({"event": "buy", "aggregate": best, "window": {"last": "P2D"}}),
        event("05-01", "buy", {"amount": 5}),
        event("05-02", "buy", {"amount": 4}),
        tick("06-01"),
    ]
    assert changes_of(*lines) == ["05-01 s entered (behavior_event)", "05-03 s exited (time)"]


def test_the_last_occurrence_that_passes_where_has_to_pass_has(changes_of: Replayed) -> None:
    big = all_of({"property": "amount", "operator": "ge", "value": 5})
    web = _where({"property": "shop", "operator": "eq", "value": "web"})
    lines = [
        segment({"event": "buy", **web, "select": "last", "has": big}),
        event("05-01", "buy", {"shop": "web", "amount": 9}),
        event("05-02", "buy", {"shop": "store", "amount": 1}),
        event("05-03", "buy", {"shop": "web", "amount": 1}),
        event("05-04", "buy", {"shop": "web", "amount": 7}, occurred="05-02 12:00"),
    ]
    assert changes_of(*lines) == ["05-01 s entered (behavior_event)", "05-03 s exited (behavior_event)"]


def test_the_first_occurrence_is_found_however_late_it_comes(changes_of: Replayed) -> None:
    big = all_of({"property": "amount", "operator": "ge", "value": 5})
    lines = [
        segment({"event": "buy", "select": "first", "has": big}),
        event("05-02", "buy", {"amount": 9}, occurred="05-02"),
        event("05-03", "buy", {"amount": 1}, occurred="05-01"),
        event("05-04", "buy", {"amount": 8}, occurred="04-30"),
    ]
    assert changes_of(*lines) == [
        "05-02 s entered (behavior_event)",
        "05-03 s exited (behavior_event)",
        "05-04 s entered (behavior_event)",
    ]


def test_of_two_occurrences_at_one_instant_the_greater_event_id_is_the_later(changes_of: Replayed) -> None:
    big = all_of({"property": "amount", "operator": "ge", "value": 5})
    lines = [
        segment({"event": "buy", "select": "first", "has": big}, of="first"),
        segment({"event": "buy", "select": "last", "has": big}, of="last"),
        event("05-01", "buy", {"amount": 9}, id_="b"),
        event("05-01", "buy", {"amount": 1}, id_="a"),
    ]
    assert changes_of(*lines) == [
        "05-01 first entered (behavior_event)",
        "05-01 last entered (behavior_event)",
        "05-01 first exited (behavior_event)",
    ]


def test_the_selected_occurrence_has_to_lie_in_the_window_itself(changes_of: Replayed) -> None:
    # The first purchase ever is what counts, not the first one inside the window.
    lines = [
        segment({"event": "buy", "select": "first", "window": {"last": "P7D"}}, of="new"),
        segment({"event": "buy", "select": "last", "window": {"from": "-P14D", "to": "-P7D"}}, of="cooling"),
        event("05-01", "buy"),
        event("05-05", "buy"),
        tick("06-01"),
    ]
    assert changes_of(*lines) == [
        "05-01 new entered (behavior_event)",
        "05-08 new exited (time)",
        "05-12 cooling entered (time)",
        "05-19 cooling exited (time)",
    ]
