"""Section 3, the windows of event conditions at their edges."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.story import Replayed, event, segment, tick, update


def test_last_d_holds_an_event_until_exactly_d_after_it(changes_of: Replayed) -> None:
    #   05-01     05-03          05-08      05-10
    #   buy ------ buy ----------- 7d ------- 7d
    lines = [
        segment({"event": "buy", "window": {"last": "P7D"}}, of="any"),
        segment(
            {"event": "buy", "window": {"last": "P7D"}, "count": {"operator": "ge", "value": 2}}, of="two"
        ),
        event("05-01", "buy"),
        event("05-03", "buy"),
        tick("06-01"),
    ]
    assert changes_of(*lines) == [
        "05-01 any entered (behavior_event)",
        "05-03 two entered (behavior_event)",
        "05-08 two exited (time)",
        "05-10 any exited (time)",
    ]


def test_a_contact_enters_did_not_do_it_when_the_last_occurrence_ages_out(changes_of: Replayed) -> None:
    never = {"event": "buy", "window": {"last": "P30D"}, "count": {"operator": "lt", "value": 1}}
    lines = [segment(never), update("05-01"), event("05-02", "buy"), tick("07-01")]
    assert changes_of(*lines) == [
        "05-01 s entered (contact_update)",
        "05-02 s exited (behavior_event)",
        "06-01 s entered (time)",
    ]


def test_exactly_n_opens_and_closes_with_each_occurrence_that_ages_out(changes_of: Replayed) -> None:
    one = {"event": "buy", "window": {"last": "P2D"}, "count": {"operator": "eq", "value": 1}}
    lines = [segment(one), event("05-01", "buy"), event("05-02", "buy"), tick("06-01")]
    assert changes_of(*lines) == [
        "05-01 s entered (behavior_event)",
        "05-02 s exited (behavior_event)",
        "05-03 s entered (time)",
        "05-04 s exited (time)",
    ]


def test_an_event_at_the_instant_at_which_another_ages_out_gives_both_changes(changes_of: Replayed) -> None:
    lines = [
        segment({"event": "buy", "window": {"last": "P7D"}}),
        event("05-01", "buy"),
        event("05-08", "buy"),
        tick("05-09"),
    ]
    assert changes_of(*lines) == [
        "05-01 s entered (behavior_event)",
        "05-08 s exited (time)",
        "05-08 s entered (behavior_event)",
    ]


def test_a_window_that_ends_a_while_ago_opens_late(changes_of: Replayed) -> None:
    lines = [
        segment({"event": "buy", "window": {"from": "-P14D", "to": "-P7D"}}),
        event("05-01 08:00", "buy"),
        tick("06-01"),
    ]
    assert changes_of(*lines) == ["05-08 08:00 s entered (time)", "05-15 08:00 s exited (time)"]


def test_from_d_to_now_is_last_d(changes_of: Replayed) -> None:
    lines = [
        segment({"event": "buy", "window": {"from": "-P7D", "to": "PT0S"}}),
        event("05-01", "buy"),
        tick("06-01"),
    ]
    assert changes_of(*lines) == ["05-01 s entered (behavior_event)", "05-08 s exited (time)"]


@pytest.mark.parametrize(
    ("bounds", "occurred", "inside"),
    [
        (["2026-05-01", "2026-05-02"], "05-01", True),
        (["2026-05-01", "2026-05-02"], "05-01 23:59:59.999", True),
        (["2026-05-01", "2026-05-02"], "05-02", False),
        (["2026-05-01", "2026-05-02"], "04-30 23:59:59.999", False),
        (["2026-05-01T00:00:00Z", None], "05-01 08:00", True),
        (["2026-05-01T00:00:00Z", None], "05-01 07:59:59.999", False),
        ([None, "2026-05-01"], "2001-01-01", True),
    ],
)
def test_between_holds_its_beginning_and_not_its_end(
    changes_of: Replayed, bounds: list[Any], occurred: str, inside: bool
) -> None:
    lines = [
        segment({"event": "buy", "window": {"between": bounds}}),
        event("05-10", "buy", occurred=occurred),
    ]
    assert changes_of(*lines, tick("06-30")) == (["05-10 s entered (behavior_event)"] if inside else [])


@pytest.mark.parametrize(
    ("unit", "from_", "to", "expected"),
    [
        # the event is of Friday 1 May 2026, 10:00
        ("day", 0, 0, ["05-01 10:00 entered", "05-02 exited"]),
        ("day", -1, -1, ["05-02 entered", "05-03 exited"]),
        ("day", -3, -2, ["05-03 entered", "05-05 exited"]),
        ("week", 0, 0, ["05-01 10:00 entered", "05-04 exited"]),
        ("week", -1, -1, ["05-04 entered", "05-11 exited"]),
        ("month", -1, -1, ["06-01 entered", "07-01 exited"]),
        ("quarter", 0, 0, ["05-01 10:00 entered", "07-01 exited"]),
        ("quarter", -1, -1, ["07-01 entered", "10-01 exited"]),
        ("year", -1, 0, ["05-01 10:00 entered", "2028-01-01 exited"]),
    ],
)
def test_periods_are_whole_local_units(
    changes_of: Replayed, unit: str, from_: int, to: int, expected: list[str]
) -> None:
    window = {"period": {"unit": unit, "from": from_, "to": to}}
    lines = [segment({"event": "buy", "window": window}), event("05-01 10:00", "buy"), tick("2028-06-01")]
    assert [change.split(" (")[0].replace(" s ", " ") for change in changes_of(*lines)] == expected


def test_a_period_follows_the_definitions_zone(changes_of: Replayed) -> None:
    # 1 May 10:00 in Shanghai is 30 April 22:00 in New York, whose 30 April ends at 12:00 in Shanghai.
    window = {"period": {"unit": "day", "from": 0, "to": 0}}
    lines = [
        segment({"event": "buy", "window": window}, timezone="America/New_York"),
        event("05-01 10:00", "buy"),
        tick("05-03"),
    ]
    assert changes_of(*lines) == ["05-01 10:00 s entered (behavior_event)", "05-01 12:00 s exited (time)"]


def test_a_late_event_gives_the_membership_it_would_have_given_in_order(changes_of: Replayed) -> None:
    lines = [
        segment({"event": "buy", "window": {"last": "P7D"}}),
        event("05-05", "buy", occurred="05-01"),
        event("05-20", "buy", occurred="05-10"),
        tick("06-01"),
    ]
    assert changes_of(*lines) == ["05-05 s entered (behavior_event)", "05-08 s exited (time)"]


def test_a_window_without_end_counts_for_ever(changes_of: Replayed) -> None:
    lines = [segment({"event": "buy"}, at="2019-01-01"), event("2020-01-01", "buy"), tick("2026-01-01")]
    assert changes_of(*lines) == ["2020-01-01 s entered (behavior_event)"]
