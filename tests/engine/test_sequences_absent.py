"""Section 3, sequences that end with what did not happen: what spoils, deadlines and their windows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import case, flips, heard
from tests.engine.story import (
    Line,
    Replayed,
    all_of,
    event,
    segment,
    tick,
)

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
    case(
        "nothing followed",
        GIVEN_UP,
        [event("05-01 10:00", "open")],
        ["05-02 10:00 in"],
    ),
    case(
        "what came before the step does not spoil",
        GIVEN_UP,
        [event("05-01 09:00", "submit"), event("05-01 10:00", "open")],
        ["05-02 10:00 in"],
    ),
    case(
        "what came at the same instant counts as having followed",
        GIVEN_UP,
        [event("05-01 10:00", "open"), event("05-01 10:00", "submit")],
        [],
    ),
    case(
        "also when it arrived first",
        GIVEN_UP,
        [event("05-01 10:00", "submit"), event("05-01 10:00", "open")],
        [],
    ),
    case(
        "what came a millisecond later spoils",
        GIVEN_UP,
        [event("05-01 10:00", "open"), event("05-01 10:00:00.001", "submit")],
        [],
    ),
    case(
        "a second beginning has a deadline of its own",
        GIVEN_UP,
        [event("05-01 10:00", "open"), event("05-01 11:00", "submit"), event("05-01 12:00", "open")],
        ["05-02 12:00 in"],
    ),
    case(
        "one submit spoils every beginning before it",
        GIVEN_UP,
        [event("05-01 10:00", "open"), event("05-01 11:00", "open"), event("05-01 12:00", "submit")],
        [],
    ),
    case(
        "the same event not again",
        sequence(OPEN, absent(OPEN)),
        [event("05-01 10:00", "open"), event("05-01 12:00", "open")],
        ["05-02 12:00 in"],
    ),
    case(
        "the deadline is measured from the first step, the silence from the last before it",
        sequence(OPEN, FILL, absent(SUBMIT)),
        [event("05-01 10:00", "open"), event("05-01 20:00", "fill"), event("05-02 10:00:00.001", "submit")],
        ["05-02 10:00 in"],
    ),
    case(
        "the step before has to come by the deadline",
        sequence(OPEN, FILL, absent(SUBMIT)),
        [event("05-01 10:00", "open"), event("05-02 10:00:00.001", "fill")],
        [],
    ),
    case(
        "of two fills the later one escapes the submit between them",
        sequence(OPEN, FILL, absent(SUBMIT)),
        [
            event("05-01 10:00", "open"),
            event("05-01 11:00", "fill"),
            event("05-01 12:00", "submit"),
            event("05-01 13:00", "fill"),
        ],
        ["05-02 10:00 in"],
    ),
    case(
        "only what passes its where spoils",
        sequence(
            OPEN,
            absent({"event": "submit", "where": all_of({"property": "ok", "operator": "eq", "value": True})}),
        ),
        [event("05-01 10:00", "open"), event("05-01 11:00", "submit", {"ok": False})],
        ["05-02 10:00 in"],
    ),
    case(
        "a beginning told after its deadline is in at once",
        GIVEN_UP,
        [event("05-04", "open", occurred="05-01 10:00")],
        ["05-04 in"],
    ),
    case(
        "told late, the submit takes it out and another told later changes nothing",
        GIVEN_UP,
        [
            event("05-01 10:00", "open"),
            event("05-03", "submit", occurred="05-02 10:00"),
            event("05-04", "submit", occurred="05-01 11:00"),
        ],
        ["05-02 10:00 in", "05-03 out"],
    ),
    case(
        "the deadline in a rolling window",
        {**GIVEN_UP, "window": {"last": "P1D"}},
        [event("05-01 10:00", "open"), event("05-01 12:00", "open")],
        ["05-02 10:00 in", "05-03 12:00 out"],
    ),
    case(
        "the deadline in a window that ended",
        {**GIVEN_UP, "window": {"from": "-P2D", "to": "-P1D"}},
        [event("05-01 10:00", "open")],
        ["05-03 10:00 in", "05-04 10:00 out"],
    ),
    case(
        "the deadline in a fixed window leaves out its end",
        {**GIVEN_UP, "window": {"between": ["2026-05-02", "2026-05-02T10:00:00"]}},
        [event("05-01 10:00", "open")],
        [],
    ),
    case(
        "the deadline in a calendar window",
        {**GIVEN_UP, "window": {"period": {"unit": "day", "from": 0, "to": 0}}},
        [event("05-01 10:00", "open")],
        ["05-02 10:00 in", "05-03 out"],
    ),
]


@pytest.mark.parametrize(("condition", "lines", "expected"), CASES)
def test_a_sequence(
    changes_of: Replayed, condition: dict[str, Any], lines: list[Line], expected: list[str]
) -> None:
    assert flips(changes_of(segment(condition), *lines, tick("06-01"))) == expected


def test_a_definition_made_later_finds_the_chains_of_the_past() -> None:
    for condition, lines, expected in (one.values for one in CASES):
        found = heard(*lines, segment(condition, at="05-10"))
        member = bool(expected) and expected[-1].endswith(" in")
        assert found.members() == ([("s", "c1")] if member else []), condition
