"""A worker that has nothing to write finds what another one has written to its changelog."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from confluent_kafka import Producer

from agents.demo.embedded import EmbeddedBroker, EmbeddedWorker
from agents.kafka.changelog_record import expected_at
from agents.kafka.topics import changelog_topic
from agents.pacing import Pacing
from agents.partitions.checkpoint import ForeignWriteError
from streamseg.settings import Settings
from tests.agents.installation import installed

WAIT_SECONDS = 60.0


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Of an installation on a broker of its own."""
    with EmbeddedBroker() as broker:
        settings = installed(broker, tmp_path / "data")
        yield settings


def producer_of(settings: Settings) -> Producer:
    return Producer(
        {"bootstrap.servers": settings.bootstrap_servers, "log_level": 0, "partitioner": "murmur2_random"}
    )


def test_a_late_record_of_another_worker_ends_the_work(settings: Settings) -> None:
    worker = EmbeddedWorker(settings, pacing=Pacing(changelog_look_seconds=0.1))
    worker.start()
    assert worker.app is not None
    scheduler = worker.app.scheduler
    deadline = time.monotonic() + WAIT_SECONDS
    while any(task is None or task.unsaved for task in map(scheduler.find, range(settings.partitions))):
        assert time.monotonic() < deadline, "the worker does not come to rest"
        time.sleep(0.05)
    producer = producer_of(settings)
    # Its writer expected it far behind the end: it does not count.
    late: list[tuple[str, str | bytes | None]] = [expected_at(1_000_000)]
    producer.produce(changelog_topic(settings), b"?", b"c1", partition=2, headers=late)
    producer.flush()
    while worker.running:
        assert time.monotonic() < deadline, "the worker goes on"
        time.sleep(0.05)
    with pytest.raises(ForeignWriteError, match="the changelog of partition 2 has records"):
        worker.stop()


def test_a_worker_alone_finds_nothing(settings: Settings) -> None:
    with EmbeddedWorker(settings, pacing=Pacing(changelog_look_seconds=0.02)) as worker:
        assert worker.app is not None
        producer = producer_of(settings)
        for number in range(300):
            event = {
                "event_id": f"e{number}",
                "contact_id": f"c{number}",
                "event": "buy",
                "occurred_at": int(time.time() * 1000),
            }
            producer.produce("behavior-events", orjson.dumps(event), b"c%d" % number)
        producer.flush()
        deadline = time.monotonic() + WAIT_SECONDS
        while b'streamseg_records_total{result="applied"} 300.0' not in worker.app.metrics.exposition():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert worker.running
