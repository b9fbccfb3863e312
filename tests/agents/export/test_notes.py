"""The notes of imported partitions."""

from __future__ import annotations

from typing import Any

import pytest

from agents.export.notes import moved_notes, next_numbers

UPDATES, EVENTS = "contact-updates", "behavior-events"
SOURCES = (EVENTS, UPDATES)
SWEPT = {"swept": [7, 3], "clock_ms": 50, "outputs_said": 4}
NOTES: dict[int, dict[str, Any]] = {
    0: {**SWEPT, f"next_offset {UPDATES}": 10, f"next_offset {EVENTS}": 5},
    1: {**SWEPT, f"next_offset {UPDATES}": 12, f"counted_before {UPDATES}": 100, "clock_ms": 70},
}
NUMBERS = {EVENTS: 6, UPDATES: 112}


def test_the_next_numbers_count_what_was_counted_before() -> None:
    assert next_numbers(NOTES) == {EVENTS: 5, UPDATES: 112}
    assert next_numbers({}) == {EVENTS: 0, UPDATES: 0}


def test_with_the_same_topics_notes_stay_but_for_the_outputs_that_are_numbered_again() -> None:
    made = moved_notes(NOTES, 2, (), NUMBERS)
    assert made == [{**NOTES[0], "outputs_said": 0}, {**NOTES[1], "outputs_said": 0}]


def test_one_new_topic_begins_again_and_is_counted_on() -> None:
    made = moved_notes(NOTES, 2, (UPDATES,), NUMBERS)
    assert made[0] == {
        **SWEPT,
        "outputs_said": 0,
        f"next_offset {EVENTS}": 5,
        f"counted_before {UPDATES}": 112,
    }
    assert made[1][f"counted_before {UPDATES}"] == 112
    assert f"next_offset {UPDATES}" not in made[1]


def test_with_another_number_of_partitions_all_get_the_greatest_clock_and_count() -> None:
    made = moved_notes(NOTES, 3, SOURCES, NUMBERS)
    counted = {f"counted_before {topic}": number for topic, number in NUMBERS.items()}
    assert made == [{"clock_ms": 70, "swept": [7, 3], "outputs_said": 0, **counted}] * 3
    grown = {number: {**notes, "growth_since_ms": 5 + number} for number, notes in NOTES.items()}
    assert {one["growth_since_ms"] for one in moved_notes(grown, 3, SOURCES, NUMBERS)} == {6}


def sweeping(after: str, passed: int = 0) -> dict[str, Any]:
    place = {"target": 9, "after": after, "passed": passed, "passes": 2, "swept": 5}
    return {"swept": None, "standing": {"formulas": []} if passed == 0 else None, "sweeping": place}


@pytest.mark.parametrize(("passed", "goes_on"), [(0, True), (1, False)])
def test_a_sweep_goes_on_at_the_start_of_its_pass_if_all_partitions_were_in_it(
    passed: int, goes_on: bool
) -> None:
    (made,) = moved_notes({0: sweeping("c5"), 1: sweeping("c8", passed)}, 1, SOURCES, NUMBERS)
    if goes_on:
        assert made["sweeping"] == {"target": 9, "after": None, "passed": 0, "passes": 2, "swept": 0}
        assert made["standing"] == {"formulas": []}
    else:
        assert not {"sweeping", "standing", "swept"} & made.keys()
