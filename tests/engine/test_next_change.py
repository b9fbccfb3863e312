"""`next_change_at` of a membership is when it really ends if nothing else happens."""

from __future__ import annotations

from typing import Any

import pytest

from streamseg.engine.explain import explain
from tests.engine.cases import EVERYBODY, case, heard
from tests.engine.story import Line, all_of, any_of, definition, event, ms, said, segment, static, update

BUY: dict[str, Any] = {"event": "buy"}
WEEK, DAY = {"window": {"last": "P7D"}}, {"window": {"last": "P1D"}}
SAMPLE: dict[str, Any] = {"attribute": "a", "operator": "is_set"}
BOUGHT = [event("05-01 10:00", "buy")]


def standard(*clusters: Line) -> Line:
    return definition("01-01", "s", {"type": "standard", "clusters": list(clusters)})


CASES = [
    case("a rolling window", [segment(BUY | WEEK)], BOUGHT, "05-08 10:00"),
    case(
        "the earlier of two that both have to hold", [segment(BUY | WEEK, BUY | DAY)], BOUGHT, "05-02 10:00"
    ),
    case(
        "the later of two of which one is enough",
        [standard(any_of(BUY | WEEK, BUY | DAY))],
        BOUGHT,
        "05-08 10:00",
    ),
    case("a window beside what stays", [standard(any_of(BUY | WEEK, BUY))], BOUGHT, None),
    case(
        "a window beside what comes in time",
        [standard(any_of(BUY | WEEK, BUY | {"window": {"from": "-P9D", "to": "-P7D"}}))],
        BOUGHT,
        "05-10 10:00",
    ),
    case(
        "what comes too late by a millisecond",
        [standard(any_of(BUY | WEEK, BUY | {"window": {"from": "-P9D", "to": "-P7DT0.001S"}}))],
        BOUGHT,
        "05-08 10:00",
    ),
    case("all history", [segment(BUY)], BOUGHT, None),
    case("a fixed window", [segment(BUY | {"window": {"between": ["2026-05-01", None]}})], BOUGHT, None),
    case(
        "a calendar week",
        [segment(BUY | {"window": {"period": {"unit": "week", "from": 0, "to": 0}}})],
        BOUGHT,
        "05-04",
    ),
    case("two occurrences", [segment(BUY | WEEK)], [*BOUGHT, event("05-03", "buy")], "05-10"),
    case(
        "two needed",
        [segment(BUY | WEEK | {"count": {"operator": "ge", "value": 2}})],
        [*BOUGHT, event("05-03", "buy")],
        "05-08 10:00",
    ),
    case(
        "a sum",
        [
            segment(
                BUY | WEEK | {"aggregate": {"function": "sum", "property": "n", "operator": "ge", "value": 5}}
            )
        ],
        [event("05-01", "buy", {"n": 3}), event("05-02", "buy", {"n": 2}), event("05-03", "buy", {"n": 4})],
        "05-09",
    ),
    case("the latest", [segment(BUY | WEEK | {"select": "last"})], [*BOUGHT, event("05-03", "buy")], "05-10"),
    case(
        "a time of an attribute",
        [segment({"attribute": "a", "operator": "within_last", "value": "P7D"})],
        [update("05-02", {"a": "2026-05-01T10:00:00"})],
        "05-08 10:00",
    ),
    case(
        "a time to come",
        [segment({"attribute": "a", "operator": "within_next", "value": "P7D"})],
        [update("05-02", {"a": "2026-05-05"})],
        "05-05",
    ),
    case(
        "a time between two offsets",
        [segment({"attribute": "a", "operator": "relative_between", "value": ["-P1D", "P1D"]})],
        [update("05-02", {"a": "2026-05-02"})],
        "05-03 00:00:00.001",
    ),
    case(
        "a birthday",
        [segment({"attribute": "a", "operator": "anniversary", "value": {"in_next": "P3D"}})],
        [update("05-02 10:00", {"a": "1990-05-03"})],
        "05-04",
    ),
    case(
        "an attribute for less than a week",
        [segment(SAMPLE | {"held": {"less_than": "P7D"}})],
        [update("05-02", {"a": 1})],
        "05-09",
    ),
    case("an attribute", [segment(SAMPLE)], [update("05-02", {"a": 1})], None),
    case(
        "a sequence",
        [segment({"sequence": [{"event": "open"}, BUY], "within": "P1D", **WEEK})],
        [event("05-01 09:00", "open"), *BOUGHT],
        "05-08 10:00",
    ),
    case(
        "a second chain of a sequence",
        [segment({"sequence": [{"event": "open"}, BUY], "within": "P1D", **WEEK})],
        [event("05-01 09:00", "open"), *BOUGHT, event("05-02 09:00", "open"), event("05-02 10:00", "buy")],
        "05-09 10:00",
    ),
    case("a reference", [segment(BUY | WEEK, of="r"), segment({"segment": "r"})], BOUGHT, "05-08 10:00"),
    case(
        "a reference of references",
        [
            segment(BUY | WEEK, of="r"),
            segment({"segment": "r"}, of="q"),
            segment({"segment": "q"}, EVERYBODY),
        ],
        BOUGHT,
        "05-08 10:00",
    ),
    case(
        "not in what time will bring",
        [
            segment(BUY | {"window": {"from": "-P14D", "to": "-P7D"}}, of="r"),
            segment({"segment": "r", "member": False}),
        ],
        BOUGHT,
        "05-08 10:00",
    ),
    case(
        "not in the one at whose close it is put",
        [segment({"segment": "email-unsubscribed", "member": False})],
        [event("05-01 10:00", "email_unsubscribe")],
        "05-02",
    ),
    case("a static list", [static("s")], [update("05-01", lists={"add": ["s"]})], None),
    case(
        "the second part takes over from the first",
        [
            definition(
                "01-01",
                "s",
                {
                    "type": "advanced",
                    "parts": [
                        {"relation": "include", "clusters": [all_of(BUY | DAY)]},
                        {
                            "relation": "include",
                            "clusters": [all_of(BUY | {"window": {"from": "-P3D", "to": "-P1D"}})],
                        },
                    ],
                },
            )
        ],
        BOUGHT,
        "05-04 10:00",
    ),
    case(
        "an exclusion that time brings",
        [
            definition(
                "01-01",
                "s",
                {
                    "type": "advanced",
                    "parts": [
                        {"relation": "include", "clusters": [all_of(EVERYBODY)]},
                        {
                            "relation": "exclude",
                            "clusters": [all_of(BUY | {"window": {"from": "-P3D", "to": "-P1D"}})],
                        },
                    ],
                },
            )
        ],
        BOUGHT,
        "05-02 10:00",
    ),
]


@pytest.mark.parametrize(("definitions", "lines", "ends"), CASES)
def test_a_membership_tells_when_it_ends(
    definitions: list[Line], lines: list[Line], ends: str | None
) -> None:
    membership = heard(*definitions, *lines).memberships["s", "c1"]
    assert membership is not None
    told = membership.get("next_change_at")
    assert (None if told is None else said(told)) == ends


@pytest.mark.parametrize(("definitions", "lines", "ends"), CASES)
def test_it_ends_just_then_if_nothing_else_happens(
    definitions: list[Line], lines: list[Line], ends: str | None
) -> None:
    found = heard(*definitions, *lines, until="2027-04-01")
    changes = [change for change in found.changes if " s " in change]
    if ends is None:
        assert len(changes) == 1
        assert ("s", "c1") in found.members()
    else:
        assert changes[1] == f"{ends} s exited (time)"


@pytest.mark.parametrize(("definitions", "lines", "ends"), CASES)
def test_the_explanation_says_the_same(definitions: list[Line], lines: list[Line], ends: str | None) -> None:
    run = heard(*definitions, *lines).run
    ((contact, events),) = run.contacts()
    plan = run.partition.plan
    explained = explain(contact, plan.segments["s"], plan, events, run.partition.clock_ms)
    assert explained["member"]
    told = explained["next_change_at"]
    assert (None if told is None else said(told)) == ends


def test_who_is_to_enter_is_told_so_and_then_when_it_ends() -> None:
    undone = {"sequence": [BUY, {"absent": {"event": "open"}}], "within": "P1D", **WEEK}
    run = heard(segment(undone), *BOUGHT).run
    ((contact, events),) = run.contacts()
    plan = run.partition.plan
    explained = explain(contact, plan.segments["s"], plan, events, ms("05-01 10:00"))
    assert explained["member"] is False
    assert said(explained["next_change_at"]) == "05-02 10:00"
    membership = heard(segment(undone), *BOUGHT, until="05-03").memberships["s", "c1"]
    assert membership is not None
    assert said(membership["next_change_at"]) == "05-09 10:00"


def test_a_later_occurrence_puts_the_end_off_and_says_so() -> None:
    definitions = [segment(BUY | WEEK)]
    for lines, ends in ((BOUGHT, "05-08 10:00"), ([*BOUGHT, event("05-03", "buy")], "05-10")):
        membership = heard(*definitions, *lines).memberships["s", "c1"]
        assert membership is not None
        assert said(membership["next_change_at"]) == ends


def test_who_is_no_member_any_more_has_a_tombstone() -> None:
    assert heard(segment(BUY | WEEK), *BOUGHT, until="06-01").memberships == {("s", "c1"): None}
    assert heard(segment(BUY), *BOUGHT, update("05-02", deleted=True)).memberships == {("s", "c1"): None}


def test_the_value_of_a_membership() -> None:
    (membership,) = heard(segment(BUY | WEEK, version=3), *BOUGHT).memberships.values()
    assert membership == {
        "segment_id": "s",
        "segment_version": 3,
        "contact_id": "c1",
        "entered_at": "2026-05-01T02:00:00.000Z",
        "sequence": 1,
        "next_change_at": "2026-05-08T02:00:00.000Z",
    }
