"""`streamseg record` on a real broker: a replay of its file gives the changes that the worker sent."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
from confluent_kafka import Producer

from agents.kafka.topics import topic_name
from streamseg.settings import Settings
from tests.kafka.live import (
    PROGRAMS,
    Topics,
    Worker,
    all_come_out,
    comparable,
    eventually,
    running,
    worker_environment,
)
from tests.kafka.workload import DEFINITIONS, stream, write

LIMIT = 20_000
BAD = [b"not JSON", b'{"contact_id":"\xff"}', b"null", None, b"{}" + b" " * LIMIT, b'{"contact_id":"other"}']


@pytest.fixture
def topics(kafka_settings: Settings) -> Topics:
    topics = Topics(kafka_settings)
    topics.create()
    return topics


def streamseg(settings: Settings, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    environment = worker_environment(settings, settings.data_dir)
    return subprocess.run(
        [PROGRAMS / "streamseg", *arguments],
        env={**environment, "STREAMSEG_MAX_RECORD_BYTES": str(LIMIT)},
        capture_output=True,
        check=False,
        timeout=120,
    )


def lines(output: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_a_replay_of_the_record_gives_what_the_worker_gave(
    topics: Topics, kafka_settings: Settings, tmp_path: Path
) -> None:
    records = stream(400, contacts=40)
    began_ms = records[0].timestamp_ms - 60_000
    for definition in DEFINITIONS:
        body = {"type": "standard", "name": definition["segment_id"], **definition}
        topics.write("segment-definitions", definition["segment_id"], body, partition=0, at_ms=began_ms)
    topics.write("segment-definitions", "bad", b"{", partition=0, at_ms=began_ms)
    write(topics, records)
    for number, value in enumerate(BAD):
        at_ms = records[number].timestamp_ms
        topics.write("contact-updates", f"bad-{number}", value, at_ms=at_ms)
        topics.write("behavior-events", f"bad-{number}", value, at_ms=at_ms)
    for key in (None, b"\xff"):
        topics.write("contact-updates", key, b'{"contact_id":"c1"}', at_ms=records[0].timestamp_ms)
    topics.flush()
    abandon(kafka_settings)
    worker = Worker(kafka_settings, STREAMSEG_MAX_RECORD_BYTES=str(LIMIT))
    with running(worker):
        eventually(topics.all_committed, "all input is committed")
        eventually(worker.caught_up, "the worker has caught up")
        file = tmp_path / "record.ndjson"
        recorded = streamseg(kafka_settings, "record", "-o", file)
        assert recorded.returncode == 0, recorded.stderr
        assert b"Warning" not in recorded.stderr
        replay = streamseg(kafka_settings, "replay", file)
        expected = comparable(lines(replay.stdout))
        assert len(expected) > 100
        all_come_out(topics, expected)
        memberships = topics.latest("segment-memberships").values()
        letters = topics.read("dead-letters")
    assert comparable(topics.changes()) == expected
    members = lines(streamseg(kafka_settings, "replay", file, "--emit", "members").stdout)
    assert places(members) == places(memberships)
    codes = [dict(letter.headers())["error.code"].decode() for letter in letters]
    assert Counter(letter["code"] for letter in lines(replay.stderr)) == Counter(codes)

    # One contact alone, from standard output into standard input.
    contact_id = members[0]["contact_id"]
    own = streamseg(kafka_settings, "record", "--contact", contact_id).stdout
    assert {line.get("key") for line in lines(own) if line.get("topic") == "behavior-events"} == {contact_id}
    (tmp_path / "own.ndjson").write_bytes(own)
    replay = streamseg(kafka_settings, "replay", tmp_path / "own.ndjson")
    changes = {one: change for one, change in expected.items() if change["contact_id"] == contact_id}
    assert comparable(lines(replay.stdout)) == changes

    # A part of the time.
    middle_ms = records[len(records) // 2].timestamp_ms
    first = lines(streamseg(kafka_settings, "record", "--until", str(middle_ms)).stdout)
    second = lines(streamseg(kafka_settings, "record", "--from", str(middle_ms + 1)).stdout)
    every = lines(file.read_bytes())
    assert first[-1] == {"tick": middle_ms}
    parts = [[one for one in part if one.get("topic") in SOURCES] for part in (first, second, every)]
    assert parts[0] + parts[1] == parts[2]


SOURCES = ("behavior-events", "contact-updates")


def places(memberships: Any) -> list[tuple[Any, ...]]:
    return sorted(
        (one["segment_id"], one["contact_id"], one["entered_at"], one["sequence"]) for one in memberships
    )


def abandon(settings: Settings) -> None:
    """A transaction that was aborted, at the end of a topic: no record of it counts."""
    producer = Producer(
        {
            "bootstrap.servers": settings.bootstrap_servers,
            "transactional.id": f"{settings.topic_prefix}upstream",
        }
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    update = orjson.dumps({"contact_id": "nobody", "tags": {"add": ["x"]}})
    for partition in range(settings.partitions):
        producer.produce(
            topic_name(settings, "contact-updates"),
            update,
            key="nobody",
            partition=partition,
            timestamp=time.time_ns() // 1_000_000 - 60_000,
        )
    producer.flush(30)
    producer.abort_transaction(30)


def test_without_the_topics_it_says_what_to_do(kafka_settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "record.ndjson"
    recorded = streamseg(kafka_settings, "record", "--output", file)
    assert recorded.returncode == 1
    assert b"STREAMSEG_TOPIC_PREFIX" in recorded.stderr
    assert list(tmp_path.glob("record*")) == []
