"""Section 4, the operators that do not know the time: each row at its edges, with its complement."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.operands import TABLE
from streamseg.language.operators import MOVING, PLAIN, TIMES
from tests.engine.cases import ABSENT, NEGATIVE
from tests.engine.story import Replayed, event, segment, update

Row = tuple[str, Any, list[Any], list[Any]]
"""Operator, operand, values that pass, values that fail."""

TEXT: list[Row] = [
    ("eq", "中国", ["中国"], ["中国 ", "china", "", 1, True, ["中国"], {"a": 1}, None, ABSENT]),
    ("eq", "CN", ["CN"], ["cn", "Cn"]),
    ("contains", "ab", ["ab", "xaby"], ["a b", "AB", "", ["ab"], 1, None, ABSENT]),
    ("starts_with", "ab", ["ab", "abc"], ["cab", "Ab", "a", ABSENT]),
    ("ends_with", "ab", ["ab", "cab"], ["abc", "aB", "b", ABSENT]),
    ("matches", "^a.c$", ["abc", "a中c"], ["xabc", "abcd", "ac", 1, ["abc"], ABSENT]),
    ("matches", "b+", ["abbc"], ["ac", "B"]),
    ("in", ["a", "b"], ["a", "b"], ["c", "A", "ab", "", None, ABSENT]),
]
NUMBERS: list[Row] = [
    ("eq", 2, [2, 2.0], [2.5, "2", True, [2], None, ABSENT]),
    ("eq", 1, [1, 1.0], [True, "1", 0]),
    ("eq", 0.1, [0.1], [0, 0.2]),
    ("gt", 2, [2.5, 3], [2, 2.0, 1, "3", True, ABSENT]),
    ("ge", 2, [2, 2.0, 3], [1.9, "2", None]),
    ("lt", 2, [1.9, -5, 0], [2, 2.0, "1", False, ABSENT]),
    ("le", 2, [2, 2.0, 0], [2.1, "2", None]),
    ("between", [2, 4], [2, 3.5, 4, 4.0], [1.99, 4.01, "3", ABSENT]),
    ("between", [2, 2], [2], [1, 3]),
    ("in", [1, 2.5], [1, 1.0, 2.5], [2, "1", True, ABSENT]),
    ("in", ["1", 2], ["1", 2], [1, "2"]),
]
FLAGS: list[Row] = [
    ("eq", True, [True], [False, 1, "true", None, ABSENT]),
    ("eq", False, [False], [True, 0, "", None, ABSENT]),
]
LISTS: list[Row] = [
    ("contains_any", ["a", "b"], [["a"], ["c", "b"]], [["c"], [], "a", None, ABSENT]),
    ("contains_all", ["a", "b"], [["b", "a"], ["a", "b", "c"]], [["a"], [], ABSENT]),
    ("eq", ["a", "b"], [["a", "b"], ["b", "a"], ["a", "b", "a"]], [["a"], ["a", "b", "c"], "a", ABSENT]),
    ("in", ["a", "b"], [["a"], ["b", "c"]], [["c"], [], ABSENT]),
    ("contains_any", [1], [[1], [1.0]], [["1"], [True]]),
]
STILL_TIMES: list[Row] = [
    ("before", "2026-05-02", ["2026-05-01T23:59:59.999+08:00", "2026-05-01"], ["2026-05-02", "soon", ABSENT]),
    ("before", "2026-05-02T00:00:00Z", ["2026-05-02"], ["2026-05-02T08:00:00+08:00"]),
    ("after", "2026-05-02", ["2026-05-02T00:00:00.001"], ["2026-05-02", "2026-05-01", "later", ABSENT]),
    (
        "between",
        ["2026-05-01", "2026-05-02"],
        ["2026-05-01", 1777564800000],
        ["2026-05-02", 1777564799999, ABSENT],
    ),
    ("between", [None, "2026-05-02"], ["1999-01-01"], ["2026-05-02", None]),
    ("between", ["2026-05-02", None], ["2026-05-02", "2099-01-01"], ["2026-05-01T23:59:59.999"]),
    (
        "calendar",
        {"unit": "minute", "values": [0, 59]},
        ["2026-05-01T10:59:59"],
        ["2026-05-01T10:58:59", ABSENT],
    ),
    (
        "calendar",
        {"unit": "hour", "values": [0]},
        ["2026-05-01", "2026-05-01T16:59:00Z"],
        ["2026-05-01T01:00:00"],
    ),
    ("calendar", {"unit": "day", "values": [1]}, ["2026-05-01", "2026-04-30T16:00:00Z"], ["2026-05-02"]),
    ("calendar", {"unit": "weekday", "values": [5]}, ["2026-05-01"], ["2026-05-02", "2026-04-30"]),
    ("calendar", {"unit": "weekday", "values": [1, 7]}, ["2026-05-03", "2026-05-04"], ["2026-05-02"]),
    ("calendar", {"unit": "month", "values": [5]}, ["2026-05-31T23:59:59"], ["2026-06-01"]),
    (
        "calendar",
        {"unit": "quarter", "values": [2]},
        ["2026-04-01", "2026-06-30"],
        ["2026-03-31", "2026-07-01"],
    ),
]
ROWS = [*TEXT, *NUMBERS, *FLAGS, *LISTS, *STILL_TIMES]
CASES = [
    pytest.param(operator, operand, value, passes, id=f"{operator}-{operand}-{value}")
    for operator, operand, passing, failing in ROWS
    for passes, values in ((True, passing), (False, failing))
    for value in values
]


def _with_value(value: Any) -> dict[str, Any]:
    return {"other": 1} if value is ABSENT else {"v": value, "other": 1}


@pytest.mark.parametrize(("operator", "operand", "value", "passes"), CASES)
def test_an_attribute_passes_the_operator(
    changes_of: Replayed, operator: str, operand: Any, value: Any, passes: bool
) -> None:
    lines = [
        segment({"attribute": "v", "operator": operator, "value": operand}),
        update("05-10", _with_value(value)),
    ]
    assert changes_of(*lines) == (["05-10 s entered (contact_update)"] if passes else [])


@pytest.mark.parametrize(("operator", "operand", "value", "passes"), CASES)
def test_the_negative_operator_is_exactly_the_complement(
    changes_of: Replayed, operator: str, operand: Any, value: Any, passes: bool
) -> None:
    if operator not in NEGATIVE:
        test = {"attribute": "v", "operator": operator, "value": operand, "not": True}
    else:
        test = {"attribute": "v", "operator": NEGATIVE[operator], "value": operand}
    lines = [segment(test), update("05-10", _with_value(value))]
    assert changes_of(*lines) == ([] if passes else ["05-10 s entered (contact_update)"])


@pytest.mark.parametrize(("operator", "operand", "value", "passes"), CASES)
def test_a_property_passes_the_operator(
    changes_of: Replayed, operator: str, operand: Any, value: Any, passes: bool
) -> None:
    where = {"match": "all", "conditions": [{"property": "v", "operator": operator, "value": operand}]}
    lines = [segment({"event": "buy", "where": where}), event("05-10", "buy", _with_value(value))]
    assert changes_of(*lines) == (["05-10 s entered (behavior_event)"] if passes else [])


@pytest.mark.parametrize("value", [None, "", [], {}, ABSENT])
def test_null_and_empty_values_are_missing(changes_of: Replayed, value: Any) -> None:
    lines = [
        segment({"attribute": "v", "operator": "is_set"}, of="set"),
        segment({"attribute": "v", "operator": "is_not_set"}, of="unset"),
        update("05-10", _with_value(value)),
    ]
    assert changes_of(*lines) == ["05-10 unset entered (contact_update)"]


@pytest.mark.parametrize("value", [0, False, "0", " ", [None], {"a": None}])
def test_zero_and_false_are_not_missing(changes_of: Replayed, value: Any) -> None:
    lines = [segment({"attribute": "v", "operator": "is_set"}), update("05-10", {"v": value})]
    assert changes_of(*lines) == ["05-10 s entered (contact_update)"]


@pytest.mark.parametrize(
    ("operator", "operand", "value"),
    [
        ("eq", "Straße", "STRASSE"),
        ("contains", "SS", "Straße"),
        ("starts_with", "ÄB", "äbc"),
        ("ends_with", "bC", "ABc"),
        ("in", ["x", "VIP"], "vip"),
        ("matches", "^VIP", "vip3"),
    ],
)
def test_ignore_case_compares_case_folded(
    changes_of: Replayed, operator: str, operand: Any, value: str
) -> None:
    test = {"attribute": "v", "operator": operator, "value": operand}
    lines = [
        segment(test, of="exact"),
        segment({**test, "ignore_case": True}, of="folded"),
        update("05-10", {"v": value}),
    ]
    assert changes_of(*lines) == ["05-10 folded entered (contact_update)"]


def test_a_dotted_path_goes_into_objects_and_an_escaped_dot_is_a_name(changes_of: Replayed) -> None:
    lines = [
        segment({"attribute": "a.b", "operator": "eq", "value": 1}, of="nested"),
        segment({"attribute": "a\\.b", "operator": "eq", "value": 1}, of="plain"),
        segment({"attribute": "a.b.c", "operator": "is_set"}, of="deeper"),
        update("05-10", {"a": {"b": 1}}, of="c1"),
        update("05-11", {"a.b": 1}, of="c2"),
    ]
    assert changes_of(*lines) == [
        "05-10 nested entered (contact_update)",
        "05-11 c2 plain entered (contact_update)",
    ]


def test_a_naive_time_in_a_definition_is_read_in_the_definitions_zone(changes_of: Replayed) -> None:
    # midnight of 2 May in London is 07:00 in Shanghai; contact data stay in Shanghai
    lines = [
        segment({"attribute": "v", "operator": "before", "value": "2026-05-02"}, timezone="Europe/London"),
        update("05-10", {"v": "2026-05-02T06:59:59"}, of="c1"),
        update("05-11", {"v": "2026-05-02T07:00:00"}, of="c2"),
    ]
    assert changes_of(*lines) == ["05-10 s entered (contact_update)"]


def test_calendar_parts_are_those_of_the_definitions_zone(changes_of: Replayed) -> None:
    test = {"attribute": "v", "operator": "calendar", "value": {"unit": "hour", "values": [23]}}
    lines = [
        segment(test, of="london", timezone="Europe/London"),
        segment(test, of="shanghai"),
        update("05-10", {"v": "2026-05-02T06:30:00+08:00"}),
    ]
    assert changes_of(*lines) == ["05-10 london entered (contact_update)"]


def test_every_operator_of_the_table_has_its_tests_and_no_other() -> None:
    asks = [row for row in TABLE if row.shape is not None]
    assert MOVING.keys() == {row.name for row in TABLE if row.moves}
    assert TIMES.keys() == {row.name for row in asks if "time" in row.kinds and not row.moves}
    assert PLAIN.keys() == {row.name for row in TABLE if row.kinds != {"time"}}
