"""What docs/semantics.md says of time, lateness, duplicates, erasure and definitions that change."""

from __future__ import annotations

import pytest

from tests.docs.timelines import (
    Outcome,
    attributes,
    define,
    drop,
    event,
    replayed,
    segment,
    tags,
    update,
    where,
)

LOCATED = segment("located", {"attribute": "location", "operator": "is_set"})
BUYERS = segment("buyers", {"event": "purchase"})
RECENT = segment("recent", {"event": "purchase", "window": {"last": "P7D"}})


def codes(outcome: Outcome) -> list[tuple[str, str]]:
    return [(letter.code, letter.path) for letter in outcome.dead_letters]


def test_a_late_event_counts_by_its_own_time_from_its_arrival_on() -> None:
    lines = [RECENT, event("2026-05-05 10:00", "purchase", occurred="2026-05-01 10:00")]
    assert replayed(lines, "2026-06-01 00:00").of("recent") == [
        ("2026-05-05 10:00", "enters"),
        ("2026-05-08 10:00", "leaves"),
    ]


def test_an_event_later_than_every_window_counts_without_one_only() -> None:
    outcome = replayed([RECENT, BUYERS, event("2026-05-09 10:00", "purchase", occurred="2026-05-01 10:00")])
    assert (outcome.of("recent"), len(outcome.of("buyers"))) == ([], 1)


def test_a_little_early_is_set_back_and_more_is_refused() -> None:
    early = event("2026-05-01 10:00", "purchase", occurred="2026-05-01 10:05")
    assert replayed([RECENT, early], "2026-06-01 00:00").of("recent") == [
        ("2026-05-01 10:00", "enters"),
        ("2026-05-08 10:00", "leaves"),
    ]
    too_early = event("2026-05-01 10:00", "purchase", occurred="2026-05-01 10:06")
    assert codes(replayed([RECENT, too_early])) == [("occurred_in_future", "occurred_at")]
    stated = attributes("2026-05-01 10:00", since="2026-05-01 10:06", location="中国")
    assert codes(replayed([LOCATED, stated])) == [("occurred_in_future", "updated_at")]


def test_an_older_value_loses_per_attribute_and_ties_go_to_the_later_record() -> None:
    in_china = segment("in-china", {"attribute": "location", "operator": "eq", "value": "中国"})
    lines = [
        in_china,
        segment("named", {"attribute": "name", "operator": "is_set"}),
        attributes("2026-05-02 10:00", location="英国"),
        attributes("2026-05-03 10:00", since="2026-05-01 10:00", location="中国", name="李雷"),
        attributes("2026-05-04 10:00", since="2026-05-02 10:00", location="中国"),
    ]
    outcome = replayed(lines)
    assert outcome.of("in-china") == [("2026-05-04 10:00", "enters")]
    assert outcome.of("named") == [("2026-05-03 10:00", "enters")]


def test_a_repeated_event_changes_nothing_while_it_is_kept() -> None:
    twice = segment("twice", {"event": "purchase", "count": {"operator": "ge", "value": 2}})
    first = event("2026-05-01 10:00", "purchase", event_id="same")
    lines = [
        twice,
        first,
        event("2026-05-02 10:00", "purchase", event_id="same"),
        event("2027-07-01 10:00", "purchase", event_id="same"),
    ]
    assert replayed(lines).of("twice") == [("2027-07-01 10:00", "enters")]


def test_retention_changes_nothing_by_itself_but_a_later_definition_sees_less() -> None:
    lines = [
        BUYERS,
        event("2026-01-01 10:00", "purchase"),
        define("2027-05-01 10:00", segment("later", {"event": "purchase", "window": {"between": [0, None]}})),
    ]
    outcome = replayed(lines, "2028-01-01 00:00")
    assert outcome.of("buyers") == [("2026-01-01 10:00", "enters")]
    assert outcome.of("later") == []


def test_an_erasure_exits_drops_and_keeps_what_came_later() -> None:
    lines = [
        LOCATED,
        BUYERS,
        attributes("2026-05-01 08:00", location="中国"),
        event("2026-05-01 09:00", "purchase"),
        event("2026-05-01 10:00", "purchase", occurred="2026-05-01 09:45"),
        update("2026-05-01 11:00", since="2026-05-01 09:30", deleted=True),
    ]
    outcome = replayed(lines)
    assert outcome.of("located") == [("2026-05-01 08:00", "enters"), ("2026-05-01 11:00", "leaves")]
    assert outcome.kinds("located") == ["contact_update", "deletion"]
    assert outcome.kinds("buyers") == ["behavior_event", "deletion", "behavior_event"]
    assert [change.sequence for change in outcome.changes if change.segment_id == "buyers"] == [1, 2, 1]


def test_older_input_does_not_bring_an_erased_contact_back() -> None:
    erased = [BUYERS, LOCATED, update("2026-05-01 11:00", deleted=True)]
    at_once = event("2026-05-02 10:00", "purchase", occurred="2026-05-01 11:00")
    older = attributes("2026-05-02 10:00", since="2026-05-01 10:59", location="中国")
    everybody = segment("everybody", {"attribute": "contact_id", "operator": "is_set"})
    assert replayed([everybody, *erased, at_once, older]).changes == []
    later = event("2026-05-02 10:00", "purchase", occurred="2026-05-01 11:01")
    assert replayed([*erased, later]).of("buyers") == [("2026-05-02 10:00", "enters")]
    newer = attributes("2026-05-02 10:00", since="2026-05-01 11:00", location="中国")
    assert replayed([*erased, newer]).of("located") == [("2026-05-02 10:00", "enters")]


def test_an_erasure_drops_all_that_came_before_it_in_the_topic_and_ends_suppressions() -> None:
    lines = [
        LOCATED,
        attributes("2026-05-01 10:00", location="中国"),
        event("2026-05-01 10:00", "email_unsubscribe"),
        update("2026-05-01 11:00", since="2026-05-01 10:30", deleted=True),
    ]
    outcome = replayed(lines, "2026-05-10 00:00")
    assert outcome.of("located") == [("2026-05-01 10:00", "enters"), ("2026-05-01 11:00", "leaves")]
    assert [(one.channel, one.suppressed) for one in outcome.suppressions] == [
        ("email", True),
        ("email", False),
    ]


def test_definitions_see_the_past_and_change_only_who_differs() -> None:
    lines = [
        event("2026-05-01 10:00", "purchase"),
        define("2026-05-02 10:00", BUYERS),
        define("2026-05-03 10:00", {**BUYERS, "name": "renamed"}),
        define("2026-05-04 10:00", segment("followers", {"segment": "buyers"})),
        define(
            "2026-05-05 10:00",
            segment("buyers", {"event": "purchase", "count": {"operator": "ge", "value": 2}}),
        ),
        drop("2026-05-06 10:00", "followers"),
    ]
    outcome = replayed(lines)
    assert outcome.of("buyers") == [("2026-05-02 10:00", "enters"), ("2026-05-05 10:00", "leaves")]
    assert outcome.of("followers") == [("2026-05-04 10:00", "enters"), ("2026-05-05 10:00", "leaves")]
    assert set(outcome.kinds("buyers") + outcome.kinds("followers")) == {"definition"}


def test_a_deleted_segment_is_left_and_begins_anew() -> None:
    lines = [
        LOCATED,
        attributes("2026-05-01 10:00", location="中国"),
        drop("2026-05-02 10:00", "located"),
        define("2026-05-03 10:00", LOCATED),
    ]
    outcome = replayed(lines)
    assert [(change.sequence, change.reason.kind.value) for change in outcome.changes] == [
        (1, "contact_update"),
        (2, "definition"),
        (1, "definition"),
    ]
    assert [change.reason.ref for change in outcome.changes[1:]] == ["located", "located@1"]


def test_references_of_reasons() -> None:
    lines = [
        LOCATED,
        BUYERS,
        RECENT,
        attributes("2026-05-01 10:00", location="中国"),
        event("2026-05-01 11:00", "purchase", event_id="e"),
        event("2026-05-01 11:00", "email_unsubscribe", event_id="u"),
        update("2026-05-20 10:00", deleted=True),
    ]
    references = {
        (change.segment_id, change.entered): change.reason.ref for change in replayed(lines).changes
    }
    assert references == {
        ("located", True): "contact-updates/0/4",
        ("buyers", True): "e",
        ("recent", True): "e",
        ("recent", False): None,
        ("email-unsubscribed", True): "u",
        ("located", False): "contact-updates/0/7",
        ("buyers", False): "contact-updates/0/7",
        ("email-unsubscribed", False): "contact-updates/0/7",
    }


def test_an_enter_and_an_exit_at_the_same_instant_are_both_given_out() -> None:
    lines = [RECENT, event("2026-05-01 10:00", "purchase"), event("2026-05-08 10:00", "purchase")]
    assert replayed(lines).of("recent") == [
        ("2026-05-01 10:00", "enters"),
        ("2026-05-08 10:00", "leaves"),
        ("2026-05-08 10:00", "enters"),
    ]


def test_a_refused_record_changes_no_contact_but_moves_the_clock() -> None:
    bad = event("2026-05-09 10:00", "purchase")
    bad["key"] = "c2"
    outcome = replayed([RECENT, event("2026-05-01 10:00", "purchase"), bad])
    assert codes(outcome) == [("invalid_schema", "contact_id")]
    assert outcome.of("recent")[-1] == ("2026-05-08 10:00", "leaves")


def test_what_is_missing_anyway_is_no_change_and_does_not_move_held() -> None:
    lasting = [
        segment(name, {"attribute": name, "operator": "is_not_set", "held": {"at_least": "P7D"}})
        for name in ("city", "tags")
    ]
    derived = segment(
        "derived",
        {
            "event": "attribute_changed",
            "where": where({"property": "attribute", "operator": "eq", "value": "city"}),
        },
    )
    lines = [
        attributes("2026-05-01 10:00", location="中国"),
        attributes("2026-05-04 10:00", city=None),
        tags("2026-05-05 10:00", set=[]),
    ]
    defined_later = [define("2026-05-06 10:00", one) for one in lasting]
    for outcome in (
        replayed([*lasting, derived, *lines], "2026-06-01 00:00"),
        replayed([*lines, *defined_later], "2026-06-01 00:00"),
    ):
        assert outcome.of("city") == outcome.of("tags") == [("2026-05-08 10:00", "enters")]
        assert outcome.of("derived") == []
    assert len(replayed([derived, attributes("2026-05-01 10:00", city="")]).of("derived")) == 1


def test_what_is_entered_after_an_erasure_is_due_to_the_events_that_stay() -> None:
    nowhere = segment("nowhere", {"attribute": "location", "operator": "is_not_set"})
    changed = segment("changed", {"event": "attribute_changed"})
    lines = [
        nowhere,
        BUYERS,
        changed,
        event("2026-05-01 10:00", "purchase", occurred="2026-05-01 09:45", event_id="stays"),
        attributes("2026-05-01 10:30", location="中国"),
        update("2026-05-01 11:00", since="2026-05-01 09:30", deleted=True),
    ]
    outcome = replayed(lines)
    assert outcome.of("changed") == [("2026-05-01 10:30", "enters"), ("2026-05-01 11:00", "leaves")]
    entered = [one for one in outcome.changes if one.entered][-2:]
    assert {one.segment_id: (one.reason.kind.value, one.reason.ref) for one in entered} == {
        "buyers": ("behavior_event", "stays"),
        "nowhere": ("behavior_event", "stays"),
    }


def test_an_id_on_both_sides_of_an_erasure_cannot_converge() -> None:
    first = event("2026-05-01 10:00", "purchase", event_id="same")
    second = event("2026-05-03 10:00", "purchase", event_id="same")
    between = update("2026-05-02 10:00", deleted=True)
    late = update("2026-05-04 10:00", since="2026-05-02 10:00", deleted=True)
    assert replayed([BUYERS, first, between, second]).of("buyers")[-1] == ("2026-05-03 10:00", "enters")
    assert replayed([BUYERS, first, second, late]).of("buyers")[-1] == ("2026-05-04 10:00", "leaves")


@pytest.mark.parametrize("known", [True, False])
def test_an_equal_condition_in_force_goes_on_counting_past_retention(known: bool) -> None:
    lines = [
        *([BUYERS] if known else []),
        event("2026-01-01 10:00", "purchase"),
        define("2027-05-01 10:00", segment("again", {"event": "purchase"})),
        define("2027-05-01 10:00", segment("not", {"event": "purchase", "not": True})),
        define(
            "2027-05-01 10:00",
            segment("never", {"event": "purchase", "count": {"operator": "lt", "value": 1}}),
        ),
    ]
    outcome = replayed(lines)
    assert [len(outcome.of(one)) for one in ("again", "not", "never")] == ([1, 0, 0] if known else [0, 1, 1])


def test_moving_operators_inside_where_are_judged_at_the_present() -> None:
    soon = segment(
        "soon",
        {"event": "book", "where": where({"property": "at", "operator": "within_next", "value": "P7D"})},
    )
    booked = event("2026-05-01 10:00", "book", at="2026-05-20T10:00:00")
    assert replayed([soon, booked], "2026-07-01 00:00").of("soon") == [
        ("2026-05-13 10:00", "enters"),
        ("2026-05-20 10:00", "leaves"),
    ]
