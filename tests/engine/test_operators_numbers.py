"""Section 4, numbers, booleans and lists at their edges; of attributes and of properties."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import ABSENT, MISSING, case, op, passing, refused
from tests.engine.story import Replayed, segment, update

FOREIGN = ("5", True, False, [5], {"a": 5}, *MISSING)
BIG = 9_007_199_254_740_993  # 2^53 + 1, which no float can hold


@pytest.mark.parametrize(
    ("operator", "operand", "expected"),
    [
        ("eq", 5, [5, 5.0]),
        ("gt", 4, [5, 5.0]),
        ("ge", 5, [5, 5.0]),
        ("lt", 6, [5, 5.0]),
        ("le", 5, [5, 5.0]),
        ("between", [5, 5], [5, 5.0]),
        ("in", [5], [5, 5.0]),
    ],
)
def test_a_number_operator_takes_numbers_alone(
    changes_of: Replayed, operator: str, operand: Any, expected: list[Any]
) -> None:
    foreign = [value for value in FOREIGN if operator != "in" or value != [5]]
    assert passing(changes_of, op(operator, operand), [5, 5.0, *foreign]) == expected


@pytest.mark.parametrize(
    ("test", "candidates", "expected"),
    [
        case("gt leaves out its bound", op("gt", 5), [4.999, 5, 5.0, 5.001, 6], [5.001, 6]),
        case("ge takes its bound", op("ge", 5), [4.999, 5, 5.0], [5, 5.0]),
        case("lt leaves out its bound", op("lt", 5), [4, 4.999, 5, 5.0], [4, 4.999]),
        case("le takes its bound", op("le", 5), [5, 5.0, 5.001], [5, 5.0]),
        case("zero has no sign", op("eq", 0), [0, -0.0, 0.0, False, "0"], [0, -0.0, 0.0]),
        case("zero is less than one", op("lt", 1), [0, -1, 1, ABSENT], [0, -1]),
        case("below zero", op("between", [-2, -1]), [-2.5, -2, -1.5, -1, 0], [-2, -1.5, -1]),
        case("both ends belong to it", op("between", [1, 2]), [0.999, 1, 2, 2.001], [1, 2]),
        case("a float bound and an int", op("between", [0.5, 1]), [0.5, 1, 1.0, 0], [0.5, 1, 1.0]),
        case("whole numbers beyond 2^53 stay whole", op("eq", BIG), [BIG, BIG - 1, BIG + 1], [BIG]),
        case("a float next to it is not it", op("eq", BIG), [float(BIG - 1), BIG], [BIG]),
        case("a float of that value is", op("eq", BIG - 1), [float(BIG - 1)], [float(BIG - 1)]),
        case("just above a big number", op("gt", float(BIG - 1)), [BIG - 1, BIG], [BIG]),
        case("one of the big ones", op("in", [BIG, 1]), [BIG, float(BIG - 1), 1.0], [BIG, 1.0]),
        case("the greatest of 64 bits", op("ge", 2**63 - 1), [2**63 - 1, 2**63 - 2], [2**63 - 1]),
        case("huge floats", op("lt", 1e308), [9e307, 1e308], [9e307]),
        case("as written, no nearer", op("eq", 0.3), [0.3, 0.30000000000000004], [0.3]),
        case("one hundred is 1e2", op("eq", 100), [1e2, 100], [1e2, 100]),
    ],
)
def test_numbers(changes_of: Replayed, test: Any, candidates: list[Any], expected: list[Any]) -> None:
    found = passing(changes_of, test, candidates)
    assert [(type(value), value) for value in found] == [(type(value), value) for value in expected]


@pytest.mark.parametrize(
    ("test", "candidates", "expected"),
    [
        case("true", op("eq", True), [True, False, 1, 1.0, "true", [True], *MISSING], [True]),
        case("false", op("eq", False), [False, True, 0, "false", *MISSING], [False]),
        case("one is not true", op("eq", 1), [True, 1], [1]),
        case("in takes no boolean for a number", op("in", [1, 0]), [True, False, 0], [0]),
    ],
)
def test_booleans_are_no_numbers(
    changes_of: Replayed, test: Any, candidates: list[Any], expected: list[Any]
) -> None:
    found = passing(changes_of, test, candidates)
    assert [repr(value) for value in found] == [repr(value) for value in expected]


AB, A, B = ["a", "b"], ["a"], ["b"]


@pytest.mark.parametrize(
    ("test", "candidates", "expected"),
    [
        case(
            "any of them",
            op("contains_any", AB),
            [A, B, ["c", "a"], ["c"], "a", *MISSING],
            [A, B, ["c", "a"]],
        ),
        case(
            "all of them",
            op("contains_all", AB),
            [A, ["b", "a"], ["b", "c", "a"], "a", *MISSING],
            [["b", "a"], ["b", "c", "a"]],
        ),
        case("all of one twice", op("contains_all", ["a", "a"]), [A, B], [A]),
        case(
            "eq compares sets",
            op("eq", AB),
            [["b", "a"], ["a", "b", "b"], A, [*AB, "c"], "a"],
            [["b", "a"], ["a", "b", "b"]],
        ),
        case("eq of the empty list finds nothing", op("eq", []), [[], A, ABSENT], []),
        case("eq of a text is no list", op("eq", "a"), ["a", A], ["a"]),
        case("eq of a list is no text", op("eq", A), ["a", A], [A]),
        case("in is any of them", op("in", AB), [A, ["c", "b"], ["c"], "a", "c"], [A, ["c", "b"], "a"]),
        case(
            "numbers in lists by value",
            op("contains_any", [1]),
            [[1.0], [1], ["1"], [True]],
            [[1.0], [1]],
        ),
        case("sets of numbers by value", op("eq", [1, "1"]), [["1", 1.0], [1], [True, "1"]], [["1", 1.0]]),
        case("flags in lists", op("contains_any", [True]), [[True], [1], ["true"]], [[True]]),
        case("case counts in lists", op("contains_any", A), [["A"], A], [A]),
        case("lists within lists are not looked into", op("contains_any", A), [[A], [{"a": 1}], A], [A]),
        case("an object is no list", op("contains_any", A), [{"a": 1}, A], [A]),
    ],
)
def test_lists(changes_of: Replayed, test: Any, candidates: list[Any], expected: list[Any]) -> None:
    assert passing(changes_of, test, candidates) == expected


def test_tags_are_a_list_and_not_in_is_none_of_them(changes_of: Replayed) -> None:
    lines = [
        segment({"attribute": "tags", "operator": "in", "value": AB}, of="in"),
        segment({"attribute": "tags", "operator": "not_in", "value": AB}, of="not-in"),
        segment({"attribute": "tags", "operator": "contains_none", "value": AB}, of="none"),
        segment({"attribute": "tags", "operator": "ne", "value": AB}, of="other"),
        segment({"attribute": "tags", "operator": "is_set"}, of="tagged"),
        update("05-01", {"name": "李雷"}),
        update("05-02", tags={"set": ["b", "a"]}),
        update("05-03", tags={"set": []}),
    ]
    assert changes_of(*lines) == [
        "05-01 none entered (contact_update)",
        "05-01 not-in entered (contact_update)",
        "05-01 other entered (contact_update)",
        "05-02 in entered (contact_update)",
        "05-02 none exited (contact_update)",
        "05-02 not-in exited (contact_update)",
        "05-02 other exited (contact_update)",
        "05-02 tagged entered (contact_update)",
        "05-03 in exited (contact_update)",
        "05-03 none entered (contact_update)",
        "05-03 not-in entered (contact_update)",
        "05-03 other entered (contact_update)",
        "05-03 tagged exited (contact_update)",
    ]


@pytest.mark.parametrize(
    ("test", "path"),
    [
        case("more than a text", op("gt", "5"), "value"),
        case("at least a boolean", op("ge", True), "value"),
        case("less than a list", op("lt", [5]), "value"),
        case("between one bound", op("between", [1]), "value"),
        case("between three bounds", op("between", [1, 2, 3]), "value"),
        case("between the wrong way round", op("between", [2, 1]), "value[1]"),
        case("not between the wrong way round", op("not_between", [2, 1]), "value[1]"),
        case("between a number and a time", op("between", [1.5, "2026-05-01"]), "value"),
        case("between booleans", op("between", [False, True]), "value[0]"),
        case("contains any of a text", op("contains_any", "a"), "value"),
        case("contains all of nothing", op("contains_all", []), "value"),
        case("contains none of nothing", op("contains_none", []), "value"),
    ],
)
def test_an_operand_of_another_shape_is_refused(test: Any, path: str) -> None:
    assert refused({"attribute": "v", **test}) == ("invalid_schema", path)
