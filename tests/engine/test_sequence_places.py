"""Section 3, sequences: the order at one instant, what follows at it, and how long a step may take."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamseg.language.conditions.base import condition_id
from streamseg.language.conditions.chains import Absence, Occurrence, chain_ends
from streamseg.language.conditions.matching import Matcher
from streamseg.language.conditions.sequence import SequenceCondition
from streamseg.language.conditions.windows import ALL_HISTORY
from tests.engine.cases import case, flips, refused
from tests.engine.story import Line, Replayed, event, segment, tick, update

A, B, C = ({"event": name} for name in "abc")
ADDED, REMOVED = {"event": "tag_added"}, {"event": "tag_removed"}
CHANGED = {"event": "attribute_changed"}
SUBMITTED, OPTED_OUT = {"event": "form_submit"}, {"event": "global_unsubscribe"}
REFUSAL = {"subscribed": "no"}
NOON = "05-01 12:00"


def sequence(*steps: Line, within: str = "P1D", **more: Any) -> Line:
    return {"sequence": list(steps), "within": within, **more}


def none_after(*steps: Line, absent: Line, **more: Any) -> Line:
    return sequence(*steps, {"absent": absent}, **more)


def tagged(at: str, *tags: str, **more: Any) -> Line:
    return update(at, tags={"add": list(tags)}, **more)


CASES = [
    case("at one instant by arrival", sequence(A, B, C), [event(NOON, one) for one in "abc"], [f"{NOON} in"]),
    case("at one instant, the other way", sequence(A, B), [event(NOON, one) for one in "ba"], []),
    case(
        "what is read later of the same instant comes later",
        sequence(A, B),
        [event("05-02", "b", occurred=NOON), event("05-03", "a", occurred=NOON)],
        [],
    ),
    case(
        "what is derived from an update comes before the events of its instant",
        sequence(ADDED, A),
        [event(NOON, "a"), tagged(NOON, "vip")],
        [f"{NOON} in"],
    ),
    case("and never after them", sequence(A, ADDED), [event(NOON, "a"), tagged(NOON, "vip")], []),
    case(
        "a later record of the same instant derives later ones",
        sequence(ADDED, REMOVED),
        [tagged(NOON, "vip"), update(NOON, tags={"remove": ["vip"]})],
        [f"{NOON} in"],
    ),
    case(
        "of one record none follows another",
        sequence(ADDED, REMOVED),
        [tagged(NOON, "a"), update("05-02", tags={"add": ["b"], "remove": ["a"]}), tick("05-02")],
        ["05-02 in"],
    ),
    case(
        "two tags of one record are at one place",
        sequence(ADDED, ADDED),
        [tagged(NOON, "a", "b"), update("05-02", {"x": 1})],
        [],
    ),
    case(
        "an attribute and a tag likewise",
        sequence(CHANGED, ADDED),
        [tagged(NOON, "a", attributes={"x": 1})],
        [],
    ),
    case(
        "what a form derives comes before the form",
        sequence(OPTED_OUT, SUBMITTED),
        [event(NOON, "form_submit", REFUSAL)],
        [f"{NOON} in"],
    ),
    case("and never after it", sequence(SUBMITTED, OPTED_OUT), [event(NOON, "form_submit", REFUSAL)], []),
    case(
        "what updates derive comes before what forms derive",
        sequence(ADDED, OPTED_OUT, SUBMITTED),
        [event(NOON, "form_submit", REFUSAL), tagged(NOON, "a")],
        [f"{NOON} in"],
    ),
    case(
        "and never after that",
        sequence(OPTED_OUT, ADDED),
        [event(NOON, "form_submit", REFUSAL), tagged(NOON, "a")],
        [],
    ),
    case(
        "one at the instant of the step before has followed",
        none_after(A, absent=B),
        [event(NOON, "a"), event(NOON, "b")],
        [],
    ),
    case("whichever arrived first", none_after(A, absent=B), [event(NOON, "b"), event(NOON, "a")], []),
    case(
        "one at the instant of an earlier step has not",
        none_after(A, B, absent=C),
        [event(NOON, "a"), event(NOON, "c"), event("05-01 13:00", "b")],
        ["05-02 12:00 in"],
    ),
    case(
        "the step itself has not followed",
        none_after(A, absent={"event": "*"}),
        [event(NOON, "a")],
        ["05-02 12:00 in"],
    ),
    case("another of its kind has", none_after(A, absent=A), [event(NOON, "a"), event(NOON, "a")], []),
    case(
        "unless it is a step too",
        none_after(A, A, absent=A),
        [event(NOON, "a"), event(NOON, "a")],
        ["05-02 12:00 in"],
    ),
    case(
        "of three one is no step",
        none_after(A, A, absent=A),
        [event(NOON, "a"), event(NOON, "a"), event(NOON, "a")],
        [],
    ),
    case(
        "an earlier step at that instant is a step of the chain",
        none_after(B, A, absent={"event": "*"}),
        [event(NOON, "b"), event(NOON, "a")],
        ["05-02 12:00 in"],
    ),
    case(
        "one of the same record has followed",
        none_after(ADDED, absent=ADDED),
        [tagged(NOON, "a", "b")],
        [],
    ),
    case(
        "a single one of a record stands alone",
        none_after(ADDED, absent=ADDED),
        [tagged(NOON, "a")],
        ["05-02 12:00 in"],
    ),
    case(
        "a late one at that instant makes it leave",
        none_after(A, absent=B),
        [event(NOON, "a"), event("05-03", "b", occurred=NOON)],
        ["05-02 12:00 in", "05-03 out"],
    ),
    case(
        "a step may be exactly so late",
        sequence(A, B, step_within="PT1H"),
        [event(NOON, "a"), event("05-01 13:00", "b")],
        ["05-01 13:00 in"],
    ),
    case(
        "and no later",
        sequence(A, B, step_within="PT1H"),
        [event(NOON, "a"), event("05-01 13:00:00.001", "b")],
        [],
    ),
    case(
        "each step is measured from the one before",
        sequence(A, B, C, step_within="PT1H"),
        [event(NOON, "a"), event("05-01 13:00", "b"), event("05-01 14:00", "c")],
        ["05-01 14:00 in"],
    ),
    case(
        "another of the same step may bridge it",
        sequence(A, B, C, step_within="PT1H"),
        [event(NOON, "a"), event("05-01 12:30", "b"), event("05-01 13:00", "b"), event("05-01 14:00", "c")],
        ["05-01 14:00 in"],
    ),
    case(
        "within counts as well",
        sequence(A, B, C, step_within="PT1H", within="PT90M"),
        [event(NOON, "a"), event("05-01 13:00", "b"), event("05-01 14:00", "c")],
        [],
    ),
    case(
        "an absent step is excepted",
        none_after(A, absent=B, step_within="PT1H"),
        [event(NOON, "a"), event("05-01 20:00", "b")],
        [],
    ),
    case(
        "the steps before an absent one are not",
        none_after(A, B, absent=C, step_within="PT1H"),
        [event(NOON, "a"), event("05-01 14:00", "b")],
        [],
    ),
    case(
        "a later end in time escapes what followed an earlier one",
        none_after(A, B, absent=C, step_within="PT1H"),
        [event(NOON, "a"), event("05-01 12:10", "b"), event("05-01 12:20", "c"), event("05-01 12:50", "b")],
        ["05-02 12:00 in"],
    ),
]


@pytest.mark.parametrize(("condition", "lines", "expected"), CASES)
def test_places(changes_of: Replayed, condition: Line, lines: list[Line], expected: list[str]) -> None:
    changes = changes_of(segment(condition), *lines, tick("06-01"))
    assert flips([change for change in changes if " s " in change]) == expected


@pytest.mark.parametrize(("condition", "lines", "expected"), CASES)
def test_a_definition_made_later_finds_the_same(
    changes_of: Replayed, condition: Line, lines: list[Line], expected: list[str]
) -> None:
    later = [change for change in changes_of(*lines, segment(condition, at="05-20")) if " s " in change]
    assert bool(later) == (bool(expected) and expected[-1].endswith("in"))


@pytest.mark.parametrize("length", ["PT0S", "-PT1H", "P1M"])
@pytest.mark.parametrize("field", ["within", "step_within"])
def test_lengths_are_longer_than_nothing(field: str, length: str) -> None:
    assert refused({**sequence(A, B), field: length}) == ("invalid_schema", field)


def test_a_state_that_held_times_without_places_is_not_taken_for_one() -> None:
    matchers = (Matcher("a", None), Matcher("b", None))
    kept_before = condition_id("sequence", [one.key for one in matchers], None, 1_000, ALL_HISTORY.key)
    assert SequenceCondition(matchers, None, 1_000, ALL_HISTORY, 10).id != kept_before


# --- against every chain there is -------------------------------------------------------------------


@st.composite
def _occurrences(draw: st.DrawFn) -> list[Occurrence]:
    at_ms = place = 0
    found = []
    for _ in range(draw(st.integers(1, 9))):
        step, apart = draw(st.sampled_from((0, 0, 0, 1, 2))), draw(st.booleans())
        at_ms += step
        place += 1 if step or apart else 0
        found.append(Occurrence(at_ms, place, draw(st.integers(1, 15))))
    return found


def _chains(occurrences: list[Occurrence], count: int, longest: int) -> list[tuple[int, ...]]:
    return [
        chain
        for chain in combinations(range(len(occurrences)), count)
        if all(occurrences[number].steps >> step & 1 for step, number in enumerate(chain))
        and all(
            occurrences[one].place < occurrences[other].place
            and occurrences[other].at_ms - occurrences[one].at_ms <= longest
            for one, other in pairwise(chain)
        )
    ]


@given(_occurrences(), st.integers(1, 3), st.integers(1, 5), st.one_of(st.none(), st.integers(1, 3)))
def test_all_ends_and_deadlines_are_found(
    occurrences: list[Occurrence], count: int, within: int, step_within: int | None
) -> None:
    chains = _chains(occurrences, count, within if step_within is None else step_within)
    ended = {
        occurrences[chain[-1]].at_ms
        for chain in chains
        if occurrences[chain[-1]].at_ms - occurrences[chain[0]].at_ms <= within
    }
    assert set(chain_ends(occurrences, count, within, step_within)) == ended
    deadlines = set()
    for chain in chains:
        deadline, last = occurrences[chain[0]].at_ms + within, occurrences[chain[-1]].at_ms
        if last <= deadline and not any(
            last <= one.at_ms <= deadline and number not in chain
            for number, one in enumerate(occurrences)
            if one.steps >> count & 1
        ):
            deadlines.add(deadline)
    assert set(Absence(occurrences, count, within, step_within).deadlines()) == deadlines
