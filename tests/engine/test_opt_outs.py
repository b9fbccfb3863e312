"""Section 7: what is a global opt-out, what lifts it, and opt-outs that outlive an erasure."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from streamseg.contact.contact import Contact
from streamseg.contact.rows import Unsubscribes
from tests.engine.cases import EVERYBODY, case, heard
from tests.engine.story import Line, Replayed, event, ms, segment, tick, told, update

ENTERED, EXITED = "global-unsubscribed entered", "global-unsubscribed exited"


def form(at: str, answer: Any, **more: Any) -> Line:
    return event(at, "form_submit", {"subscribed": answer}, **more)


def said(at: str, value: Any, **more: Any) -> Line:
    return update(at, {"subscribed": value}, **more)


def erased(at: str, *, keep: bool = True, **more: Any) -> Line:
    return update(at, deleted=True, keep_suppressions=keep, **more)


NOTHING_LIFTS = [
    case("an import that repeats true", [said("05-01", True), form("05-02", "否"), said("05-03", True)]),
    case("a first true", [form("05-02", "否"), said("05-03", True)]),
    case("null", [form("05-02", "否"), said("05-03", None)]),
    case("null and then true", [form("05-02", "否"), said("05-03", None), said("05-04", True)]),
    case("an empty text", [form("05-02", "否"), said("05-03", "")]),
    case("a true that is too old", [said("05-02", False), said("05-03", True, stated="05-01")]),
    case("null after false", [said("05-02", False), said("05-03", None)]),
    case("an answer of another form", [said("05-02", False), form("05-03", "maybe")]),
    case("e-mail alone", [said("05-02", False), event("05-03", "email_resubscribe")]),
    case("a form that is older", [said("05-02", False), form("05-03", "yes", occurred="05-01")]),
    case("a form at the same instant", [said("05-02", False), form("05-03", "yes", occurred="05-02")]),
]


@pytest.mark.parametrize("lines", NOTHING_LIFTS)
def test_nothing_else_lifts_an_opt_out(changes_of: Replayed, lines: list[Line]) -> None:
    ((at, _, change),) = [found.split(" ", 1)[0:1] + found.split(" ", 1) for found in changes_of(*lines)]
    assert at == "05-02"
    assert change.startswith(ENTERED)
    assert [flag.split()[-1] for flag in heard(*lines).suppressions] == ["off", "off"]


LIFTS = [
    case("the attribute turning", [said("05-02", False), said("05-03", True)]),
    case(
        "the attribute turning over null",
        [said("05-02", False), said("05-02 01:00", None), said("05-03", True)],
    ),
    case("a form's yes", [form("05-02", "否"), form("05-03", "是")]),
    case("a form, the attribute's", [said("05-02", False), form("05-03", "yes")]),
    case("the attribute turning, a form's", [said("05-01", False), form("05-02", "no"), said("05-03", True)]),
]


@pytest.mark.parametrize("lines", LIFTS)
def test_what_lifts_an_opt_out(changes_of: Replayed, lines: list[Line]) -> None:
    last = changes_of(*lines)[-1]
    assert last.startswith(f"05-03 {EXITED}")
    assert [flag for flag in heard(*lines).suppressions if flag.endswith("on")] == [
        "05-03 c1 email on",
        "05-03 c1 sms on",
    ]


def test_a_repeated_false_is_no_new_opt_out(changes_of: Replayed) -> None:
    lines = [
        segment({"event": "global_unsubscribe", "count": {"operator": "ge", "value": 2}}, of="twice"),
        said("05-01", False),
        form("05-02", "yes"),
        said("05-03", False),
        said("05-04", None),
        said("05-05", False),
    ]
    assert changes_of(*lines) == [
        "05-01 global-unsubscribed entered (contact_update)",
        "05-02 global-unsubscribed exited (behavior_event)",
    ]


def test_every_no_of_a_form_derives_an_event_at_its_time(changes_of: Replayed) -> None:
    lines = [
        segment({"event": "global_unsubscribe", "count": {"operator": "ge", "value": 3}}, of="thrice"),
        segment({"event": "global_unsubscribe", "window": {"last": "P2D"}}, of="lately"),
        segment({"event": "global*"}, of="prefix"),
        segment({"attribute": "subscribed", "operator": "is_set"}, of="attribute"),
        said("05-01", False),
        form("05-02", "no", occurred="05-01"),
        form("05-02 12:00", 0, occurred="05-02", id_="e"),
        form("05-02 12:00", 0, occurred="05-02", id_="e"),
        tick("05-09"),
    ]
    assert changes_of(*lines) == [
        "05-01 attribute entered (contact_update)",
        "05-01 global-unsubscribed entered (contact_update)",
        "05-01 lately entered (contact_update)",
        "05-02 12:00 thrice entered (behavior_event)",
        "05-04 lately exited (time)",
    ]


def test_the_event_of_a_form_outlives_an_erasure_with_it(changes_of: Replayed) -> None:
    lines = [
        segment({"event": "global_unsubscribe"}, of="no"),
        said("05-01", False),
        form("05-04", "no"),
        form("05-05", "no", occurred="05-02"),
        update("05-06", deleted=True, stated="05-03"),
    ]
    assert changes_of(*lines)[2:] == [
        "05-06 global-unsubscribed exited (deletion)",
        "05-06 global-unsubscribed entered (behavior_event)",
        "05-06 no exited (deletion)",
        "05-06 no entered (behavior_event)",
    ]
    later = segment(
        {"event": "global_unsubscribe", "count": {"operator": "eq", "value": 1}}, of="one", at="05-07"
    )
    assert changes_of(*lines, later)[-1] == "05-07 one entered (definition)"


# Erasures that keep opt-outs


def test_opt_outs_outlive_an_erasure_that_keeps_them(changes_of: Replayed) -> None:
    lines = [segment(EVERYBODY), said("05-01", False), erased("05-02"), update("05-03", {"a": 1})]
    assert changes_of(*lines) == [
        "05-01 global-unsubscribed entered (contact_update)",
        "05-01 s entered (contact_update)",
        "05-02 global-unsubscribed exited (deletion)",
        "05-02 s exited (deletion)",
        "05-03 global-unsubscribed entered (contact_update)",
        "05-03 s entered (contact_update)",
    ]
    sequences = [change["sequence"] for change in changes_of.raw(*lines) if change["segment_id"] != "s"]
    assert sequences == [1, 2, 1]
    assert heard(*lines).suppressions == ["05-01 c1 email off", "05-01 c1 sms off"]


def test_other_erasures_end_them(changes_of: Replayed) -> None:
    lines = [
        said("05-01", False),
        form("05-01", "no"),
        erased("05-02", keep=False),
        update("05-03", {"a": 1}),
    ]
    assert changes_of(*lines)[1:] == ["05-02 global-unsubscribed exited (deletion)"]
    assert [flag for flag in heard(*lines).suppressions if flag.endswith("on")] == [
        "05-02 c1 email on",
        "05-02 c1 sms on",
    ]


def test_a_later_erasure_ends_what_an_earlier_one_kept(changes_of: Replayed) -> None:
    lines = [
        said("05-01", False),
        erased("05-02"),
        erased("05-03", keep=False),
        form("05-04", "no", occurred="05-01"),
        update("05-05", {"a": 1}),
    ]
    assert changes_of(*lines)[2:] == []


def test_keep_suppressions_alone_means_nothing(changes_of: Replayed) -> None:
    lines = [segment(EVERYBODY), update("05-01", {"a": 1}, keep_suppressions=True)]
    assert changes_of(*lines) == ["05-01 s entered (contact_update)"]


def test_a_window_that_is_open_goes_on_over_an_erasure(changes_of: Replayed) -> None:
    lines = [event("05-01 10:00", "email_unsubscribe"), erased("05-01 11:00")]
    known = update("05-01 12:00", {"a": 1})
    closed = update("05-02 12:00", {"a": 1})
    assert changes_of(*lines, known, tick("05-09")) == [
        "05-02 email-unsubscribed entered (unsubscribe_window)"
    ]
    assert changes_of(*lines, closed, tick("05-09")) == [
        "05-02 12:00 email-unsubscribed entered (contact_update)"
    ]
    assert changes_of(*lines, tick("05-09")) == []


def test_late_statements_of_an_erased_past_count_and_make_nobody_known(changes_of: Replayed) -> None:
    lines = [
        segment(EVERYBODY),
        segment({"event": "email_unsubscribe"}, of="left"),
        segment({"event": "global_unsubscribe"}, of="no"),
        event("05-01", "buy"),
        erased("05-05"),
        event("05-06", "email_unsubscribe", occurred="05-03"),
        form("05-06", "no", occurred="05-02"),
    ]
    assert changes_of(*lines)[1:] == ["05-05 s exited (deletion)"]
    assert heard(*lines).suppressions == ["05-06 c1 email off", "05-06 c1 sms off"]
    assert changes_of(*lines, event("05-07", "buy"))[2:] == [
        "05-07 email-unsubscribed entered (behavior_event)",
        "05-07 global-unsubscribed entered (behavior_event)",
        "05-07 s entered (behavior_event)",
    ]
    known = [*lines, event("05-07", "buy"), event("05-08", "email_resubscribe", occurred="05-04")]
    assert changes_of(*known)[-1] == "05-08 email-unsubscribed exited (behavior_event)"


def test_a_late_statement_of_an_erased_past_can_lift(changes_of: Replayed) -> None:
    lines = [form("05-01", "no"), erased("05-05"), update("05-06", {"a": 1})]
    assert changes_of(*lines, form("05-07", "yes", occurred="05-02"))[-2:] == [
        "05-06 global-unsubscribed entered (contact_update)",
        "05-07 global-unsubscribed exited (behavior_event)",
    ]


def test_without_keeping_a_late_statement_of_an_erased_past_is_nothing(changes_of: Replayed) -> None:
    lines = [update("05-01"), erased("05-05", keep=False), form("05-06", "no", occurred="05-05")]
    assert changes_of(*lines, update("05-07")) == []
    assert heard(*lines).suppressions == []


@pytest.mark.parametrize("keep", [True, False])
def test_statements_later_than_the_erasure_stay(changes_of: Replayed, keep: bool) -> None:
    lines = [
        event("05-03 10:00", "email_unsubscribe"),
        form("05-04", "no"),
        erased("05-05", keep=keep, stated="05-02"),
    ]
    assert changes_of(*lines, tick("05-09"))[-4:] == [
        "05-05 email-unsubscribed exited (deletion)",
        "05-05 email-unsubscribed entered (behavior_event)",
        "05-05 global-unsubscribed exited (deletion)",
        "05-05 global-unsubscribed entered (behavior_event)",
    ]
    assert [flag for flag in heard(*lines).suppressions if flag.endswith("on")] == []


def test_what_the_attribute_lifted_stays_lifted(changes_of: Replayed) -> None:
    lines = [
        form("05-01", "no"),
        said("05-02", False),
        said("05-03", True),
        erased("05-05"),
        update("05-06", {"a": 1}),
    ]
    assert [change for change in changes_of(*lines) if change > "05-04"] == []
    # and an opt-out that is later does not
    assert changes_of(*lines, form("05-07", "no", occurred="05-04"))[-1].startswith(f"05-07 {ENTERED}")


def test_the_last_value_of_the_attribute_is_forgotten(changes_of: Replayed) -> None:
    lines = [said("05-01", False), erased("05-02")]
    # a first true lifts nothing, a first false is a new opt-out
    assert changes_of(*lines, said("05-03", True))[2:] == [
        "05-03 global-unsubscribed entered (contact_update)"
    ]
    again = [*lines, said("05-03", False), form("05-04", "yes", occurred="05-02 12:00")]
    assert changes_of(*again)[2:] == ["05-03 global-unsubscribed entered (contact_update)"]
    turned = [*lines, said("05-03", True), said("05-04", False), said("05-05", True)]
    assert changes_of(*turned)[3:] == ["05-05 global-unsubscribed exited (contact_update)"]


def test_an_erasure_of_nobody_keeps_what_comes_late(changes_of: Replayed) -> None:
    lines = [erased("05-05"), form("05-06", "no", occurred="05-01"), update("05-07")]
    assert changes_of(*lines) == ["05-07 global-unsubscribed entered (contact_update)"]


def test_a_repeat_of_a_late_statement_changes_nothing(changes_of: Replayed) -> None:
    late = [event("05-06", "sms_unsubscribe", occurred="05-01", id_="e") for _ in range(2)]
    lines = [erased("05-05"), *late, update("05-07"), *late]
    assert changes_of(*lines) == ["05-07 mobile-unsubscribed entered (contact_update)"]


def in_layout_4(contact: Contact) -> bytes:
    """A contact's bytes as layout 4 had them: a head that is a list, with two fields for the plan."""
    data = contact.to_bytes()
    head = orjson.dumps(
        [
            contact.known_since_ms,
            contact.erased_ms,
            contact.clock_ms,
            -1,
            -1,
            contact.event_count,
            contact.oldest_event_ms,
            {"contact-updates": contact.update_offset},
            contact.flip_ms,
            contact.prune_ms,
        ]
    )
    body = contact.body.to_bytes()
    return b"".join((b"\x04", data[1:9], len(head).to_bytes(2, "big"), head, body))


@pytest.mark.parametrize(
    ("global_", "stated", "entered"),
    [
        case("a form's no", [ms("05-01")], None, "05-03 {} (definition)"),
        case(
            "a form's no and a true of which nobody knows whether it turned",
            [ms("05-01")],
            True,
            "05-03 {} (definition)",
        ),
        case("the attribute's no", None, False, "05-02 {} (contact_update)"),
        case("nothing", None, True, "05-04 {} (contact_update)"),
    ],
)
def test_opt_outs_of_an_earlier_layout_stand(
    global_: list[int] | None, stated: bool | None, entered: str
) -> None:
    run = heard(segment(EVERYBODY), said("05-02", stated)).run
    contact = run.store.contact("c1")
    assert contact is not None
    contact.body.unsubscribes = Unsubscribes({} if global_ is None else {"global": global_})
    earlier = Contact.from_bytes("c1", in_layout_4(contact), contact.attributes.copy())
    run.store.put(earlier)
    for line in (update("05-03", {"a": 1}), said("05-04", False), said("05-05", True)):
        run.line(line)
    changes = [told(change.wire()) for change in run.changes if change.segment_id != "s"]
    assert changes == [entered.format(ENTERED), f"05-05 {EXITED} (contact_update)"]
