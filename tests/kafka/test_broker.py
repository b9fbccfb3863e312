"""deploy/kafka.sh on a real broker: clients connect, stock tools work, and a restart keeps the data."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from agents.kafka.topics import required_topics
from agents.kafka.topics_admin import TopicsAdmin
from streamseg.settings import Settings

SECONDS = 120


def call(script: Path, *arguments: object, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [script, *map(str, arguments)], input=given, capture_output=True, text=True, timeout=SECONDS
    )


def out(script: Path, *arguments: object, given: str = "") -> str:
    done = call(script, *arguments, given=given)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def created(kafka_settings: Settings) -> Settings:
    TopicsAdmin(kafka_settings).create(required_topics(kafka_settings))
    return kafka_settings


@pytest.fixture
def folder(tmp_path: Path, kafka_script: Path) -> Iterator[Path]:
    folder = tmp_path / "broker"
    yield folder
    if folder.exists():
        out(kafka_script, "stop", folder)


def test_aiokafka_produces_and_consumes_as_a_group(created: Settings) -> None:
    topic = f"{created.topic_prefix}contact-updates"

    async def there_and_back() -> dict[bytes | None, bytes | None]:
        async with AIOKafkaProducer(bootstrap_servers=created.bootstrap_servers, acks="all") as producer:
            for number in range(20):
                await producer.send_and_wait(topic, key=b"c%d" % number, value=b"%d" % number)
        found: dict[bytes | None, bytes | None] = {}
        async with AIOKafkaConsumer(
            topic,
            bootstrap_servers=created.bootstrap_servers,
            group_id=f"{created.topic_prefix}readers",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        ) as consumer:
            while len(found) < 20:
                record = await consumer.getone()
                found[record.key] = record.value
            await consumer.commit()
            assert sum([await consumer.committed(each) or 0 for each in consumer.assignment()]) == 20
        return found

    found = asyncio.run(asyncio.wait_for(there_and_back(), SECONDS))
    assert found == {b"c%d" % number: b"%d" % number for number in range(20)}


def test_a_record_that_is_too_large_for_us_is_still_taken_by_the_broker(created: Settings) -> None:
    topic = f"{created.topic_prefix}behavior-events"
    size = 5 * created.max_record_bytes // 2
    producer = Producer(
        {"bootstrap.servers": created.bootstrap_servers, "message.max.bytes": 4 * created.max_record_bytes}
    )
    refused: list[object] = []
    producer.produce(topic, key=b"c1", value=bytes(size), on_delivery=lambda error, _: refused.append(error))
    assert producer.flush(SECONDS) == 0
    assert refused == [None]
    consumer = Consumer(
        {
            "bootstrap.servers": created.bootstrap_servers,
            "group.id": f"{created.topic_prefix}readers",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([topic])
    message = consumer.poll(SECONDS)
    consumer.close()
    assert message is not None
    assert message.error() is None
    assert len(message.value() or b"") == size


def test_topics_do_not_come_about_by_being_written_to(bootstrap: str, topic_prefix: str) -> None:
    name = f"{topic_prefix}nowhere"
    producer = Producer({"bootstrap.servers": bootstrap, "message.timeout.ms": 2_000})
    told: list[object] = []
    producer.produce(name, value=b"", on_delivery=lambda error, _: told.append(error))
    producer.flush(SECONDS)
    assert len(told) == 1
    assert told[0] is not None
    assert name not in producer.list_topics(timeout=10).topics


def test_a_topic_can_be_made_to_compact_at_once(bootstrap: str, topic_prefix: str) -> None:
    topic = f"{topic_prefix}compacted"
    admin = AdminClient({"bootstrap.servers": bootstrap})
    eager = {"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.01"}
    for future in admin.create_topics([NewTopic(topic, 1, 1, config=eager)]).values():
        future.result()
    producer = Producer({"bootstrap.servers": bootstrap})
    reader = {"bootstrap.servers": bootstrap, "group.id": topic, "auto.offset.reset": "earliest"}

    def kept() -> list[int]:
        """The offsets that are still there, in order."""
        consumer = Consumer(reader)
        _, end = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=SECONDS)
        consumer.assign([TopicPartition(topic, 0, 0)])
        offsets: list[int] = []
        while not offsets or offsets[-1] < end - 1:
            message = consumer.poll(SECONDS)
            assert message is not None
            offsets.append(message.offset() or 0)
        consumer.close()
        return offsets

    deadline = time.monotonic() + SECONDS
    offsets = [0]
    while len(offsets) == offsets[-1] + 1:
        assert time.monotonic() < deadline
        # A segment is closed when a later record finds it old enough; only closed ones are compacted.
        producer.produce(topic, key=b"c1", value=b"")
        assert producer.flush(SECONDS) == 0
        offsets = kept()


def test_data_outlives_a_restart_and_stock_tools_read_it(kafka_script: Path, folder: Path) -> None:
    address = out(kafka_script, "start", folder, "--port", 0)
    assert out(kafka_script, "status", folder) == address
    server = ["--bootstrap-server", address]
    out(kafka_script, "console", "kafka-topics", *server, "--create", "--topic", "t", "--partitions", 1)
    out(
        kafka_script, "console", "kafka-console-producer", *server, "--topic", "t",
        "--reader-property", "parse.key=true", "--reader-property", "key.separator=|",
        given="c1|甲\nc2|乙\n",
    )  # fmt: skip
    out(kafka_script, "stop", folder)
    assert call(kafka_script, "status", folder).returncode == 3

    assert out(kafka_script, "start", folder) == address, "a folder keeps its port"
    assert out(kafka_script, "start", folder) == address, "starting twice is starting once"
    assert out(kafka_script, "console", "kafka-get-offsets", *server, "--topic", "t") == "t:0:2"
    read = out(
        kafka_script, "console", "kafka-console-consumer", *server, "--topic", "t",
        "--from-beginning", "--max-messages", 2, "--formatter-property", "print.key=true",
    )  # fmt: skip
    assert read == "c1\t甲\nc2\t乙"


def test_a_broker_ends_by_itself_on_sigterm(kafka_script: Path, folder: Path) -> None:
    out(kafka_script, "start", folder, "--port", 0)
    pid = (folder / "kafka.pid").read_text().strip()
    subprocess.run(["kill", "-TERM", pid], check=True)
    out(kafka_script, "stop", folder)
    assert call(kafka_script, "status", folder).returncode == 3
    assert (folder / "data" / ".kafka_cleanshutdown").exists()
