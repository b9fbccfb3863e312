"""Section 3, elements: at least one element of a list passes, and all is asked of the same one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import ABSENT, case, flips, refused
from tests.engine.story import Line, Replayed, all_of, any_of, event, segment, tick, update

K7_OVER_100 = all_of(
    {"property": "code", "operator": "eq", "value": "K7"},
    {"property": "price", "operator": "gt", "value": 100},
)
PLAIN = all_of({"property": "", "operator": "eq", "value": "a"})


def lines_with(group: Line, **more: Any) -> Line:
    """Bought an order with a line that passes."""
    return {"event": "order", "where": all_of({"elements": "lines", **group, **more})}


def holds_of(changes_of: Replayed, value: Any, group: Line, **more: Any) -> bool:
    """Whether some element of a value passes, asked as an attribute and as a property of an event; asserts
    that both agree and that `not` is the complement."""
    attribute = {"attribute": "lines", "elements": group, **more}
    occurrence = lines_with(group, **more)
    body = {} if value is ABSENT else {"lines": value}
    lines = [
        segment(attribute, of="a"),
        segment({**attribute, "not": True}, of="a-not"),
        segment(occurrence, of="e"),
        segment(lines_with(group, **{**more, "not": True}), of="e-not"),
        update("05-01", body),
        event("05-01", "order", body),
    ]
    entered = {change.split()[1] for change in changes_of(*lines) if "entered" in change}
    assert ("a" in entered) == ("e" in entered) == ("e-not" not in entered) == ("a-not" not in entered)
    return "a" in entered


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        case("one element passes both", [{"code": "K9", "price": 8}, {"code": "K7", "price": 120}], True),
        case(
            "each test passes on another element",
            [{"code": "K7", "price": 8}, {"code": "K9", "price": 120}],
            False,
        ),
        case("a value that is no list is a list of one", {"code": "K7", "price": 120}, True),
        case("elements of other types are passed over", [3, None, "K7", {"code": "K7", "price": 101}], True),
        case("no elements", [], False),
        case("null", None, False),
        case("an empty object", {}, False),
        case("empty text", "", False),
        case("absent", ABSENT, False),
        case("a list in the list is one element", [[{"code": "K7", "price": 120}]], False),
    ],
)
def test_all_is_asked_of_the_same_element(changes_of: Replayed, value: Any, expected: bool) -> None:
    assert holds_of(changes_of, value, K7_OVER_100) is expected


def test_one_of_several_tests_is_enough_where_it_says_so(changes_of: Replayed) -> None:
    either = {**K7_OVER_100, "match": "any"}
    assert holds_of(changes_of, [{"code": "K9", "price": 120}], either)
    assert not holds_of(changes_of, [{"code": "K9", "price": 8}], either)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["b", "a"], True),
        ("a", True),
        (["b"], False),
        ([["a"]], False),
        ([{"a": "a"}], False),
        ([], False),
    ],
)
def test_the_empty_path_is_the_element_itself(changes_of: Replayed, value: Any, expected: bool) -> None:
    assert holds_of(changes_of, value, PLAIN) is expected


@pytest.mark.parametrize("empty", [None, "", [], {}])
def test_an_element_that_is_null_or_empty_is_one(changes_of: Replayed, empty: Any) -> None:
    missing = all_of({"property": "", "operator": "is_not_set"})
    assert holds_of(changes_of, [empty], missing)
    assert holds_of(changes_of, ["x", empty], missing)
    assert not holds_of(changes_of, ["x"], missing)
    assert not holds_of(changes_of, empty, missing)
    assert holds_of(changes_of, [empty], all_of({"property": "code", "operator": "ne", "value": "K7"}))


def test_a_test_inside_may_be_turned_round(changes_of: Replayed) -> None:
    other = all_of({"property": "code", "operator": "eq", "value": "K7", "not": True})
    assert holds_of(changes_of, [{"code": "K7"}, {"code": "K9"}], other)
    assert not holds_of(changes_of, [{"code": "K7"}], other)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("sizes", [{"sizes": ["b", "a"]}], True),
        ("sizes", [{"sizes": "a"}], True),
        ("sizes", [{"sizes": ["b"]}, {"other": "a"}], False),
        ("box.sizes", [{"box": {"sizes": ["a"]}}], True),
        ("", [["b", "a"]], True),
        ("", ["a"], True),
        ("", [[["a"]]], False),
    ],
)
def test_elements_nest(changes_of: Replayed, path: str, value: Any, expected: bool) -> None:
    assert holds_of(changes_of, value, all_of({"elements": path, **PLAIN})) is expected


def test_none_of_the_elements_inside_passes(changes_of: Replayed) -> None:
    none_inside = all_of({"elements": "sizes", **PLAIN, "not": True})
    assert holds_of(changes_of, [{"sizes": ["a"]}, {"sizes": ["b"]}], none_inside)
    assert not holds_of(changes_of, [{"sizes": ["a"]}], none_inside)
    assert holds_of(changes_of, [{}], none_inside)
    assert not holds_of(changes_of, [], none_inside)


def test_the_list_may_lie_in_an_object(changes_of: Replayed) -> None:
    condition = {"event": "order", "where": all_of({"elements": "cart.lines", **K7_OVER_100})}
    lines = [
        segment(condition),
        segment({"attribute": "cart.lines", "elements": K7_OVER_100}, of="a"),
        event("05-01", "order", {"cart": {"lines": [{"code": "K7", "price": 120}]}}),
        update("05-02", {"cart": {"lines": [{"code": "K7", "price": 120}]}}),
    ]
    assert changes_of(*lines) == ["05-01 s entered (behavior_event)", "05-02 a entered (contact_update)"]


def test_operators_that_move_turn_inside_an_element(changes_of: Replayed) -> None:
    soon = all_of({"property": "until", "operator": "within_next", "value": "P1D"})
    lines = [
        segment(lines_with(soon), of="e"),
        segment({"attribute": "lines", "elements": soon}, of="a"),
        event("05-01", "order", {"lines": [{"until": "2026-05-03"}, {"until": "2026-05-10"}, 7]}),
        update("05-01", {"lines": [{"until": "2026-05-03"}, {"until": "2026-05-10"}, 7]}),
        tick("06-01"),
    ]
    changes = changes_of(*lines)
    for segment_id in ("a", "e"):
        told = [change for change in changes if f" {segment_id} " in change]
        assert flips(told) == ["05-02 in", "05-03 out", "05-09 in", "05-10 out"]


def test_a_count_asks_each_occurrence_for_such_an_element(changes_of: Replayed) -> None:
    twice = {**lines_with(K7_OVER_100), "count": {"operator": "ge", "value": 2}, "window": {"last": "P7D"}}
    good = {"lines": [{"code": "K7", "price": 120}, {"code": "K7", "price": 130}]}
    lines = [segment(twice), event("05-01", "order", good), event("05-03", "order", good), tick("06-01")]
    assert flips(changes_of(*lines)) == ["05-03 in", "05-08 out"]


def test_the_selected_occurrence_is_asked_in_has(changes_of: Replayed) -> None:
    last = {"event": "order", "select": "last", "has": all_of({"elements": "lines", **K7_OVER_100})}
    lines = [
        segment(last),
        event("05-01", "order", {"lines": [{"code": "K7", "price": 120}]}),
        event("05-02", "order", {"lines": [{"code": "K9", "price": 120}]}),
    ]
    assert flips(changes_of(*lines)) == ["05-01 in", "05-02 out"]


def test_elements_of_an_attribute_may_be_held(changes_of: Replayed) -> None:
    held = {"attribute": "lines", "elements": PLAIN, "held": {"at_least": "P7D"}}
    lines = [
        segment(held),
        update("05-01", {"lines": ["a"]}),
        update("05-03", {"lines": ["b", "a"]}),
        update("05-10", {"lines": ["b"]}),
        segment(held, of="later", at="05-10"),
        update("05-11", {"lines": "a"}),
        tick("06-01"),
    ]
    assert changes_of(*lines) == [
        "05-08 s entered (time)",
        "05-10 s exited (contact_update)",
        "05-18 later entered (time)",
        "05-18 s entered (time)",
    ]


def test_a_definition_made_later_looks_back_for_held_elements(changes_of: Replayed) -> None:
    held = {"attribute": "lines", "elements": PLAIN, "held": {"at_least": "P7D"}}
    lines = [
        update("05-01", {"lines": ["a"]}),
        update("05-03", {"lines": ["b", "a"]}),
        segment(held, at="05-04"),
        tick("06-01"),
    ]
    assert flips(changes_of(*lines)) == ["05-08 in"]


SUM = {"function": "sum", "property": "price", "elements": "lines", "operator": "ge", "value": 100}
SHOES = all_of({"property": "kind", "operator": "eq", "value": "shoes"})


def test_an_aggregate_takes_a_value_of_every_element(changes_of: Replayed) -> None:
    lines = [
        segment({"event": "order", "aggregate": SUM}),
        event("05-01", "order", {"lines": [{"price": 60}, {"price": "50"}, {"price": 39.5}, {}]}),
        event("05-02", "order", {"lines": {"price": 0.5}}),
    ]
    assert flips(changes_of(*lines)) == ["05-02 in"]


@pytest.mark.parametrize("window", [{}, {"window": {"last": "P7D"}}])
def test_only_the_elements_that_pass_count_in_an_aggregate(changes_of: Replayed, window: Line) -> None:
    lines = [
        segment({"event": "order", "aggregate": {**SUM, "where": SHOES}, **window}),
        event("05-01", "order", {"lines": [{"kind": "shoes", "price": 60}, {"kind": "hats", "price": 90}]}),
        event("05-02", "order", {"lines": [{"kind": "shoes", "price": 20}, {"kind": "shoes", "price": 20}]}),
    ]
    assert flips(changes_of(*lines)) == ["05-02 in"]


@pytest.mark.parametrize(
    ("function", "operator", "value"),
    [("avg", "eq", 20), ("min", "eq", 10), ("max", "eq", 30), ("distinct", "eq", 3), ("sum", "eq", 60)],
)
@pytest.mark.parametrize("window", [{}, {"window": {"last": "P7D"}}])
def test_every_function_goes_over_elements(
    changes_of: Replayed, function: str, operator: str, value: int, window: Line
) -> None:
    aggregate = {"function": function, "property": "", "elements": "n", "operator": operator, "value": value}
    lines = [
        segment({"event": "order", "aggregate": aggregate, **window}),
        event("05-01", "order", {"n": [10, 30]}),
        event("05-02", "order", {"n": 20}),
    ]
    told = flips(changes_of(*lines))
    assert told[-1] in ("05-01 in", "05-02 in")
    assert told[-1] == "05-02 in" or function in ("avg", "min", "max")


def test_elements_in_an_aggregate_age_and_turn(changes_of: Replayed) -> None:
    fresh = all_of({"property": "until", "operator": "within_next", "value": "P2D"})
    lines = [
        segment({"event": "order", "aggregate": {**SUM, "where": fresh}, "window": {"last": "P7D"}}),
        event("05-01", "order", {"lines": [{"price": 60, "until": "2026-05-04"}]}),
        event("05-01", "order", {"lines": [{"price": 40, "until": "2026-05-05"}, {"price": 900}]}),
        tick("06-01"),
    ]
    assert flips(changes_of(*lines)) == ["05-03 in", "05-04 out"]


def test_an_aggregate_over_elements_that_move_takes_its_where_too(changes_of: Replayed) -> None:
    fresh = all_of({"property": "until", "operator": "within_next", "value": "P2D"})
    open_ = all_of({"property": "closes", "operator": "within_next", "value": "P1D"})
    line = {"price": 100, "until": "2026-05-05"}
    lines = [
        segment({"event": "order", "aggregate": {**SUM, "where": fresh}, "where": open_}),
        event("05-01", "order", {"closes": "2026-05-03 12:00:00", "lines": line}),
        tick("06-01"),
    ]
    assert flips(changes_of(*lines)) == ["05-03 in", "05-03 12:00 out"]


@pytest.mark.parametrize(
    ("condition", "path"),
    [
        case("an index", {"attribute": "items[0].code", "operator": "is_set"}, "attribute"),
        case("a negative index", {"attribute": "items[-12]", "operator": "is_set"}, "attribute"),
        case("every element", {"attribute": "items[*].code", "operator": "is_set"}, "attribute"),
        case("any element", {"attribute": "items[].code", "operator": "is_set"}, "attribute"),
        case(
            "an index in a property",
            {"event": "e", "where": all_of({"property": "a[1]", "operator": "is_set"})},
            "where.conditions[0].property",
        ),
        case(
            "an index in elements",
            {"event": "e", "where": all_of({"elements": "a[1]", **PLAIN})},
            "where.conditions[0].elements",
        ),
        case(
            "an index inside",
            {"attribute": "a", "elements": all_of({"property": "b[1]", "operator": "is_set"})},
            "elements.conditions[0].property",
        ),
        case(
            "an index in an aggregate",
            {"event": "e", "aggregate": {**SUM, "property": "a[0]"}},
            "aggregate.property",
        ),
        case(
            "the empty path outside",
            {"event": "e", "where": all_of({"property": "", "operator": "is_set"})},
            "where.conditions[0].property",
        ),
        case(
            "the empty list path outside",
            {"event": "e", "where": all_of({"elements": "", **PLAIN})},
            "where.conditions[0].elements",
        ),
        case("the empty attribute", {"attribute": "", "elements": PLAIN}, "attribute"),
        case(
            "no match", {"attribute": "a", "elements": {"conditions": PLAIN["conditions"]}}, "elements.match"
        ),
        case(
            "no match in an aggregate",
            {"event": "e", "aggregate": {**SUM, "where": {"conditions": PLAIN["conditions"]}}},
            "aggregate.where.match",
        ),
        case(
            "no conditions",
            {"attribute": "a", "elements": {"match": "all", "conditions": []}},
            "elements.conditions",
        ),
        case(
            "an operator beside it", {"attribute": "a", "elements": PLAIN, "operator": "is_set"}, "operator"
        ),
        case(
            "both keys",
            {"event": "e", "where": all_of({"property": "a", "elements": "b", **PLAIN})},
            "where.conditions[0]",
        ),
        case(
            "where without elements",
            {
                "event": "e",
                "aggregate": {
                    "function": "sum",
                    "property": "a",
                    "operator": "gt",
                    "value": 1,
                    "where": PLAIN,
                },
            },
            "aggregate.where",
        ),
        case(
            "the empty property without elements",
            {"event": "e", "aggregate": {"function": "sum", "property": "", "operator": "gt", "value": 1}},
            "aggregate.property",
        ),
        case(
            "a standard attribute that is no list", {"attribute": "location", "elements": PLAIN}, "elements"
        ),
        case(
            "a property of a tag",
            {"attribute": "tags", "elements": K7_OVER_100},
            "elements.conditions[0].property",
        ),
        case(
            "elements of a tag",
            {"attribute": "tags", "elements": all_of({"elements": "", **PLAIN})},
            "elements.conditions[0].elements",
        ),
        case(
            "a tag compared with a number",
            {"attribute": "tags", "elements": all_of({"property": "", "operator": "eq", "value": 1})},
            "elements.conditions[0].value",
        ),
        case(
            "a tag by an operator of numbers",
            {"attribute": "tags", "elements": all_of({"property": "", "operator": "gt", "value": 1})},
            "elements.conditions[0].operator",
        ),
        case(
            "held with what moves",
            {
                "attribute": "a",
                "held": {"at_least": "P1D"},
                "elements": all_of(
                    {
                        "elements": "b",
                        **any_of({"property": "c", "operator": "not_within_last", "value": "P1D"}),
                    }
                ),
            },
            "held",
        ),
        case(
            "held with an age",
            {
                "attribute": "a",
                "held": {"at_least": "P1D"},
                "elements": all_of({"property": "c", "operator": "age_between", "value": [1, None]}),
            },
            "held",
        ),
    ],
)
def test_what_is_refused(condition: Line, path: str) -> None:
    assert refused(condition) == ("invalid_schema", path)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a[x]", "a[x]"),
        ("a[1", "a[1"),
        ("a]1[", "a]1["),
        ("a[-]", "a[-]"),
        ("a[1.5]", None),
        ("a[**]", "a[**]"),
        ("a\\[0]", "a[0]"),
        ("a\\[*]", "a[*]"),
        ("\\[]", "[]"),
        ("a[ 1]", "a[ 1]"),
        ("a[+1]", "a[+1]"),
        ("a[١]", "a[١]"),
    ],
)
def test_any_other_bracket_is_itself(changes_of: Replayed, path: str, name: str | None) -> None:
    lines = [segment({"attribute": path, "operator": "is_set"})]
    body = {name: 1} if name is not None else {"a[1": {"5]": 1}}
    assert changes_of(*lines, update("05-01", body)) == ["05-01 s entered (contact_update)"]


def test_tags_take_elements_by_the_empty_property_alone(changes_of: Replayed) -> None:
    starts = {
        "attribute": "tags",
        "elements": all_of({"property": "", "operator": "starts_with", "value": "vip"}),
    }
    lines = [
        segment(starts),
        update("05-01", tags={"add": ["x", "vip-2026"]}),
        update("05-02", tags={"set": ["x"]}),
    ]
    assert flips(changes_of(*lines)) == ["05-01 in", "05-02 out"]
