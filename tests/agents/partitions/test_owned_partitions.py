"""What a worker keeps of the partitions that it has given back."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agents.metrics import Metrics
from agents.partitions import restoring
from agents.partitions.assignment import Claim
from agents.partitions.owned_partitions import OwnedPartitions
from agents.partitions.scheduler import TaskScheduler
from agents.partitions.task import PartitionTask
from schemas.topics import CONTACT_UPDATES
from streamseg.records.inputs import Record
from streamseg.settings import Settings
from streamseg.store.contact_table import ContactTable
from streamseg.store.rocksdb import RocksStore
from tests.agents.simulation import START_MS, definitions, loaded

PARTITIONS = 4


@pytest.fixture
def without_collections() -> Iterator[None]:
    """Nothing is collected by itself, as in a worker, where the objects of a partition soon count as old."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.usefixtures("without_collections")
def test_nothing_is_left_of_partitions_that_were_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(
        _: object, topic: str, starts: dict[int, int], apply: Any, reached: Any, stop: object, *, planned: Any
    ) -> None:
        for number in starts:
            planned(number, 0, 0)
            reached(number, 0)

    monkeypatch.setattr(restoring, "read_changelog", read)
    settings = Settings(partitions=PARTITIONS, data_dir=tmp_path)
    plan = loaded(definitions([])).plan
    at_work: dict[Claim, PartitionTask] = {}

    def begin(claim: Claim, store: RocksStore, changelog_end: int) -> None:
        task = PartitionTask(
            number=claim.partition, store=store, plan=plan, settings=settings, ended_as_of=lambda _: None
        )
        body = b'{"contact_id": "c-%d", "attributes": {"country": "China"}}'
        records = [
            Record(CONTACT_UPDATES, claim.partition, at, START_MS, b"c-%d" % at, body % at) for at in range(5)
        ]
        task.offer(CONTACT_UPDATES, records, START_MS)
        at_work[claim] = task

    async def end(claim: Claim) -> None:
        at_work.pop(claim, None)

    async def main() -> None:
        partitions = OwnedPartitions(
            settings,
            scheduler=cast(TaskScheduler, SimpleNamespace(begin=begin, end=end)),
            metrics=Metrics(),
            folder=lambda: tmp_path,
        )
        async with partitions:
            for _ in range(3):
                partitions.assign(range(PARTITIONS))
                await partitions.wait_until_ready()
                async with asyncio.timeout(10):
                    while partitions.restoring:  # noqa: ASYNC110  # nothing tells of its end
                        await asyncio.sleep(0.001)
                for task in at_work.values():
                    while task.step():
                        continue
                assert _alive() == PARTITIONS
                del task
                await partitions.revoke()
                assert _alive() == 0

    asyncio.run(main())


def _alive() -> int:
    """Return how many tables of contacts are in memory."""
    return sum(isinstance(one, ContactTable) for one in gc.get_objects())
