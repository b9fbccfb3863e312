"""Section 3, `held`: how long a test has been true without interruption."""

from __future__ import annotations

from typing import Any

from tests.engine.story import Replayed, event, segment, tick, update


def held(operator: str, value: Any = None, **lengths: str) -> dict[str, Any]:
    test = {"attribute": "level", "operator": operator, "held": lengths}
    return test if value is None else {**test, "value": value}


def test_at_least_comes_true_exactly_so_long_after_the_value(changes_of: Replayed) -> None:
    lines = [
        segment(held("eq", "gold", at_least="P7D")),
        update("05-02", {"level": "gold"}, stated="05-01 08:00"),
        tick("06-01"),
    ]
    assert changes_of(*lines) == ["05-08 08:00 s entered (time)"]


def test_less_than_is_true_until_exactly_so_long_after_the_value(changes_of: Replayed) -> None:
    lines = [
        segment(held("eq", "gold", less_than="P7D")),
        update("05-02", {"level": "gold"}, stated="05-01 08:00"),
        tick("06-01"),
    ]
    assert changes_of(*lines) == ["05-02 s entered (contact_update)", "05-08 08:00 s exited (time)"]


def test_another_value_that_passes_too_does_not_interrupt(changes_of: Replayed) -> None:
    lines = [
        segment(held("in", ["gold", "platinum"], at_least="P7D")),
        update("05-01", {"level": "gold"}),
        update("05-05", {"level": "platinum"}),
        update("05-06", {"level": "platinum"}),
        tick("06-01"),
    ]
    assert changes_of(*lines) == ["05-08 s entered (time)"]


def test_a_value_that_fails_interrupts_and_the_time_starts_anew(changes_of: Replayed) -> None:
    lines = [
        segment(held("eq", "gold", at_least="P7D")),
        update("05-01", {"level": "gold"}),
        update("05-04", {"level": None}),
        update("05-05", {"level": "gold"}),
        tick("06-01"),
    ]
    assert changes_of(*lines) == ["05-12 s entered (time)"]


def test_neither_is_true_while_the_test_is_not(changes_of: Replayed) -> None:
    lines = [
        segment(held("eq", "gold", at_least="P1D"), of="long"),
        segment(held("eq", "gold", less_than="P1D"), of="short"),
        segment({**held("eq", "gold", less_than="P1D"), "not": True}, of="other"),
        update("05-01", {"level": "silver"}),
        tick("06-01"),
    ]
    assert changes_of(*lines) == ["05-01 other entered (contact_update)"]


def test_a_test_that_is_true_of_a_missing_value_counts_from_when_the_contact_became_known(
    changes_of: Replayed,
) -> None:
    lines = [
        segment(held("ne", "gold", at_least="P7D")),
        event("05-01", "open"),
        update("05-03", {"level": "silver"}),
        tick("06-01"),
    ]
    assert changes_of(*lines) == ["05-08 s entered (time)"]


def test_a_value_that_was_removed_is_missing_since_it_was_removed(changes_of: Replayed) -> None:
    lines = [
        segment(held("is_not_set", at_least="P7D")),
        update("05-01", {"level": "gold"}),
        update("05-03", {"level": None}),
        tick("06-01"),
    ]
    assert changes_of(*lines) == ["05-10 s entered (time)"]


def test_a_definition_made_later_looks_back_through_the_changes(changes_of: Replayed) -> None:
    lines = [
        update("05-01", {"level": "silver"}),
        update("05-02", {"level": "gold"}),
        update("05-04", {"level": "platinum"}),
        segment(held("in", ["gold", "platinum"], at_least="P7D"), at="05-05"),
        tick("06-01"),
    ]
    assert changes_of(*lines) == ["05-09 s entered (time)"]


def test_a_definition_made_later_finds_the_same_since_as_one_made_before(changes_of: Replayed) -> None:
    # The value was stated long before the contact became known here.
    long_gold = held("ne", "silver", at_least="P7D")
    lines = [
        segment(long_gold, of="before"),
        update("05-10", {"level": "gold"}, stated="05-01"),
        segment(long_gold, of="later", at="05-10"),
        tick("06-01"),
    ]
    assert changes_of(*lines) == ["05-10 before entered (contact_update)", "05-10 later entered (definition)"]


def test_a_repeated_value_does_not_shorten_the_look_back(changes_of: Replayed) -> None:
    lines = [
        update("05-01", {"level": "gold"}),
        update("05-20", {"level": "gold"}),
        segment(held("eq", "gold", at_least="P7D"), at="05-21"),
    ]
    assert changes_of(*lines) == ["05-21 s entered (definition)"]


def test_a_stale_value_does_not_interrupt(changes_of: Replayed) -> None:
    lines = [
        segment(held("eq", "gold", at_least="P7D")),
        update("05-01", {"level": "gold"}),
        update("05-03", {"level": "silver"}, stated="04-30"),
        tick("06-01"),
    ]
    assert changes_of(*lines) == ["05-08 s entered (time)"]


def test_a_null_for_an_attribute_that_was_missing_anyway_says_nothing_about_since_when(
    changes_of: Replayed,
) -> None:
    # Known since the record of 10 May, whatever the nulls claim, before and after the definition is made.
    missing = held("is_not_set", at_least="P7D")
    lines = [
        segment(missing, of="before"),
        update("05-10", {"level": None}, stated="05-01"),
        update("05-11", {"level": None}, stated="05-02"),
        segment(missing, of="later", at="05-12"),
        tick("06-01"),
    ]
    assert changes_of(*lines) == ["05-17 before entered (time)", "05-17 later entered (time)"]


def test_a_contact_known_again_by_an_event_is_known_since_the_record_of_that_event(
    changes_of: Replayed,
) -> None:
    # As it would be if the erasure had been read before the event.
    erasure, kept = update("05-05", deleted=True, stated="05-01"), event("05-02", "buy")
    for records in ([kept, erasure], [erasure, kept]):
        lines = [segment(held("is_not_set", at_least="P7D")), *records, tick("06-01")]
        assert changes_of(*lines)[-1] == "05-09 s entered (time)"
