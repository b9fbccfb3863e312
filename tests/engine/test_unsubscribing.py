"""Section 7: batch windows of the channels, the global register, and what undoes them."""

from __future__ import annotations

from typing import Any

import pytest

from streamseg.settings import BatchWindow
from tests.engine.cases import heard
from tests.engine.story import Replayed, event, segment, tick, update


def form(at: str, answer: Any, **more: Any) -> dict[str, Any]:
    return event(at, "form_submit", {"subscribed": answer}, **more)


@pytest.mark.parametrize(
    ("occurred", "closes"),
    [
        ("05-01 10:00", "05-02"),
        ("05-01", "05-02"),
        ("05-01 23:59:59.999", "05-02"),
    ],
)
def test_an_email_unsubscribe_enters_at_the_next_local_midnight(
    changes_of: Replayed, occurred: str, closes: str
) -> None:
    lines = [event(occurred, "email_unsubscribe"), tick("05-09")]
    assert changes_of(*lines) == [f"{closes} email-unsubscribed entered (unsubscribe_window)"]


@pytest.mark.parametrize(
    ("occurred", "closes"),
    [
        ("05-01 10:20", "05-01 11:00"),
        ("05-01 10:00", "05-01 11:00"),
        ("05-01 10:59:59.999", "05-01 11:00"),
        ("05-01 23:30", "05-02"),
    ],
)
def test_an_sms_unsubscribe_enters_at_the_next_full_hour(
    changes_of: Replayed, occurred: str, closes: str
) -> None:
    lines = [event(occurred, "sms_unsubscribe"), tick("05-09")]
    assert changes_of(*lines) == [f"{closes} mobile-unsubscribed entered (unsubscribe_window)"]


def test_an_hourly_window_lasts_one_hour_in_the_night_the_clocks_go_back(changes_of: Replayed) -> None:
    # London, 25 October: after 01:59 BST (00:59 UTC, 08:59 in Shanghai) it is 01:00 again.
    lines = [event("10-25 08:10", "sms_unsubscribe"), tick("10-26")]
    window = BatchWindow(length="PT1H", timezone="Europe/London")
    assert changes_of(*lines, sms_window=window) == [
        "10-25 09:00 mobile-unsubscribed entered (unsubscribe_window)"
    ]


def test_a_daily_window_follows_its_own_zone(changes_of: Replayed) -> None:
    # midnight in New York is noon in Shanghai (summer time)
    lines = [
        event("05-01 11:59", "email_unsubscribe"),
        event("05-01 12:00", "email_unsubscribe", of="c2"),
        tick("05-09"),
    ]
    window = BatchWindow(length="P1D", timezone="America/New_York")
    assert changes_of(*lines, email_window=window) == [
        "05-01 12:00 email-unsubscribed entered (unsubscribe_window)",
        "05-02 12:00 c2 email-unsubscribed entered (unsubscribe_window)",
    ]


def test_a_window_aligned_with_the_event_closes_one_length_after_it(changes_of: Replayed) -> None:
    lines = [event("05-01 10:20", "sms_unsubscribe"), tick("05-09")]
    window = BatchWindow(length="PT2H", alignment="event")
    assert changes_of(*lines, sms_window=window) == [
        "05-01 12:20 mobile-unsubscribed entered (unsubscribe_window)"
    ]


def test_a_late_unsubscribe_whose_window_closed_enters_at_once(changes_of: Replayed) -> None:
    lines = [event("05-05 10:00", "email_unsubscribe", occurred="05-01 10:00"), tick("05-09")]
    assert changes_of(*lines) == ["05-05 10:00 email-unsubscribed entered (behavior_event)"]


def test_a_resubscribe_cancels_a_waiting_entry(changes_of: Replayed) -> None:
    lines = [
        event("05-01 10:00", "email_unsubscribe"),
        event("05-01 11:00", "email_resubscribe"),
        tick("05-09"),
    ]
    assert changes_of(*lines) == []


def test_a_resubscribe_takes_a_member_out_at_once(changes_of: Replayed) -> None:
    lines = [
        event("05-01 10:00", "email_unsubscribe"),
        event("05-03 11:00", "email_resubscribe"),
        tick("05-09"),
    ]
    assert changes_of(*lines) == [
        "05-02 email-unsubscribed entered (unsubscribe_window)",
        "05-03 11:00 email-unsubscribed exited (behavior_event)",
    ]


def test_the_later_by_occurrence_wins_in_whatever_order_they_come(changes_of: Replayed) -> None:
    lines = [
        event("05-01 12:00", "sms_resubscribe"),
        event("05-01 12:10", "sms_unsubscribe", occurred="05-01 11:00"),
        event("05-01 12:20", "sms_unsubscribe", of="c2", occurred="05-01 12:05"),
        event("05-01 12:30", "sms_resubscribe", of="c2", occurred="05-01 12:01"),
        tick("05-09"),
    ]
    assert changes_of(*lines) == ["05-01 13:00 c2 mobile-unsubscribed entered (unsubscribe_window)"]


def test_a_repeated_unsubscribe_does_not_put_the_entry_off(changes_of: Replayed) -> None:
    lines = [
        event("05-01 10:00", "email_unsubscribe"),
        event("05-02 10:00", "email_unsubscribe"),
        tick("05-09"),
    ]
    assert changes_of(*lines) == ["05-02 email-unsubscribed entered (unsubscribe_window)"]


def test_the_channels_are_apart_from_each_other(changes_of: Replayed) -> None:
    lines = [
        event("05-01 10:00", "email_unsubscribe"),
        event("05-01 10:01", "sms_resubscribe"),
        tick("05-09"),
    ]
    assert changes_of(*lines) == ["05-02 email-unsubscribed entered (unsubscribe_window)"]


def test_subscribed_false_unsubscribes_globally_at_once_and_from_no_channel(changes_of: Replayed) -> None:
    lines = [
        update("05-01 10:00", {"name": "李雷"}),
        update("05-02 10:00", {"subscribed": False}),
        update("05-03 10:00", {"subscribed": True}),
        update("05-04 10:00", {"subscribed": False}),
        update("05-05 10:00", {"subscribed": None}),
        tick("05-09"),
    ]
    assert changes_of(*lines) == [
        "05-02 10:00 global-unsubscribed entered (contact_update)",
        "05-03 10:00 global-unsubscribed exited (contact_update)",
        "05-04 10:00 global-unsubscribed entered (contact_update)",
    ]


NO = [
    *(False, 0, 0.0, -0.0, "false", "False", "FALSE", "no", "No", "NO", " no", "n", "N", "off", "Off"),
    *("0", "否", "否 ", "\u3000否\t", "不", "不订阅"),
]
YES = [True, 1, 1.0, "true", "True", "yes", "YES", "y", "on", " ON ", "1", "是", "订阅\u00a0"]
NEITHER = [
    *(None, "", " ", "取消订阅", "０", "ｎｏ", "１", "0.0", "00", "-0", "nein", "ye s", "no.", "\x1cno"),
    *(2, -1, 0.5, [], [False], ["no"], {}, {"a": False}),
]


@pytest.mark.parametrize("answer", NO)
def test_a_form_can_unsubscribe_globally(changes_of: Replayed, answer: Any) -> None:
    assert changes_of(form("05-01 10:00", answer)) == [
        "05-01 10:00 global-unsubscribed entered (behavior_event)"
    ]


@pytest.mark.parametrize("answer", YES)
def test_a_form_can_lift_a_global_opt_out(changes_of: Replayed, answer: Any) -> None:
    assert changes_of(form("05-01 10:00", "no"), form("05-02 10:00", answer)) == [
        "05-01 10:00 global-unsubscribed entered (behavior_event)",
        "05-02 10:00 global-unsubscribed exited (behavior_event)",
    ]


@pytest.mark.parametrize("answer", NEITHER, ids=repr)
def test_another_answer_in_a_form_says_nothing_and_is_counted(changes_of: Replayed, answer: Any) -> None:
    assert changes_of(form("05-01 10:00", answer), event("05-02", "form_open", {"subscribed": False})) == []
    assert changes_of(form("05-01 10:00", "no"), form("05-02 10:00", answer)) == [
        "05-01 10:00 global-unsubscribed entered (behavior_event)"
    ]
    said = [form("05-01", answer, id_="e"), form("05-01", answer, id_="e"), form("05-02", "no")]
    silent = event("05-03", "form_submit", {"form": "x"})
    assert (
        heard(*said, silent, event("05-04", "survey", {"subscribed": answer})).run.partition.counts.unclear
        == 1
    )


def test_of_form_and_attribute_the_later_statement_wins_and_unsubscribed_at_a_tie(
    changes_of: Replayed,
) -> None:
    lines = [
        update("05-02", {"subscribed": True}),
        form("05-03", "no", occurred="05-01"),
        update("05-05", {"subscribed": False}),
        update("05-07", {"subscribed": True}),
        form("05-08", "no", occurred="05-06"),
        form("05-09", "no", occurred="05-07"),
        form("05-10", "yes", occurred="05-07"),
        form("05-11", "yes", occurred="05-07 00:00:00.001"),
    ]
    assert changes_of(*lines) == [
        "05-03 global-unsubscribed entered (behavior_event)",
        "05-07 global-unsubscribed exited (contact_update)",
        "05-09 global-unsubscribed entered (behavior_event)",
        "05-11 global-unsubscribed exited (behavior_event)",
    ]


def test_a_form_does_not_change_the_attribute(changes_of: Replayed) -> None:
    lines = [
        segment({"attribute": "subscribed", "operator": "eq", "value": False}),
        segment({"event": "global_unsubscribe"}, of="event"),
        form("05-01", "否"),
    ]
    assert changes_of(*lines) == [
        "05-01 event entered (behavior_event)",
        "05-01 global-unsubscribed entered (behavior_event)",
    ]


def test_a_segment_follows_a_channel_at_the_close_of_its_window(changes_of: Replayed) -> None:
    lines = [
        segment({"segment": "email-unsubscribed", "member": False}, of="reachable"),
        event("05-01 10:00", "email_unsubscribe"),
        tick("05-09"),
    ]
    assert changes_of(*lines) == [
        "05-01 10:00 reachable entered (behavior_event)",
        "05-02 email-unsubscribed entered (unsubscribe_window)",
        "05-02 reachable exited (time)",
    ]


def test_an_erased_contact_is_not_waiting_any_more(changes_of: Replayed) -> None:
    lines = [event("05-01 10:00", "email_unsubscribe"), update("05-01 11:00", deleted=True), tick("05-09")]
    assert changes_of(*lines) == []
