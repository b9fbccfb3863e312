"""Section 4, text: case folding, patterns, and what is missing; of attributes and of properties."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import ABSENT, MISSING, case, engine_changes, op, passing, refused
from tests.engine.story import Replayed

FOREIGN = (1, 1.5, True, ["a"], {"a": "a"})

POSITIVE = [
    ("eq", "a"),
    ("contains", "a"),
    ("starts_with", "a"),
    ("ends_with", "a"),
    ("matches", "a"),
    ("in", ["a"]),
]


@pytest.mark.parametrize(("operator", "operand"), POSITIVE)
def test_a_text_operator_takes_text_alone(changes_of: Replayed, operator: str, operand: Any) -> None:
    foreign = [value for value in FOREIGN if operator != "in" or value != ["a"]]
    values = ["a", *foreign, *MISSING]
    assert passing(changes_of, op(operator, operand), values) == ["a"]


@pytest.mark.parametrize(
    ("test", "candidates", "expected"),
    [
        case("eq compares the whole text", op("eq", "ab"), ["ab", "abc", "Ab", " ab"], ["ab"]),
        case("eq of the empty text finds nothing", op("eq", ""), ["", "a", ABSENT], []),
        case("every text starts with the empty one", op("starts_with", ""), ["", "a"], ["a"]),
        case("every text ends with the empty one", op("ends_with", ""), ["", "a"], ["a"]),
        case("every text contains the empty one", op("contains", ""), ["", "a"], ["a"]),
        case("a space is a text", op("contains", " "), [" ", "a b", "ab", ""], [" ", "a b"]),
        case("composed and decomposed letters differ", op("eq", "é"), ["é", "e\u0301"], ["é"]),
        case("contains takes no pattern", op("contains", "a.c"), ["a.c", "abc"], ["a.c"]),
        case("a text stays a text", op("in", ["1", "true"]), ["1", 1, "true", True], ["1", "true"]),
        case("letters beyond the basic plane", op("starts_with", "𠮷"), ["𠮷野家", "吉野家"], ["𠮷野家"]),
    ],
)
def test_text(changes_of: Replayed, test: Any, candidates: list[Any], expected: list[Any]) -> None:
    assert passing(changes_of, test, candidates) == expected


@pytest.mark.parametrize(
    ("operand", "candidates"),
    [
        case("ß folds to ss", "straße", ["STRASSE", "strasse", "STRAẞE", "strase"]),
        case("İ folds to i with a dot above", "İ", ["i\u0307", "İ", "i"]),
        case("ı without a dot is not i", "I", ["i", "I", "ı"]),
        case("all sigmas are one", "ΣΑΣ", ["σας", "σασ", "ΣΑ"]),
        case("ligatures come apart", "ﬁt", ["FIT", "fit", "ft"]),
        case("the Kelvin sign is a k", "\u212a", ["k", "K", "c"]),
    ],
)
@pytest.mark.parametrize("operator", ["eq", "contains", "starts_with", "ends_with", "in"])
def test_ignore_case_folds_both_sides(
    changes_of: Replayed, operator: str, operand: str, candidates: list[str]
) -> None:
    value = [operand, "zzz"] if operator == "in" else operand
    test = op(operator, value, ignore_case=True)
    # the last candidate is the one that differs
    assert passing(changes_of, test, candidates) == candidates[:-1]


def test_ignore_case_leaves_numbers_in_a_list_alone(changes_of: Replayed) -> None:
    test = op("in", ["VIP", 5], ignore_case=True)
    assert passing(changes_of, test, ["vip", 5, 5.0, "5", "vi"]) == ["vip", 5, 5.0]


@pytest.mark.parametrize(
    ("pattern", "candidates", "expected"),
    [
        case("a pattern is searched for anywhere", "b", ["abc", "b", "ac"], ["abc", "b"]),
        case("^ is the beginning of the text alone", "^b", ["bc", "abc", "a\nb"], ["bc"]),
        case("$ is the very end of the text", "b$", ["ab", "ab\n", "b\nc"], ["ab"]),
        case("a line may be asked for", "(?m)^b$", ["a\nb\nc", "ab"], ["a\nb\nc"]),
        case("a dot is any letter but the end of a line", "^a.c$", ["abc", "a中c", "a\nc"], ["abc", "a中c"]),
        case("a dot takes it when asked to", "(?s)^a.c$", ["a\nc"], ["a\nc"]),
        case("case counts", "vip", ["VIP", "vip"], ["vip"]),
        case("case can be ignored within", "(?i)vip", ["VIP", "vip"], ["VIP", "vip"]),
        case("classes of Unicode", r"^\p{Han}+$", ["中国", "China"], ["中国"]),
        case(r"\d is an ASCII digit", r"^\d+$", ["12", "１２", "a"], ["12"]),
        case("counted repeats", "^a{2,3}$", ["a", "aa", "aaa", "aaaa"], ["aa", "aaa"]),
        case("a missing text matches nothing", "^$", ["", ABSENT, None], []),
        case("the empty pattern is in every text", "", ["a", ""], ["a"]),
        case("a pattern of 1,000 letters", "a" * 1_000, ["a" * 1_000, "a" * 999], ["a" * 1_000]),
        case("nested repeats take linear time", "^(a+)+$", ["a" * 5_000 + "b", "aa"], ["aa"]),
    ],
)
def test_matches(pattern: str, candidates: list[Any], expected: list[Any]) -> None:
    assert passing(engine_changes, op("matches", pattern), candidates) == expected


@pytest.mark.parametrize(
    ("pattern", "candidates", "expected"),
    [
        case("letters of the pattern", "^VIP", ["vip3", "Vip", "xvip"], ["vip3", "Vip"]),
        case("ranges of the pattern", "^[A-C]+$", ["abC", "abd"], ["abC"]),
        case(r"\S stays what is no space", r"^\S+$", ["AB", "A B"], ["AB"]),
        case(r"\D stays what is no digit", r"^\D+$", ["AB", "12"], ["AB"]),
        case(r"\B stays what is no border", r"A\B", ["ab", "a"], ["ab"]),
    ],
)
def test_matches_ignoring_case(pattern: str, candidates: list[Any], expected: list[Any]) -> None:
    assert passing(engine_changes, op("matches", pattern, ignore_case=True), candidates) == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[A-Z]", ["i", "I", "\u212a", "ſ"]),
        ("i", ["i", "I"]),
        ("İ", ["İ"]),
        (".", ["i", "I", "İ", "ı", "\u212a", "ſ"]),
    ],
)
def test_a_pattern_ignores_case_letter_by_letter(
    changes_of: Replayed, pattern: str, expected: list[Any]
) -> None:
    test = op("matches", pattern, ignore_case=True)
    assert passing(changes_of, test, ["i", "I", "İ", "ı", "\u212a", "ſ"]) == expected


@pytest.mark.parametrize("operator", ["matches", "not_matches"])
@pytest.mark.parametrize(
    "pattern",
    [
        case("a back reference", r"(a)\1"),
        case("a look ahead", "a(?=b)"),
        case("a look behind", "(?<!a)b"),
        case("a parenthesis that is not closed", "(a"),
        case("a repeat of nothing", "*a"),
        case("a range the wrong way round", "[z-a]"),
        case("1,001 letters", "a" * 1_001),
        case("a number", 5),
        case("nothing", None),
    ],
)
def test_a_pattern_that_does_not_compile_is_refused(operator: str, pattern: Any) -> None:
    assert refused({"attribute": "v", **op(operator, pattern)}) == ("invalid_schema", "value")
    where = {"match": "all", "conditions": [{"property": "v", **op(operator, pattern)}]}
    assert refused({"event": "buy", "where": where}) == ("invalid_schema", "where.conditions[0].value")


@pytest.mark.parametrize(
    ("test", "path"),
    [
        case("contains a number", op("contains", 5), "value"),
        case("starts with a list", op("starts_with", ["a"]), "value"),
        case("in a text", op("in", "a"), "value"),
        case("in an empty list", op("in", []), "value"),
        case("in a list with null", op("in", ["a", None]), "value[1]"),
        case("eq an object", op("eq", {"a": 1}), "value"),
        case("eq nothing", op("eq"), "value"),
        case("is_set something", op("is_set", "a"), "value"),
        case("an unknown operator", op("like", "a"), "operator"),
        case("an unknown key", op("eq", "a", case="no"), "case"),
        case("ignore_case in words", op("eq", "a", ignore_case="yes"), "ignore_case"),
        case("ignore_case of a number operator", op("gt", 1, ignore_case=True), "ignore_case"),
        case("ignore_case of is_set", op("is_set", ignore_case=True), "ignore_case"),
        case("not in words", op("eq", "a", **{"not": "yes"}), "not"),
    ],
)
def test_an_operand_of_another_shape_is_refused(test: Any, path: str) -> None:
    assert refused({"attribute": "v", **test}) == ("invalid_schema", path)
