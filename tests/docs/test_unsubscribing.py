"""What docs/semantics.md says of unsubscribing, by channel and globally."""

from __future__ import annotations

from typing import Any

import pytest

from streamseg.settings import BatchWindow, Settings
from tests.docs.timelines import attributes, event, replayed, segment

UNSUBSCRIBES: list[tuple[str, list[dict[str, Any]], str, list[tuple[str, str]], list[str]]] = [
    (
        "the close of the day",
        [event("2026-05-01 15:00", "email_unsubscribe")],
        "email-unsubscribed",
        [("2026-05-02 00:00", "enters")],
        ["unsubscribe_window"],
    ),
    (
        "the next full hour",
        [event("2026-05-01 15:10", "sms_unsubscribe")],
        "mobile-unsubscribed",
        [("2026-05-01 16:00", "enters")],
        ["unsubscribe_window"],
    ),
    (
        "midnight waits for the next",
        [event("2026-05-02 00:00", "email_unsubscribe")],
        "email-unsubscribed",
        [("2026-05-03 00:00", "enters")],
        ["unsubscribe_window"],
    ),
    (
        "a waiting entry is cancelled",
        [event("2026-05-01 15:00", "email_unsubscribe"), event("2026-05-01 16:00", "email_resubscribe")],
        "email-unsubscribed",
        [],
        [],
    ),
    (
        "a member exits at once",
        [event("2026-05-01 15:00", "email_unsubscribe"), event("2026-05-03 16:00", "email_resubscribe")],
        "email-unsubscribed",
        [("2026-05-02 00:00", "enters"), ("2026-05-03 16:00", "leaves")],
        ["unsubscribe_window", "behavior_event"],
    ),
    (
        "whichever happened later wins, in any order of arrival",
        [
            event("2026-05-01 16:00", "email_resubscribe"),
            event("2026-05-01 17:00", "email_unsubscribe", occurred="2026-05-01 15:00"),
        ],
        "email-unsubscribed",
        [],
        [],
    ),
    (
        "at the same instant the unsubscribe wins",
        [event("2026-05-01 15:00", "email_unsubscribe"), event("2026-05-01 15:00", "email_resubscribe")],
        "email-unsubscribed",
        [("2026-05-02 00:00", "enters")],
        ["unsubscribe_window"],
    ),
    (
        "a late one whose window has closed",
        [event("2026-05-03 15:00", "email_unsubscribe", occurred="2026-05-01 15:00")],
        "email-unsubscribed",
        [("2026-05-03 15:00", "enters")],
        ["behavior_event"],
    ),
    (
        "globally by the attribute",
        [attributes("2026-05-01 15:00", subscribed=False), attributes("2026-05-02 15:00", subscribed=True)],
        "global-unsubscribed",
        [("2026-05-01 15:00", "enters"), ("2026-05-02 15:00", "leaves")],
        ["contact_update", "contact_update"],
    ),
    (
        "globally by a form, and a form resubscribes",
        [
            attributes("2026-05-01 14:00", subscribed=True),
            event("2026-05-01 15:00", "form_submit", subscribed="否"),
            attributes("2026-05-01 16:00", subscribed=True),
            attributes("2026-05-01 17:00", subscribed=None),
            event("2026-05-02 15:00", "form_submit", subscribed="是"),
        ],
        "global-unsubscribed",
        [("2026-05-01 15:00", "enters"), ("2026-05-02 15:00", "leaves")],
        ["behavior_event", "behavior_event"],
    ),
    (
        "a form at the instant of the attribute",
        [
            attributes("2026-05-01 15:00", subscribed=True),
            event("2026-05-01 16:00", "form_submit", occurred="2026-05-01 15:00", subscribed=False),
        ],
        "global-unsubscribed",
        [("2026-05-01 16:00", "enters")],
        ["behavior_event"],
    ),
    (
        "a form older than what lifts it",
        [
            attributes("2026-05-01 14:00", subscribed=False),
            attributes("2026-05-01 15:00", subscribed=True),
            event("2026-05-01 16:00", "form_submit", occurred="2026-05-01 14:59", subscribed=False),
        ],
        "global-unsubscribed",
        [("2026-05-01 14:00", "enters"), ("2026-05-01 15:00", "leaves")],
        ["contact_update", "contact_update"],
    ),
    (
        "globally is not by channel",
        [attributes("2026-05-01 15:00", subscribed=False)],
        "email-unsubscribed",
        [],
        [],
    ),
]


@pytest.mark.parametrize(
    ("lines", "segment_id", "changes", "kinds"),
    [case[1:] for case in UNSUBSCRIBES],
    ids=[case[0] for case in UNSUBSCRIBES],
)
def test_unsubscribing(
    lines: list[dict[str, Any]], segment_id: str, changes: list[tuple[str, str]], kinds: list[str]
) -> None:
    outcome = replayed(lines, "2026-06-01 00:00")
    assert outcome.of(segment_id) == changes
    assert outcome.kinds(segment_id) == kinds


@pytest.mark.parametrize("answer", [False, 0, "false", "No ", "n", "OFF", "0", "否", "不", "不订阅"])
def test_the_answers_of_a_form_that_unsubscribe(answer: Any) -> None:
    outcome = replayed([event("2026-05-01 15:00", "form_submit", subscribed=answer)])
    assert len(outcome.of("global-unsubscribed")) == 1
    assert [(one.channel, one.suppressed) for one in outcome.suppressions] == [("email", True), ("sms", True)]


def test_a_form_does_not_change_the_attribute() -> None:
    refused = segment("refused", {"attribute": "subscribed", "operator": "eq", "value": False})
    assert replayed([refused, event("2026-05-01 15:00", "form_submit", subscribed=False)]).of("refused") == []


def test_suppressions_come_at_once() -> None:
    (suppression,) = replayed([event("2026-05-01 15:00", "email_unsubscribe")]).suppressions
    assert suppression.wire() == {
        "contact_id": "c1",
        "channel": "email",
        "suppressed": True,
        "since": "2026-05-01T07:00:00.000Z",
    }


def test_windows_may_follow_the_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMSEG_EMAIL_WINDOW__LENGTH", "PT2H")
    monkeypatch.setenv("STREAMSEG_EMAIL_WINDOW__ALIGNMENT", "event")
    settings = Settings()
    assert settings.email_window == BatchWindow(length="PT2H", alignment="event")
    outcome = replayed([event("2026-05-01 15:10", "email_unsubscribe")], "2026-06-01 00:00", settings)
    assert outcome.of("email-unsubscribed") == [("2026-05-01 17:10", "enters")]
