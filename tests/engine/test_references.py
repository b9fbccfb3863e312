"""Section 3, references between segments: one step, no passing pair, what is refused and where."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from streamseg.engine.explain import explain
from tests.engine.cases import EVERYBODY, case, heard
from tests.engine.story import (
    Line,
    Replayed,
    all_of,
    any_of,
    definition,
    event,
    ms,
    segment,
    static,
    tick,
    update,
)

BUYER = {"event": "buy"}


def level(value: int) -> dict[str, Any]:
    return {"attribute": "level", "operator": "eq", "value": value}


def either(of: str, *conditions: dict[str, Any], at: str = "01-01") -> Line:
    return definition(at, of, {"type": "standard", "clusters": [any_of(*conditions)]})


def advanced(of: str, *parts: tuple[str, dict[str, Any]], at: str = "01-01") -> Line:
    body = [{"relation": relation, "clusters": [all_of(condition)]} for relation, condition in parts]
    return definition(at, of, {"type": "advanced", "parts": body})


def test_a_record_that_moves_from_one_to_the_other_gives_no_passing_pair(changes_of: Replayed) -> None:
    lines = [
        segment(level(1), of="one"),
        segment(level(2), of="two"),
        either("any", {"segment": "one"}, {"segment": "two"}),
        segment({"segment": "one", "member": False}, {"segment": "two", "member": False}, of="none"),
        update("05-01", {"level": 1}),
        update("05-02", {"level": 2}),
    ]
    assert changes_of(*lines) == [
        "05-01 any entered (contact_update)",
        "05-01 one entered (contact_update)",
        "05-02 one exited (contact_update)",
        "05-02 two entered (contact_update)",
    ]


def test_time_that_moves_from_one_to_the_other_gives_no_passing_pair(changes_of: Replayed) -> None:
    lines = [
        segment(BUYER | {"window": {"last": "P7D"}}, of="recent"),
        segment(BUYER | {"window": {"from": "-P14D", "to": "-P7D"}}, of="before"),
        either("any", {"segment": "recent"}, {"segment": "before"}),
        event("05-01", "buy"),
        tick("06-01"),
    ]
    assert changes_of(*lines) == [
        "05-01 any entered (behavior_event)",
        "05-01 recent entered (behavior_event)",
        "05-08 before entered (time)",
        "05-08 recent exited (time)",
        "05-15 any exited (time)",
        "05-15 before exited (time)",
    ]


def test_a_chain_of_references_flips_as_one(changes_of: Replayed) -> None:
    lines = [
        segment(BUYER, of="a"),
        segment({"segment": "a"}, of="b"),
        advanced("c", ("include", EVERYBODY), ("exclude", {"segment": "b"})),
        segment({"segment": "c", "member": False}, of="d"),
        update("05-01"),
        event("05-02", "buy"),
    ]
    assert changes_of(*lines) == [
        "05-01 c entered (contact_update)",
        "05-02 a entered (behavior_event)",
        "05-02 b entered (behavior_event)",
        "05-02 c exited (behavior_event)",
        "05-02 d entered (behavior_event)",
    ]


LENGTH = 3_000


def long_chain(*, ascending: bool) -> list[Line]:
    """Each segment refers to the one before; ids go up with the references or against them."""
    names = sorted((f"s{number:04d}" for number in range(LENGTH)), reverse=not ascending)
    return [
        segment(BUYER, of=names[0]),
        *(segment({"segment": below}, of=name) for below, name in pairwise(names)),
    ]


@pytest.mark.parametrize("ascending", [True, False])
def test_a_chain_may_be_as_long_as_anybody_makes_it(ascending: bool) -> None:
    lines = long_chain(ascending=ascending)
    found = heard(*lines, event("05-01", "buy"))
    assert found.refusals == []
    assert set(found.changes) == {f"05-01 {line['key']} entered (behavior_event)" for line in lines}
    ((contact, events),) = found.run.contacts()
    plan = found.run.partition.plan
    told = explain(contact, plan.segments[lines[-1]["key"]], plan, events, ms("05-03"))
    assert (told["member"], told["next_change_at"]) == (True, None)


@pytest.mark.parametrize("ascending", [True, False])
def test_a_circle_may_be_so_too(ascending: bool) -> None:
    lines = long_chain(ascending=ascending)
    closing = segment({"segment": lines[-1]["key"]}, of=lines[0]["key"])
    assert heard(*lines, closing).refusals == [
        ("reference_cycle", "clusters[0].conditions[0].segment"),
    ]


def test_two_paths_that_cancel_each_other_give_nothing(changes_of: Replayed) -> None:
    # in a and not in b, which are the same: nobody, at no instant
    lines = [
        segment(BUYER | {"window": {"last": "P1D"}}, of="a"),
        segment({"segment": "a"}, of="b"),
        segment({"segment": "a"}, {"segment": "b", "member": False}, of="nobody"),
        event("05-01", "buy"),
        tick("05-05"),
    ]
    assert not [change for change in changes_of(*lines) if "nobody" in change]


@pytest.mark.parametrize(
    ("condition", "of_members"),
    [
        case("member is the default", {}, True),
        case("member true", {"member": True}, True),
        case("member false", {"member": False}, False),
        case("not", {"not": True}, False),
        case("not a member, not", {"member": False, "not": True}, True),
        case("not false", {"not": False}, True),
    ],
)
def test_member_and_not(changes_of: Replayed, condition: dict[str, Any], of_members: bool) -> None:
    lines = [
        segment(BUYER, of="buyers"),
        segment({"segment": "buyers", **condition}),
        event("05-01", "buy", of="c1"),
        event("05-01", "open", of="c2"),
    ]
    found = [change for change in changes_of(*lines) if "buyers" not in change]
    expected = "05-01 s entered (behavior_event)" if of_members else "05-01 c2 s entered (behavior_event)"
    assert found == [expected]


@pytest.mark.parametrize(
    ("built_in", "line", "entered"),
    [
        ("global-unsubscribed", update("05-01 10:00", {"subscribed": False}), "05-01 10:00"),
        ("email-unsubscribed", event("05-01 10:00", "email_unsubscribe"), "05-02"),
        ("mobile-unsubscribed", event("05-01 10:00", "sms_unsubscribe"), "05-01 11:00"),
    ],
)
def test_a_built_in_segment_is_referred_to_like_any_other(
    changes_of: Replayed, built_in: str, line: Line, entered: str
) -> None:
    found = changes_of(segment({"segment": built_in}), line, tick("05-09"))
    assert [change.split(" (")[0] for change in found] == [
        f"{entered} {built_in} entered",
        f"{entered} s entered",
    ]


def test_static_segments_within_a_chain(changes_of: Replayed) -> None:
    lines = [
        static("fair"),
        static("staff"),
        advanced("push", ("include", {"segment": "fair"}), ("exclude", {"segment": "staff"})),
        update("05-01", lists={"add": ["fair"]}),
        update("05-02", lists={"add": ["staff"]}),
        update("05-03", lists={"remove": ["staff", "fair"]}),
    ]
    assert [change for change in changes_of(*lines) if " push " in change] == [
        "05-01 push entered (contact_update)",
        "05-02 push exited (contact_update)",
    ]


REFUSED = [
    case(
        "an unknown segment",
        [segment(EVERYBODY, {"segment": "nowhere"})],
        ("unknown_reference", "clusters[0].conditions[1].segment"),
    ),
    case(
        "an unknown segment in a part",
        [advanced("s", ("include", EVERYBODY), ("exclude", {"segment": "nowhere"}))],
        ("unknown_reference", "parts[1].clusters[0].conditions[0].segment"),
    ),
    case(
        "itself",
        [segment({"segment": "s"})],
        ("reference_cycle", "clusters[0].conditions[0].segment"),
    ),
    case(
        "itself when it is there already",
        [segment(EVERYBODY), segment(EVERYBODY, {"segment": "s", "member": False})],
        ("reference_cycle", "clusters[0].conditions[1].segment"),
    ),
    case(
        "a circle of three, one of them advanced",
        [
            segment(EVERYBODY, of="a"),
            segment({"segment": "a"}, of="b"),
            advanced("c", ("include", {"segment": "b"})),
            segment({"segment": "c"}, of="a"),
        ],
        ("reference_cycle", "clusters[0].conditions[0].segment"),
    ),
    case(
        "deleting what is referred to",
        [segment(EVERYBODY, of="a"), segment({"segment": "a"}, of="b"), definition("01-02", "a", None)],
        ("in_use", "segment_id"),
    ),
    case(
        "deleting a static segment that is excluded",
        [
            static("fair"),
            advanced("p", ("include", EVERYBODY), ("exclude", {"segment": "fair"})),
            definition("01-02", "fair", None),
        ],
        ("in_use", "segment_id"),
    ),
    case(
        "deleting a built-in segment",
        [definition("01-02", "global-unsubscribed", None)],
        ("not_permitted", "segment_id"),
    ),
    case(
        "a reference to no text",
        [segment({"segment": 5})],
        ("invalid_schema", "clusters[0].conditions[0].segment"),
    ),
    case(
        "a membership that is no boolean",
        [segment(EVERYBODY, of="a"), segment({"segment": "a", "member": "no"})],
        ("invalid_schema", "clusters[0].conditions[0].member"),
    ),
]


@pytest.mark.parametrize(("lines", "refusal"), REFUSED)
def test_the_last_line_is_refused_with_its_path(lines: list[Line], refusal: tuple[str, str]) -> None:
    found = heard(*lines)
    assert (found.refusals, found.lines_refused) == ([refusal], [len(lines)])


def test_two_references_to_one_segment_are_no_circle(changes_of: Replayed) -> None:
    lines = [
        segment(BUYER, of="a"),
        segment({"segment": "a"}, of="b"),
        segment({"segment": "a"}, of="c"),
        segment({"segment": "b"}, {"segment": "c"}, of="d"),
        event("05-01", "buy"),
    ]
    assert len(changes_of(*lines)) == 4


def test_a_segment_can_be_deleted_once_nobody_refers_to_it_any_more(changes_of: Replayed) -> None:
    lines = [
        segment(BUYER, of="a"),
        segment({"segment": "a"}, of="b"),
        segment(EVERYBODY, of="b", at="01-02"),
        definition("01-03", "a", None),
        event("05-01", "buy"),
    ]
    assert changes_of(*lines) == ["05-01 b entered (behavior_event)"]


def test_a_circle_may_be_turned_round_in_two_steps(changes_of: Replayed) -> None:
    lines = [
        segment(BUYER, of="a"),
        segment({"segment": "a"}, of="b"),
        segment(BUYER, of="b", at="01-02"),
        segment({"segment": "b", "member": False}, of="a", at="01-03"),
        event("05-01", "open"),
        event("05-02", "buy"),
    ]
    assert changes_of(*lines) == [
        "05-01 a entered (behavior_event)",
        "05-02 a exited (behavior_event)",
        "05-02 b entered (behavior_event)",
    ]


def test_a_reference_can_be_made_to_a_segment_with_members(changes_of: Replayed) -> None:
    lines = [
        segment(BUYER | {"window": {"last": "P7D"}}, of="a"),
        event("05-01", "buy"),
        segment({"segment": "a"}, at="05-02"),
        tick("06-01"),
    ]
    assert changes_of(*lines)[1:] == [
        "05-02 s entered (definition)",
        "05-08 a exited (time)",
        "05-08 s exited (time)",
    ]
