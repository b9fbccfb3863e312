"""Source topics whose offsets have gaps: compacted topics and topics with transactions."""

from __future__ import annotations

import time

import orjson
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from agents.kafka.partitioner import place
from agents.kafka.topics import topic_name
from streamseg.settings import Settings
from tests.kafka.live import Topics, Worker, eventually, running

KNOWN = {"attribute": "contact_id", "operator": "is_set"}
POINTS = {"attribute": "member_points", "operator": "ge", "value": 90}
SEGMENTS = [
    {"segment_id": "everybody", "clusters": [{"match": "all", "conditions": [KNOWN]}]},
    {"segment_id": "rich", "clusters": [{"match": "all", "conditions": [POINTS]}]},
]


@pytest.fixture
def topics(kafka_settings: Settings) -> Topics:
    topics = Topics(kafka_settings)
    topics.create()
    topics.define(*SEGMENTS)
    return topics


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def members(topics: Topics, segment_id: str) -> set[str]:
    """Who is in a segment, as the compacted topic says."""
    return {
        value["contact_id"]
        for value in topics.latest("segment-memberships").values()
        if value["segment_id"] == segment_id
    }


def update(topics: Topics, contact_id: str, points: int, at_ms: int) -> None:
    body = {"contact_id": contact_id, "attributes": {"member_points": points}}
    topics.write("contact-updates", contact_id, body, at_ms=at_ms)


def test_a_compacted_source_is_read_to_its_end(topics: Topics, kafka_settings: Settings) -> None:
    name = topic_name(kafka_settings, "contact-updates")
    admin = AdminClient({"bootstrap.servers": kafka_settings.bootstrap_servers})
    wanted = {
        "cleanup.policy": "compact",
        "segment.bytes": str(1 << 20),
        "segment.ms": "1000",
        "min.cleanable.dirty.ratio": "0.01",
    }
    entries = [
        ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in wanted.items()
    ]
    resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)
    admin.incremental_alter_configs([resource])[resource].result(30)
    started_ms = now_ms() - 60_000
    for turn in range(60):
        for contact in range(40):
            update(topics, f"c{contact}", 40 + turn, started_ms + turn * 100)
        topics.flush()
    written = 60 * 40
    partitions = kafka_settings.partitions
    rollers = {place(f"roller-{number}".encode(), partitions): f"roller-{number}" for number in range(100)}
    assert len(rollers) == partitions

    def compacted() -> bool:
        # Only segments that were rolled are compacted, and a roll takes a further record of that partition.
        for roller in rollers.values():
            update(topics, roller, 1, now_ms())
        topics.flush()
        return len(topics.read("contact-updates")) < written // 2

    eventually(compacted, "the topic compacted")
    worker = Worker(kafka_settings)
    with running(worker):
        eventually(topics.all_committed, "everything committed in spite of the gaps")
    assert members(topics, "rich") == {f"c{contact}" for contact in range(40)}
    assert members(topics, "everybody") == {*members(topics, "rich"), *rollers.values()}


def test_of_transactions_only_what_was_committed_counts(topics: Topics, kafka_settings: Settings) -> None:
    producer = Producer(
        {
            "bootstrap.servers": kafka_settings.bootstrap_servers,
            "partitioner": "murmur2_random",
            "transactional.id": f"{kafka_settings.topic_prefix}upstream",
        }
    )
    producer.init_transactions(30)

    def in_transaction(contact_id: str, *, commit: bool) -> None:
        producer.begin_transaction()
        update = {"contact_id": contact_id, "attributes": {"member_points": 99}}
        event = {"contact_id": contact_id, "event_id": "e1", "event": "scan", "occurred_at": now_ms()}
        for topic, body in (("contact-updates", update), ("behavior-events", event)):
            producer.produce(topic_name(kafka_settings, topic), orjson.dumps(body), key=contact_id)
        if commit:
            producer.commit_transaction(30)
        else:
            producer.flush(30)
            producer.abort_transaction(30)

    worker = Worker(kafka_settings)
    for index in range(30):
        in_transaction(f"before-{index}", commit=index % 3 > 0)
    with running(worker):
        eventually(topics.all_committed, "everything committed, markers and aborted records included")
        for index in range(30):
            in_transaction(f"after-{index}", commit=index % 3 > 0)
        eventually(topics.all_committed, "what came while it ran, too")
        eventually(worker.caught_up, "caught up")
        # With both topics at their end, aborted records at it, the clock goes on.
        before = worker.metric("streamseg_clock_seconds")
        eventually(lambda: worker.metric("streamseg_clock_seconds") > before, "the clock goes on")
    committed = {f"{when}-{index}" for when in ("before", "after") for index in range(30) if index % 3}
    assert members(topics, "rich") == members(topics, "everybody") == committed
