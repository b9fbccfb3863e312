"""Rebalances during a restore: whenever they come, each partition starts work with its complete state."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import pytest

from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES
from streamseg.records.inputs import Record
from streamseg.settings import Settings
from tests.kafka.live import Topics, Worker, eventually, expected_changes, running
from tests.numbering import assert_numbered_on

CONTACTS = 60_000
DEFINITIONS = [
    {
        "segment_id": "in-china",
        "clusters": [
            {
                "match": "all",
                "conditions": [{"attribute": "location", "operator": "eq", "value": "中国"}],
            }
        ],
    },
    {
        "segment_id": "scanned-twice",
        "clusters": [
            {
                "match": "all",
                "conditions": [{"event": "scan", "count": {"operator": "ge", "value": 2}}],
            }
        ],
    },
]


class Input:
    """Writes records with the present as their time, and keeps them for the comparison."""

    def __init__(self, topics: Topics) -> None:
        self.records: list[Record] = []
        self._topics = topics
        self._seeded = random.Random(2)

    def update(self, number: int) -> None:
        place = self._seeded.choice(["中国", "美国"])
        self._write(CONTACT_UPDATES, number, {"attributes": {"location": place}})

    def event(self) -> None:
        number = self._seeded.randrange(CONTACTS)
        index = len(self.records)
        self._write(BEHAVIOR_EVENTS, number, {"event_id": f"e{index}", "event": "scan"})

    def live(self, seconds: float) -> None:
        """Updates and events for so long, some hundred a second."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for _ in range(10):
                self.event()
                self.update(self._seeded.randrange(CONTACTS))
            self._topics.flush()
            time.sleep(0.05)

    def _write(self, topic: str, number: int, body: dict[str, object]) -> None:
        now_ms, key = time.time_ns() // 1_000_000, f"c{number}"
        body = {"contact_id": key, **body}
        if topic == BEHAVIOR_EVENTS:
            body["occurred_at"] = now_ms
        self._topics.write(topic, key, body, at_ms=now_ms)
        self.records.append(Record(topic, 0, len(self.records), now_ms, key.encode(), orjson.dumps(body)))


@contextmanager
def ended(*workers: Worker) -> Iterator[None]:
    try:
        yield
        for worker in workers:
            assert worker.stop() == 0, worker.log
    finally:
        for worker in workers:
            worker.end()


@pytest.fixture
def topics(kafka_settings: Settings) -> Topics:
    topics = Topics(kafka_settings)
    topics.create()
    return topics


def test_workers_that_come_while_others_restore_find_and_leave_complete_state(
    topics: Topics, kafka_settings: Settings
) -> None:
    topics.define(*DEFINITIONS)
    source = Input(topics)
    for number in range(CONTACTS):
        source.update(number)
    topics.flush()
    with running(Worker(kafka_settings, "first")) as first:
        eventually(topics.all_committed, "all contacts known")
    shutil.rmtree(first.state)

    # Both folders empty, the second worker in the middle of the first one's restoring.
    for seconds in (0.3, 1.2):
        one, two = Worker(kafka_settings, f"one-{seconds}"), Worker(kafka_settings, f"two-{seconds}")
        with ended(one, two):
            one.launch()
            one.wait_for("assigned partitions")
            time.sleep(seconds)
            two.launch()
            source.live(2.0)
            two.wait_for("at work on partition")
            source.live(2.0)
            eventually(topics.all_committed, "all input committed")

    # One at work, and two more with empty folders.
    healthy = Worker(kafka_settings, "healthy")
    joining = [Worker(kafka_settings, f"joining-{number}") for number in range(2)]
    with ended(healthy, *joining):
        healthy.start()
        for worker in joining:
            worker.launch()
            source.live(0.5)
        for worker in joining:
            worker.wait_for("at work on partition")
        source.live(2.0)
        eventually(topics.all_committed, "all input committed")

    changes = topics.changes()
    assert_numbered_on(changes)
    last = {(change["segment_id"], change["contact_id"]): change["change"] for change in changes}
    found = {key for key, change in last.items() if change == "entered"}
    until_ms = source.records[-1].timestamp_ms + 1_000
    expected = expected_changes(kafka_settings, DEFINITIONS, source.records, until_ms).values()
    ends = {(change["segment_id"], change["contact_id"]): change["change"] for change in expected}
    assert found == {key for key, change in ends.items() if change == "entered"}
