"""Section 5: the clock, lateness, clamping, repeats, what is kept and for how long."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.story import Replayed, event, segment, tick, update

DAY_MS = 86_400_000
RECENT = {"event": "buy", "window": {"last": "P1D"}}


def test_the_clock_never_goes_back(changes_of: Replayed) -> None:
    lines = [
        segment(RECENT),
        event("05-05", "open"),
        event("05-01", "buy"),
        event("05-04 12:00", "buy", occurred="05-04 12:00"),
    ]
    assert changes_of(*lines, tick("05-09")) == [
        "05-05 s entered (behavior_event)",
        "05-05 12:00 s exited (time)",
    ]


def test_a_file_may_begin_before_1970(changes_of: Replayed) -> None:
    week = {"attribute": "imported_at", "operator": "within_last", "value": "P7D"}
    lines = [
        segment(week, at="1965-01-01"),
        segment({"event": "buy"}, of="bought", at="1965-01-01"),
        update("1965-01-02", {"imported_at": "1965-01-01T00:00:00+08:00"}),
        event("1965-01-03", "buy"),
        tick("1965-01-20"),
    ]
    assert changes_of(*lines) == [
        "1965-01-02 s entered (contact_update)",
        "1965-01-03 bought entered (behavior_event)",
        "1965-01-08 s exited (time)",
    ]


def test_what_falls_due_comes_before_the_record_that_moves_the_clock(changes_of: Replayed) -> None:
    lines = [
        segment(RECENT),
        segment({"attribute": "a", "operator": "is_set"}, of="a"),
        event("05-01 10:00", "buy", of="c2"),
        event("05-01 09:00", "buy", of="c1"),
        update("05-09", {"a": 1}, of="c3"),
    ]
    assert changes_of(*lines) == [
        "05-01 10:00 c2 s entered (behavior_event)",
        "05-01 10:00 s entered (behavior_event)",
        "05-02 09:00 s exited (time)",
        "05-02 10:00 c2 s exited (time)",
        "05-09 c3 a entered (contact_update)",
    ]


def test_what_falls_due_at_one_instant_comes_by_contact_and_segment(changes_of: Replayed) -> None:
    lines = [
        segment(RECENT, of="b"),
        segment(RECENT, of="a"),
        event("05-01", "buy", of="d2"),
        event("05-01", "buy", of="d1"),
        tick("05-03"),
    ]
    assert changes_of(*lines)[4:] == [
        "05-02 d1 a exited (time)",
        "05-02 d1 b exited (time)",
        "05-02 d2 a exited (time)",
        "05-02 d2 b exited (time)",
    ]


def test_a_bad_record_moves_the_clock_and_changes_nothing(changes_of: Replayed) -> None:
    bad = event("05-05", "buy")
    bad["value"]["properties"] = []
    lines = [segment(RECENT), event("05-01", "buy"), bad]
    assert changes_of(*lines, refused=[3]) == ["05-01 s entered (behavior_event)", "05-02 s exited (time)"]


@pytest.mark.parametrize("ahead", ["05-01 10:00:00.001", "05-01 10:05"])
def test_an_event_of_the_near_future_is_clamped_to_its_record(changes_of: Replayed, ahead: str) -> None:
    lines = [segment(RECENT), event("05-01 10:00", "buy", occurred=ahead), tick("05-09")]
    assert changes_of(*lines) == ["05-01 10:00 s entered (behavior_event)", "05-02 10:00 s exited (time)"]


def test_an_event_of_the_far_future_is_a_dead_letter(changes_of: Replayed) -> None:
    lines = [segment(RECENT), event("05-01 10:00", "buy", occurred="05-01 10:05:00.001")]
    assert changes_of(*lines, refused=[2]) == []


def test_an_update_of_the_near_future_is_clamped_too(changes_of: Replayed) -> None:
    lines = [
        segment({"attribute": "a", "operator": "eq", "value": 1}),
        update("05-01 10:00", {"a": 1}, stated="05-01 10:04"),
        update("05-01 10:01", {"a": 2}),
    ]
    assert changes_of(*lines) == [
        "05-01 10:00 s entered (contact_update)",
        "05-01 10:01 s exited (contact_update)",
    ]


def test_the_future_is_measured_from_the_records_own_timestamp(changes_of: Replayed) -> None:
    # The clock is at 10:00 already when the record of 09:00 comes.
    lines = [
        segment(RECENT),
        event("05-01 10:00", "open"),
        event("05-01 09:00", "buy", occurred="05-01 09:04"),
        event("05-01 09:00", "buy", occurred="05-01 09:06"),
        tick("05-03"),
    ]
    assert changes_of(*lines, refused=[4]) == [
        "05-01 10:00 s entered (behavior_event)",
        "05-02 09:00 s exited (time)",
    ]


def test_a_repeated_event_changes_nothing(changes_of: Replayed) -> None:
    twice = {"event": "buy", "count": {"operator": "ge", "value": 2}}
    lines = [
        segment(twice),
        event("05-01", "buy", id_="e-1"),
        event("05-02", "buy", id_="e-1"),
        event("05-02", "buy", id_="e-1", of="c2"),
        event("05-03", "buy", id_="e-2"),
    ]
    assert changes_of(*lines) == ["05-03 s entered (behavior_event)"]


def test_an_enter_and_an_exit_at_one_instant_are_both_told(changes_of: Replayed) -> None:
    lines = [
        segment({"attribute": "a", "operator": "eq", "value": 1}),
        update("05-01", {"a": 1}),
        update("05-01", {"a": 2}),
    ]
    assert changes_of(*lines) == ["05-01 s entered (contact_update)", "05-01 s exited (contact_update)"]


def test_what_was_counted_stays_counted_when_its_event_is_forgotten(changes_of: Replayed) -> None:
    lines = [
        segment({"event": "buy"}, of="ever"),
        event("05-01", "buy"),
        tick("06-01"),
        segment({"event": "buy", "window": {"between": [None, "2026-05-02"]}}, of="later", at="06-01"),
        segment({"event": "buy", "count": {"operator": "eq", "value": 1}}, of="once", at="06-01"),
    ]
    settings: dict[str, Any] = {"history_retention_ms": 10 * DAY_MS}
    assert changes_of(*lines, **settings) == ["05-01 ever entered (behavior_event)"]


def test_a_definition_sees_the_events_that_are_still_kept(changes_of: Replayed) -> None:
    # kept while occurred_at > now - 10d
    lines = [
        event("05-01", "buy"),
        segment({"event": "buy"}, of="in-time", at="05-10 23:59:59.999"),
        segment({"event": "buy", "select": "last"}, of="too-late", at="05-11"),
    ]
    assert changes_of(*lines, history_retention_ms=10 * DAY_MS) == [
        "05-10 23:59:59.999 in-time entered (definition)"
    ]


def test_a_repeat_is_known_as_one_while_the_event_is_kept(changes_of: Replayed) -> None:
    lines = [
        segment({"event": "buy", "count": {"operator": "ge", "value": 2}}),
        event("05-01", "buy", id_="e-1"),
        event("05-10", "buy", id_="e-1"),
        event("05-11", "buy", id_="e-1"),
    ]
    assert changes_of(*lines, history_retention_ms=10 * DAY_MS) == ["05-11 s entered (behavior_event)"]


def test_the_cap_forgets_the_oldest_first_and_takes_nobody_out(changes_of: Replayed) -> None:
    lines = [
        segment({"event": "buy"}, of="ever"),
        event("05-01", "buy"),
        event("05-02", "open"),
        event("05-03", "open"),
        segment({"event": "buy", "select": "first"}, of="later", at="05-04"),
        segment({"event": "open", "count": {"operator": "eq", "value": 2}}, of="opened", at="05-04"),
    ]
    assert changes_of(*lines, history_cap=2) == [
        "05-01 ever entered (behavior_event)",
        "05-04 opened entered (definition)",
    ]


def test_naive_times_in_data_are_read_in_the_configured_zone(changes_of: Replayed) -> None:
    late = update("05-01", {"imported_at": "2026-04-30T12:00:00"})
    lines = [
        segment(
            {"attribute": "imported_at", "operator": "within_last", "value": "P1D"}, timezone="Asia/Shanghai"
        ),
        late,
        tick("05-03"),
    ]
    # noon in London (BST) is 19:00 in Shanghai
    assert changes_of(*lines, timezone="Europe/London") == [
        "05-01 s entered (contact_update)",
        "05-01 19:00 s exited (time)",
    ]
