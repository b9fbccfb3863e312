"""Section 2, `known_since`: the least timestamp of the records that still stand for the contact."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import EVERYBODY, case, heard, op, refused
from tests.engine.story import Line, Replayed, event, segment, static, tick, update


def since(*tests: Any, **more: Any) -> Line:
    return segment(*({"attribute": "known_since", **test} for test in tests), **more)


NEW = since(op("within_last", "P7D"))
MAY = since(op("between", ["2026-05-01", "2026-06-01"]), of="may")


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        case("an update", update("05-01"), "contact_update"),
        case("an event", event("05-01", "buy"), "behavior_event"),
        case("an event that is late", event("05-01", "buy", occurred="04-01"), "behavior_event"),
        case("an update that was stated before", update("05-01", {"a": 1}, stated="04-01"), "contact_update"),
    ],
)
def test_a_contact_is_new_from_its_first_record(changes_of: Replayed, first: Line, kind: str) -> None:
    lines = [NEW, MAY, first, update("05-03"), event("05-04", "buy"), tick("06-01")]
    assert changes_of(*lines) == [
        f"05-01 may entered ({kind})",
        f"05-01 s entered ({kind})",
        "05-08 s exited (time)",
    ]


def test_it_is_always_set_and_a_time(changes_of: Replayed) -> None:
    lines = [
        since(op("is_set"), of="set"),
        since(op("is_not_set"), of="unset"),
        since({**op("is_set"), "not": True}, of="not"),
        since(op("calendar", {"unit": "hour", "values": [10]}), of="ten"),
        update("05-01 10:00"),
    ]
    assert changes_of(*lines) == [
        "05-01 10:00 set entered (contact_update)",
        "05-01 10:00 ten entered (contact_update)",
    ]


def test_a_record_with_an_earlier_timestamp_puts_it_back(changes_of: Replayed) -> None:
    before = since(op("before", "2026-05-01"), of="before")
    lines = [before, NEW, update("05-03"), event("04-28", "buy"), tick("06-01")]
    assert changes_of(*lines) == [
        "05-03 s entered (contact_update)",
        "05-03 before entered (behavior_event)",
        "05-05 s exited (time)",
    ]


@pytest.mark.parametrize(
    "line",
    [
        case("a repeat", event("04-01", "buy", id_="e", occurred="04-01")),
        case("an event of an erased past", event("04-01", "buy", occurred="03-15")),
        case("an update of an erased past", update("04-01", {"a": 1}, stated="03-15")),
        case("one that is refused", update("04-01", {"contact_id": "c2"})),
    ],
)
def test_what_does_not_stand_does_not_count(line: Line) -> None:
    before = since(op("before", "2026-05-01"), of="before")
    lines = [before, update("04-01", deleted=True), event("05-02", "buy", id_="e"), line]
    assert heard(*lines).members() == []


@pytest.mark.parametrize(
    "said",
    [
        case("a value", {"attributes": {"a": 2}}),
        case("a value again", {"attributes": {"a": 1, "contact_id": "c1"}}),
        case("nothing", {"attributes": {"a": None}}),
        case("tags", {"tags": {"add": ["new"]}}),
        case("all tags", {"attributes": {"tags": []}}),
        case("a list", {"lists": {"remove": ["fair"]}}),
        case("all of it", {"attributes": {"a": 2}, "tags": {"set": []}, "lists": {"add": ["fair"]}}),
    ],
)
def test_an_update_that_is_ignored_as_older_does_not_count(changes_of: Replayed, said: Line) -> None:
    before = since(op("before", "2026-05-01"), of="before")
    first = update("05-03", {"a": 1}, tags={"add": ["vip"]}, lists={"add": ["fair"]})
    outdated = update("04-28", stated="04-28", **said)
    lines = [before, static("fair"), first, outdated]
    assert changes_of(*lines) == ["05-03 fair entered (contact_update)"]


@pytest.mark.parametrize(
    "said",
    [
        case("nothing at all", {}),
        case("another value too", {"attributes": {"a": 2, "b": 1}}),
        case("tags too", {"attributes": {"a": 2}, "tags": {"add": ["vip"]}}),
        case("a list too", {"attributes": {"a": 2}, "lists": {"add": ["fair"]}}),
    ],
)
def test_an_update_that_is_taken_in_part_counts(changes_of: Replayed, said: Line) -> None:
    before = since(op("before", "2026-05-01"), of="before")
    lines = [before, static("fair"), update("05-03", {"a": 1}), update("04-28", **said)]
    assert "05-03 before entered (contact_update)" in changes_of(*lines)


def test_an_update_as_old_as_what_stands_counts(changes_of: Replayed) -> None:
    before = since(op("before", "2026-05-01"), of="before")
    lines = [before, update("05-03", {"a": 1}, stated="04-28"), update("04-28", {"a": 2})]
    assert changes_of(*lines) == ["05-03 before entered (contact_update)"]


def test_an_update_of_which_nothing_is_left_stands(changes_of: Replayed) -> None:
    before = since(op("before", "2026-05-01"), of="before")
    lines = [before, update("05-03"), update("04-28", {"email": 1})]
    assert changes_of(*lines, refused=[3]) == ["05-03 before entered (contact_update)"]


def test_after_an_erasure_it_begins_anew(changes_of: Replayed) -> None:
    lines = [NEW, update("05-01"), update("05-20", deleted=True), update("05-21"), tick("06-30")]
    assert changes_of(*lines)[2:] == ["05-21 s entered (contact_update)", "05-28 s exited (time)"]


def test_of_what_survives_an_erasure_the_least_timestamp_counts(changes_of: Replayed) -> None:
    lines = [
        NEW,
        update("05-01"),
        event("05-04", "buy"),
        event("05-05", "buy", occurred="05-03"),
        update("05-06", deleted=True, stated="05-02"),
        tick("06-30"),
    ]
    assert changes_of(*lines) == [
        "05-01 s entered (contact_update)",
        "05-06 s exited (deletion)",
        "05-06 s entered (behavior_event)",
        "05-11 s exited (time)",
    ]


def test_a_definition_made_later_asks_it_too(changes_of: Replayed) -> None:
    lines = [update("05-01"), since(op("within_last", "P7D"), at="05-03"), tick("06-01")]
    assert changes_of(*lines) == ["05-03 s entered (definition)", "05-08 s exited (time)"]


@pytest.mark.parametrize("value", ["2020-01-01", 1_777_593_600_000, 0, True, "soon", {}])
def test_setting_it_is_a_bad_value(changes_of: Replayed, value: Any) -> None:
    lines = [
        NEW,
        segment({"event": "attribute_changed"}, of="changed"),
        update("05-01", {"known_since": value}),
    ]
    assert changes_of(*lines, refused=[3]) == ["05-01 s entered (contact_update)"]
    assert heard(*lines).refusals == [("invalid_value", "attributes.known_since")]


@pytest.mark.parametrize("value", [None, "", " "])
def test_null_for_it_is_no_fault_and_changes_nothing(changes_of: Replayed, value: Any) -> None:
    lines = [
        NEW,
        segment({"event": "attribute_changed"}, of="changed"),
        update("05-01", {"known_since": value}),
        update("05-02", {"known_since": value}),
    ]
    assert changes_of(*lines) == ["05-01 s entered (contact_update)"]


@pytest.mark.parametrize("bound", ["at_least", "less_than"])
@pytest.mark.parametrize("test", [op("is_set"), op("before", "2026-05-01"), op("within_last", "P7D")])
def test_it_is_not_held(test: Any, bound: str) -> None:
    asked = {"attribute": "known_since", **test, "held": {bound: "P1D"}}
    assert refused(asked) == ("invalid_schema", "held")


@pytest.mark.parametrize("test", [op("eq", "2026-05-01"), op("gt", 5), op("contains", "2026")])
def test_it_is_asked_as_a_time_only(test: Any) -> None:
    assert refused({"attribute": "known_since", **test}) == ("invalid_schema", "operator")


def test_there_is_nothing_in_it(changes_of: Replayed) -> None:
    lines = [
        segment({"attribute": "known_since.year", **op("is_set")}),
        segment(EVERYBODY, of="e"),
        update("05-01"),
    ]
    assert changes_of(*lines) == ["05-01 e entered (contact_update)"]
