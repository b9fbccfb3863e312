"""Section 2: what a contact update merges, what it derives, what erases a contact, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.story import Replayed, all_of, event, ms, segment, static, tick, update

VIP = {"attribute": "tags", "operator": "contains_any", "value": ["vip"]}
EVERYBODY = {"attribute": "contact_id", "operator": "is_set"}


def changed(*tests: dict[str, Any]) -> dict[str, Any]:
    return {"event": "attribute_changed", "where": all_of(*tests)}


def equals(name: str, value: Any) -> dict[str, Any]:
    return {"property": name, "operator": "eq", "value": value}


def count(name: str, operator: str, value: int) -> dict[str, Any]:
    return {"event": name, "count": {"operator": operator, "value": value}}


def test_an_update_leaves_other_attributes_alone_and_null_removes(changes_of: Replayed) -> None:
    lines = [
        segment({"attribute": "email", "operator": "is_set"}),
        update("05-01", {"email": "a@b.cn", "name": "李雷"}),
        update("05-02", {"name": "韩梅梅"}),
        update("05-03", {"email": None}),
    ]
    assert changes_of(*lines) == ["05-01 s entered (contact_update)", "05-03 s exited (contact_update)"]


def test_a_stale_value_is_ignored_for_its_attribute_only(changes_of: Replayed) -> None:
    lines = [
        segment({"attribute": "a", "operator": "eq", "value": 1}, of="a"),
        segment({"attribute": "b", "operator": "eq", "value": 2}, of="b"),
        update("05-05", {"a": 1}),
        update("05-06", {"a": 2, "b": 2}, stated="05-04"),
    ]
    assert changes_of(*lines) == ["05-05 a entered (contact_update)", "05-06 b entered (contact_update)"]


def test_of_two_values_of_one_time_the_later_record_wins(changes_of: Replayed) -> None:
    lines = [
        segment({"attribute": "a", "operator": "eq", "value": 1}),
        update("05-05", {"a": 1}),
        update("05-06", {"a": 2}, stated="05-05"),
    ]
    assert changes_of(*lines) == ["05-05 s entered (contact_update)", "05-06 s exited (contact_update)"]


def test_a_removal_is_a_value_that_older_ones_lose_against(changes_of: Replayed) -> None:
    lines = [
        segment({"attribute": "a", "operator": "is_set"}),
        update("05-05", {"a": None}),
        update("05-06", {"a": 1}, stated="05-04"),
    ]
    assert changes_of(*lines) == []


def test_a_real_change_is_derived_once(changes_of: Replayed) -> None:
    lines = [
        segment(count("attribute_changed", "eq", 1), of="one"),
        segment(count("attribute_changed", "eq", 2), of="two"),
        update("05-01", {"a": 1}),
        update("05-02", {"a": 1.0}),
        update("05-03", {"b": None}),
        update("05-04", {"a": 2}, stated="04-30"),
        update("05-05", {"a": True}),
    ]
    assert changes_of(*lines) == [
        "05-01 one entered (contact_update)",
        "05-05 one exited (contact_update)",
        "05-05 two entered (contact_update)",
    ]


def test_a_derived_change_names_the_attribute_the_old_and_the_new_value(changes_of: Replayed) -> None:
    first = {"property": "old", "operator": "is_not_set"}
    lines = [
        segment(changed(equals("attribute", "level"), first, equals("new", "gold")), of="first"),
        segment(changed(equals("attribute", "level"), equals("old", "gold")), of="later"),
        update("05-01", {"level": "gold", "name": "李雷"}),
        update("05-02", {"level": None}),
    ]
    assert changes_of(*lines) == [
        "05-01 first entered (contact_update)",
        "05-02 later entered (contact_update)",
    ]


def test_a_derived_event_occurred_when_the_update_was_stated(changes_of: Replayed) -> None:
    lines = [
        segment({"event": "attribute_changed", "window": {"last": "P7D"}}),
        update("05-03", {"a": 1}, stated="05-01"),
        tick("06-01"),
    ]
    assert changes_of(*lines) == ["05-03 s entered (contact_update)", "05-08 s exited (time)"]


def test_tags_are_added_removed_and_set(changes_of: Replayed) -> None:
    lines = [
        segment(VIP),
        update("05-01", tags={"add": ["vip", "trial"]}),
        update("05-02", tags={"remove": ["trial"]}),
        update("05-03", tags={"set": ["trial"]}),
        update("05-04", tags={"add": ["vip"], "remove": ["trial"]}),
        update("05-05", tags={"remove": ["vip"]}),
    ]
    assert changes_of(*lines) == [
        "05-01 s entered (contact_update)",
        "05-03 s exited (contact_update)",
        "05-04 s entered (contact_update)",
        "05-05 s exited (contact_update)",
    ]


def test_a_stale_change_of_tags_is_ignored_as_a_whole(changes_of: Replayed) -> None:
    lines = [
        segment(VIP),
        update("05-02", tags={"set": []}),
        update("05-03", tags={"add": ["vip"]}, stated="05-01"),
    ]
    assert changes_of(*lines) == []


def test_tag_events_are_derived_once_per_real_change(changes_of: Replayed) -> None:
    added = {
        "event": "tag_added",
        "where": all_of(equals("tag", "vip")),
        "count": {"operator": "ge", "value": 2},
    }
    lines = [
        segment(added, of="twice"),
        segment({"event": "tag_removed", "where": all_of(equals("tag", "vip"))}, of="lost"),
        segment({"event": "attribute_changed"}, of="changed"),
        update("05-01", tags={"add": ["vip"]}),
        update("05-02", tags={"add": ["vip", "x"]}),
        update("05-03", tags={"set": ["x"]}),
        update("05-04", tags={"set": ["vip"]}),
    ]
    assert changes_of(*lines) == [
        "05-03 lost entered (contact_update)",
        "05-04 twice entered (contact_update)",
    ]


def test_subscribed_turning_false_is_a_global_unsubscribe_event(changes_of: Replayed) -> None:
    lines = [
        segment(count("global_unsubscribe", "eq", 1), of="one"),
        segment(count("global_unsubscribe", "ge", 2), of="more"),
        update("05-01", {"subscribed": True}),
        update("05-02", {"subscribed": False}),
        update("05-03", {"subscribed": False}),
        update("05-04", {"subscribed": None}),
        update("05-05", {"subscribed": False}),
        update("05-05 01:00", {"subscribed": True}),
        update("05-06", {"subscribed": False}),
    ]
    found = [change for change in changes_of(*lines) if "global-unsubscribed" not in change]
    assert found == [
        "05-02 one entered (contact_update)",
        "05-06 more entered (contact_update)",
        "05-06 one exited (contact_update)",
    ]


def test_an_erased_contact_leaves_everything_and_starts_anew(changes_of: Replayed) -> None:
    lines = [
        segment(EVERYBODY),
        segment({"event": "buy"}, of="buyer"),
        event("05-01", "buy"),
        update("05-02", deleted=True),
        update("05-03", {"name": "李雷"}),
    ]
    assert changes_of(*lines) == [
        "05-01 buyer entered (behavior_event)",
        "05-01 s entered (behavior_event)",
        "05-02 buyer exited (deletion)",
        "05-02 s exited (deletion)",
        "05-03 s entered (contact_update)",
    ]
    ids = [change["change_id"] for change in changes_of.raw(*lines) if change["segment_id"] == "s"]
    assert ids == [f"s|c1|{ms('05-01')}|1", f"s|c1|{ms('05-02')}|2", f"s|c1|{ms('05-03')}|1"]


def test_what_is_older_than_the_erasure_comes_too_late(changes_of: Replayed) -> None:
    lines = [
        segment(EVERYBODY),
        update("05-02", deleted=True),
        event("05-03", "buy", occurred="05-02"),
        update("05-04", {"name": "李雷"}, stated="05-01"),
        event("05-05", "buy", occurred="05-02 00:00:00.001"),
    ]
    assert changes_of(*lines) == ["05-05 s entered (behavior_event)"]


def test_an_event_later_than_the_erasure_survives_it(changes_of: Replayed) -> None:
    records = [event("05-03", "buy"), update("05-04", deleted=True, stated="05-02")]
    definitions = [
        segment(EVERYBODY),
        segment({"event": "buy"}, of="buyer"),
        segment({"attribute": "a", "operator": "is_set"}, of="a"),
    ]
    lines = [*definitions, update("05-01", {"a": 1}), *records]
    found = changes_of.raw(*lines)
    assert [
        (change["segment_id"], change["sequence"])
        for change in found
        if change["effective_at"] == "2026-05-03T16:00:00.000Z"
    ] == [
        ("a", 2),
        ("buyer", 2),
        ("buyer", 1),
        ("s", 2),
        ("s", 1),
    ]


@pytest.mark.parametrize(
    "more",
    [
        {"attributes": {"contact_id": "c2"}},
        {"attributes": {"contact_id": None}},
        {"attributes": {"contact_id": "c2"}, "deleted": True},
        {"deleted": 1},
        {"keep_suppressions": "yes"},
        {"source": "crm"},
        {"updated_at": "2026-05-01T00:05:00.001+08:00"},
        {"updated_at": "soon"},
        {"updated_at": 99_999_999_999},
        {"updated_at": 0},
        {"updated_at": -1},
        {"contact_id": "c2"},
    ],
)
def test_a_bad_envelope_is_a_dead_letter_and_changes_nothing(
    changes_of: Replayed, more: dict[str, Any]
) -> None:
    bad = update("05-01", {"name": "x"})
    bad["value"].update(more)
    assert changes_of(segment(EVERYBODY), bad, refused=[2]) == []


@pytest.mark.parametrize("field", ["event_id", "event", "occurred_at", "contact_id"])
def test_an_event_without_a_field_it_needs_is_a_dead_letter(changes_of: Replayed, field: str) -> None:
    bad = event("05-01", "buy")
    del bad["value"][field]
    assert changes_of(segment(EVERYBODY), bad, refused=[2]) == []


def test_the_attribute_contact_id_may_be_said_again(changes_of: Replayed) -> None:
    assert changes_of(segment(EVERYBODY), update("05-01", {"contact_id": "c1"})) == [
        "05-01 s entered (contact_update)"
    ]


def test_lists_alone_make_a_contact_known(changes_of: Replayed) -> None:
    lines = [static("fair"), segment(EVERYBODY), update("05-01", lists={"remove": ["fair"]})]
    assert changes_of(*lines) == ["05-01 s entered (contact_update)"]


def test_a_rating_is_text_or_a_number(changes_of: Replayed) -> None:
    lines = [
        segment({"attribute": "overall_rating", "operator": "in", "value": ["A", 5]}),
        update("05-01", {"overall_rating": "A"}),
        update("05-02", {"overall_rating": 4}),
        update("05-03", {"overall_rating": 5.0}),
    ]
    assert changes_of(*lines) == [
        "05-01 s entered (contact_update)",
        "05-02 s exited (contact_update)",
        "05-03 s entered (contact_update)",
    ]
