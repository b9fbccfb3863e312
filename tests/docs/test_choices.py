"""The choices of docs/semantics.md where the contract is silent, as far as no other file here has them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.docs.timelines import Outcome, attributes, define, event, replayed, segment, tags, update, where

BUYERS = segment("buyers", {"event": "purchase"})
VIP = {"attribute": "tags", "operator": "contains_any", "value": ["vip"]}


def codes(outcome: Outcome) -> list[tuple[str, str]]:
    return [(letter.code, letter.path) for letter in outcome.dead_letters]


def test_an_older_tag_change_is_ignored_as_a_whole() -> None:
    lines = [
        segment("vip", VIP),
        tags("2026-05-02 10:00", add=["gold"]),
        tags("2026-05-03 10:00", since="2026-05-01 10:00", add=["vip"]),
    ]
    assert replayed(lines).of("vip") == []


def test_the_last_writer_wins_per_static_list() -> None:
    lists = [{"segment_id": name, "type": "static", "name": name} for name in ("a", "b")]
    lines = [
        *lists,
        update("2026-05-02 10:00", lists={"remove": ["a"]}),
        update("2026-05-03 10:00", since="2026-05-01 10:00", lists={"add": ["a", "b"]}),
        update("2026-05-04 10:00", since="2026-05-02 10:00", lists={"add": ["a"]}),
    ]
    outcome = replayed(lines)
    assert outcome.of("b") == [("2026-05-03 10:00", "enters")]
    assert outcome.of("a") == [("2026-05-04 10:00", "enters")]


def changed(attribute: str, number: int) -> dict[str, Any]:
    return segment(
        "changed",
        {
            "event": "attribute_changed",
            "where": where({"property": "attribute", "operator": "eq", "value": attribute}),
            "count": {"operator": "ge", "value": number},
        },
    )


@pytest.mark.parametrize(
    ("old", "new", "real"),
    [
        (1, 1.0, False),
        (True, 1, True),
        ("1", 1, True),
        ([1, 2], [2, 1], True),
        ({"a": 1, "b": 2}, {"b": 2.0, "a": 1}, False),
        ("a", None, True),
    ],
)
def test_what_is_a_real_change(old: Any, new: Any, real: bool) -> None:
    lines = [
        changed("level", 2),
        attributes("2026-05-01 10:00", level=old),
        attributes("2026-05-02 10:00", level=new),
    ]
    assert bool(replayed(lines).of("changed")) is real


def test_tags_give_no_attribute_changed_but_one_event_per_tag() -> None:
    added = segment("added", {"event": "tag_added", "count": {"operator": "eq", "value": 2}})
    outcome = replayed([changed("tags", 1), added, tags("2026-05-01 10:00", add=["vip", "gold"])])
    assert (outcome.of("changed"), len(outcome.of("added"))) == ([], 1)


def test_held_on_a_missing_value_counts_from_the_least_record_timestamp() -> None:
    homeless = {"attribute": "city", "operator": "is_not_set", "held": {"at_least": "P7D"}}
    lines = [
        segment("homeless", homeless),
        attributes("2026-05-02 10:00", location="中国"),
        event("2026-05-01 10:00", "purchase", occurred="2026-04-01 10:00"),
    ]
    assert replayed(lines, "2026-06-01 00:00").of("homeless") == [("2026-05-08 10:00", "enters")]


def test_held_on_tags_looks_back_through_their_changes() -> None:
    lines = [
        tags("2026-05-01 10:00", add=["vip"]),
        tags("2026-05-19 10:00", add=["gold"]),
        define("2026-05-20 10:00", segment("vip", {**VIP, "held": {"at_least": "P7D"}})),
    ]
    assert replayed(lines, "2026-06-01 00:00").of("vip") == [("2026-05-20 10:00", "enters")]


def test_held_on_other_attributes_looks_back_through_their_changes() -> None:
    held = {"attribute": "level", "operator": "ge", "value": 3, "held": {"at_least": "P7D"}}
    lines = [
        attributes("2026-05-01 10:00", level=3),
        attributes("2026-05-19 10:00", level=4),
        define("2026-05-20 10:00", segment("held", held)),
    ]
    assert replayed(lines).of("held") == [("2026-05-20 10:00", "enters")]


def test_29_february_counts_as_28_in_other_years() -> None:
    birthday = {"attribute": "birthday", "operator": "anniversary", "value": {"in_next": "P1D"}}
    lines = [segment("today", birthday), attributes("2026-05-01 10:00", birthday="2000-02-29")]
    assert replayed(lines, "2028-12-01 00:00").of("today") == [
        ("2027-02-28 00:00", "enters"),
        ("2027-03-01 00:00", "leaves"),
        ("2028-02-29 00:00", "enters"),
        ("2028-03-01 00:00", "leaves"),
    ]


def amount(function: str, operator: str, value: Any) -> dict[str, Any]:
    return {
        "event": "purchase",
        "aggregate": {"function": function, "property": "amount", "operator": operator, "value": value},
    }


def test_sums_and_averages_are_exact_in_decimal() -> None:
    lines = [
        segment("sum", amount("sum", "eq", 0.3)),
        segment("avg", amount("avg", "eq", 0.15)),
        event("2026-05-01 10:00", "purchase", amount=0.1),
        event("2026-05-01 11:00", "purchase", amount=0.2),
    ]
    outcome = replayed(lines)
    assert outcome.of("sum") == outcome.of("avg") == [("2026-05-01 11:00", "enters")]


@pytest.mark.parametrize("function", ["avg", "min", "max"])
@pytest.mark.parametrize(("operator", "value"), [("lt", 5), ("ne", 5), ("not_between", [1, 2])])
def test_figures_over_no_occurrences_match_nothing(function: str, operator: str, value: Any) -> None:
    lines = [
        segment("figure", amount(function, operator, value)),
        event("2026-05-01 10:00", "purchase", amount="12"),
        event("2026-05-02 10:00", "purchase", amount=9 if operator != "lt" else 1),
    ]
    assert replayed(lines).of("figure") == [("2026-05-02 10:00", "enters")]


@pytest.mark.parametrize("function", ["sum", "distinct"])
def test_sum_and_distinct_over_no_occurrences_are_0(function: str) -> None:
    lines = [segment("none", amount(function, "eq", 0)), attributes("2026-05-01 10:00", location="中国")]
    assert replayed(lines).of("none") == [("2026-05-01 10:00", "enters")]


def test_times_without_an_offset() -> None:
    since = segment(
        "since",
        {"attribute": "signed_at", "operator": "between", "value": ["2026-05-01", None]},
        timezone="Europe/Berlin",
    )
    # 1 May begins at 06:00 in Shanghai when it begins in Berlin; the data are Shanghai time in any case.
    before = attributes("2026-05-02 10:00", signed_at="2026-05-01T05:59:59")
    assert replayed([since, before]).of("since") == []
    after = attributes("2026-05-02 10:00", signed_at="2026-05-01T06:00:00")
    assert replayed([since, after]).of("since") == [("2026-05-02 10:00", "enters")]


def test_unknown_keys_in_messages_are_refused() -> None:
    odd_event = event("2026-05-01 10:00", "purchase")
    odd_event["value"]["amount"] = 5
    odd_update = update("2026-05-01 10:00", tags={"add": [], "drop": []})
    odder = update("2026-05-01 10:00", source="crm")
    assert codes(replayed([BUYERS, odd_event, odd_update, odder])) == [
        ("invalid_schema", "amount"),
        ("invalid_value", "tags.drop"),
        ("invalid_schema", "source"),
    ]


def test_equal_bounds_hold_one_number_and_no_time() -> None:
    instant = "2026-05-01T10:00:00"
    lines = [
        segment("number", {"attribute": "level", "operator": "between", "value": [5, 5]}),
        segment("time", {"attribute": "created_at", "operator": "between", "value": [instant, instant]}),
        segment("window", {"event": "purchase", "window": {"between": [instant, instant]}}),
        segment("offset", {"event": "purchase", "window": {"from": "-P1D", "to": "-P1D"}}),
        attributes("2026-05-01 10:00", level=5, created_at=instant),
        event("2026-05-01 10:00", "purchase"),
    ]
    assert {change.segment_id for change in replayed(lines, "2026-06-01 00:00").changes} == {"number"}
