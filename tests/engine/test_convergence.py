"""Section 5, convergence: however the two topics are read against each other, the end is the same.

Each case gives the records of one contact's two topics, each in its own order, and who is a member of what
at the end; all ways to read one against the other are run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import pytest

from tests.engine.cases import EVERYBODY, case, heard
from tests.engine.story import Line, all_of, event, segment, static, update

VIP = {"attribute": "tags", "operator": "contains_any", "value": ["vip"]}


def merged(first: Sequence[Line], second: Sequence[Line]) -> Iterator[list[Line]]:
    """All ways to read two topics of which each keeps its own order.

    All records are read at one time, when everything has happened."""
    length = len(first) + len(second)
    for places in combinations(range(length), len(first)):
        left, right = iter(first), iter(second)
        yield [
            {**next(left if place in places else right), "timestamp": "2026-05-20T00:00:00+08:00"}
            for place in range(length)
        ]


def at(moment: str, attributes: dict[str, Any] | None = None, **more: Any) -> Line:
    return update("05-20", attributes, stated=moment, **more)


CASES = [
    case(
        "an attribute and an event",
        [segment({"attribute": "a", "operator": "eq", "value": 1}, {"event": "buy"})],
        [at("05-01", {"a": 1}), at("05-03", {"a": 2}), at("05-02", {"a": 1})],
        [event("05-02", "buy")],
        set(),
    ),
    case(
        "the same with the attribute last of all",
        [segment({"attribute": "a", "operator": "eq", "value": 1}, {"event": "buy"})],
        [at("05-03", {"a": 2}), at("05-03", {"a": 1})],
        [event("05-02", "buy"), event("05-04", "buy")],
        {"s"},
    ),
    case(
        "events between updates of one sequence",
        [
            segment(
                {
                    "sequence": [
                        {"event": "tag_added"},
                        {"event": "buy"},
                        {"event": "tag_removed"},
                    ],
                    "within": "P9D",
                }
            )
        ],
        [at("05-01", tags={"add": ["vip"]}), at("05-03", tags={"remove": ["vip"]})],
        [event("05-02", "buy"), event("05-04", "buy")],
        {"s"},
    ),
    case(
        "the latest of an event and a derived one",
        [
            segment({"event": "attribute_changed", "select": "last", "window": {"last": "P18D"}}, of="late"),
            segment({"event": "attribute_changed", "count": {"operator": "eq", "value": 2}}, of="two"),
        ],
        [at("05-01", {"a": 1}), at("05-02", {"a": 1}), at("05-04", {"a": 2})],
        [event("05-02", "attribute_changed"), event("05-03", "open")],
        {"late"},
    ),
    case(
        "global: a form later than the attribute",
        [segment({"segment": "global-unsubscribed", "member": False}, of="reachable")],
        [at("05-01", {"subscribed": True}), at("05-02", {"subscribed": True})],
        [event("05-03", "form_submit", {"subscribed": "否"}), event("05-02 12:00", "form_submit", {})],
        {"global-unsubscribed"},
    ),
    case(
        "global: the attribute later than a form",
        [segment({"segment": "global-unsubscribed", "member": False}, of="reachable")],
        [at("05-01", {"subscribed": False}), at("05-04", {"subscribed": True})],
        [event("05-03", "form_submit", {"subscribed": "no"})],
        {"reachable"},
    ),
    case(
        "global: both at one instant",
        [],
        [at("05-03", {"subscribed": True})],
        [event("05-03", "form_submit", {"subscribed": False})],
        {"global-unsubscribed"},
    ),
    case(
        "an erasure between events",
        [segment({"event": "buy"}, of="buyer"), segment(EVERYBODY), segment(VIP, of="vip"), static("fair")],
        [
            at("05-01", {"a": 1}, tags={"add": ["vip"]}, lists={"add": ["fair"]}),
            at("05-03", deleted=True),
        ],
        [event("05-02", "buy"), event("05-04", "open")],
        {"s"},
    ),
    case(
        "an erasure and a purchase after it",
        [
            segment({"event": "buy", "count": {"operator": "eq", "value": 1}}, of="once"),
            segment({"event": "email_unsubscribe", "count": {"operator": "eq", "value": 0}}, of="no-mail"),
        ],
        [at("05-03", deleted=True)],
        [event("05-02", "buy"), event("05-02", "email_unsubscribe"), event("05-04", "buy")],
        {"once", "no-mail"},
    ),
    case(
        "an unsubscribe erased and one after it",
        [],
        [at("05-03", deleted=True)],
        [event("05-02", "email_unsubscribe"), event("05-04", "sms_unsubscribe")],
        {"mobile-unsubscribed"},
    ),
    case(
        "an erasure that all came before",
        [segment(EVERYBODY)],
        [at("05-05", deleted=True)],
        [event("05-04", "buy"), event("05-05", "buy")],
        set(),
    ),
    case(
        "known again by an update",
        [segment(EVERYBODY), segment({"event": "buy"}, of="buyer")],
        [at("05-05", deleted=True), at("05-06", {"a": 1})],
        [event("05-04", "buy"), event("05-05", "buy")],
        {"s"},
    ),
    case(
        "held on a value of the past beside an event",
        [
            segment(
                {"attribute": "a", "operator": "eq", "value": 1, "held": {"at_least": "P18D"}},
                {"event": "buy"},
            )
        ],
        [at("05-01", {"a": 1}), at("05-04", {"a": 1})],
        [event("05-03", "buy")],
        {"s"},
    ),
    case(
        "a sum of late events beside updates",
        [
            segment(
                {
                    "event": "buy",
                    "aggregate": {"function": "sum", "property": "n", "operator": "ge", "value": 5},
                    "window": {"last": "P18D"},
                },
                VIP,
            )
        ],
        [
            at("05-05", tags={"set": []}),
            at("05-04", tags={"add": ["vip"]}),
            at("05-05", tags={"add": ["vip"]}),
        ],
        [
            event("05-03", "buy", {"n": 3}),
            event("05-02 12:00", "buy", {"n": 2}),
            event("05-01", "buy", {"n": 9}),
        ],
        {"s"},
    ),
    case(
        "the last of a channel's statements",
        [segment({"attribute": "a", "operator": "is_set"}, of="a")],
        [at("05-02", {"a": 1})],
        [
            event("05-03", "email_resubscribe"),
            event("05-02", "email_unsubscribe"),
            event("05-04", "email_unsubscribe"),
            event("05-03", "sms_unsubscribe"),
            event("05-04", "sms_resubscribe"),
        ],
        {"a", "email-unsubscribed"},
    ),
]


@pytest.mark.parametrize(("definitions", "updates", "events", "members"), CASES)
def test_every_interleaving_ends_in_the_same_memberships(
    definitions: list[Line], updates: list[Line], events: list[Line], members: set[str]
) -> None:
    for records in merged(updates, events):
        found = heard(*definitions, *records, until="05-20")
        order = [line["value"].get("event", line["value"].get("updated_at")) for line in records]
        assert found.refusals == []
        assert {segment_id for segment_id, _ in found.members()} == members, order


@pytest.mark.parametrize(("definitions", "updates", "events", "members"), CASES)
def test_definitions_made_at_the_end_find_the_same_members(
    definitions: list[Line], updates: list[Line], events: list[Line], members: set[str]
) -> None:
    lists = [line for line in definitions if line["value"]["type"] == "static"]
    late = [{**line, "timestamp": "2026-05-20T00:00:00+08:00"} for line in definitions if line not in lists]
    for records in merged(updates, events):
        found = heard(*lists, *records, *late)
        assert {segment_id for segment_id, _ in found.members()} == members


def test_an_event_counts_once_whatever_repeats() -> None:
    twice = {"event": "buy", "count": {"operator": "ge", "value": 2}}
    where = all_of({"property": "n", "operator": "eq", "value": 2})
    one, other = event("05-01", "buy", {"n": 1}, id_="e-1"), event("05-02", "buy", {"n": 2}, id_="e-1")
    for first, second, of in ((one, other, "first"), (other, one, "second")):
        found = heard(segment(twice), segment({"event": "buy", "where": where}, of="second"), first, second)
        assert found.members() == ([] if of == "first" else [("second", "c1")])
