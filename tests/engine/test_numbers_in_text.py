"""Section 4, `as: number`: text of a number's form is that number, exact in decimal."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import case, flips, op, passing, refused
from tests.engine.story import Line, Replayed, all_of, event, segment, tick

AS_NUMBER = {"as": "number"}
TWO = ["2", "+2", "2.", "2.0", "02", "2e0", "2E+0", "20e-1", ".2e1", " 2", "2\u3000", "\t2\n", 2, 2.0]
NO_NUMBERS = [
    "", " ", "two", "2,0", "2 0", "2_0", "0x2", "２", "٢", "--2", "+", ".", "e2", "2e", "2e+", "2e1.5", "1/2",
    "2€", "inf", "nan", "Infinity", "2\x1c", True, False, None, [2], ["2"], {"n": 2},
]  # fmt: skip


def test_text_of_that_form_is_the_number(changes_of: Replayed) -> None:
    assert passing(changes_of, op("eq", 2, **AS_NUMBER), [*TWO, *NO_NUMBERS, 3]) == TWO


@pytest.mark.parametrize(
    ("test", "values", "passes"),
    [
        case("greater", op("gt", 2, **AS_NUMBER), ["2", "2.01", "10", "x"], ["2.01", "10"]),
        case("greater or equal", op("ge", 2, **AS_NUMBER), ["1.99", "2", 3], ["2", 3]),
        case("less", op("lt", 2, **AS_NUMBER), ["-3", "2", "x", ""], ["-3"]),
        case("less or equal", op("le", 2, **AS_NUMBER), ["2.0", "2.1"], ["2.0"]),
        case(
            "between, both ends included",
            op("between", [1, 2], **AS_NUMBER),
            ["1", "2.0", "2.1", "x", 1.5],
            ["1", "2.0", 1.5],
        ),
        case("in", op("in", [1, 2.5], **AS_NUMBER), ["1.0", "2.50", "2", 1], ["1.0", "2.50", 1]),
        case(
            "in keeps lists lists",
            op("in", [1], **AS_NUMBER),
            [[1], ["1"], ["1", 1.0], []],
            [[1], ["1", 1.0]],
        ),
        case("eq keeps lists lists", op("eq", [1, 2], **AS_NUMBER), [[2, 1], ["1", "2"], "1"], [[2, 1]]),
        case(
            "exact in decimal",
            op("eq", 0.1, **AS_NUMBER),
            ["0.1", "0.10", "0.1000000000000000000001", 0.1],
            ["0.1", "0.10", 0.1],
        ),
        case(
            "more digits than a double has",
            op("gt", 0.3, **AS_NUMBER),
            ["0.30000000000000000001", "0.3"],
            ["0.30000000000000000001"],
        ),
        case(
            "whole numbers of any length",
            op("gt", 9007199254740992, **AS_NUMBER),
            ["9007199254740993", "9007199254740992"],
            ["9007199254740993"],
        ),
        case(
            "beyond a double's range there is no number",
            op("gt", 0, **AS_NUMBER),
            ["1e308", "1e309", "9" * 400, "1e-323", "1e-400", "1e99999999999", "0." + "0" * 400 + "1"],
            ["1e308", "1e-323"],
        ),
        case(
            "nothing is a number, however it is written",
            op("eq", 0, **AS_NUMBER),
            ["0", "-0", "0.0e99999999999", "0e-400", "-.0"],
            ["0", "-0", "0.0e99999999999", "0e-400", "-.0"],
        ),
        case(
            "a long text within the range is one",
            op("gt", 1, **AS_NUMBER),
            ["1." + "0" * 6_000 + "1"],
            ["1." + "0" * 6_000 + "1"],
        ),
    ],
)
def test_numbers_in_text_are_compared_by_value(
    changes_of: Replayed, test: dict[str, Any], values: list[Any], passes: list[Any]
) -> None:
    assert passing(changes_of, test, values) == passes


def test_without_as_text_is_no_number(changes_of: Replayed) -> None:
    assert passing(changes_of, op("ge", 2), ["2", 2]) == [2]


def total(function: str, operator: str, value: Any, **more: Any) -> Line:
    return {"function": function, "property": "n", "operator": operator, "value": value, **AS_NUMBER, **more}


@pytest.mark.parametrize("window", [{}, {"window": {"last": "P7D"}}])
@pytest.mark.parametrize(
    ("aggregate", "values", "entered"),
    [
        case("a sum", total("sum", "ge", 100), ["60", "x", 39.9, "0.1"], 3),
        case("an exact sum", total("sum", "eq", 0.3), ["0.1", "0.20"], 1),
        case(
            "a sum with more digits than a double has",
            total("sum", "gt", 1),
            ["1", "0.0000000000000000000000001"],
            1,
        ),
        case("a sum of texts of thousands of digits", total("sum", "gt", 2), ["1." + "3" * 5_000, 0.7], 1),
        case("an average", total("avg", "eq", 2), ["1.", "x", 3], 2),
        case("an average that no decimal is", total("avg", "lt", 0.34), [0, "1", "0.0"], 2),
        case("the least", total("min", "le", 1), ["1.01", "1e0"], 1),
        case("the greatest", total("max", "gt", 9007199254740992), [9007199254740992, "9007199254740993"], 1),
        case("distinct ones", total("distinct", "ge", 3), ["1", 1, "1.0", "x", "01", "0.1", 0.10], 5),
        case(
            "distinct integers of any length",
            total("distinct", "ge", 2),
            [2**64 + 1, str(2**64 + 1), 2**64 + 2],
            2,
        ),
        case(
            "distinct ones that no double is",
            total("distinct", "ge", 2),
            ["0.12345678901234567890", "0.1234567890123456789", "0.123456789012345678"],
            2,
        ),
    ],
)
def test_aggregates_take_text_as_numbers(
    changes_of: Replayed, aggregate: Line, values: list[Any], entered: int, window: Line
) -> None:
    lines = [segment({"event": "e", "aggregate": aggregate, **window})]
    lines += [event(f"05-01 10:0{number}", "e", {"n": value}) for number, value in enumerate(values)]
    told = changes_of(*lines)
    assert told, aggregate
    entries = [change for change in told if "entered" in change]
    assert entries[-1].startswith(f"05-01 10:0{entered} ") or aggregate["function"] in ("avg", "sum")


def test_a_sum_of_texts_ages(changes_of: Replayed) -> None:
    spent = {"event": "e", "aggregate": total("sum", "gt", 100), "window": {"last": "P7D"}}
    lines = [
        segment(spent),
        event("05-01", "e", {"n": "60.5"}),
        event("05-03", "e", {"n": "39.5"}),
        event("05-04", "e", {"n": "0.000000000000000000001"}),
        tick("06-01"),
    ]
    assert flips(changes_of(*lines)) == ["05-04 in", "05-08 out"]


def test_elements_of_an_aggregate_may_be_numbers_in_text(changes_of: Replayed) -> None:
    shoes = all_of({"property": "kind", "operator": "eq", "value": "shoes"})
    spent = total("sum", "gt", 1000, elements="lines", where=shoes)
    lines = [
        segment({"event": "order", "aggregate": spent}),
        event("05-01", "order", {"lines": [{"kind": "shoes", "n": "999.99"}, {"kind": "hat", "n": "500"}]}),
        event("05-02", "order", {"lines": [{"kind": "shoes", "n": "0.01"}]}),
        event("05-03", "order", {"lines": [{"kind": "shoes", "n": " 0.01 "}]}),
    ]
    assert flips(changes_of(*lines)) == ["05-03 in"]


@pytest.mark.parametrize(
    ("condition", "path"),
    [
        case("an attribute of numbers", {"attribute": "order_amount", **op("gt", 1, **AS_NUMBER)}, "as"),
        case("an attribute of texts", {"attribute": "location", **op("eq", 1, **AS_NUMBER)}, "as"),
        case("text or number", {"attribute": "overall_rating", **op("gt", 1, **AS_NUMBER)}, "as"),
        case("a time", {"attribute": "created_at", **op("between", [1, 2], **AS_NUMBER)}, "as"),
        case(
            "a tag",
            {"attribute": "tags", "elements": all_of({"property": "", **op("eq", 1, **AS_NUMBER)})},
            "elements.conditions[0].as",
        ),
        case("an operator of texts", {"attribute": "a", **op("contains", "1", **AS_NUMBER)}, "as"),
        case("an operator of times", {"attribute": "a", **op("before", 1, **AS_NUMBER)}, "as"),
        case("an operator of lists", {"attribute": "a", **op("contains_any", [1], **AS_NUMBER)}, "as"),
        case("presence", {"attribute": "a", **op("is_set", **AS_NUMBER)}, "as"),
        case("an operand of text", {"attribute": "a", **op("eq", "1", **AS_NUMBER)}, "value"),
        case(
            "a range of times",
            {"attribute": "a", **op("between", ["2026-01-01", None], **AS_NUMBER)},
            "value[0]",
        ),
        case("an open range", {"attribute": "a", **op("between", [1, None], **AS_NUMBER)}, "value"),
        case(
            "an aggregate of another kind",
            {"event": "e", "aggregate": {**total("sum", "gt", 1), "as": "text"}},
            "aggregate.as",
        ),
    ],
)
def test_what_is_refused(condition: Line, path: str) -> None:
    assert refused(condition) == ("invalid_schema", path)
