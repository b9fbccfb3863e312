"""Section 2: what an update merges into the contact, and what an erasure takes away."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import EVERYBODY, case, heard
from tests.engine.story import Line, Replayed, event, segment, static, update

# updates, attributes and tags at the end
MERGES = [
    case("attributes gather", [update("05-01", {"a": 1}), update("05-02", {"b": 2})], {"a": 1, "b": 2}, []),
    case("a later value replaces", [update("05-01", {"a": 1}), update("05-02", {"a": [2]})], {"a": [2]}, []),
    case(
        "an object is replaced whole",
        [update("05-01", {"a": {"x": 1}}), update("05-02", {"a": {"y": 2}})],
        {"a": {"y": 2}},
        [],
    ),
    case("null removes", [update("05-01", {"a": 1, "b": 2}), update("05-02", {"a": None})], {"b": 2}, []),
    case(
        "null removes nothing else",
        [update("05-01", {"a": {"x": 1}}), update("05-02", {"a": {"x": None}})],
        {"a": {"x": None}},
        [],
    ),
    case(
        "an empty text is a value that is missing",
        [update("05-01", {"a": 1}), update("05-02", {"a": ""})],
        {"a": ""},
        [],
    ),
    case(
        "an older value is ignored, a new one beside it is not",
        [update("05-02", {"a": 1}), update("05-03", {"a": 2, "b": 2}, stated="05-01")],
        {"a": 1, "b": 2},
        [],
    ),
    case(
        "an older null is ignored",
        [update("05-02", {"a": 1}), update("05-03", {"a": None}, stated="05-01")],
        {"a": 1},
        [],
    ),
    case(
        "an older value does not undo a null",
        [update("05-02", {"a": None}), update("05-03", {"a": 1}, stated="05-01")],
        {},
        [],
    ),
    case(
        "a tie goes to the later record",
        [update("05-01", {"a": 1}), update("05-02", {"a": 2}, stated="05-01")],
        {"a": 2},
        [],
    ),
    case(
        "tags are added",
        [update("05-01", tags={"add": ["x"]}), update("05-02", tags={"add": ["y", "x"]})],
        {},
        ["x", "y"],
    ),
    case(
        "tags are removed",
        [update("05-01", tags={"add": ["x", "y"]}), update("05-02", tags={"remove": ["x", "z"]})],
        {},
        ["y"],
    ),
    case(
        "tags are set",
        [update("05-01", tags={"add": ["x"]}), update("05-02", tags={"set": ["y", "y"]})],
        {},
        ["y"],
    ),
    case(
        "tags are set to none",
        [update("05-01", tags={"add": ["x"]}), update("05-02", tags={"set": []})],
        {},
        [],
    ),
    case(
        "added and removed in one",
        [update("05-01", tags={"add": ["x"]}), update("05-02", tags={"add": ["y"], "remove": ["x"]})],
        {},
        ["y"],
    ),
    case(
        "older tags are ignored",
        [update("05-02", tags={"add": ["x"]}), update("05-03", tags={"set": []}, stated="05-01")],
        {},
        ["x"],
    ),
    case(
        "tags in the attributes are set",
        [update("05-01", tags={"add": ["x"]}), update("05-02", {"tags": ["y"]})],
        {},
        ["y"],
    ),
    case(
        "nothing in particular",
        [update("05-01", {"a": 1}), update("05-02", {}, tags={}, lists={})],
        {"a": 1},
        [],
    ),
]


@pytest.mark.parametrize(("updates", "attributes", "tags"), MERGES)
def test_an_update_is_a_merge(updates: list[Line], attributes: dict[str, Any], tags: list[str]) -> None:
    exact = [{"attribute": name, "operator": "is_set"} for name in ("a", "b")]
    found = heard(segment(EVERYBODY), *(segment(one, of=one["attribute"]) for one in exact), *updates)
    assert found.refusals == []
    ((contact, _),) = found.run.contacts()
    values = {name: entry[0] for name, entry in contact.attributes.items() if entry[0] is not None}
    assert sorted(values.pop("tags", [])) == tags
    assert values == attributes
    set_ = {name for name, value in attributes.items() if value not in ("", [], {})}
    assert {name for name, _ in found.members()} - {"s"} == set_


def test_one_update_changes_all_of_it_in_one_step(changes_of: Replayed) -> None:
    # never a member in between: the level falls as the tag comes
    lines = [
        segment(
            {"attribute": "level", "operator": "eq", "value": 1},
            {"attribute": "tags", "operator": "contains_any", "value": ["vip"]},
        ),
        segment({"event": "tag_added"}, {"attribute": "level", "operator": "eq", "value": 1}, of="t"),
        update("05-01", {"level": 1}),
        update("05-02", {"level": 2}, tags={"add": ["vip"]}),
    ]
    assert changes_of(*lines) == []


ERASED = [
    case("by an update of its own", update("05-03", deleted=True), "05-03"),
    case(
        "whatever else the update says", update("05-03", {"a": 2}, deleted=True, tags={"add": ["y"]}), "05-03"
    ),
]


@pytest.mark.parametrize(("erasure", "at"), ERASED)
def test_an_erasure_exits_everything_and_drops_the_state(
    changes_of: Replayed, erasure: Line, at: str
) -> None:
    lines = [
        static("fair"),
        segment({"attribute": "a", "operator": "is_set"}, of="a"),
        segment({"event": "buy"}, of="b"),
        update("05-01", {"a": 1}, tags={"add": ["x"]}, lists={"add": ["fair"]}),
        event("05-02", "buy"),
        erasure,
    ]
    assert changes_of(*lines)[3:] == [
        f"{at} a exited (deletion)",
        f"{at} b exited (deletion)",
        f"{at} fair exited (deletion)",
    ]
    assert list(heard(*lines).run.contacts()) == []


def test_an_erasure_of_nobody_makes_nobody_known(changes_of: Replayed) -> None:
    assert changes_of(segment(EVERYBODY), update("05-01", deleted=True)) == []


def test_deleted_false_is_nothing_special(changes_of: Replayed) -> None:
    lines = [segment(EVERYBODY), update("05-01", deleted=False)]
    assert changes_of(*lines) == ["05-01 s entered (contact_update)"]


def test_an_erasure_takes_one_contact_alone(changes_of: Replayed) -> None:
    lines = [
        segment(EVERYBODY),
        update("05-01", of="c1"),
        update("05-01", of="c2"),
        update("05-02", of="c2", deleted=True),
    ]
    assert changes_of(*lines)[2:] == ["05-02 c2 s exited (deletion)"]


def test_an_erased_event_id_may_come_again(changes_of: Replayed) -> None:
    lines = [
        segment({"event": "buy"}),
        event("05-01", "buy", id_="e-1"),
        update("05-02", deleted=True),
        event("05-03", "buy", id_="e-1"),
    ]
    assert changes_of(*lines) == [
        "05-01 s entered (behavior_event)",
        "05-02 s exited (deletion)",
        "05-03 s entered (behavior_event)",
    ]
