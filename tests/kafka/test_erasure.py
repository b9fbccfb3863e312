"""After an erasure and its bounds, nothing of the person is in topics of workers or on a worker's disk."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from agents.kafka.dead_letters import Erased, erase_dead_letters
from agents.kafka.topics import changelog_topic, topic_name
from streamseg.settings import Settings
from streamseg.times import MINUTE_MS
from tests.kafka.live import PROGRAMS, Topics, Worker, eventually, running

PERSON = "c1"
# What must be gone. The id itself stays, so that older input does not make the contact known again.
TRACES = ("li.lei-5c1a@example.cn", "order-77f3e1", "gift-card-9b2d", "sms-opt-out-41d")
BUYERS = [{"event": "buy", "window": {"last": "P7D"}}]
LATEST = ("segment-memberships", "channel-suppressions")


@pytest.fixture
def topics(kafka_settings: Settings) -> Topics:
    topics = Topics(kafka_settings)
    topics.create()
    return topics


@pytest.fixture
def worker(kafka_settings: Settings) -> Worker:
    return Worker(kafka_settings, STREAMSEG_COMPACTION_INTERVAL_MS="1000")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def person(
    topics: Topics, contact_id: str, at_ms: int, email: str, order: str, gift: str, opt_out: str
) -> None:
    update = {"contact_id": contact_id, "attributes": {"email": email}, "tags": {"add": [gift]}}
    topics.write("contact-updates", contact_id, update, at_ms=at_ms)
    event = {"contact_id": contact_id, "occurred_at": at_ms}
    buy = {**event, "event_id": order, "event": "buy", "properties": {"for": gift}}
    topics.write("behavior-events", contact_id, buy, at_ms=at_ms)
    stop = {**event, "event_id": opt_out, "event": "sms_unsubscribe"}
    topics.write("behavior-events", contact_id, stop, at_ms=at_ms)
    refused = {**update, "attributes": {"email": email, "member_points": gift}}
    topics.write("contact-updates", contact_id, refused, at_ms=at_ms)


def compact(topics: Topics, name: str) -> None:
    """Have the broker begin new segments and clean the old ones at once."""
    admin = AdminClient({"bootstrap.servers": topics.settings.bootstrap_servers})
    wanted = {
        "segment.ms": "100",
        "min.cleanable.dirty.ratio": "0.0",
        "min.compaction.lag.ms": "0",
        "max.compaction.lag.ms": "100",
        "delete.retention.ms": "0",
    }
    entries = [
        ConfigEntry(setting, value, incremental_operation=AlterConfigOpType.SET)
        for setting, value in wanted.items()
    ]
    resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)
    for answer in admin.incremental_alter_configs([resource]).values():
        answer.result(timeout=60)


def found_in(folder: Path) -> set[str]:
    """The traces of the person in files."""
    data = b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
    return {trace for trace in TRACES if trace.encode() in data}


def in_topic(topics: Topics, topic: str) -> set[str]:
    """The traces of the person in what a topic still has, decompressed."""
    data = b"".join((one.key() or b"") + (one.value() or b"") for one in topics.read(topic))
    return {trace for trace in TRACES if trace.encode() in data}


def test_nothing_of_a_person_is_left_after_the_bounds(
    topics: Topics, worker: Worker, kafka_settings: Settings
) -> None:
    topics.define({"segment_id": "buyers", "clusters": [{"match": "all", "conditions": BUYERS}]})
    changelog = changelog_topic(kafka_settings)
    at_ms = now_ms() - MINUTE_MS
    with running(worker):
        person(topics, PERSON, at_ms, *TRACES)
        for number in range(20):
            person(topics, f"other{number}", at_ms, "a@b.cn", f"o{number}", "book", f"s{number}")
        topics.flush()
        eventually(topics.all_committed, "all input committed")
        assert found_in(kafka_settings.data_dir)
        assert in_topic(topics, changelog)
        assert in_topic(topics, "dead-letters")
        api = f"http://127.0.0.1:{worker.port}/api/v1/contacts"
        exported = httpx.get(f"{api}/{PERSON}/export", timeout=60).text
        assert all(trace in exported for trace in TRACES)

        told = erase(worker, PERSON)
        assert (told["known_again"], told["sent"]) == (False, True)
        assert httpx.get(f"{api}/{PERSON}", timeout=60).status_code == 404
        # The partition's next checkpoint removes what was kept to be sent, then the disk is compacted.
        eventually(lambda: not found_in(kafka_settings.data_dir), "the worker's disk is clean")
        for name in (changelog, *(topic_name(kafka_settings, one) for one in LATEST)):
            compact(topics, name)

        def compacted() -> bool:
            # Kafka begins a new segment only when something is written.
            number = now_ms()
            event = {"event_id": f"x{number}", "contact_id": PERSON, "event": "sms_resubscribe"}
            for other in range(20):
                contact_id = f"other{other}"
                one = {**event, "contact_id": contact_id, "occurred_at": number}
                topics.write("behavior-events", contact_id, one, at_ms=number)
                for name in ("buy", "sms_unsubscribe"):
                    more = {**one, "event_id": f"{name}{number}", "event": name}
                    topics.write("behavior-events", contact_id, more, at_ms=number)
            topics.flush()
            if any(in_topic(topics, one) for one in (changelog, *LATEST)):
                return False
            keys = {one.key() for topic in LATEST for one in topics.read(topic) if one.value() is not None}
            return not keys & {b"buyers|c1", b"c1|sms"} and b"buyers|other1" in keys

        eventually(compacted, "compacted topics are clean")

        before = {one.value() for one in topics.read("dead-letters")}
        found = erase_dead_letters(kafka_settings, PERSON)
        assert found.removed == 1
        assert not in_topic(topics, "dead-letters")
        assert {one.value() for one in topics.read("dead-letters")} == {
            value for value in before if TRACES[0].encode() not in value
        }
        assert erase_dead_letters(kafka_settings, PERSON) == Erased(0, 0)
    assert not any(trace in worker.log for trace in TRACES)


def erase(worker: Worker, contact_id: str) -> Any:
    """Erase with the command that people use; return what it prints."""
    done = subprocess.run(
        [PROGRAMS / "streamseg", "contacts", "erase", contact_id, "--wait", "--yes", "--json"],
        env={
            "STREAMSEG_API_URL": f"http://127.0.0.1:{worker.port}",
            "PATH": str(Path(sys.executable).parent),
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return orjson.loads(done.stdout)


def test_letters_of_others_keep_bytes_headers_and_time(topics: Topics, kafka_settings: Settings) -> None:
    headers = [("error.code", b"invalid_json"), ("source.offset", b"7")]
    kept: list[tuple[bytes | None, bytes | None, int]] = [(b"c2", b"\xff", 1_000), (None, None, 2_000)]
    for key, value, ago_ms in (
        kept[0],
        (b"c1", b"{", 1_500),
        kept[1],
        (b"c1", None, 500),
        (b"c3", b"3", 100),
    ):
        topics.write("dead-letters", key, value, at_ms=now_ms() - ago_ms, partition=0, headers=headers)
    topics.flush()
    times = {one.key(): one.timestamp() for one in topics.read("dead-letters")}
    assert erase_dead_letters(kafka_settings, "c1") == Erased(2, 2)
    left = topics.read("dead-letters")
    assert [(one.key(), one.value()) for one in left] == [(b"c3", b"3"), (b"c2", b"\xff"), (None, None)]
    assert all(one.headers() == headers and one.timestamp() == times[one.key()] for one in left)
