"""What the topics hold at the end of a run, and what a replay of the same records makes of it."""

from __future__ import annotations

import heapq
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES
from tests.chaos.definitions import TOPIC as DEFINITIONS
from tests.chaos.definitions import Birth, Json
from tests.kafka.live import Topics

_SCRIPT = Path(__file__).with_name("replayed.py")


class Place(NamedTuple):
    """Where a record stands."""

    topic: str
    partition: int
    offset: int


class Source(NamedTuple):
    """A record of a source topic."""

    place: Place
    at_ms: int
    key: bytes | None
    value: bytes | None


class Letter(NamedTuple):
    """A record of `dead-letters`."""

    source: Place
    code: str
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True)
class Truth:
    """The topics, as somebody reads them who reads what was committed.

    changes      by partition and in its order, repeats included: the value's bytes, and what they say
    definitions  the latest of each key that is no tombstone
    """

    records: list[Source]
    definitions: dict[str, Json]
    changes: list[tuple[bytes, Json]]
    memberships: dict[str, Json]
    suppressions: dict[str, Json]
    letters: list[Letter]
    catalogue: dict[str, Json]


@dataclass(frozen=True)
class Expected:
    """What a replay gives: members (segment, contact), the code of each refused source record, and the
    (contact, channel) that nothing may be sent on. `unreadable`: refused, since it fits no line.
    `definitions`: those on the topic that a replay refuses."""

    members: frozenset[tuple[str, str]]
    refused: dict[Place, str]
    unreadable: frozenset[Place]
    suppressions: frozenset[tuple[str, str]]
    definitions: frozenset[str] = frozenset()


def read(topics: Topics) -> Truth:
    prefix = len(topics.settings.topic_prefix)
    records = [
        Source(Place(topic, one.partition(), one.offset()), one.timestamp()[1], one.key(), one.value())
        for topic in (BEHAVIOR_EVENTS, CONTACT_UPDATES)
        for one in topics.read(topic)
    ]
    letters = []
    for one in topics.read("dead-letters"):
        headers = {name: (value or b"").decode() for name, value in one.headers() or ()}
        source = Place(
            headers["source.topic"].removeprefix(topics.settings.topic_prefix)
            if prefix
            else headers["source.topic"],
            int(headers["source.partition"]),
            int(headers["source.offset"]),
        )
        letters.append(Letter(source, headers["error.code"], one.key(), one.value()))
    return Truth(
        records=records,
        definitions=topics.latest(DEFINITIONS),
        changes=[(one.value(), orjson.loads(one.value())) for one in topics.read("membership-changes")],
        memberships=topics.latest("segment-memberships"),
        suppressions=topics.latest("channel-suppressions"),
        letters=letters,
        catalogue=topics.latest("segment-catalog"),
    )


def replayed(
    truth: Truth,
    births: Iterable[Birth],
    *,
    file: Path,
    interpreter: Path,
    environment: Mapping[str, str],
    until_ms: int,
) -> Expected:
    """What the installation of `interpreter` makes of the records, merged by their times. Static segments
    come and go in it when they did; all others are defined at the end, as they are in force, and judged by
    the history."""
    places: dict[int, Place] = {}
    definitions: dict[int, str] = {}
    unreadable: set[Place] = set()
    with file.open("wb") as out:
        for number, (at_ms, line, place) in enumerate(_lines(truth, births, unreadable), 1):
            out.write(b'{"timestamp":%d,%s}\n' % (at_ms, line))
            if isinstance(place, Place):
                places[number] = place
            else:
                definitions[number] = place
    result = subprocess.run(
        [interpreter, _SCRIPT, file, str(until_ms)],
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
    )
    if result.returncode != 0:
        raise RuntimeError(f"the replay of {file} failed:\n{result.stderr.decode()}")
    said = orjson.loads(result.stdout)
    refused = {int(number): code for number, code in said["dead_letters"].items()}
    return Expected(
        members=frozenset((segment, contact) for segment, contact in said["members"]),
        refused={places[number]: code for number, code in refused.items() if number in places},
        definitions=frozenset(definitions[number] for number in refused if number in definitions),
        unreadable=frozenset(unreadable),
        suppressions=frozenset((contact, channel) for contact, channel in said["suppressions"]),
    )


def _lines(
    truth: Truth, births: Iterable[Birth], unreadable: set[Place]
) -> Iterator[tuple[int, bytes, Place | str]]:
    """Time, the rest of the line's object, and the source record or the segment that it is of."""
    streams: list[list[tuple[int, bytes, Place | str]]] = [
        [(birth.at_ms, _birth_line(birth), birth.segment_id) for birth in births]
    ]
    for _, stream in groupby(truth.records, key=lambda record: record.place[:2]):
        lines: list[tuple[int, bytes, Place | str]] = []
        for record in stream:
            line = _record_line(record)
            if line is None:
                unreadable.add(record.place)
            else:
                lines.append((record.at_ms, line, record.place))
        streams.append(lines)
    last_ms = 0
    # Each stream keeps its own order, and the heads are taken by their times.
    for at_ms, line, place in heapq.merge(*streams, key=lambda entry: entry[0]):
        last_ms = max(last_ms, at_ms)
        yield at_ms, line, place
    for definition in _referred_first(truth.definitions):
        if definition["type"] != "static":
            segment_id = definition["segment_id"]
            yield last_ms, _definition_line(segment_id, definition), segment_id


def _record_line(record: Source) -> bytes | None:
    """None where a line of JSON cannot hold the record."""
    try:
        key = None if record.key is None else record.key.decode()
        if record.value is not None:
            orjson.loads(record.value)
    except ValueError:
        return None
    return b'"topic":"%s","key":%s,"value":%s' % (
        record.place.topic.encode(),
        orjson.dumps(key),
        record.value or b"null",
    )


def _birth_line(birth: Birth) -> bytes:
    definition = {"segment_id": birth.segment_id, "name": birth.segment_id, "type": "static"}
    return _definition_line(birth.segment_id, None if birth.deleted else definition)


def _definition_line(segment_id: str, definition: Json | None) -> bytes:
    return b'"topic":"segment-definitions","key":%s,"value":%s' % (
        orjson.dumps(segment_id),
        orjson.dumps(definition),
    )


def _referred_first(definitions: Mapping[str, Json]) -> list[Json]:
    """In an order in which each finds what it refers to."""
    ordered: dict[str, Json] = {}

    def place(segment_id: str) -> None:
        if segment_id in ordered or segment_id not in definitions:
            return
        for reference in sorted(_references(definitions[segment_id])):
            place(reference)
        ordered[segment_id] = definitions[segment_id]

    for segment_id in sorted(definitions):
        place(segment_id)
    return list(ordered.values())


def _references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["segment"]} if isinstance(value.get("segment"), str) else set()
        return own.union(*(_references(one) for one in value.values()))
    if isinstance(value, list):
        return set().union(*(_references(one) for one in value))
    return set()
