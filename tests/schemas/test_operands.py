"""Every operator with operands of the right and of the wrong shape."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.definitions import AttributeCondition
from schemas.operands import (
    BY_NAME,
    MOVING_OPERATORS,
    OPERATORS,
    PRESENCE_OPERATORS,
)
from schemas.property_conditions import PropertyCondition

TEXT = ["contains", "not_contains", "starts_with", "not_starts_with", "ends_with", "not_ends_with"]
PATTERN = ["matches", "not_matches"]
LIST = ["in", "not_in", "contains_any", "contains_all", "contains_none"]
NUMBER = ["gt", "ge", "lt", "le"]
LENGTH = ["within_last", "not_within_last", "within_next", "not_within_next"]
WEEK = {"unit": "week", "from": -1, "to": 0}

TAKEN: list[tuple[list[str], list[Any]]] = [
    (["eq", "ne"], ["中国", "", 1, 1.5, True, ["a", 1, False], []]),
    (TEXT, ["a", ""]),
    (PATTERN, ["^a+$", "x" * 1_000]),
    (LIST, [["a"], [1, "a", True, 2.5]]),
    (NUMBER, [0, -1, 1.5]),
    (["between", "not_between"], [
        [1, 2], [1, 1], [1.5, 2], [None, 2], [1, None],
        ["2026-05-01", "2026-06-01T00:00:00Z"], [None, "2026-05-01"], ["2026-05-01", 1777593600000],
    ]),
    (["before", "after"], [
        "2026-05-01", "2026-05-01T08:00:00", "2026-05-01T08:00:00.5+08:00", 1777593600000,
    ]),
    (LENGTH, ["P7D", "PT1H", "P2W", "PT0.5S"]),
    (["relative_between", "not_relative_between"], [["-P5D", "P5D"], ["PT0S", "PT0S"], ["P1D", "+P1W"]]),
    (["in_period", "not_in_period"], [WEEK, {**WEEK, "week_start": 7}, {**WEEK, "week_start": 1}]),
    (["calendar", "not_calendar"], [
        {"unit": "minute", "values": [0, 59]}, {"unit": "hour", "values": [0, 23]},
        {"unit": "day", "values": [1, 31]}, {"unit": "weekday", "values": [1, 7]},
        {"unit": "month", "values": [1, 12]}, {"unit": "quarter", "values": [1, 4]},
    ]),
    (["anniversary", "not_anniversary"], [{"in_next": "P7D"}, {"in_next": "P1W"}]),
    (["age_between", "not_age_between"], [[18, 25], [0, 0], [18, None], [None, 17]]),
]  # fmt: skip

REFUSED: list[tuple[list[str], list[tuple[Any, str]]]] = [
    (["eq", "ne"], [(None, "value"), ({"a": 1}, "value"), ([["a"]], "value"), ([None], "value")]),
    (TEXT, [(1, "value"), (None, "value"), (["a"], "value")]),
    (PATTERN, [("x" * 1_001, "value"), (1, "value")]),
    (LIST, [([], "value"), ("a", "value"), (["a", None], "value[1]"), ([{}], "value[0]"), (None, "value")]),
    (NUMBER, [("1", "value"), (True, "value"), (None, "value"), ([1], "value")]),
    (["between", "not_between"], [
        ([2, 1], "value[1]"), ([None, None], "value"), ([1], "value"), ([1, 2, 3], "value"), (1, "value"),
        ([1, True], "value[1]"), (["soon", None], "value[0]"), (["2026-05-01", 1.5], "value"),
    ]),
    (["before", "after"], [("soon", "value"), ("2026-5-1", "value"), (1.5, "value"), (True, "value"),
                           (None, "value")]),
    (LENGTH, [("P1M", "value"), ("P1Y", "value"), ("-P1D", "value"), ("+P1D", "value"), ("PT0S", "value"),
              ("7d", "value"), (7, "value"), (None, "value")]),
    (["relative_between", "not_relative_between"], [
        (["P5D", "-P5D"], "value[1]"), (["-P5D"], "value"), (["-P5D", None], "value[1]"),
        (["-P1M", "P5D"], "value[0]"), ("P5D", "value"),
    ]),
    (["in_period", "not_in_period"], [
        ({**WEEK, "to": -2}, "value.to"), ({**WEEK, "unit": "hour"}, "value.unit"),
        ({"unit": "week", "from": 0}, "value.to"), ({**WEEK, "by": 1}, "value.by"), ("week", "value"),
        ({**WEEK, "from": -1.5}, "value.from"), ({**WEEK, "week_start": 0}, "value.week_start"),
        ({**WEEK, "week_start": 8}, "value.week_start"), ({**WEEK, "week_start": "7"}, "value.week_start"),
        ({**WEEK, "unit": "month", "week_start": 7}, "value.week_start"),
    ]),
    (["calendar", "not_calendar"], [
        ({"unit": "hour", "values": []}, "value.values"),
        ({"unit": "hour", "values": [0, 24]}, "value.values[1]"),
        ({"unit": "minute", "values": [60]}, "value.values[0]"),
        ({"unit": "day", "values": [0]}, "value.values[0]"),
        ({"unit": "weekday", "values": [0]}, "value.values[0]"),
        ({"unit": "weekday", "values": [8]}, "value.values[0]"),
        ({"unit": "month", "values": [13]}, "value.values[0]"),
        ({"unit": "quarter", "values": [5]}, "value.values[0]"),
        ({"unit": "hour", "values": ["1"]}, "value.values[0]"),
        ({"unit": "year", "values": [2026]}, "value.unit"),
    ]),
    (["anniversary", "not_anniversary"], [
        ({"in_next": "PT12H"}, "value.in_next"), ({"in_next": "P1M"}, "value.in_next"),
        ({"in_next": "-P1D"}, "value.in_next"), ({}, "value.in_next"), ("P7D", "value"),
    ]),
    (["age_between", "not_age_between"], [
        ([25, 18], "value[1]"), ([-1, 18], "value[0]"), ([18.5, 20], "value[0]"), ([18.0, 20], "value[0]"),
        ([None, None], "value"), ([18], "value"), (["18", 20], "value[0]"), (18, "value"),
        ([True, 20], "value[0]"),
    ]),
]  # fmt: skip

TAKEN_CASES = [(name, value) for names, values in TAKEN for name in names for value in values]
REFUSED_CASES = [(name, *case) for names, cases in REFUSED for name in names for case in cases]


def test_the_tables_leave_out_no_operator() -> None:
    assert {name for name, _ in TAKEN_CASES} | PRESENCE_OPERATORS == OPERATORS
    assert {name for name, _, _ in REFUSED_CASES} | PRESENCE_OPERATORS == OPERATORS


@pytest.mark.parametrize(("operator", "value"), TAKEN_CASES)
def test_an_operand_of_the_right_shape_is_kept_as_it_came(operator: str, value: Any) -> None:
    taken = AttributeCondition.model_validate({"attribute": "a", "operator": operator, "value": value})
    assert taken.value is value
    PropertyCondition.model_validate({"property": "a", "operator": operator, "value": value})


@pytest.mark.parametrize(("operator", "value", "path"), REFUSED_CASES)
def test_an_operand_of_the_wrong_shape_is_refused(refusal: Any, operator: str, value: Any, path: str) -> None:
    test = {"operator": operator, "value": value}
    assert refusal(AttributeCondition, {"attribute": "a", **test})[0] == path
    assert refusal(PropertyCondition, {"property": "a", **test})[0] == path


@pytest.mark.parametrize("operator", sorted(OPERATORS - PRESENCE_OPERATORS))
def test_an_operator_that_takes_a_value_is_refused_without_one(refusal: Any, operator: str) -> None:
    path, message = refusal(AttributeCondition, {"attribute": "a", "operator": operator})
    assert (path, message) == ("value", f"{operator} needs a value; give it")


@pytest.mark.parametrize("operator", sorted(PRESENCE_OPERATORS))
def test_an_operator_that_takes_no_value_is_refused_with_one(refusal: Any, operator: str) -> None:
    AttributeCondition.model_validate({"attribute": "a", "operator": operator})
    assert refusal(AttributeCondition, {"attribute": "a", "operator": operator, "value": 0})[0] == "value"


@pytest.mark.parametrize("option", ["ignore_case", "normalize"])
@pytest.mark.parametrize(("operator", "value"), TAKEN_CASES)
def test_only_operators_on_text_change_its_form(refusal: Any, operator: str, value: Any, option: str) -> None:
    test = {"attribute": "a", "operator": operator, "value": value, option: True}
    if BY_NAME[operator].compares_text:
        AttributeCondition.model_validate(test)
    else:
        assert refusal(AttributeCondition, test)[0] == option


def all_numbers(value: Any) -> bool:
    items = value if isinstance(value, list) else [value]
    return all(type(item) in (int, float, type(None)) for item in items)


@pytest.mark.parametrize(("operator", "value"), TAKEN_CASES)
def test_only_operators_on_numbers_take_text_as_numbers(refusal: Any, operator: str, value: Any) -> None:
    test = {"attribute": "a", "operator": operator, "value": value, "as": "number"}
    if not BY_NAME[operator].compares_numbers:
        assert refusal(AttributeCondition, test)[0] == "as"
    elif all_numbers(value):
        AttributeCondition.model_validate(test)
    else:
        assert refusal(AttributeCondition, test)[0].startswith("value")


@pytest.mark.parametrize("option", ["ignore_case", "normalize"])
def test_text_is_not_taken_as_a_number_and_in_another_form(refusal: Any, option: str) -> None:
    test = {"attribute": "a", "operator": "eq", "value": 1, "as": "number", option: True}
    assert refusal(AttributeCondition, test)[0] == "as"


def test_the_only_other_reading_is_number(refusal: Any) -> None:
    test = {"attribute": "a", "operator": "eq", "value": 1, "as": "integer"}
    assert refusal(AttributeCondition, test)[0] == "as"


@pytest.mark.parametrize(("operator", "value"), TAKEN_CASES)
def test_only_operators_that_stand_still_are_held(refusal: Any, operator: str, value: Any) -> None:
    test = {"attribute": "a", "operator": operator, "value": value, "held": {"at_least": "P7D"}}
    if operator in MOVING_OPERATORS:
        assert refusal(AttributeCondition, test)[0] == "held"
    else:
        AttributeCondition.model_validate(test)


@pytest.mark.parametrize("operator", ["EQ", "equals", "", "not_is_set", "not_eq"])
def test_an_unknown_operator_is_refused(refusal: Any, operator: str) -> None:
    test = {"attribute": "a", "operator": operator, "value": 1}
    assert refusal(AttributeCondition, test)[0] == "operator"
