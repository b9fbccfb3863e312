"""A recording without Kafka: the records that it contains, and its clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
from typer.testing import CliRunner

from agents.commands.recording import Recording, Wanted
from agents.kafka.topic_records import Place, TopicRecords
from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES, DEAD_LETTERS, SEGMENT_DEFINITIONS
from streamseg.cli import app
from streamseg.records.inputs import Headers, Record
from streamseg.settings import Settings

AT_MS = 1_780_000_000_000
NOW_MS = AT_MS + 100_000
STATIC = {"segment_id": "list", "name": "list", "type": "static"}


class Topics:
    """In the place of a reader of Kafka's topics: one partition each, offsets from `gone` on."""

    def __init__(self, gone: int = 0) -> None:
        self.read = self.to_read = 0
        self.held: dict[str, list[Record]] = {
            topic: [] for topic in (SEGMENT_DEFINITIONS, DEAD_LETTERS, BEHAVIOR_EVENTS, CONTACT_UPDATES)
        }
        self._gone = gone
        self._from_ms: int | None = None

    def add(self, topic: str, key: str, value: Any, at_ms: int, headers: Headers = ()) -> None:
        held = self.held[topic]
        held.append(
            Record(topic, 0, self._gone + len(held), at_ms, key.encode(), orjson.dumps(value), headers)
        )

    def event(self, contact_id: str, at_ms: int) -> None:
        self.add(BEHAVIOR_EVENTS, contact_id, {"contact_id": contact_id}, at_ms)

    def __enter__(self) -> Topics:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True

    def partitions(self, topic: str) -> list[Place]:
        return [Place(topic, 0)]

    def begin(self, places: Iterable[Place], from_ms: int | None = None) -> dict[Place, int]:
        self._from_ms = from_ms
        return dict.fromkeys(places, self._gone)

    def records(self, place: Place) -> Iterator[Record]:
        held = self.held[place.topic]
        first = (
            at for at, one in enumerate(held) if self._from_ms is None or one.timestamp_ms >= self._from_ms
        )
        yield from held[next(first, len(held)) :]


def recorded(topics: Topics, prefix: str = "", **wanted: Any) -> tuple[Recording, list[Any]]:
    """The run and the times of its lines: (contact or segment, ms), a tick's alone."""
    settings = Settings(topic_prefix=prefix)
    recording = Recording(cast(TopicRecords, topics), settings, Wanted(now_ms=NOW_MS, **wanted))
    lines = [orjson.loads(line) for line in recording.lines()]
    return recording, [
        line["tick"] - AT_MS if "tick" in line else (line["key"], line["timestamp"] - AT_MS) for line in lines
    ]


def test_it_ends_with_the_time_of_recording() -> None:
    topics = Topics()
    topics.event("c1", AT_MS)
    topics.add(SEGMENT_DEFINITIONS, "list", STATIC, AT_MS)
    recording, lines = recorded(topics)
    assert lines == [("list", 0), ("c1", 0), 100_000]
    assert recording.written == {SEGMENT_DEFINITIONS: 1, BEHAVIOR_EVENTS: 1}


def test_of_one_contact_the_clock_goes_as_everybodys_records_moved_it() -> None:
    topics = Topics()
    for contact_id, at_ms in (("c1", 0), ("c2", 50), ("c1", 10), ("c1", 60), ("c2", 70)):
        topics.event(contact_id, AT_MS + at_ms)
    _, lines = recorded(topics, contact_id="c1")
    assert lines == [("c1", 0), 50, ("c1", 10), ("c1", 60), 100_000]


def test_a_span_of_time_is_one_of_stream_time() -> None:
    topics = Topics()
    topics.add(SEGMENT_DEFINITIONS, "list", STATIC, AT_MS)
    for contact_id, at_ms in (("a", 0), ("b", 50), ("late", 10), ("c", 60), ("d", 70)):
        topics.event(contact_id, AT_MS + at_ms)
    assert recorded(topics, until_ms=AT_MS + 50)[1] == [("list", 0), ("a", 0), ("b", 50), ("late", 10), 50]
    assert recorded(topics, from_ms=AT_MS + 51)[1] == [("list", 0), ("c", 60), ("d", 70), 100_000]
    assert recorded(topics, from_ms=AT_MS + 50, until_ms=AT_MS + 60)[1] == [
        ("list", 0),
        ("b", 50),
        ("late", 10),
        ("c", 60),
        60,
    ]
    # It has not come yet.
    assert recorded(topics, until_ms=NOW_MS + 5)[1][-1] == 100_000


@pytest.mark.parametrize("prefix", ["", "eu."])
def test_what_workers_refused_as_dated_in_the_future_is_left_out(prefix: str) -> None:
    topics = Topics()
    for contact_id, at_ms in (("a", 0), ("early", 90_000), ("b", 10)):
        topics.event(contact_id, AT_MS + at_ms)
    said = {"error.code": "timestamp_in_future", "source.topic": "behavior-events"}
    said |= {"source.partition": "0", "source.offset": "1"}
    headers = tuple((name, value.encode()) for name, value in said.items())
    topics.add(DEAD_LETTERS, "early", {}, AT_MS, headers)
    recording, lines = recorded(topics, prefix)
    assert lines == [("a", 0), ("b", 10), 100_000]
    assert recording.early == 1


@pytest.fixture
def topics(monkeypatch: pytest.MonkeyPatch) -> Topics:
    topics = Topics(gone=7)
    topics.event("c1", AT_MS)
    monkeypatch.setattr(import_module("agents.commands.record"), "TopicRecords", lambda *_, **__: topics)
    return topics


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["record", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_it_says_what_it_wrote_and_what_the_topics_no_longer_hold(topics: Topics) -> None:
    code, out, told = run("--until", "2026-05-29T00:00:00Z")
    assert code == 0
    assert orjson.loads(out.splitlines()[0])["key"] == "c1"
    assert told.splitlines() == [
        "recorded up to 2026-05-29T00:00:00.000Z: 1 of behavior-events",
        "Warning: behavior-events no longer holds its first 7 offsets; their effects are not in the file",
        "Warning: contact-updates no longer holds its first 7 offsets; their effects are not in the file",
    ]
    assert topics.closed
    # Nobody asks for what was before.
    assert "Warning" not in run("--from", str(AT_MS))[2]


def test_a_file_is_for_whoever_records_and_bears_its_name_once_it_is_whole(
    topics: Topics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "record.ndjson"
    assert run("--output", str(file))[:2] == (0, "")
    assert file.stat().st_mode & 0o777 == 0o600
    whole = file.read_bytes()

    def fails(self: Recording) -> Iterator[bytes]:
        yield b"{}\n"
        raise KeyboardInterrupt

    monkeypatch.setattr(Recording, "lines", fails)
    assert run("--output", str(file))[0] != 0
    assert [path.name for path in tmp_path.iterdir()] == ["record.ndjson"]
    assert file.read_bytes() == whole


@pytest.mark.usefixtures("topics")
def test_a_file_that_cannot_be_written_is_an_error_of_a_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["record", "--output", str(tmp_path / "none" / "record.ndjson")])
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert "cannot be written" in line


@pytest.mark.parametrize("option", ["--from", "--until"])
def test_a_time_that_is_none_is_told(option: str) -> None:
    code, _, told = run(option, "yesterday")
    assert code == 2
    assert option in told
