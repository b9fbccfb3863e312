"""Questions about contacts do not change the partitions of this worker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.api.partitions import LocalPartitions
from agents.partitions.task import PartitionTask
from schemas.topics import BEHAVIOR_EVENTS
from streamseg.records.inputs import Record
from streamseg.settings import Settings
from streamseg.store.rocksdb import RocksStore
from streamseg.times import DAY_MS
from tests.agents.simulation import definitions, loaded

Json = dict[str, Any]

NOW = 1_777_600_000_000
SETTINGS = Settings(history_retention_ms=10 * DAY_MS)
EVER = {
    "segment_id": "ever",
    "clusters": [{"match": "all", "conditions": [{"event": "scan"}]}],
}


class Here:
    """One partition at work, number 0."""

    def __init__(self, task: PartitionTask) -> None:
        self._task = task

    def find(self, number: int) -> PartitionTask | None:
        return self._task if number == 0 else None

    def wake(self, number: int) -> None:
        assert number == 0


@pytest.fixture
def task(tmp_path: Path) -> Iterator[PartitionTask]:
    """One contact with three events, two of which are past retention and wait to be pruned."""
    store = RocksStore(tmp_path)
    task = PartitionTask(
        number=0,
        store=store,
        plan=loaded(definitions([EVER])).plan,
        settings=SETTINGS,
        ended_as_of=lambda _: None,
    )
    for offset, at_ms in enumerate([NOW, NOW + DAY_MS, NOW + 9 * DAY_MS]):
        event = {"event_id": f"e{offset}", "contact_id": "c1", "event": "scan", "occurred_at": at_ms}
        task.partition.take(Record(BEHAVIOR_EVENTS, 0, offset, at_ms, b"c1", orjson.dumps(event)))
    task.partition.advance(NOW + 13 * DAY_MS)
    yield task
    store.close()


def test_a_contact_whose_pruning_is_overdue_is_explained_and_previewed(task: PartitionTask) -> None:
    due = task.store.next_due()
    assert due is not None
    assert due[0] < task.partition.clock_ms
    local = LocalPartitions(Here(task), SETTINGS)

    async def ask() -> tuple[Json, Json]:
        plan = task.partition.plan
        return await local.explain(0, "c1", "ever"), await local.preview([0], plan, "ever", 5)

    explanation, preview = asyncio.run(ask())

    assert explanation["member"] is True
    assert preview == {"contacts": 1, "sample": ["c1"]}
    assert len(list(task.store.events("c1"))) == 3, "asking must not prune"
