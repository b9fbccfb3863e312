"""A worker that is being stopped says so before anything else, and saves what it holds before it is gone."""

from __future__ import annotations

import asyncio
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from agents.demo.embedded import EmbeddedBroker, EmbeddedWorker
from agents.kafka.topics import topic_name, worker_id
from agents.pacing import Pacing
from agents.partitions.assignment import Claim
from schemas.topics import BEHAVIOR_EVENTS, MEMBERSHIP_CHANGES, SEGMENT_DEFINITIONS
from streamseg.settings import Settings
from tests.agents.installation import installed

WAIT_SECONDS = 60.0
CONTACTS = 40
SCANNED = {
    "segment_id": "scanned",
    "type": "standard",
    "name": "扫码",
    "clusters": [{"match": "all", "conditions": [{"event": "wechat_scan"}]}],
}


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with EmbeddedBroker() as broker:
        yield installed(broker, tmp_path / "data")


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ask(worker: EmbeddedWorker, path: str) -> tuple[int, str]:
    assert worker.app is not None
    url = f"http://127.0.0.1:{worker.app.web_server_service.port}{path}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def applied(worker: EmbeddedWorker) -> int:
    """How many events the worker has applied."""
    assert worker.app is not None
    tasks = [worker.app.scheduler.find(number) for number in range(worker.app.settings.partitions)]
    return sum(task.applied(BEHAVIOR_EVENTS) for task in tasks if task is not None)


def write(settings: Settings) -> None:
    """A scan of each contact."""
    producer = Producer(
        {"bootstrap.servers": settings.bootstrap_servers, "log_level": 0, "partitioner": "murmur2_random"}
    )
    for number in range(CONTACTS):
        event = {
            "event_id": f"e{number}",
            "contact_id": f"c{number}",
            "event": "wechat_scan",
            "occurred_at": int(time.time() * 1000),
        }
        producer.produce(topic_name(settings, BEHAVIOR_EVENTS), orjson.dumps(event), b"c%d" % number)
    assert producer.flush(10) == 0


def partitions(settings: Settings, topic: str) -> list[TopicPartition]:
    return [TopicPartition(topic_name(settings, topic), number) for number in range(settings.partitions)]


def entered(settings: Settings) -> list[str]:
    """The contacts of all membership changes that are in the topic."""
    consumer = Consumer(
        {
            "bootstrap.servers": settings.bootstrap_servers,
            "group.id": "reader",
            "auto.offset.reset": "earliest",
        }
    )
    places = partitions(settings, MEMBERSHIP_CHANGES)
    count = sum(consumer.get_watermark_offsets(place, timeout=10)[1] for place in places)
    consumer.assign([TopicPartition(place.topic, place.partition, 0) for place in places])
    found: list[str] = []

    def read() -> bool:
        found.extend(
            orjson.loads(message.value() or b"")["contact_id"]
            for message in consumer.consume(100, 0.2)
            if message.error() is None
        )
        return len(found) >= count

    until(read)
    consumer.close()
    return found


def lag(settings: Settings) -> int:
    """How many events the workers' group has not committed."""
    consumer = Consumer({"bootstrap.servers": settings.bootstrap_servers, "group.id": worker_id(settings)})
    places = consumer.committed(partitions(settings, BEHAVIOR_EVENTS), timeout=10)
    left = sum(consumer.get_watermark_offsets(one, timeout=10)[1] - max(one.offset, 0) for one in places)
    consumer.close()
    return left


def test_a_worker_is_not_ready_before_it_gives_anything_up_and_leaves_nothing_undone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Outputs, checkpoints and commits come only with the end.
    rarely_ms = 3_600_000
    settings = settings.model_copy(
        update={"checkpoint_interval_ms": rarely_ms, "commit_interval_ms": rarely_ms}
    )
    definitions = Producer({"bootstrap.servers": settings.bootstrap_servers, "log_level": 0})
    definitions.produce(topic_name(settings, SEGMENT_DEFINITIONS), orjson.dumps(SCANNED), b"scanned", 0)
    assert definitions.flush(10) == 0
    worker = EmbeddedWorker(settings, pacing=Pacing(at_once_seconds=rarely_ms / 1000))
    worker.start()
    app = worker.app
    assert app is not None
    until(lambda: ask(worker, "/ready")[0] == 200)
    write(settings)
    until(lambda: applied(worker) == CONTACTS)
    assert entered(settings) == []
    assert lag(settings) == CONTACTS

    giving_up, held, finish = threading.Event(), asyncio.Event(), app.scheduler.end

    async def end(claim: Claim) -> None:
        giving_up.set()
        await held.wait()
        await finish(claim)

    monkeypatch.setattr(app.scheduler, "end", end)
    stopping = threading.Thread(target=worker.stop)
    stopping.start()
    try:
        assert giving_up.wait(WAIT_SECONDS)
        status, reasons = ask(worker, "/ready")
        assert (status, "the worker is ending" in reasons) == (503, True)
        assert ask(worker, "/health")[0] == 200
        assert ask(worker, "/metrics")[0] == 200
        status, problem = ask(worker, "/api/v1/segments")
        assert (status, orjson.loads(problem)["code"]) == (503, "ending")
    finally:
        app.loop.call_soon_threadsafe(held.set)
        stopping.join(WAIT_SECONDS)
    assert not worker.running
    assert sorted(entered(settings)) == sorted(f"c{number}" for number in range(CONTACTS))
    assert lag(settings) == 0
