"""Section 3, attribute conditions: standard attributes and their types, paths, the contact's own id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.cases import EVERYBODY, case, heard, op, refused
from tests.engine.story import Replayed, event, segment, tick, update

TEXTS = ["email", "mobile", "name", "wechat_unionid", "gender", "location", "member_id"]
NUMBERS = [
    "member_points",
    "order_count",
    "order_amount",
    "activity_index",
    "consumption_index",
    "email_interaction",
    "wechat_interaction",
    "sms_interaction",
]
TIMES = ["created_at", "imported_at", "member_day", "first_purchase_at", "last_purchase_at"]
GOOD: dict[str, list[Any]] = {
    **{name: ["李雷", "", None] for name in TEXTS},
    **{name: [0, 1.5, -1, None, "", " "] for name in NUMBERS},
    **{name: ["2026-05-01", "2026-05-01T08:00:00", "2026-05-01T00:00:00Z", 0, "", None] for name in TIMES},
    "overall_rating": ["A", 4.5, None],
    "subscribed": [True, False, None, "\t"],
    "custom": ["a", 1, 1.5, True, ["a", 1], {"a": {"b": None}}, None],
}
BAD = {
    **{name: [1, True, ["a"], {"a": 1}] for name in TEXTS},
    **{name: ["1", True, [1], {"a": 1}] for name in NUMBERS},
    **{name: ["soon", "2026-13-01", "2026-05-01 8 am", 1.5, True, [], {}] for name in TIMES},
    "overall_rating": [True, ["A"], {}],
    "subscribed": ["false", 0, 1, [], {}],
}


@pytest.mark.parametrize("name", sorted(GOOD))
def test_an_attribute_takes_values_of_its_type(name: str) -> None:
    for value in GOOD[name]:
        found = heard(segment(EVERYBODY), update("05-01", {name: value}))
        assert found.refusals == [], value
        assert ("s", "c1") in found.members()


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_standard_attribute_takes_no_other_value(name: str) -> None:
    for value in BAD[name]:
        found = heard(segment(EVERYBODY), update("05-01", {name: value, "custom": 1}))
        assert found.refusals == [("invalid_value", f"attributes.{name}")], value
        ((contact, _),) = found.run.contacts()
        assert [known for known, _ in contact.attributes.items()] == ["custom"], value


@pytest.mark.parametrize(
    ("name", "test", "path"),
    [
        case("text with a number", "location", op("eq", 5), "value"),
        case("text with a boolean", "location", op("ne", True), "value"),
        case("text in a list with a number", "location", op("in", ["中国", 5]), "value[1]"),
        case("text with more than", "location", op("gt", 5), "operator"),
        case("text with a range", "location", op("between", [1, 2]), "operator"),
        case("text with a time", "location", op("before", "2026-05-01"), "operator"),
        case("text with a rolling time", "email", op("within_last", "P7D"), "operator"),
        case("text with a list's operator", "email", op("contains_any", ["a"]), "operator"),
        case("a number with text", "member_points", op("eq", "5"), "value"),
        case("a number with a boolean", "member_points", op("eq", True), "value"),
        case("a number with part of a text", "member_points", op("contains", "5"), "operator"),
        case("a number between times", "member_points", op("between", ["2026-05-01", None]), "value"),
        case(
            "a number with an anniversary",
            "order_count",
            op("anniversary", {"in_next": "P1D"}),
            "operator",
        ),
        case("a time with eq", "created_at", op("eq", "2026-05-01"), "operator"),
        case("a time with more than", "created_at", op("gt", 5), "operator"),
        case("a time with a pattern", "created_at", op("matches", "^2026"), "operator"),
        case("a boolean with text", "subscribed", op("eq", "false"), "value"),
        case("a boolean with a number", "subscribed", op("eq", 0), "value"),
        case("a boolean in a list", "subscribed", op("in", [True]), "operator"),
        case("tags with a text", "tags", op("eq", "vip"), "value"),
        case("tags with numbers", "tags", op("contains_any", [1]), "value[0]"),
        case("tags with part of a text", "tags", op("contains", "vip"), "operator"),
        case("the contact's id with a number", "contact_id", op("eq", 1), "value"),
    ],
)
def test_a_standard_attribute_is_not_compared_with_another_type(name: str, test: Any, path: str) -> None:
    found = refused({"attribute": name, **test})
    assert found is not None
    code, where = found
    assert code == "invalid_schema"
    assert where.split("[")[0] == path.split("[")[0]


@pytest.mark.parametrize(
    ("name", "test"),
    [
        case("a rating with text", "overall_rating", op("eq", "A")),
        case("a rating with a number", "overall_rating", op("ge", 4)),
        case("a rating in a mixed list", "overall_rating", op("in", ["A", 5])),
        case("a time between numbers", "created_at", op("between", [0, None])),
        case("tags as a set", "tags", op("eq", ["vip"])),
        case("tags in a list", "tags", op("in", ["vip"])),
        case("a custom attribute with anything", "level", op("gt", 5)),
        case("within a standard attribute's name there is another", "location.city", op("gt", 5)),
    ],
)
def test_what_fits_is_taken(name: str, test: Any) -> None:
    assert refused({"attribute": name, **test}) is None


def test_a_custom_attribute_of_another_type_only_fails(changes_of: Replayed) -> None:
    lines = [
        segment({"attribute": "level", "operator": "gt", "value": 5}),
        update("05-01", {"level": "6"}),
        update("05-02", {"level": 6}),
        update("05-03", {"level": [6]}),
    ]
    assert changes_of(*lines) == ["05-02 s entered (contact_update)", "05-03 s exited (contact_update)"]


NESTED = {"a": {"b": {"c": 1}}, "a.b": {"c": 2}, "a b": 3, "ü": {"中": 4}, "l": [{"c": 5}], "\\": 6, "0": 7}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        case("steps go into objects", "a.b.c", 1),
        case("an escaped dot belongs to the name", r"a\.b.c", 2),
        case("a space is itself", "a b", 3),
        case("letters are themselves", "ü.中", 4),
        case("a digit is itself", "0", 7),
    ],
)
def test_a_path_finds_its_value_in_attributes_and_properties(
    changes_of: Replayed, path: str, value: int
) -> None:
    where = {"match": "all", "conditions": [{"property": path, "operator": "eq", "value": value}]}
    lines = [
        segment({"attribute": path, "operator": "eq", "value": value}, of="attribute"),
        segment({"event": "buy", "where": where}, of="property"),
        update("05-01", NESTED),
        event("05-02", "buy", NESTED),
    ]
    assert changes_of(*lines) == [
        "05-01 attribute entered (contact_update)",
        "05-02 property entered (behavior_event)",
    ]


@pytest.mark.parametrize("path", ["l.c", "l.0", "a.b.c.d", "b", "a.c"])
def test_a_path_that_leads_nowhere_finds_a_missing_value(changes_of: Replayed, path: str) -> None:
    lines = [segment({"attribute": path, "operator": "is_not_set"}), update("05-01", NESTED)]
    assert changes_of(*lines) == ["05-01 s entered (contact_update)"]


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b"])
def test_an_empty_step_is_refused(path: str) -> None:
    assert refused({"attribute": path, "operator": "is_set"}) == ("invalid_schema", "attribute")
    where = {"match": "all", "conditions": [{"property": path, "operator": "is_set"}]}
    assert refused({"event": "buy", "where": where}) == ("invalid_schema", "where.conditions[0].property")


def test_a_nested_value_changes_with_the_whole_attribute(changes_of: Replayed) -> None:
    lines = [
        segment({"attribute": "address.city", "operator": "eq", "value": "上海"}),
        update("05-01", {"address": {"city": "上海", "zip": "1"}}),
        update("05-02", {"address": {"zip": "2"}}),
        update("05-03", {"address": {"city": "上海"}}, stated="05-01 12:00"),
    ]
    assert changes_of(*lines) == ["05-01 s entered (contact_update)", "05-02 s exited (contact_update)"]


def test_the_contacts_id_is_an_attribute_of_everybody_known(changes_of: Replayed) -> None:
    lines = [
        segment(EVERYBODY, of="all"),
        segment({"attribute": "contact_id", "operator": "starts_with", "value": "c2"}, of="second"),
        segment({"attribute": "contact_id", "operator": "is_not_set"}, of="none"),
        event("05-01", "open", of="c1"),
        update("05-02", {"contact_id": "c2"}, of="c2"),
        tick("05-03"),
    ]
    assert changes_of(*lines) == [
        "05-01 all entered (behavior_event)",
        "05-02 c2 all entered (contact_update)",
        "05-02 c2 second entered (contact_update)",
    ]


@pytest.mark.parametrize("other", ["c2", "", 1, None])
def test_the_contacts_id_is_not_set_to_something_else(other: Any) -> None:
    found = heard(segment(EVERYBODY), update("05-01", {"contact_id": other}))
    assert found.refusals == [("invalid_schema", "attributes.contact_id")]
    assert found.members() == []


def test_the_latest_value_is_judged_not_the_history(changes_of: Replayed) -> None:
    lines = [
        segment({"attribute": "location", "operator": "eq", "value": "中国"}),
        update("05-03", {"location": "法国"}),
        update("05-04", {"location": "中国"}, stated="05-01"),
        update("05-05", {"location": "中国"}, stated="05-03 00:00:00.001"),
    ]
    assert changes_of(*lines) == ["05-05 s entered (contact_update)"]


@pytest.mark.parametrize(
    ("condition", "path"),
    [
        case("no operator", {"attribute": "a"}, "operator"),
        case("two kinds at once", {"attribute": "a", "event": "b", "operator": "is_set"}, ""),
        case("no kind at all", {"operator": "is_set"}, ""),
        case("a name that is no text", {"attribute": 5, "operator": "is_set"}, "attribute"),
        case("a where", {"attribute": "a", "operator": "is_set", "where": {}}, "where"),
    ],
)
def test_a_condition_of_another_shape_is_refused(condition: dict[str, Any], path: str) -> None:
    assert refused(condition) == ("invalid_schema", path)


BEFORE = {"operator": "before", "value": "2026-01-01"}


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        case("an attribute", {"attribute": "x", **BEFORE}, lambda x: x),
        case("a path", {"attribute": "x.y.z", **BEFORE}, lambda x: {"y": {"z": x}}),
        case(
            "an element",
            {
                "attribute": "x",
                "elements": {"match": "all", "conditions": [{"property": "", **BEFORE}]},
            },
            lambda x: [0.5, x],
        ),
    ],
)
def test_a_number_that_turns_from_an_integer_into_one_with_a_fraction_is_no_time_any_more(
    changes_of: Replayed, condition: dict[str, Any], value: Callable[[Any], Any]
) -> None:
    changed_once = {"event": "attribute_changed", "count": {"operator": "eq", "value": 1}}
    lines = [
        segment(condition),
        segment({**condition, "held": {"at_least": "P1D"}}, of="held"),
        update("05-01", {"x": value(1.0)}),
        update("05-02", {"x": value(1)}),
        update("05-05", {"x": value(1.0)}),
        update("05-06", {"x": value(1)}),
        segment({**condition, "held": {"less_than": "P2D"}}, of="later", at="05-07"),
        segment(changed_once, of="once", at="05-07"),
    ]
    assert changes_of(*lines, tick("05-20")) == [
        "05-02 s entered (contact_update)",
        "05-03 held entered (time)",
        "05-05 held exited (contact_update)",
        "05-05 s exited (contact_update)",
        "05-06 s entered (contact_update)",
        "05-07 held entered (time)",
        "05-07 later entered (definition)",
        "05-07 once entered (definition)",
        "05-08 later exited (time)",
    ]
