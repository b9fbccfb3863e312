"""Each check finds the fault for which it exists, and finds nothing if all is right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from streamseg.times import format_ms
from tests.chaos.checks import GRACE_MS, differences
from tests.chaos.definitions import VIP, Birth, Story, standard, static
from tests.chaos.truth import Expected, Letter, Place, Source, Truth

AT_MS = 1_777_593_600_000
UPDATES, EVENTS = "contact-updates", "behavior-events"


def change(segment_id: str, sequence: int, at_ms: int, kind: str = "contact_update", **more: Any) -> Any:
    value = {
        "change_id": f"{segment_id}|c1|{at_ms}|{sequence}",
        "segment_id": segment_id,
        "contact_id": "c1",
        "change": "entered" if sequence % 2 else "exited",
        "sequence": sequence,
        "effective_at": format_ms(at_ms),
        "reason": {"kind": kind, "ref": None},
        **more,
    }
    return orjson.dumps(value), value


def record(topic: str, offset: int, value: Any, at_ms: int = AT_MS) -> Source:
    raw = value if isinstance(value, bytes) else orjson.dumps(value)
    return Source(Place(topic, 0, offset), at_ms, b"c1", raw)


BAD = record(UPDATES, 1, {"contact_id": "c1", "surprise": 1})
UNREADABLE = record(EVENTS, 0, b"{bad")
SCAN = record(EVENTS, 1, {"contact_id": "c1", "event": "scan", "event_id": "e", "occurred_at": AT_MS})
ENTRY = record(UPDATES, 3, {"contact_id": "c1", "lists": {"add": ["list-0"]}}, AT_MS + 1_000)
ERASURE = record(UPDATES, 2, {"contact_id": "c1", "deleted": True}, AT_MS + 20_000)


def letter(source: Source, code: str) -> Letter:
    return Letter(source.place, code, source.key, source.value)


def row(status: str, contacts: int, kind: str = "standard") -> dict[str, Any]:
    return {"type": kind, "status": status, "contacts": contacts}


RIGHT = Truth(
    records=[UNREADABLE, SCAN, BAD, ERASURE, ENTRY],
    definitions={"vip": standard("vip", VIP), "recent": standard("recent", VIP), "list-0": static("list-0")},
    changes=[
        change("vip", 1, AT_MS),
        change("recent", 1, AT_MS),
        change("vip", 1, AT_MS),
        change("recent", 2, AT_MS + 10_000, "time"),
        change("vip", 2, AT_MS + 20_000, "deletion"),
        change("vip", 1, AT_MS + 21_000),
    ],
    memberships={"vip|c1": {"sequence": 1, "entered_at": format_ms(AT_MS + 21_000), "segment_version": 1}},
    suppressions={"c1|email": {}},
    letters=[
        letter(BAD, "invalid_schema"),
        letter(UNREADABLE, "invalid_json"),
        Letter(Place("segment-definitions", 0, 3), "invalid_schema", b"bad-1", b"{}"),
    ],
    catalogue={
        "vip": row("completed", 1),
        "recent": row("completed", 0),
        "list-0": row("completed", 0, "static"),
        "email-unsubscribed": row("completed", 0, "built_in"),
    },
)
EXPECTED = Expected(
    members=frozenset({("vip", "c1")}),
    refused={
        UNREADABLE.place: "invalid_json",
        BAD.place: "invalid_schema",
        ENTRY.place: "unknown_reference",
    },
    suppressions=frozenset({("c1", "email")}),
)
RIGHT = replace(RIGHT, letters=[*RIGHT.letters, letter(ENTRY, "unknown_reference")])


def story(*births: Birth) -> Story:
    told = Story(1, lambda: None, lambda: None)
    told.births += births
    told.bad.append("bad-1")
    return told


def checks(truth: Truth, expected: Expected = EXPECTED, *births: Birth) -> set[str]:
    return {one.check for one in differences(truth, expected, story(*births))}


def with_changes(*changes: Any) -> Truth:
    return replace(RIGHT, changes=[*RIGHT.changes, *changes])


def test_nothing_is_wrong_where_all_is_right() -> None:
    assert checks(RIGHT) == set()


@pytest.mark.parametrize(
    ("truth", "check"),
    [
        pytest.param(with_changes(change("vip", 3, AT_MS + 22_000)), "sequence", id="a number left out"),
        pytest.param(
            with_changes(change("vip", 1, AT_MS + 22_000)), "sequence", id="started again while in it"
        ),
        pytest.param(
            with_changes(change("recent", 1, AT_MS + 19_000)),
            "sequence",
            id="started again before the erasure",
        ),
        pytest.param(
            with_changes(change("vip", 1, AT_MS, segment_version=9)), "change_id", id="an id given out twice"
        ),
        pytest.param(with_changes(change("vip", 2, AT_MS + 22_000)), "members", id="a member lost"),
        pytest.param(
            with_changes(change("vip", 2, AT_MS + 22_000)),
            "segment-memberships",
            id="a membership that stays",
        ),
        pytest.param(with_changes(change("vip", 2, AT_MS + 22_000)), "segment-catalog", id="a count"),
        pytest.param(
            with_changes(change("recent", 3, AT_MS + 5), change("recent", 4, AT_MS + 10_001, "time")),
            "due",
            id="a millisecond late",
        ),
        pytest.param(replace(RIGHT, letters=RIGHT.letters[1:]), "dead-letters", id="a bad record lost"),
        pytest.param(
            replace(RIGHT, letters=[*RIGHT.letters[:1], *RIGHT.letters[2:]]),
            "dead-letters",
            id="one that is no JSON lost",
        ),
        pytest.param(
            replace(RIGHT, letters=[one for one in RIGHT.letters if one.key != b"bad-1"]),
            "dead-letters",
            id="a bad definition lost",
        ),
        pytest.param(
            replace(RIGHT, letters=[*RIGHT.letters, letter(SCAN, "invalid_schema")]),
            "dead-letters",
            id="a good record refused",
        ),
        pytest.param(
            replace(RIGHT, letters=[RIGHT.letters[0]._replace(value=b"{}"), *RIGHT.letters[1:]]),
            "dead-letters",
            id="other bytes",
        ),
        pytest.param(replace(RIGHT, suppressions={}), "channel-suppressions", id="an opt-out lost"),
        pytest.param(
            replace(RIGHT, definitions={**RIGHT.definitions, "bad-1": standard("bad-1", VIP)}),
            "segment-definitions",
            id="a refused definition that stays",
        ),
        pytest.param(
            replace(RIGHT, catalogue={**RIGHT.catalogue, "vip": row("calculating", 1)}),
            "segment-catalog",
            id="calculating for ever",
        ),
    ],
)
def test_a_fault_is_found(truth: Truth, check: str) -> None:
    assert check in checks(truth)


def test_an_early_entry_of_a_list_may_be_refused_or_not() -> None:
    taken = replace(
        EXPECTED,
        members=EXPECTED.members | {("list-0", "c1")},
        refused={UNREADABLE.place: "invalid_json", BAD.place: "invalid_schema"},
    )
    assert checks(RIGHT, taken, Birth("list-0", AT_MS, deleted=False)) == set()
    long_ago = Birth("list-0", AT_MS - GRACE_MS, deleted=False)
    assert checks(RIGHT, taken, long_ago) == {"members", "dead-letters"}


def test_a_definition_on_the_topic_that_is_refused_is_found() -> None:
    assert checks(RIGHT, replace(EXPECTED, definitions=frozenset({"vip"}))) == {"segment-definitions"}
