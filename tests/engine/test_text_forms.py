"""Section 4, `normalize` and `ignore_case`: in which form texts are compared."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import MISSING, case, op, passing, refused
from tests.engine.story import Replayed, all_of

NORMALIZE = {"normalize": True}
BOTH = {"normalize": True, "ignore_case": True}
COMPOSED, DECOMPOSED = "é", "e\u0301"


@pytest.mark.parametrize(
    ("test", "values", "passes"),
    [
        case(
            "full-width and half-width letters are the same",
            op("eq", "VIP", **NORMALIZE),
            ["VIP", "ＶＩＰ", "vip", "ｖｉｐ"],
            ["VIP", "ＶＩＰ"],
        ),
        case("the operand alike", op("eq", "ＶＩＰ", **NORMALIZE), ["VIP", "ＶＩＰ"], ["VIP", "ＶＩＰ"]),
        case("half-width katakana", op("eq", "カード", **NORMALIZE), ["ｶｰﾄﾞ", "カード"], ["ｶｰﾄﾞ", "カード"]),
        case(
            "composed and decomposed",
            op("eq", COMPOSED, **NORMALIZE),
            [COMPOSED, DECOMPOSED, "e"],
            [COMPOSED, DECOMPOSED],
        ),
        case("ligatures", op("starts_with", "fi", **NORMALIZE), ["ﬁne", "fine"], ["ﬁne", "fine"]),
        case(
            "blanks at both ends are cut",
            op("eq", " a b ", **NORMALIZE),
            ["a b", " a b", "a b\u3000", "\u2028a\u00a0b\u0085", "ab"],
            ["a b", " a b", "a b\u3000", "\u2028a\u00a0b\u0085"],
        ),
        case(
            "runs of blanks are one",
            op("contains", "a b", **NORMALIZE),
            ["xa \t\u3000 by", "ab"],
            ["xa \t\u3000 by"],
        ),
        case("U+001C is no blank", op("eq", "a", **NORMALIZE), ["a\x1c", "a\x0b"], ["a\x0b"]),
        case("U+200B is no blank", op("eq", "a", **NORMALIZE), ["a\u200b", "a\u200a"], ["a\u200a"]),
        case("case still counts", op("ends_with", "IP", **NORMALIZE), ["ＶＩＰ", "ｖｉｐ"], ["ＶＩＰ"]),
        case("both", op("eq", "vip", **BOTH), ["ＶＩＰ", " Vip", "VIP!"], ["ＶＩＰ", " Vip"]),
        case(
            "both, folding to more letters",
            op("eq", "STRASSE", **BOTH),
            ["Straße", "ＳＴＲＡßＥ"],
            ["Straße", "ＳＴＲＡßＥ"],
        ),
        case("without normalize nothing is cut", op("eq", "a", ignore_case=True), ["A", "A ", "Ａ"], ["A"]),
        case("in", op("in", ["ＶＩＰ", 5], **NORMALIZE), ["VIP ", 5, "5"], ["VIP ", 5]),
        case("in a list", op("in", ["vip"], **BOTH), [["x", "ＶＩＰ"], ["x"]], [["x", "ＶＩＰ"]]),
        case(
            "contains_any", op("contains_any", ["vip"], **BOTH), [["ＶＩＰ "], ["vip2"], "vip"], [["ＶＩＰ "]]
        ),
        case(
            "contains_any, case ignored alone",
            op("contains_any", ["vip"], ignore_case=True),
            [["VIP"], ["ＶＩＰ"]],
            [["VIP"]],
        ),
        case(
            "contains_all",
            op("contains_all", ["vip", "金"], **BOTH),
            [["ＶＩＰ", " 金"], ["ＶＩＰ"]],
            [["ＶＩＰ", " 金"]],
        ),
        case(
            "contains_all, case ignored alone",
            op("contains_all", ["a", "B"], ignore_case=True),
            [["A", "b", "c"], ["a"]],
            [["A", "b", "c"]],
        ),
        case(
            "lists as sets",
            op("eq", ["a", "A"], **BOTH),
            [["Ａ"], ["a", "b"], ["a ", "a"]],
            [["Ａ"], ["a ", "a"]],
        ),
        case(
            "a blank text is not missing, and equal to an empty one",
            op("eq", "", **NORMALIZE),
            [" ", "\u3000", "", "a"],
            [" ", "\u3000"],
        ),
        case("a blank text has the empty part", op("contains", " ", **NORMALIZE), [" ", "", "a"], [" ", "a"]),
        case("numbers are compared as ever", op("eq", 5, **NORMALIZE), [5, "5"], [5]),
    ],
)
def test_texts_are_compared_in_that_form(
    changes_of: Replayed, test: dict[str, Any], values: list[Any], passes: list[Any]
) -> None:
    assert passing(changes_of, test, values) == passes


@pytest.mark.parametrize("operator", ["eq", "contains", "starts_with", "ends_with", "matches"])
@pytest.mark.parametrize("operand", ["", " ", "a"])
def test_missing_is_judged_of_the_value_as_stored(changes_of: Replayed, operator: str, operand: str) -> None:
    assert passing(changes_of, op(operator, operand, **BOTH), list(MISSING)) == []


@pytest.mark.parametrize(
    ("test", "values", "passes"),
    [
        case(
            "the text is normalised",
            op("matches", "^VIP 1$", **NORMALIZE),
            ["ＶＩＰ\u3000１ ", "vip 1"],
            ["ＶＩＰ\u3000１ "],
        ),
        case("the pattern is not", op("matches", "^ＶＩＰ", **NORMALIZE), ["ＶＩＰ", "VIP"], []),
        case("both", op("matches", "^VIP$", **BOTH), ["ｖｉｐ", " Vip", "vip 1"], ["ｖｉｐ", " Vip"]),
        case(
            "both leave letters that fold to several",
            op("matches", "^straße$", **BOTH),
            ["STRAßE", "strasse"],
            ["STRAßE"],
        ),
    ],
)
def test_a_pattern_is_taken_as_it_is(
    changes_of: Replayed, test: dict[str, Any], values: list[Any], passes: list[Any]
) -> None:
    assert passing(changes_of, test, values) == passes


def test_the_forms_serve_standard_attributes_and_what_is_inside_elements() -> None:
    assert refused({"attribute": "location", **op("eq", "中国", **BOTH)}) is None
    assert refused({"attribute": "tags", **op("contains_any", ["vip"], **BOTH)}) is None
    inside = all_of({"property": "", **op("eq", "vip", **BOTH)})
    assert refused({"attribute": "tags", "elements": inside}) is None


@pytest.mark.parametrize("option", ["normalize", "ignore_case"])
@pytest.mark.parametrize(
    "test",
    [op("is_set"), op("gt", 1), op("between", [1, 2]), op("before", "2026-01-01"), op("within_last", "P1D")],
)
def test_refused_with_operators_that_compare_no_text(option: str, test: dict[str, Any]) -> None:
    assert refused({"attribute": "a", **test, option: True}) == ("invalid_schema", option)
    inside = all_of({"property": "", **test, option: True})
    assert refused({"attribute": "a", "elements": inside}) == (
        "invalid_schema",
        f"elements.conditions[0].{option}",
    )


@pytest.mark.parametrize("option", ["normalize", "ignore_case"])
def test_refused_in_aggregates(option: str) -> None:
    aggregate = {"function": "distinct", "property": "a", "operator": "gt", "value": 1, option: True}
    assert refused({"event": "e", "aggregate": aggregate}) == ("invalid_schema", f"aggregate.{option}")
