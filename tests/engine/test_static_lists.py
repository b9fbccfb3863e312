"""Sections 1 and 2, static segments: lists kept by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import case, heard
from tests.engine.story import (
    Replayed,
    segment,
    static,
    update,
)

# The contract makes it a dead letter without saying of which code.


def test_a_list_is_entered_and_left_by_hand_alone(changes_of: Replayed) -> None:
    lines = [
        static("fair"),
        static("staff"),
        update("05-01", lists={"add": ["fair", "staff"]}),
        update("05-02", lists={"add": ["fair"]}),
        update("05-03", {"name": "李雷"}),
        update("05-04", lists={"remove": ["staff"]}),
        update("05-05", lists={"add": ["staff"], "remove": ["fair"]}),
    ]
    assert changes_of(*lines) == [
        "05-01 fair entered (contact_update)",
        "05-01 staff entered (contact_update)",
        "05-04 staff exited (contact_update)",
        "05-05 fair exited (contact_update)",
        "05-05 staff entered (contact_update)",
    ]


@pytest.mark.parametrize(
    ("lists", "path"),
    [
        case("an unknown one", {"add": ["fair", "nowhere"]}, "lists.add[1]"),
        case("an unknown one to be left", {"remove": ["nowhere"]}, "lists.remove[0]"),
        case("a standard one", {"add": ["s"]}, "lists.add[0]"),
        case("a built-in one", {"add": ["email-unsubscribed"]}, "lists.add[0]"),
        case("a text", {"add": {"fair": 1}}, "lists.add"),
        case("an unknown key", {"set": ["fair"]}, "lists.set"),
    ],
)
def test_another_list_is_left_out_and_the_rest_applied(lists: dict[str, Any], path: str) -> None:
    named = segment({"attribute": "name", "operator": "is_set"})
    found = heard(static("fair"), named, update("05-01", {"name": "李雷"}, lists=lists))
    assert found.refusals == [("invalid_value", path)]
    assert ("s", "c1") in found.members()
    assert (("fair", "c1") in found.members()) is (lists.get("add") == ["fair", "nowhere"])


def test_who_is_erased_leaves_the_lists_and_does_not_come_back_to_them(changes_of: Replayed) -> None:
    lines = [
        static("fair"),
        update("05-01", lists={"add": ["fair"]}),
        update("05-02", deleted=True),
        update("05-03", {"name": "李雷"}),
        update("05-04", lists={"add": ["fair"]}),
    ]
    assert changes_of(*lines) == [
        "05-01 fair entered (contact_update)",
        "05-02 fair exited (deletion)",
        "05-04 fair entered (contact_update)",
    ]


def test_a_list_derives_no_event(changes_of: Replayed) -> None:
    derived = ["attribute_changed", "tag_added", "tag_removed"]
    lines = [
        static("fair"),
        *(segment({"event": name}, of=name) for name in derived),
        update("05-01", lists={"add": ["fair"]}),
    ]
    assert changes_of(*lines) == ["05-01 fair entered (contact_update)"]


def test_entries_stay_while_the_segment_is_of_another_type(changes_of: Replayed) -> None:
    lines = [
        static("fair"),
        update("05-01", lists={"add": ["fair"]}),
        segment({"event": "buy"}, of="fair", at="05-02"),
        static("fair", at="05-03"),
    ]
    assert changes_of(*lines) == [
        "05-01 fair entered (contact_update)",
        "05-02 fair exited (definition)",
        "05-03 fair entered (definition)",
    ]
