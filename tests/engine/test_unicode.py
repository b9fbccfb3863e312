"""Sections 2 and 8: text that is not valid Unicode, and lines of a replay that cannot be read."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from streamseg.errors import FileFormatError
from streamseg.records.inputs import Record
from streamseg.records.outputs import DeadLetter
from streamseg.replay import Replay
from streamseg.settings import Settings
from tests.engine.cases import EVERYBODY, case
from tests.engine.story import event, ms, segment, told, update

HALF = rb"\ud83d"
NO_UTF_8 = b"\xff"


def broken(line: dict[str, Any], by: bytes) -> bytes:
    """The line with text that is no Unicode for each `X` in it."""
    return orjson.dumps(line).replace(b"X", by)


def replayed(*lines: bytes | dict[str, Any]) -> tuple[list[str], list[tuple[int, DeadLetter]], Replay]:
    letters: list[tuple[int, DeadLetter]] = []
    run = Replay(settings=Settings(), on_dead_letter=lambda number, letter: letters.append((number, letter)))
    for line in lines:
        run.line(line)
    run.settle_definitions()
    return [told(change.wire()) for change in run.changes], letters, run


@pytest.mark.parametrize(
    "by", [HALF, rb"\uDC00", rb"\ud83d\ud83d", NO_UTF_8, b"\xc3", b"\xed\xa0\xbd"], ids=repr
)
@pytest.mark.parametrize(
    "line",
    [
        case("a value", update("05-03", {"bio": "cut X", "subscribed": False})),
        case("a name", update("05-03", {"X": 1})),
        case("a key", {**update("05-03"), "key": "X"}),
        case("an event", event("05-03", "buyX")),
        case("a definition", segment(EVERYBODY, of="t", at="05-03", created_by="X")),
        case("a topic", {**update("05-03"), "topic": "X"}),
        case("a time in ms", {**update("05-03", {"a": "X"}), "timestamp": ms("05-03")}),
        case("a tick in ms", {"tick": ms("05-03"), "X": 1}),
        case("a tick", {"tick": "2026-05-03T00:00:00+08:00", "X": 1}),
    ],
)
def test_such_a_line_is_a_dead_letter_and_moves_the_clock(line: dict[str, Any], by: bytes) -> None:
    lately = segment({"attribute": "at", "operator": "within_last", "value": "P1D"})
    first = update("05-01", {"at": "2026-05-01T00:00:00+08:00"})
    changes, letters, run = replayed(lately, first, broken(line, by), update("05-04", of="c2"))
    assert changes == ["05-01 s entered (contact_update)", "05-02 s exited (time)"]
    ((number, letter),) = letters
    assert (number, letter.code, letter.path, letter.applied) == (3, "invalid_json", "", "no")
    assert letter.record.value == broken(line, by)
    assert letter.record.timestamp_ms == ms("05-03")
    assert {contact.contact_id for contact, _ in run.contacts()} == {"c1", "c2"}


@pytest.mark.parametrize(
    "line",
    [
        b'{"topic": "X", "timestamp": "soon"}',
        b'{"topic": "X"}',
        b'{"topic": "X", "timestamp": 111111111111111111111}',
        b'{"topic": "X", "timestamp": "2026-05-03\\ud83d"}',
    ],
)
def test_without_a_time_that_can_be_read_the_clock_stays(line: bytes) -> None:
    _, letters, run = replayed(update("05-01"), line.replace(b"X", HALF))
    assert [(number, letter.code) for number, letter in letters] == [(2, "invalid_json")]
    assert run.partition.clock_ms == ms("05-01")


def test_a_number_beyond_a_doubles_range_is_no_reason_to_stop() -> None:
    line = b'{"topic": "contact-updates", "timestamp": "2026-05-02", "key": "c1", "value": {"n": %s}}'
    _, letters, _ = replayed(line % b"1e999", line % (b"1" * 5_000), update("05-03"))
    assert [(number, letter.code) for number, letter in letters] == [(1, "invalid_json"), (2, "invalid_json")]


@pytest.mark.parametrize(
    "bytes_of_it",
    [
        # The second byte of this character is a backslash, so the quote after it does not end the text.
        case("GBK", orjson.dumps(update("05-02", {"name": "X"})).replace(b"X", "誠".encode("gbk"))),
        case("a byte after it", orjson.dumps(update("05-02")) + b"\xff"),
        case("a byte before a name", b'{\xff"topic": "contact-updates"}'),
    ],
)
def test_an_object_whose_bytes_are_no_utf_8_does_not_end_the_replay(bytes_of_it: bytes) -> None:
    changes, letters, _ = replayed(segment(EVERYBODY), bytes_of_it, update("05-03", of="c2"))
    assert changes == ["05-03 c2 s entered (contact_update)"]
    assert [(number, letter.code) for number, letter in letters] == [(2, "invalid_json")]


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"null",
        b"5",
        b'"text"',
        b"[]",
        b"[1, 2]",
        b'{"a": NaN}',
        b'["\\ud83d"]',
        b'"\xff"',
        b"{'a': 1}",
        b"\xff",
    ],
)
def test_what_is_no_json_object_ends_the_replay(line: bytes) -> None:
    with pytest.raises(FileFormatError, match="line 2"):
        replayed(update("05-01"), line)


def test_blank_lines_are_passed_over() -> None:
    changes, letters, _ = replayed(segment(EVERYBODY), b"\n", b"  \r\n", orjson.dumps(update("05-01")))
    assert (changes, letters) == (["05-01 s entered (contact_update)"], [])


@pytest.mark.parametrize("own", [{}, {"timestamp": ms("05-03")}, {"tick": ms("05-03")}], ids=repr)
@pytest.mark.parametrize("by", [HALF, b"whole"], ids=repr)
def test_a_line_starts_by_its_own_time_also_where_it_is_broken(own: dict[str, int], by: bytes) -> None:
    run = Replay(settings=Settings())
    line = broken({**update("05-03", {"a": "X"}), **own}, by)
    assert (run.starts_by(line, ms("05-03")), run.starts_by(line, ms("05-02"))) == (True, False)


@pytest.mark.parametrize("topic", ["contact-updates", "behavior-events"])
@pytest.mark.parametrize(
    ("key", "value"),
    [
        case("half a pair", b"c1", rb'{"contact_id": "c1", "attributes": {"a": "\ud83d"}}'),
        case("no UTF-8", b"c1", b'{"contact_id": "c1", "attributes": {"a": "\xff"}}'),
        case(
            "the key",
            b"\xff",
            b'{"contact_id": "c1", "event_id": "e", "event": "buy", "occurred_at": "2026-05-01"}',
        ),
    ],
)
def test_such_a_record_of_a_topic_is_a_dead_letter(topic: str, key: bytes, value: bytes) -> None:
    if key == b"\xff" and topic == "contact-updates":
        value = b'{"contact_id": "c1"}'
    letters: list[DeadLetter] = []
    run = Replay(settings=Settings(), on_dead_letter=lambda _, letter: letters.append(letter))
    run.partition.take(Record(topic, 0, 0, ms("05-01"), key, value))
    assert [letter.code for letter in letters] == ["invalid_json"]
    assert run.partition.clock_ms == ms("05-01")
