"""Section 6 in a replay: every accepted definition is live at once, for everybody known."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.story import Replayed, definition, event, ms, segment, static, tick, update

BUYER = {"event": "buy"}
VIP = {"attribute": "tags", "operator": "contains_any", "value": ["vip"]}


def test_a_new_definition_counts_what_was_before_it(changes_of: Replayed) -> None:
    lines = [
        event("05-01", "buy", of="c2"),
        event("05-02", "buy", of="c1"),
        event("05-03", "open", of="c3"),
        segment(BUYER, at="05-04"),
    ]
    assert changes_of(*lines) == ["05-04 s entered (definition)", "05-04 c2 s entered (definition)"]


def test_a_changed_definition_tells_only_what_differs(changes_of: Replayed) -> None:
    lines = [
        segment(BUYER),
        event("05-01", "buy", of="c1"),
        event("05-01", "buy", of="c2"),
        update("05-02", tags={"add": ["vip"]}, of="c2"),
        update("05-02", tags={"add": ["vip"]}, of="c3"),
        segment(VIP, at="05-03"),
    ]
    assert changes_of(*lines)[2:] == ["05-03 s exited (definition)", "05-03 c3 s entered (definition)"]
    versions = [change["segment_version"] for change in changes_of.raw(*lines)]
    assert versions == [1, 1, 2, 2]


def test_a_changed_definition_carries_its_references_along(changes_of: Replayed) -> None:
    lines = [
        segment(BUYER, of="z"),
        segment({"segment": "z", "member": False}, of="a"),
        event("05-01", "buy"),
        segment(VIP, of="z", at="05-03"),
    ]
    assert changes_of(*lines) == [
        "05-01 z entered (behavior_event)",
        "05-03 a entered (definition)",
        "05-03 z exited (definition)",
    ]


def test_a_condition_that_stays_goes_on_where_it_was(changes_of: Replayed) -> None:
    recent = {"event": "buy", "window": {"last": "P7D"}}
    lines = [
        segment(recent),
        event("05-01", "buy"),
        segment(recent, at="05-03", name="renamed"),
        tick("06-01"),
    ]
    assert changes_of(*lines) == ["05-01 s entered (behavior_event)", "05-08 s exited (time)"]


def test_a_deleted_segment_is_left_by_all_and_starts_anew(changes_of: Replayed) -> None:
    lines = [
        segment(BUYER, version=4),
        event("05-01", "buy"),
        definition("05-02", "s", None),
        segment(BUYER, at="05-03"),
    ]
    assert changes_of(*lines) == [
        "05-01 s entered (behavior_event)",
        "05-02 s exited (definition)",
        "05-03 s entered (definition)",
    ]
    raw = changes_of.raw(*lines)
    assert [change["change_id"] for change in raw] == [
        f"s|c1|{ms('05-01')}|1",
        f"s|c1|{ms('05-02')}|2",
        f"s|c1|{ms('05-03')}|1",
    ]
    assert [change["segment_version"] for change in raw] == [4, 4, 1]


def test_a_deleted_static_list_comes_back_empty(changes_of: Replayed) -> None:
    lines = [
        static("fair"),
        update("05-01", lists={"add": ["fair"]}),
        definition("05-02", "fair", None),
        static("fair", at="05-03"),
        update("05-04", lists={"add": ["fair"]}, stated="04-01"),
    ]
    assert changes_of(*lines) == [
        "05-01 fair entered (contact_update)",
        "05-02 fair exited (definition)",
        "05-04 fair entered (contact_update)",
    ]


def test_a_segment_others_refer_to_is_not_deleted(changes_of: Replayed) -> None:
    lines = [
        segment(BUYER),
        segment({"segment": "s"}, of="r"),
        event("05-01", "buy"),
        definition("05-02", "s", None),
        definition("05-03", "r", None),
        definition("05-04", "s", None),
    ]
    assert changes_of(*lines, refused=[4]) == [
        "05-01 r entered (behavior_event)",
        "05-01 s entered (behavior_event)",
        "05-03 r exited (definition)",
        "05-04 s exited (definition)",
    ]


def test_a_reference_to_nothing_or_in_a_circle_is_refused_and_changes_nothing(changes_of: Replayed) -> None:
    lines = [
        segment({"segment": "nowhere"}, of="a"),
        segment({"segment": "b"}, of="b"),
        segment(BUYER, of="a"),
        segment({"segment": "a"}, of="b"),
        segment({"segment": "b"}, of="a"),
        event("05-01", "buy"),
    ]
    assert changes_of(*lines, refused=[1, 2, 5]) == [
        "05-01 a entered (behavior_event)",
        "05-01 b entered (behavior_event)",
    ]


@pytest.mark.parametrize("built_in", ["global-unsubscribed", "email-unsubscribed", "mobile-unsubscribed"])
def test_a_built_in_segment_is_nobodys_to_change(changes_of: Replayed, built_in: str) -> None:
    lines = [segment(BUYER, of=built_in), definition("01-01", built_in, None), event("05-01", "buy")]
    assert changes_of(*lines, refused=[1, 2]) == []


def test_a_refused_definition_leaves_the_one_in_force_live(changes_of: Replayed) -> None:
    lines: list[Any] = [
        segment(BUYER),
        segment({"segment": "nowhere"}, at="02-01"),
        event("05-01", "buy"),
        segment(VIP, at="05-02"),
    ]
    assert changes_of(*lines, refused=[2]) == [
        "05-01 s entered (behavior_event)",
        "05-02 s exited (definition)",
    ]
    assert [change["segment_version"] for change in changes_of.raw(*lines, refused=[2])] == [1, 2]
