"""What the operator table says, one stored value at a time: `now` is noon of 15 May 2026 in Shanghai."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.operands import TABLE
from tests.docs.timelines import attributes, replayed, segment

NEGATIVE = {row.name: row.complement for row in TABLE if row.complement is not None}
MISSING: tuple[Any, ...] = (None, "", [], {})

CASES: list[tuple[str, Any, Any, bool]] = [
    ("is_set", None, 0, True),
    ("is_set", None, False, True),
    *(("is_set", None, value, False) for value in MISSING),
    ("eq", 1, 1.0, True),
    ("eq", 1, True, False),
    ("eq", 1, "1", False),
    ("eq", True, True, True),
    ("eq", "a", "A", False),
    ("eq", ["a", "b"], ["b", "a", "a"], True),
    ("eq", ["a", "b"], ["a"], False),
    ("in", ["a", 5], "a", True),
    ("in", ["a", 5], 5.0, True),
    ("in", ["a", 5], ["x", "a"], True),
    ("in", ["a", 5], None, False),
    ("contains", "b", "abc", True),
    ("contains", "b", ["b"], False),
    ("contains", "b", None, False),
    ("starts_with", "a", "abc", True),
    ("ends_with", "c", "abc", True),
    ("matches", "b", "abc", True),
    ("matches", "^b", "abc", False),
    ("between", [1, 5], 1, True),
    ("between", [1, 5], 5.0, True),
    ("between", [1, 5], "3", False),
    ("between", [1, 5], None, False),
    ("between", ["2026-05-01", "2026-05-02"], "2026-05-01T00:00:00+08:00", True),
    ("between", ["2026-05-01", "2026-05-02"], "2026-05-02", False),
    ("between", [None, "2026-05-02"], "1999-01-01", True),
    ("between", ["2026-05-01", "2026-05-02"], "soon", False),
    ("within_last", "P1D", "2026-05-15T12:00:00", True),
    ("within_last", "P1D", "2026-05-14T12:00:00", False),
    ("within_last", "P1D", "2026-05-14T12:00:01", True),
    ("within_last", "P1D", None, False),
    ("within_next", "P1D", "2026-05-15T12:00:00", False),
    ("within_next", "P1D", "2026-05-16T12:00:00", True),
    ("within_next", "P1D", "2026-05-16T12:00:01", False),
    ("relative_between", ["-P1D", "P1D"], "2026-05-14T12:00:00", True),
    ("relative_between", ["-P1D", "P1D"], "2026-05-16T12:00:00", True),
    ("relative_between", ["-P1D", "P1D"], "2026-05-16T12:00:01", False),
    ("in_period", {"unit": "week", "from": 0, "to": 0}, "2026-05-11", True),
    ("in_period", {"unit": "week", "from": 0, "to": 0}, "2026-05-10T23:59:59", False),
    ("in_period", {"unit": "month", "from": -1, "to": -1}, "2026-04-30", True),
    ("in_period", {"unit": "quarter", "from": 0, "to": 1}, "2026-09-30", True),
    ("in_period", {"unit": "year", "from": 1, "to": 1}, "2026-12-31", False),
    ("calendar", {"unit": "weekday", "values": [7]}, "2026-05-10", True),
    ("calendar", {"unit": "hour", "values": [0]}, "2026-05-10", True),
    ("calendar", {"unit": "quarter", "values": [2]}, 1_778_817_600_000, True),
    ("anniversary", {"in_next": "P1D"}, "1990-05-15", True),
    ("anniversary", {"in_next": "P1D"}, "1990-05-16", False),
    ("anniversary", {"in_next": "P7D"}, "1990-05-21", True),
    ("anniversary", {"in_next": "P7D"}, "1990-05-22", False),
    ("contains_any", ["a"], ["a", "b"], True),
    ("contains_any", ["a"], "a", False),
    ("contains_any", ["a"], None, False),
]


def holds(operator: str, operand: Any, stored: Any, **beside: Any) -> bool:
    test = {"attribute": "stored", "operator": operator, **beside}
    if operand is not None:
        test["value"] = operand
    outcome = replayed([segment("s", test), attributes("2026-05-15 12:00", stored=stored)])
    assert outcome.dead_letters == []
    return bool(outcome.of("s"))


@pytest.mark.parametrize(("operator", "operand", "stored", "expected"), CASES)
def test_an_operator_and_its_exact_complement(
    operator: str, operand: Any, stored: Any, expected: bool
) -> None:
    assert holds(operator, operand, stored) is expected
    assert holds(NEGATIVE[operator], operand, stored) is not expected
    assert holds(operator, operand, stored, **{"not": True}) is not expected


@pytest.mark.parametrize(
    ("operator", "operand", "stored", "expected"),
    [
        ("gt", 5, 5, False),
        ("ge", 5, 5.0, True),
        ("lt", 5, None, False),
        ("le", 5, None, False),
        ("le", 5, True, False),
        ("before", "2026-05-01", "2026-05-01", False),
        ("after", "2026-05-01", "2026-05-01T00:00:01", True),
        ("after", "2026-05-01", None, False),
        ("contains_all", ["a", "b"], ["b", "c", "a"], True),
        ("contains_all", ["a", "b"], ["a"], False),
    ],
)
def test_operators_without_a_complement(operator: str, operand: Any, stored: Any, expected: bool) -> None:
    assert holds(operator, operand, stored) is expected
    assert holds(operator, operand, stored, **{"not": True}) is not expected


@pytest.mark.parametrize("operator", ["eq", "contains", "starts_with", "ends_with", "matches"])
def test_case_is_ignored_when_asked_for(operator: str) -> None:
    assert not holds(operator, "straße", "STRASSE")
    assert holds(operator, "strasse", "STRASSE", ignore_case=True)


def test_paths() -> None:
    address: dict[str, Any] = {"address": {"city": "上海"}, "utm.source": "wechat", "list": [{"a": 1}]}
    for path, expected in (
        ("address.city", True),
        (r"utm\.source", True),
        ("utm.source", False),
        ("list.a", False),
    ):
        test = {"attribute": path, "operator": "is_set"}
        outcome = replayed([segment("s", test), attributes("2026-05-15 12:00", **address)])
        assert bool(outcome.of("s")) is expected, path
