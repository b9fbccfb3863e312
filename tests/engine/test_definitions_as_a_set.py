"""Section 6: the topic judged as a set at the start, and what a change of definition changes."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import orjson
import pytest

from streamseg.plan.definitions import Definitions
from streamseg.records.inputs import Record
from streamseg.settings import Settings
from tests.engine.cases import EVERYBODY, case, heard
from tests.engine.story import Line, Replayed, definition, event, segment, static, tick, update

BUY: dict[str, Any] = {"event": "buy"}
RECENT = BUY | {"window": {"last": "P7D"}}
VIP = {"attribute": "tags", "operator": "contains_any", "value": ["vip"]}
BUILT_IN = {"global-unsubscribed", "email-unsubscribed", "mobile-unsubscribed"}


def record(line: Line, offset: int) -> Record:
    value = line["value"]
    body = value if isinstance(value, bytes) or value is None else orjson.dumps(value)
    return Record("segment-definitions", 0, offset, 0, line["key"].encode(), body)


def refers(of: str, *to: str) -> Line:
    return segment(*({"segment": one} for one in to), of=of)


# the topic in the order of its offsets; which segments come into force; which are refused, and why
TOPICS = [
    case("each for itself", [segment(BUY, of="a"), segment(VIP, of="b")], {"a", "b"}, {}),
    case("a reference to what comes later", [refers("a", "b"), segment(BUY, of="b")], {"a", "b"}, {}),
    case(
        "a chain backwards", [refers("a", "b"), refers("b", "c"), segment(BUY, of="c")], {"a", "b", "c"}, {}
    ),
    case("a reference to what is built in", [refers("a", "email-unsubscribed")], {"a"}, {}),
    case(
        "an unknown segment",
        [refers("a", "nowhere"), segment(BUY, of="b")],
        {"b"},
        {"a": "unknown_reference"},
    ),
    case(
        "and all that hangs from it",
        [refers("a", "b"), refers("b", "nowhere")],
        set(),
        {"a": "unknown_reference", "b": "unknown_reference"},
    ),
    case(
        "a broken one and all that hangs from it",
        [refers("a", "b"), definition("01-01", "b", {"type": "standard"})],
        set(),
        {"a": "unknown_reference", "b": "invalid_schema"},
    ),
    case(
        "a circle loses its latest",
        [refers("a", "b"), refers("b", "a"), segment(BUY, of="c")],
        {"c"},
        {"b": "reference_cycle", "a": "unknown_reference"},
    ),
    case("itself", [refers("a", "a")], set(), {"a": "reference_cycle"}),
    case(
        "the later of two of one key",
        [segment(BUY, of="a"), refers("a", "nowhere")],
        set(),
        {"a": "unknown_reference"},
    ),
    case("the later of two of one key is good", [refers("a", "nowhere"), segment(BUY, of="a")], {"a"}, {}),
    case("one that was deleted", [segment(BUY, of="a"), definition("01-01", "a", None)], set(), {}),
    case("one that is there again", [definition("01-01", "a", None), segment(BUY, of="a")], {"a"}, {}),
    case(
        "a reference to one that was deleted",
        [segment(BUY, of="a"), refers("b", "a"), definition("01-01", "a", None)],
        set(),
        {"b": "unknown_reference"},
    ),
    case(
        "a built-in one",
        [segment(BUY, of="email-unsubscribed")],
        set(),
        {"email-unsubscribed": "not_permitted"},
    ),
    case("no JSON", [{"key": "a", "value": b"{"}, segment(BUY, of="b")], {"b"}, {"a": "invalid_json"}),
    case("under another key", [{**segment(BUY, of="a"), "key": "b"}], set(), {"b": "invalid_schema"}),
]


@pytest.mark.parametrize(("lines", "in_force", "refused"), TOPICS)
def test_the_whole_topic_is_judged_as_a_set(
    lines: list[Line], in_force: set[str], refused: dict[str, str]
) -> None:
    records = [record(line, offset) for offset, line in enumerate(lines)]
    keys = [one.key for one in records]
    for order in permutations(records):
        # compaction keeps the order of each key's records
        if any(
            [one.offset for one in order if one.key == key] != [i for i, k in enumerate(keys) if k == key]
            for key in keys
        ):
            continue
        definitions = Definitions(Settings())
        letters = definitions.load(order)
        assert set(definitions.plan.segments) - BUILT_IN == in_force
        assert {(letter.record.key or b"").decode(): letter.code for letter in letters} == refused
        assert set(definitions.plan.segments) >= BUILT_IN


def test_versions_count_on_unless_given() -> None:
    versions = []
    definitions = Definitions(Settings())
    for offset, version in enumerate([None, None, 7, None, 3, None]):
        more: dict[str, Any] = {} if version is None else {"version": version}
        definitions.take(record(segment(BUY, **more), offset))
        kept = definitions.in_force("s")
        assert kept is not None
        versions.append(orjson.loads(kept)["version"])
    assert versions == [1, 2, 7, 8, 3, 4]


def test_nothing_is_in_force_of_what_is_unknown_deleted_or_built_in() -> None:
    definitions = Definitions(Settings())
    definitions.take(record(segment(BUY), 0))
    definitions.take(record(definition("01-01", "s", None), 1))
    assert [definitions.in_force(name) for name in ("s", "nowhere", "email-unsubscribed")] == [None] * 3


# the first definition, the second of 05-03, and the changes from then on; c1 bought on 05-01, c2 is a vip
CHANGES = [
    case("to the same", segment(BUY), segment(BUY, at="05-03"), []),
    case(
        "to another name, group and version",
        segment(BUY),
        segment(BUY, at="05-03", name="n", group="g", version=9),
        [],
    ),
    case(
        "to more",
        segment(BUY),
        segment({"attribute": "contact_id", "operator": "is_set"}, at="05-03"),
        ["05-03 c2 s entered (definition)"],
    ),
    case("to fewer", segment(EVERYBODY), segment(BUY, at="05-03"), ["05-03 c2 s exited (definition)"]),
    case(
        "to others",
        segment(BUY),
        segment(VIP, at="05-03"),
        ["05-03 s exited (definition)", "05-03 c2 s entered (definition)"],
    ),
    case("to what time will end", segment(BUY), segment(RECENT, at="05-03"), ["05-08 s exited (time)"]),
    case(
        "to what time has ended",
        segment(BUY),
        segment(BUY | {"window": {"last": "P1D"}}, at="05-03"),
        ["05-03 s exited (definition)"],
    ),
    case(
        "to another window",
        segment(RECENT),
        segment(BUY | {"window": {"last": "P9D"}}, at="05-03"),
        ["05-10 s exited (time)"],
    ),
    case(
        "to a negation",
        segment(BUY),
        segment(BUY | {"not": True}, at="05-03"),
        ["05-03 s exited (definition)", "05-03 c2 s entered (definition)"],
    ),
    case(
        "to another zone",
        segment(BUY | {"window": {"period": {"unit": "month", "from": 0, "to": 0}}}),
        segment(
            BUY | {"window": {"period": {"unit": "month", "from": 0, "to": 0}}},
            at="05-03",
            timezone="America/New_York",
        ),
        ["05-03 s exited (definition)"],
    ),
    case("to a list", segment(BUY), static("s", at="05-03"), ["05-03 s exited (definition)"]),
    case("to nothing", segment(BUY), definition("05-03", "s", None), ["05-03 s exited (definition)"]),
    case("to what is refused", segment(BUY), segment({"segment": "nowhere"}, at="05-03"), []),
]


@pytest.mark.parametrize(("first", "second", "expected"), CHANGES)
def test_a_changed_definition_tells_only_what_differs(first: Line, second: Line, expected: list[str]) -> None:
    # 05-01 10:00 in Shanghai is still April in New York
    lines = [first, event("05-01 10:00", "buy"), update("05-02", of="c2", tags={"add": ["vip"]})]
    before = heard(*lines).changes
    found = heard(*lines, second, until="06-01").changes[len(before) :]
    assert [change.replace(" 10:00 ", " ") for change in found] == expected


def test_a_definition_after_the_last_record_counts_too(changes_of: Replayed) -> None:
    assert changes_of(event("05-01", "buy"), segment(BUY, at="05-02")) == ["05-02 s entered (definition)"]


def test_a_definition_before_anybody_is_known_changes_nothing(changes_of: Replayed) -> None:
    assert changes_of(segment(EVERYBODY, at="05-01"), tick("05-02")) == []


def test_a_new_definition_goes_on_by_time_like_one_that_was_always_there(changes_of: Replayed) -> None:
    late = [event("05-01", "buy"), segment(RECENT, at="05-03"), tick("06-01")]
    assert changes_of(*late) == ["05-03 s entered (definition)", "05-08 s exited (time)"]


def test_a_deleted_segment_and_a_new_one_of_its_name_in_one_instant(changes_of: Replayed) -> None:
    lines = [
        segment(BUY),
        event("05-01", "buy"),
        definition("05-02", "s", None),
        segment(VIP, at="05-02"),
        update("05-03", tags={"add": ["vip"]}),
    ]
    found = changes_of.raw(*lines)
    assert [(change["sequence"], change["change"]) for change in found] == [
        (1, "entered"),
        (2, "exited"),
        (1, "entered"),
    ]


def test_deleting_what_is_not_there_is_nothing(changes_of: Replayed) -> None:
    assert changes_of(definition("05-01", "nowhere", None), event("05-02", "buy")) == []


def test_a_definition_of_several_contacts_is_told_by_contact(changes_of: Replayed) -> None:
    lines = [
        *(event("05-01", "buy", of=contact) for contact in ("c3", "c1", "c2")),
        segment(BUY, of="b", at="05-02"),
    ]
    assert changes_of(*lines) == [
        "05-02 b entered (definition)",
        "05-02 c2 b entered (definition)",
        "05-02 c3 b entered (definition)",
    ]
