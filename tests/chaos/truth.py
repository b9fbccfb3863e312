"""The content of the topics at the end of a run, and the result of a replay of the same records."""

from __future__ import annotations

import os
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import orjson

from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES
from streamseg.engine.recording import definitions_in_order, in_order, line
from streamseg.records.inputs import Record
from tests.chaos.definitions import TOPIC as DEFINITIONS
from tests.chaos.definitions import Birth, Json
from tests.kafka.live import Topics

_SCRIPT = Path(__file__).with_name("replayed.py")


class Place(NamedTuple):
    """The position of a record."""

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
    """The topics, as a consumer of committed records reads them.

    changes      by partition, in its order, repeats included: the value's bytes and its content
    definitions  the latest value of each key, without tombstones
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
    """The result of a replay: members (segment, contact), the code of each refused source record, and the
    suppressed (contact, channel). `definitions`: the definitions that the replay refuses."""

    members: frozenset[tuple[str, str]]
    refused: dict[Place, str]
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
    limit_bytes: int,
    only_json: bool,
    standing: Sequence[Json] = (),
) -> Expected:
    """Return the result of the installation of `interpreter` for the records, merged by their times. Static
    segments start and end in it at their times. The definitions in `standing` are there from the start. All
    others are defined at the end, as they are in force, and evaluated by the history.

    `only_json`: that installation is an older one, whose replay ends at a line that is not JSON by the strict
    rules. It then gets a tick in place of a record whose bytes no JSON holds, which is refused anyway."""
    unreadable: dict[Place, str] = {}
    places: dict[int, Place] = {}
    definitions: dict[int, str] = {}
    with file.open("wb") as out:
        for number, record in enumerate(_in_order(truth, births, standing), 1):
            written = line(record, limit_bytes)
            place = Place(record.topic, record.partition, record.offset)
            if only_json and not _is_json(written):
                unreadable[place] = "invalid_json"
                written = b'{"tick":%d}\n' % record.timestamp_ms
            out.write(written)
            if record.topic == DEFINITIONS:
                definitions[number] = (record.key or b"").decode()
            else:
                places[number] = place
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
        refused=unreadable | {places[number]: code for number, code in refused.items() if number in places},
        definitions=frozenset(definitions[number] for number in refused if number in definitions),
        suppressions=frozenset((contact, channel) for contact, channel in said["suppressions"]),
    )


def _in_order(truth: Truth, births: Iterable[Birth], standing: Sequence[Json]) -> Iterator[Record]:
    sources: dict[tuple[str, int], list[Record]] = defaultdict(list)
    for one in truth.records:
        sources[one.place.topic, one.place.partition].append(
            Record(*one.place, one.at_ms, one.key, one.value)
        )
    numbers = sorted({number for _, number in sources})
    partitions = [(sources[BEHAVIOR_EVENTS, number], sources[CONTACT_UPDATES, number]) for number in numbers]
    first_ms = min((one.at_ms for one in truth.records), default=0)
    yield from (_definition(one["segment_id"], one, first_ms) for one in standing)
    known = {one["segment_id"] for one in standing}
    last_ms = 0
    for clock_ms, record in in_order(map(_birth, births), partitions):
        last_ms = clock_ms
        yield record
    rest = [
        _definition(one["segment_id"], one, last_ms)
        for one in truth.definitions.values()
        if one["type"] != "static" and one["segment_id"] not in known
    ]
    yield from definitions_in_order([one.copy(offset=offset) for offset, one in enumerate(rest)], last_ms)


def _is_json(written: bytes) -> bool:
    try:
        orjson.loads(written)
    except ValueError:
        return False
    return True


def _birth(birth: Birth) -> Record:
    definition = {"segment_id": birth.segment_id, "name": birth.segment_id, "type": "static"}
    return _definition(birth.segment_id, None if birth.deleted else definition, birth.at_ms)


def _definition(segment_id: str, definition: Json | None, at_ms: int) -> Record:
    value = None if definition is None else orjson.dumps(definition)
    return Record(DEFINITIONS, 0, -1, at_ms, segment_id.encode(), value)
