"""Section 2, the events that the engine derives from updates: once per real change, with their properties."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import EVERYBODY, case, heard
from tests.engine.story import (
    Line,
    Replayed,
    all_of,
    event,
    segment,
    static,
    update,
)


def equals(name: str, value: Any) -> dict[str, Any]:
    return {"property": name, "operator": "eq", "value": value}


# updates, then (name, properties) of each derived event
DERIVED = [
    case(
        "a first value",
        [update("05-01", {"a": 1})],
        [("attribute_changed", {"attribute": "a", "old": None, "new": 1})],
    ),
    case(
        "another value",
        [update("05-01", {"a": 1}), update("05-02", {"a": "1"})],
        [
            ("attribute_changed", {"attribute": "a", "old": None, "new": 1}),
            ("attribute_changed", {"attribute": "a", "old": 1, "new": "1"}),
        ],
    ),
    case(
        "a removal",
        [update("05-01", {"a": 1}), update("05-02", {"a": None})],
        [
            ("attribute_changed", {"attribute": "a", "old": None, "new": 1}),
            ("attribute_changed", {"attribute": "a", "old": 1, "new": None}),
        ],
    ),
    case(
        "the same again",
        [update("05-01", {"a": [1]}), update("05-02", {"a": [1.0]})],
        [("attribute_changed", {"attribute": "a", "old": None, "new": [1]})],
    ),
    case("a null for nothing", [update("05-01", {"a": None})], []),
    case(
        "an older value",
        [update("05-02", {"a": 1}), update("05-03", {"a": 2}, stated="05-01")],
        [("attribute_changed", {"attribute": "a", "old": None, "new": 1})],
    ),
    case("a tag", [update("05-01", tags={"add": ["x"]})], [("tag_added", {"tag": "x"})]),
    case(
        "a tag that was there",
        [update("05-01", tags={"add": ["x"]}), update("05-02", tags={"add": ["x"]})],
        [("tag_added", {"tag": "x"})],
    ),
    case("a tag that was not", [update("05-01", tags={"remove": ["x"]})], []),
    case(
        "a tag that goes",
        [update("05-01", tags={"add": ["x"]}), update("05-02", tags={"set": []})],
        [("tag_added", {"tag": "x"}), ("tag_removed", {"tag": "x"})],
    ),
    case(
        "tags set to the same",
        [update("05-01", tags={"set": ["x", "y"]}), update("05-02", tags={"set": ["y", "x"]})],
        [("tag_added", {"tag": "x"}), ("tag_added", {"tag": "y"})],
    ),
    case(
        "a tag for another",
        [update("05-01", tags={"set": ["x"]}), update("05-02", tags={"set": ["y"]})],
        [("tag_added", {"tag": "x"}), ("tag_added", {"tag": "y"}), ("tag_removed", {"tag": "x"})],
    ),
    case(
        "unsubscribed at first",
        [update("05-01", {"subscribed": False})],
        [
            ("attribute_changed", {"attribute": "subscribed", "old": None, "new": False}),
            ("global_unsubscribe", {}),
        ],
    ),
    case(
        "subscribed at first",
        [update("05-01", {"subscribed": True})],
        [("attribute_changed", {"attribute": "subscribed", "old": None, "new": True})],
    ),
    case(
        "unsubscribed twice",
        [update("05-01", {"subscribed": False}), update("05-02", {"subscribed": False})],
        [
            ("attribute_changed", {"attribute": "subscribed", "old": None, "new": False}),
            ("global_unsubscribe", {}),
        ],
    ),
    case("a list", [update("05-01", lists={"add": ["fair"]})], []),
]


@pytest.mark.parametrize(("updates", "derived"), DERIVED)
def test_a_real_change_derives_one_event(updates: list[Line], derived: list[tuple[str, Any]]) -> None:
    found = heard(static("fair"), segment(EVERYBODY), *updates)
    ((_, events),) = found.run.contacts()
    told = [(one.name, dict(one.properties)) for one in events]
    assert sorted(told, key=repr) == sorted(derived, key=repr)
    assert all(one.derived for one in events)
    assert len({one.event_id for one in events}) == len(events)


def test_derived_ids_are_a_function_of_the_record() -> None:
    lines = [update("05-01", {"a": 1, "b": 2}, tags={"add": ["x"]}), update("05-02", {"a": 2})]
    first, second = (
        sorted(one.event_id for _, events in heard(*lines).run.contacts() for one in events) for _ in range(2)
    )
    assert first == second
    assert len(set(first)) == 4


def test_derived_events_happen_when_the_update_was_stated() -> None:
    found = heard(update("05-03", {"a": 1}, tags={"add": ["x"]}, stated="05-01"))
    ((_, events),) = found.run.contacts()
    assert [one.occurred_ms for one in events] == [1_777_564_800_000] * 2


@pytest.mark.parametrize(
    ("pattern", "matches_derived", "matches_sent"),
    [
        ("attribute_changed", True, True),
        ("attribute_*", False, True),
        ("attribute_changed*", False, True),
        ("*", False, True),
        ("attribute", False, False),
    ],
)
def test_a_prefix_never_matches_a_derived_event(
    changes_of: Replayed, pattern: str, matches_derived: bool, matches_sent: bool
) -> None:
    derived = changes_of(segment({"event": pattern}), update("05-01", {"a": 1}))
    assert bool(derived) is matches_derived
    # an event of that name that a tracker sent is an event like any other
    sent = changes_of(segment({"event": pattern}), event("05-01", "attribute_changed", {"attribute": "a"}))
    assert bool(sent) is matches_sent


def test_a_derived_event_counts_beside_those_that_were_sent(changes_of: Replayed) -> None:
    vip = {"event": "tag_added", "where": all_of(equals("tag", "vip"))}
    lines = [
        segment(vip | {"count": {"operator": "ge", "value": 2}}),
        event("05-01", "tag_added", {"tag": "vip"}),
        update("05-02", tags={"add": ["vip"]}),
    ]
    assert changes_of(*lines) == ["05-02 s entered (contact_update)"]
