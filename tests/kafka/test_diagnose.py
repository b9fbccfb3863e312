"""`streamseg diagnose` on a real broker: topics, groups, their members and the lag of each partition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from agents.commands.diagnose import diagnosis
from agents.kafka.topics import worker_id
from streamseg.settings import Settings
from tests.kafka.live import Topics, Worker, eventually, running
from tests.kafka.workload import DEFINITIONS, stream, write


@pytest.fixture
def worker(kafka_settings: Settings) -> Iterator[Worker]:
    worker = Worker(kafka_settings)
    yield worker
    worker.end()


def test_topics_groups_and_workers_are_in_it(kafka_settings: Settings, worker: Worker) -> None:
    topics = Topics(kafka_settings)
    missing = diagnosis(kafka_settings, [], 20)
    assert not missing["topics"]["ok"]
    topics.create()
    topics.define(*DEFINITIONS)
    write(topics, stream(200, contacts=40, seed=5))

    def group() -> Any:
        return found["groups"][worker_id(kafka_settings)]

    with running(worker):
        eventually(worker.caught_up, "the worker caught up")
        eventually(topics.all_committed, "all offsets were committed")
        found = diagnosis(kafka_settings, [f"http://127.0.0.1:{worker.port}"], 20)
        assert found["topics"]["ok"]
        assert group()["state"] == "STABLE"
        (member,) = group()["members"]
        assert member["partitions"] == sorted(group()["partitions"])
        assert len(member["partitions"]) == 2 * kafka_settings.partitions
        assert {one["lag"] for one in group()["partitions"].values()} == {0}
        assert any(one["committed"] for one in group()["partitions"].values())
        (asked,) = found["workers"].values()
        assert asked["health"]["status"] == 200
    with running(worker):
        eventually(worker.caught_up, "the worker caught up")
        # It has its changelog: a restart is none without state.
        assert worker.metric("streamseg_cold_starts_total") == 0
    found = diagnosis(kafka_settings, [], 20)
    assert group()["state"] == "EMPTY"
    assert group()["members"] == []
