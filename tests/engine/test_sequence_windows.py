"""Section 3, sequences further: which chain counts, windows of the last step or deadline, what spoils."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import case, flips, heard, refused
from tests.engine.story import Line, Replayed, all_of, any_of, event, segment, tick, update

OPEN, FILL, SUBMIT = {"event": "open"}, {"event": "fill"}, {"event": "submit"}


def sequence(*steps: dict[str, Any], within: str = "P1D", **more: Any) -> dict[str, Any]:
    return {"sequence": list(steps), "within": within, **more}


def absent(step: dict[str, Any]) -> dict[str, Any]:
    return {"absent": step}


GIVEN_UP = sequence(OPEN, absent(SUBMIT))
PAIR = sequence(OPEN, SUBMIT)
TRIED = [event("05-01 10:00", "open"), event("05-01 12:00", "submit")]
TWICE = [*TRIED, event("05-03 10:00", "open"), event("05-03 11:00", "submit")]

CASES = [
    case("one step is enough", sequence(OPEN), [event("05-01 10:00", "open")], ["05-01 10:00 in"]),
    case("two steps of one occurrence are none", sequence(OPEN, OPEN), [event("05-01 10:00", "open")], []),
    case(
        "steps at one instant are in the order in which they arrived",
        PAIR,
        [event("05-01 10:00", "open"), event("05-01 10:00", "submit")],
        ["05-01 10:00 in"],
    ),
    case(
        "not in the other order",
        PAIR,
        [event("05-01 10:00", "submit"), event("05-01 10:00", "open")],
        [],
    ),
    case(
        "a millisecond later they are",
        PAIR,
        [event("05-01 10:00", "open"), event("05-01 10:00:00.001", "submit")],
        ["05-01 10:00:00.001 in"],
    ),
    case(
        "other events between do not matter",
        PAIR,
        [event("05-01 10:00", "open"), event("05-01 11:00", "fill"), event("05-01 12:00", "submit")],
        ["05-01 12:00 in"],
    ),
    case(
        "within counts from the first step, not from step to step",
        sequence(OPEN, FILL, SUBMIT, within="PT2H"),
        [event("05-01 10:00", "open"), event("05-01 11:30", "fill"), event("05-01 12:00:00.001", "submit")],
        [],
    ),
    case(
        "the latest beginning that fits is found",
        sequence(OPEN, FILL, SUBMIT, within="PT2H"),
        [
            event("05-01 08:00", "open"),
            event("05-01 10:00", "open"),
            event("05-01 10:30", "fill"),
            event("05-01 12:00", "submit"),
        ],
        ["05-01 12:00 in"],
    ),
    case(
        "a beginning told late completes it",
        PAIR,
        [event("05-01 12:00", "submit"), event("05-02", "open", occurred="05-01 11:59:59.999")],
        ["05-02 in"],
    ),
    case(
        "a middle told late has to lie between",
        sequence(OPEN, FILL, SUBMIT),
        [
            event("05-01 10:00", "open"),
            event("05-01 12:00", "submit"),
            event("05-02", "fill", occurred="05-01 12:00"),
            event("05-03", "fill", occurred="05-01 10:00"),
            event("05-04", "fill", occurred="05-01 11:00"),
        ],
        # At the instant of the submit it comes after it, at that of the opening after that.
        ["05-03 in"],
    ),
    case(
        "a prefix as a step",
        sequence({"event": "op*"}, SUBMIT),
        [event("05-01 10:00", "opt"), event("05-01 11:00", "submit")],
        ["05-01 11:00 in"],
    ),
    case(
        "any of the conditions of a step",
        sequence(
            {
                "event": "buy",
                "where": any_of(*({"property": "n", "operator": "eq", "value": n} for n in (1, 2))),
            },
            SUBMIT,
        ),
        [event("05-01 10:00", "buy", {"n": 2}), event("05-01 11:00", "submit")],
        ["05-01 11:00 in"],
    ),
    case(
        "not is true of everybody else known",
        {**PAIR, "not": True},
        TRIED,
        ["05-01 10:00 in", "05-01 12:00 out"],
    ),
    case("it stays true for good", PAIR, TWICE, ["05-01 12:00 in"]),
    case(
        "the last chain keeps the window open",
        {**PAIR, "window": {"last": "P3D"}},
        TWICE,
        ["05-01 12:00 in", "05-06 11:00 out"],
    ),
    case(
        "the window leaves between two chains",
        {**PAIR, "window": {"last": "P1D"}},
        TWICE,
        ["05-01 12:00 in", "05-02 12:00 out", "05-03 11:00 in", "05-04 11:00 out"],
    ),
    case(
        "the first step may lie before the window",
        {**PAIR, "window": {"between": ["2026-05-01T12:00:00", "2026-05-02"]}},
        TRIED,
        ["05-01 12:00 in"],
    ),
    case(
        "the end of a fixed window is outside",
        {**PAIR, "window": {"between": [None, "2026-05-01T12:00:00"]}},
        TRIED,
        [],
    ),
    case(
        "a window that ended a while ago",
        {**PAIR, "window": {"from": "-P2D", "to": "-P1D"}},
        TRIED,
        ["05-02 12:00 in", "05-03 12:00 out"],
    ),
    case(
        "a calendar window",
        {**PAIR, "window": {"period": {"unit": "day", "from": -1, "to": -1}}},
        TRIED,
        ["05-02 in", "05-03 out"],
    ),
]


@pytest.mark.parametrize(("condition", "lines", "expected"), CASES)
def test_a_sequence(
    changes_of: Replayed, condition: dict[str, Any], lines: list[Line], expected: list[str]
) -> None:
    assert flips(changes_of(segment(condition), *lines, tick("06-01"))) == expected


def test_eight_steps_are_taken_and_nine_refused(changes_of: Replayed) -> None:
    steps = [{"event": f"e{number}"} for number in range(1, 9)]
    lines = [
        segment(sequence(*steps, within="PT8M")),
        *(event(f"05-01 10:0{number}", f"e{number}") for number in range(1, 9)),
    ]
    assert changes_of(*lines) == ["05-01 10:08 s entered (behavior_event)"]
    assert refused(sequence(*steps, {"event": "e9"})) == ("invalid_schema", "sequence")


def test_a_derived_event_can_be_a_step(changes_of: Replayed) -> None:
    added = {"event": "tag_added", "where": all_of({"property": "tag", "operator": "eq", "value": "vip"})}
    lines = [
        segment(sequence(added, {"event": "buy"})),
        update("05-01", tags={"add": ["vip"]}),
        event("05-01 12:00", "buy"),
    ]
    assert changes_of(*lines) == ["05-01 12:00 s entered (behavior_event)"]


@pytest.mark.parametrize(
    ("condition", "path"),
    [
        case("no step", sequence(), "sequence"),
        case("absent alone", sequence(absent(OPEN)), "sequence"),
        case("absent in the middle", sequence(OPEN, absent(FILL), SUBMIT), "sequence[1]"),
        case("absent twice", sequence(OPEN, absent(FILL), absent(SUBMIT)), "sequence[1]"),
        case("absent first", sequence(absent(FILL), SUBMIT), "sequence[0]"),
        case(
            "a step with a window", sequence(OPEN | {"window": {"last": "P1D"}}, SUBMIT), "sequence[0].window"
        ),
        case(
            "a step with a count",
            sequence(OPEN, SUBMIT | {"count": {"operator": "ge", "value": 1}}),
            "sequence[1].count",
        ),
        case("a step with select", sequence(OPEN, SUBMIT | {"select": "last"}), "sequence[1].select"),
        case(
            "absent with a window",
            sequence(OPEN, absent(SUBMIT | {"window": {"last": "P1D"}})),
            "sequence[1].absent.window",
        ),
        case(
            "an attribute as a step",
            sequence({"attribute": "a", "operator": "is_set"}, SUBMIT),
            "sequence[0]",
        ),
        case("no within", {"sequence": [OPEN, SUBMIT]}, "within"),
        case("within a month", sequence(OPEN, SUBMIT, within="P1M"), "within"),
        case("within a number", {"sequence": [OPEN, SUBMIT], "within": 5}, "within"),
        case("a window longer than what is kept", {**PAIR, "window": {"last": "P401D"}}, "window.last"),
    ],
)
def test_what_makes_no_sequence_is_refused(condition: dict[str, Any], path: str) -> None:
    found = refused(condition)
    assert found is not None
    assert found[0] == "invalid_schema"
    assert found[1].startswith(path)


def test_a_definition_made_later_finds_the_chains_of_the_past() -> None:
    for condition, lines, expected in (one.values for one in CASES):
        found = heard(*lines, segment(condition, at="05-10"))
        member = bool(expected) and expected[-1].endswith(" in")
        assert found.members() == ([("s", "c1")] if member else []), condition
