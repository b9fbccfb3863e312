"""Section 3, sequences: order, how long they may take, what must not follow, and any chain will do."""

from __future__ import annotations

from typing import Any

from tests.engine.story import Replayed, event, segment, tick

STEPS = [{"event": "open"}, {"event": "fill"}, {"event": "submit"}]


def sequence(*steps: dict[str, Any], within: str = "P1D", **more: Any) -> dict[str, Any]:
    return {"sequence": list(steps), "within": within, **more}


GIVEN_UP = sequence({"event": "open"}, {"absent": {"event": "submit"}})


def test_the_steps_have_to_come_in_order(changes_of: Replayed) -> None:
    lines = [
        segment(sequence(*STEPS)),
        event("05-01 10:00", "submit"),
        event("05-01 11:00", "open"),
        event("05-01 12:00", "fill"),
        event("05-01 13:00", "submit"),
    ]
    assert changes_of(*lines) == ["05-01 13:00 s entered (behavior_event)"]


def test_each_step_is_another_occurrence(changes_of: Replayed) -> None:
    lines = [
        segment(sequence({"event": "open"}, {"event": "open"}, {"event": "open"})),
        event("05-01 10:00", "open"),
        event("05-01 10:00", "open"),
        event("05-01 10:00:00.001", "open"),
    ]
    assert changes_of(*lines) == ["05-01 10:00:00.001 s entered (behavior_event)"]


def test_the_last_step_may_come_exactly_within_after_the_first_and_no_later(changes_of: Replayed) -> None:
    pair = sequence({"event": "open"}, {"event": "submit"})
    lines = [
        segment(pair),
        event("05-01 10:00", "open"),
        event("05-02 10:00:00.001", "submit"),
        event("05-03 10:00", "open"),
        event("05-04 10:00", "submit"),
    ]
    assert changes_of(*lines) == ["05-04 10:00 s entered (behavior_event)"]


def test_steps_that_come_late_and_out_of_order_count_by_when_they_occurred(changes_of: Replayed) -> None:
    lines = [
        segment(sequence(*STEPS)),
        event("05-02", "submit", occurred="05-01 13:00"),
        event("05-03", "open", occurred="05-01 11:00"),
        event("05-04", "fill", occurred="05-01 12:00"),
    ]
    assert changes_of(*lines) == ["05-04 s entered (behavior_event)"]


def test_any_chain_will_do_where_the_first_one_takes_too_long(changes_of: Replayed) -> None:
    lines = [
        segment(sequence({"event": "open"}, {"event": "submit"}, within="PT1H")),
        event("05-01 10:00", "open"),
        event("05-01 11:30", "open"),
        event("05-01 12:00", "submit"),
    ]
    assert changes_of(*lines) == ["05-01 12:00 s entered (behavior_event)"]


def test_the_window_is_about_the_last_step(changes_of: Replayed) -> None:
    lines = [
        segment(sequence({"event": "open"}, {"event": "submit"}, window={"last": "P7D"})),
        event("05-01", "open"),
        event("05-01 12:00", "submit"),
        tick("06-01"),
    ]
    assert changes_of(*lines) == ["05-01 12:00 s entered (behavior_event)", "05-08 12:00 s exited (time)"]


def test_a_step_has_its_own_where(changes_of: Replayed) -> None:
    paid = {"match": "all", "conditions": [{"property": "paid", "operator": "eq", "value": True}]}
    lines = [
        segment(sequence({"event": "open"}, {"event": "buy", "where": paid})),
        event("05-01 10:00", "open"),
        event("05-01 11:00", "buy", {"paid": False}),
        event("05-01 12:00", "buy", {"paid": True}),
    ]
    assert changes_of(*lines) == ["05-01 12:00 s entered (behavior_event)"]


def test_what_was_not_done_is_known_exactly_at_the_deadline(changes_of: Replayed) -> None:
    lines = [segment(GIVEN_UP), event("05-01 10:00", "open"), tick("05-03")]
    assert changes_of(*lines) == ["05-02 10:00 s entered (time)"]


def test_what_was_done_in_time_leaves_nobody_waiting(changes_of: Replayed) -> None:
    lines = [segment(GIVEN_UP), event("05-01 10:00", "open"), event("05-02 09:00", "submit"), tick("05-09")]
    assert changes_of(*lines) == []


def test_at_the_deadline_itself_it_is_still_in_time(changes_of: Replayed) -> None:
    lines = [segment(GIVEN_UP), event("05-01 10:00", "open"), event("05-02 10:00", "submit"), tick("05-09")]
    assert changes_of(*lines) == ["05-02 10:00 s entered (time)", "05-02 10:00 s exited (behavior_event)"]


def test_after_the_deadline_it_is_too_late(changes_of: Replayed) -> None:
    lines = [segment(GIVEN_UP), event("05-01 10:00", "open"), event("05-02 10:00:00.001", "submit")]
    assert changes_of(*lines) == ["05-02 10:00 s entered (time)"]


def test_what_was_done_in_time_and_heard_of_late_takes_the_contact_out(changes_of: Replayed) -> None:
    lines = [
        segment(GIVEN_UP),
        event("05-01 10:00", "open"),
        event("05-04", "submit", occurred="05-01 12:00"),
    ]
    assert changes_of(*lines) == ["05-02 10:00 s entered (time)", "05-04 s exited (behavior_event)"]


def test_only_what_follows_the_step_before_spoils(changes_of: Replayed) -> None:
    # The submit lies between open and fill: it does not follow fill.
    condition = sequence({"event": "open"}, {"event": "fill"}, {"absent": {"event": "submit"}})
    lines = [
        segment(condition),
        event("05-01 10:00", "open"),
        event("05-01 11:00", "submit"),
        event("05-01 12:00", "fill"),
        tick("05-09"),
    ]
    assert changes_of(*lines) == ["05-02 10:00 s entered (time)"]


def test_a_second_try_that_was_finished_does_not_undo_a_first_that_was_not(changes_of: Replayed) -> None:
    lines = [
        segment(GIVEN_UP),
        event("05-01 10:00", "open"),
        event("05-03 10:00", "open"),
        event("05-03 11:00", "submit"),
        tick("05-09"),
    ]
    assert changes_of(*lines) == ["05-02 10:00 s entered (time)"]


def test_with_absent_the_window_is_about_the_deadline(changes_of: Replayed) -> None:
    lines = [
        segment({**GIVEN_UP, "window": {"last": "P7D"}}),
        event("05-01 10:00", "open"),
        tick("06-01"),
    ]
    assert changes_of(*lines) == ["05-02 10:00 s entered (time)", "05-09 10:00 s exited (time)"]
