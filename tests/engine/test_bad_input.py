"""Section 10: each code with the path at fault, and nothing that changes by what is refused."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from streamseg.records.inputs import Record
from streamseg.records.outputs import DeadLetter
from streamseg.replay import Replay
from streamseg.settings import Settings
from streamseg.times import MAX_MS, MIN_MS
from tests.engine.cases import EVERYBODY, case, heard
from tests.engine.story import Line, definition, event, ms, segment, static, update

LIMIT = 1 << 20
COUNT = "clusters[0].conditions[0].count.value"


def event_with(**more: Any) -> Line:
    line = event("05-01 10:00", "buy", {"n": 1}, id_="e-1")
    line["value"].update(more)
    return line


def update_with(**more: Any) -> Line:
    return update("05-01 10:00", **more)


def keyed(line: Line, key: str | None) -> Line:
    return {**line, "key": key}


def without(line: Line, field: str) -> Line:
    return {**line, "value": {name: value for name, value in line["value"].items() if name != field}}


BAD = [
    case("an event without id", without(event_with(), "event_id"), "invalid_schema", "event_id"),
    case("an event without contact", without(event_with(), "contact_id"), "invalid_schema", "contact_id"),
    case("an event without name", without(event_with(), "event"), "invalid_schema", "event"),
    case("an event without time", without(event_with(), "occurred_at"), "invalid_schema", "occurred_at"),
    case("an event id that is a number", event_with(event_id=5), "invalid_schema", "event_id"),
    case("an event name that is a list", event_with(event=["buy"]), "invalid_schema", "event"),
    case("an event of no time", event_with(occurred_at="soon"), "invalid_schema", "occurred_at"),
    case(
        "an event of a time that is a boolean", event_with(occurred_at=True), "invalid_schema", "occurred_at"
    ),
    case("an event of 30 February", event_with(occurred_at="2026-02-30"), "invalid_schema", "occurred_at"),
    case("properties that are a list", event_with(properties=[]), "invalid_schema", "properties"),
    case("an unknown key of an event", event_with(source="web"), "invalid_schema", "source"),
    case("an event under another key", keyed(event_with(), "c2"), "invalid_schema", "contact_id"),
    case("an event without key", keyed(event_with(), None), "invalid_schema", "contact_id"),
    case("an event that is text", {**event_with(), "value": "buy"}, "invalid_schema", ""),
    case("an event that is empty", {**event_with(), "value": None}, "invalid_schema", ""),
    case(
        "an event 5 minutes and 1 ms ahead",
        event_with(occurred_at="2026-05-01T10:05:00.001+08:00"),
        "occurred_in_future",
        "occurred_at",
    ),
    case(
        "an event of another year", event_with(occurred_at="2027-05-01"), "occurred_in_future", "occurred_at"
    ),
    case("an update without contact", without(update_with(), "contact_id"), "invalid_schema", "contact_id"),
    case("an update under another key", keyed(update_with(), "c2"), "invalid_schema", "contact_id"),
    case("an update that is a list", {**update_with(), "value": []}, "invalid_schema", ""),
    case("an update that is empty", {**update_with(), "value": None}, "invalid_schema", ""),
    case("deleted in text", update_with(deleted="yes"), "invalid_schema", "deleted"),
    case("an update of no time", update_with(updated_at="soon"), "invalid_schema", "updated_at"),
    case(
        "an update ahead of its record",
        update_with(updated_at="2026-05-01T10:05:00.001+08:00"),
        "occurred_in_future",
        "updated_at",
    ),
    case(
        "an erasure ahead of its record",
        update_with(deleted=True, updated_at="2026-05-02"),
        "occurred_in_future",
        "updated_at",
    ),
    case("an unknown key of an update", update_with(name="李雷"), "invalid_schema", "name"),
    case(
        "a definition without id",
        without(segment(EVERYBODY, of="t"), "segment_id"),
        "invalid_schema",
        "segment_id",
    ),
    case("a definition without name", without(segment(EVERYBODY, of="t"), "name"), "invalid_schema", "name"),
    case(
        "a definition under another key",
        keyed(segment(EVERYBODY, of="t"), "s"),
        "invalid_schema",
        "segment_id",
    ),
    *(
        case(
            f"a definition in the zone {zone}",
            segment(EVERYBODY, timezone=zone),
            "invalid_schema",
            "timezone",
        )
        for zone in ("localtime", "right/Asia/Shanghai", "posix/Asia/Shanghai", "asia/shanghai", "+08:00")
    ),
    case(
        "the end of a segment that is not named",
        keyed(definition("01-01", "s", None), None),
        "invalid_schema",
        "segment_id",
    ),
    case("a definition of a bar in its id", segment(EVERYBODY, of="a|b"), "invalid_schema", "segment_id"),
    case("a definition that is text", {**segment(EVERYBODY, of="t"), "value": "t"}, "invalid_schema", ""),
    case(
        "a definition of what is built in",
        segment(EVERYBODY, of="email-unsubscribed"),
        "not_permitted",
        "segment_id",
    ),
    case(
        "the end of what is built in",
        definition("01-01", "mobile-unsubscribed", None),
        "not_permitted",
        "segment_id",
    ),
    case(
        "a reference to nothing",
        segment({"segment": "nowhere"}, of="t"),
        "unknown_reference",
        "clusters[0].conditions[0].segment",
    ),
    case(
        "a reference to itself",
        segment({"segment": "t"}, of="t"),
        "reference_cycle",
        "clusters[0].conditions[0].segment",
    ),
    case("the end of what is in use", definition("01-01", "s", None), "in_use", "segment_id"),
    case("a topic of nobody", {**event_with(), "topic": "clicks"}, "invalid_schema", "topic"),
    case("a record without time", {**event_with(), "timestamp": None}, "invalid_schema", "timestamp"),
    case("a tick of no time", {"tick": "soon"}, "invalid_schema", "tick"),
]

# Everything that could tell: s is everybody, r refers to it, fair is a list, any counts all events.
TELLTALES = [
    segment(EVERYBODY),
    segment({"segment": "s", "member": False}, of="r"),
    static("fair"),
    segment({"event": "*"}, of="any"),
    segment({"event": "attribute_changed"}, of="changed"),
    segment({"attribute": "name", "operator": "is_set"}, of="named"),
]


@pytest.mark.parametrize(("line", "code", "path"), BAD)
def test_what_is_refused_says_why_and_changes_nothing(line: Any, code: str, path: str) -> None:
    found = heard(*TELLTALES, line)
    assert found.refusals == [(code, path)]
    assert found.lines_refused == [len(TELLTALES) + 1]
    assert (found.changes, found.suppressions, found.members()) == ([], [], [])
    assert list(found.run.contacts()) == []


@pytest.mark.parametrize(("line", "code", "path"), BAD)
def test_nothing_follows_from_it_for_a_contact_that_is_known(line: Any, code: str, path: str) -> None:
    before = [
        *TELLTALES,
        update("04-01", {"name": "李雷"}, tags={"add": ["vip"]}, lists={"add": ["fair"]}),
        event("04-02", "open"),
    ]
    expected, found = heard(*before), heard(*before, line)
    assert found.refusals == [(code, path)]
    assert (found.changes, found.members()) == (expected.changes, expected.members())
    ((contact, events),) = found.run.contacts()
    assert (contact.attributes.get("name") or [None])[0] == "李雷"
    assert [one.name for one in events if not one.derived] == ["open"]


@pytest.mark.parametrize("topic", ["contact-updates", "behavior-events", "segment-definitions"])
def test_what_is_not_json_is_a_dead_letter_with_its_bytes_unchanged(topic: str) -> None:
    letters: list[DeadLetter] = []
    run = Replay(settings=Settings(), on_dead_letter=lambda _, letter: letters.append(letter))
    for offset, value in enumerate([b"{", b"", b"\xff\xfe", b'{"contact_id": NaN}', b"{'contact_id': 'c1'}"]):
        record = Record(topic, 3, offset, ms("05-01"), b"c1", value)
        if topic == "segment-definitions":
            with pytest.raises(Exception, match="not JSON") as refusal:
                run.definitions.take(record)
            assert refusal.value.code == "invalid_json"  # type: ignore[attr-defined]
            continue
        run.partition.take(record)
        headers = dict(letters[-1].headers())
        assert headers.pop("error.message")
        assert headers == {
            "error.code": b"invalid_json",
            "error.path": b"",
            "record.applied": b"no",
            "source.topic": topic.encode(),
            "source.partition": b"3",
            "source.offset": str(offset).encode(),
        }
        assert (letters[-1].record.key, letters[-1].record.value) == (b"c1", value)
    assert run.store.contact("c1") is None


def test_a_record_of_one_mebibyte_is_taken_and_of_a_byte_more_is_too_large() -> None:
    for surplus in (0, 1):
        for line in (event_with(properties={"a": ""}), update_with(attributes={"a": ""})):
            part = "properties" if "properties" in line["value"] else "attributes"
            length = LIMIT - len(orjson.dumps(line["value"])) + surplus
            line["value"][part]["a"] = "x" * length
            found = heard(*TELLTALES, line)
            assert found.refusals == ([("too_large", "")] if surplus else [])
            assert bool(found.members()) is not bool(surplus)


def test_a_definition_of_one_mebibyte_is_taken_and_of_a_byte_more_is_too_large() -> None:
    for surplus in (0, 1):
        line = segment({"attribute": "a", "operator": "eq", "value": ""})
        length = LIMIT - len(orjson.dumps(line["value"])) + surplus
        line["value"]["clusters"][0]["conditions"][0]["value"] = "x" * length
        assert heard(line).refusals == ([("too_large", "")] if surplus else [])


def test_a_refused_definition_leaves_the_one_in_force_to_be_written_back() -> None:
    run = Replay(settings=Settings())
    run.line(segment(EVERYBODY, version=7))
    for bad in (segment({"segment": "nowhere"}), segment({"segment": "s"})):
        run.line(bad)
        kept = run.definitions.in_force("s")
        assert kept is not None
        assert orjson.loads(kept) == segment(EVERYBODY, version=7)["value"]


def test_no_message_shows_a_value() -> None:
    letters: list[DeadLetter] = []
    run = Replay(settings=Settings(), on_dead_letter=lambda _, letter: letters.append(letter))
    mobile = "13800001111"
    for line in (
        update_with(attributes={"member_points": mobile}),
        update_with(attributes={"email": [mobile]}),
        update_with(attributes={"created_at": mobile}),
        event_with(properties=mobile),
        event_with(occurred_at=mobile),
    ):
        run.line(line)
    assert len(letters) == 5
    assert not [letter for letter in letters if mobile in letter.message]


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (segment({"event": "buy", "count": {"operator": "gt", "value": 2**64 - 1}}), COUNT),
        (segment({"event": "buy", "count": {"operator": "le", "value": 2**53}}), COUNT),
        (segment(EVERYBODY, version=2**64 - 1), "version"),
    ],
)
def test_a_number_that_cannot_be_counted_on_from_is_refused(line: Line, path: str) -> None:
    assert heard(line, update("05-01")).refusals == [("invalid_schema", path)]


def test_the_largest_that_can_be_is_counted_on_from() -> None:
    largest = 2**53 - 1
    many = {"event": "buy", "count": {"operator": "gt", "value": largest}}
    found = heard(segment(EVERYBODY, many, version=largest), segment(EVERYBODY), update("05-01"))
    (change,) = found.run.changes
    assert orjson.loads(orjson.dumps(change.wire()))["segment_version"] == largest + 1


@pytest.mark.parametrize("timestamp_ms", [10**16, -(10**17), MAX_MS + 1, MIN_MS - 1])
@pytest.mark.parametrize("topic", ["contact-updates", "behavior-events"])
def test_a_record_timestamp_outside_the_calendar_is_refused_and_moves_no_clock(
    topic: str, timestamp_ms: int
) -> None:
    letters: list[DeadLetter] = []
    run = Replay(settings=Settings(), on_dead_letter=lambda _, letter: letters.append(letter))
    body: dict[str, Any] = {"contact_id": "c1"}
    if topic == "behavior-events":
        body |= {"event_id": "e-1", "event": "buy", "occurred_at": "2026-05-01"}
    value = orjson.dumps(body)
    before_ms = run.partition.clock_ms
    run.partition.take(Record(topic, 0, 0, timestamp_ms, b"c1", value))
    assert [(one.code, one.path, one.record.value) for one in letters] == [
        ("invalid_schema", "timestamp", value)
    ]
    assert run.partition.clock_ms == before_ms
    assert run.store.contact("c1") is None
    run.partition.take(Record(topic, 0, 1, ms("05-01"), b"c1", value))
    assert (len(letters), run.partition.clock_ms) == (1, ms("05-01"))
    assert run.store.contact("c1") is not None
