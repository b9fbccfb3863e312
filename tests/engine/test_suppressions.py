"""Section 7, suppressions and the global register: what is said at once, for which channel, and its end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import case, heard
from tests.engine.story import Line, Replayed, event, segment, tick, update


def form(at: str, answer: Any, **more: Any) -> Line:
    return event(at, "form_submit", {"subscribed": answer}, **more)


def subscribed(at: str, value: Any, **more: Any) -> Line:
    return update(at, {"subscribed": value}, **more)


CASES = [
    case(
        "e-mail at once, not at midnight",
        [event("05-01 10:00", "email_unsubscribe"), tick("05-05")],
        ["05-01 10:00 c1 email off"],
    ),
    case("sms at once", [event("05-01 10:00", "sms_unsubscribe")], ["05-01 10:00 c1 sms off"]),
    case(
        "and on again when the contact comes back while it waits",
        [event("05-01 10:00", "email_unsubscribe"), event("05-01 11:00", "email_resubscribe")],
        ["05-01 10:00 c1 email off", "05-01 11:00 c1 email on"],
    ),
    case(
        "and on again when a member comes back",
        [event("05-01 10:00", "sms_unsubscribe"), event("05-02 11:00", "sms_resubscribe")],
        ["05-01 10:00 c1 sms off", "05-02 11:00 c1 sms on"],
    ),
    case(
        "said twice it is told once",
        [event("05-01 10:00", "sms_unsubscribe"), event("05-02 11:00", "sms_unsubscribe")],
        ["05-01 10:00 c1 sms off"],
    ),
    case(
        "globally, both",
        [subscribed("05-01 10:00", False)],
        ["05-01 10:00 c1 email off", "05-01 10:00 c1 sms off"],
    ),
    case(
        "by a form, both", [form("05-01 10:00", "否")], ["05-01 10:00 c1 email off", "05-01 10:00 c1 sms off"]
    ),
    case(
        "globally and back",
        [subscribed("05-01", False), subscribed("05-02", True)],
        ["05-01 c1 email off", "05-01 c1 sms off", "05-02 c1 email on", "05-02 c1 sms on"],
    ),
    case(
        "globally on top of a channel tells only the other",
        [event("05-01", "email_unsubscribe"), subscribed("05-02", False)],
        ["05-01 c1 email off", "05-02 c1 sms off"],
    ),
    case(
        "subscribed again globally, the channel stays off",
        [event("05-01", "email_unsubscribe"), subscribed("05-02", False), subscribed("05-03", True)],
        ["05-01 c1 email off", "05-02 c1 sms off", "05-03 c1 sms on"],
    ),
    case(
        "a channel comes back while globally off: nothing to tell",
        [
            event("05-01", "email_unsubscribe"),
            subscribed("05-02", False),
            event("05-03", "email_resubscribe"),
        ],
        ["05-01 c1 email off", "05-02 c1 sms off"],
    ),
    case(
        "a late leaving that a coming back outweighs says nothing",
        [event("05-02", "email_resubscribe"), event("05-03", "email_unsubscribe", occurred="05-01")],
        [],
    ),
    case(
        "a late leaving counts from when it is told",
        [event("05-05", "email_unsubscribe", occurred="05-01")],
        ["05-05 c1 email off"],
    ),
    case(
        "an erasure ends it",
        [event("05-01", "email_unsubscribe"), update("05-02", deleted=True)],
        ["05-01 c1 email off", "05-02 c1 email on"],
    ),
    case("true says nothing", [subscribed("05-01", True)], []),
    case(
        "an unknown subscription says nothing", [update("05-01", {"subscribed": None}), update("05-02")], []
    ),
]


@pytest.mark.parametrize(("lines", "expected"), CASES)
def test_a_suppression_is_told_at_once(lines: list[Line], expected: list[str]) -> None:
    assert heard(*lines, until="06-01").suppressions == expected


GLOBAL = [
    case("false", [subscribed("05-01", False)], ["05-01 in"]),
    case("true", [subscribed("05-01", True)], []),
    case(
        "false, then true", [subscribed("05-01", False), subscribed("05-02", True)], ["05-01 in", "05-02 out"]
    ),
    case("false, then none", [subscribed("05-01", False), subscribed("05-02", None)], ["05-01 in"]),
    case("false twice", [subscribed("05-01", False), subscribed("05-02", False)], ["05-01 in"]),
    case("an older false", [subscribed("05-02", True), subscribed("05-03", False, stated="05-01")], []),
    case(
        "of two at one time the later record",
        [subscribed("05-01", True), subscribed("05-02", False, stated="05-01")],
        ["05-02 in"],
    ),
    case(
        "of two at one time the one that unsubscribes",
        [subscribed("05-01", False), subscribed("05-02", True, stated="05-01")],
        ["05-01 in"],
    ),
    case("a form", [form("05-01", False)], ["05-01 in"]),
    case("a form of another kind", [event("05-01", "form_open", {"subscribed": False})], []),
    case(
        "a form that says yes",
        [form("05-01", "no"), form("05-02", "yes"), form("05-03", True)],
        ["05-01 in", "05-02 out"],
    ),
    case(
        "a first true does not take out who a form put in",
        [form("05-01", "false"), subscribed("05-02", True)],
        ["05-01 in"],
    ),
    case("a form after an attribute", [subscribed("05-01", True), form("05-02", "no")], ["05-02 in"]),
    case(
        "a form told late is older than the attribute, which lifts nothing",
        [subscribed("05-02", True), form("05-03", "no", occurred="05-01")],
        ["05-03 in"],
    ),
    case(
        "an attribute stated before the form",
        [form("05-02", "no"), subscribed("05-03", True, stated="05-01")],
        ["05-02 in"],
    ),
    case(
        "a form beside an attribute that says no already",
        [subscribed("05-01", False), form("05-02", "no")],
        ["05-01 in"],
    ),
    case(
        "and then yes between the two",
        [subscribed("05-01", False), form("05-03", "no"), subscribed("05-04", True, stated="05-02")],
        ["05-01 in"],
    ),
    case(
        "erased",
        [subscribed("05-01", False), update("05-02", deleted=True), update("05-03", {"a": 1})],
        ["05-01 in", "05-02 out"],
    ),
    case("the event of that name alone says nothing", [event("05-01", "global_unsubscribe")], []),
    case("nor does leaving both channels", [event("05-01", "open"), event("05-01", "open")], []),
]


@pytest.mark.parametrize(("lines", "expected"), GLOBAL)
def test_the_global_register(changes_of: Replayed, lines: list[Line], expected: list[str]) -> None:
    short = []
    for change in changes_of(*lines, tick("06-01")):
        at, name, verb, _ = change.rsplit(" ", 3)
        assert name == "global-unsubscribed"
        short.append(f"{at} {'in' if verb == 'entered' else 'out'}")
    assert short == expected


def test_the_two_channel_segments_know_nothing_of_it(changes_of: Replayed) -> None:
    lines = [
        segment({"segment": "email-unsubscribed"}, of="mail"),
        segment({"segment": "mobile-unsubscribed"}, of="mobile"),
        subscribed("05-01", False),
        form("05-02", "no"),
        tick("05-09"),
    ]
    assert changes_of(*lines) == ["05-01 global-unsubscribed entered (contact_update)"]


def test_who_left_globally_is_in_the_channels_segment_by_the_channels_event_alone(
    changes_of: Replayed,
) -> None:
    lines = [subscribed("05-01", False), event("05-01 10:10", "sms_unsubscribe"), tick("05-09")]
    assert changes_of(*lines) == [
        "05-01 global-unsubscribed entered (contact_update)",
        "05-01 11:00 mobile-unsubscribed entered (unsubscribe_window)",
    ]
