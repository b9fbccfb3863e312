"""Partitions work when something arrives or falls due, and rest otherwise."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest
from faust.types import TP

from agents.metrics import Metrics
from agents.pacing import DEFAULT_PACING
from agents.partitions import scheduler as module
from agents.partitions.assignment import Claim
from agents.partitions.scheduler import TaskScheduler
from agents.partitions.task import PartitionTask
from agents.partitions.worker_clock import WorkerClock
from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES
from streamseg.catalogue.progress import Report
from streamseg.settings import Settings
from streamseg.store.rocksdb import RocksStore
from tests.agents import virtual_time
from tests.agents.simulation import START_MS, Surroundings, definitions, loaded
from tests.agents.virtual_time import VirtualClock, VirtualLoop

PARTITIONS = 8
LAG_MS = 250
WINDOW_SECONDS = 5
SCAN = {"event": "scan", "window": {"last": f"PT{WINDOW_SECONDS}S"}}
RECENT = {"segment_id": "recent", "clusters": [{"match": "all", "conditions": [SCAN]}]}


class Polled(NamedTuple):
    """A record as aiokafka returns it."""

    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


class Consumer:
    """A consumer that has always read everything. `unknown` are the topics whose ends it does not know."""

    def __init__(self, wall_ms: Callable[[], int]) -> None:
        self._wall_ms = wall_ms
        self.unknown: set[str] = set()
        self.acknowledged: dict[TP, int] = {}

    def arrived(self, tp: TP, count: int) -> None:
        return

    def ended_as_of(self, tp: TP) -> int | None:
        return None if tp.topic in self.unknown else self._wall_ms()

    def end(self, tp: TP) -> float:
        return 1_000_000

    def lag(self, tp: TP) -> int | None:
        return 0

    def begun_at(self, tp: TP) -> int:
        return 0

    def acknowledge(self, tp: TP, next_offset: int) -> None:
        self.acknowledged[tp] = next_offset

    def acknowledge_all(self, tp: TP) -> None:
        return

    async def still_ours(self) -> bool:
        return True


class Sink(Surroundings):
    """Takes everything at once, and notes when changes came and how many requests there were."""

    def __init__(self, folder: Path, loop: VirtualLoop) -> None:
        super().__init__(folder, {})
        self._loop = loop
        self.changed_at: list[float] = []

    async def send_outputs(self, partition: int, buffer: Any) -> None:
        self.changed_at += [self._loop.now] * len(buffer.changes)
        await super().send_outputs(partition, buffer)

    async def send_changelog(self, partition: int, groups: Any, *, first: int) -> Any:
        self.changelog = [(b"", None)] * first
        return await super().send_changelog(partition, groups, first=first)


class World:
    """A scheduler with partitions at work on a loop with virtual time."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.loop = VirtualLoop()
        self._folder = folder
        self._steps: Counter[int] = Counter()
        host = VirtualClock(self.loop, START_MS)
        self.consumer = Consumer(host.wall_ms)
        self.sink = Sink(folder, self.loop)
        self._settings = Settings(partitions=PARTITIONS, live_lag_ms=LAG_MS, data_dir=folder)
        self._wall_ms = host.wall_ms
        self._host = host
        monkeypatch.setattr(module, "time", virtual_time.clock_module(self.loop))
        step = PartitionTask.step

        def counted(task: PartitionTask) -> bool:
            self._steps[task.number] += 1
            return step(task)

        monkeypatch.setattr(PartitionTask, "step", counted)
        monkeypatch.setattr("agents.partitions.worker_clock.time.time_ns", lambda: host.wall_ms() * 1_000_000)

    def run(self, story: Callable[[], Awaitable[None]]) -> None:
        virtual_time.run(self.loop, self._run(story))

    async def _run(self, story: Callable[[], Awaitable[None]]) -> None:
        metrics = Metrics()
        self.scheduler = TaskScheduler(
            settings=self._settings,
            sink=self.sink,
            consumer=lambda: self.consumer,
            plan=lambda: loaded(definitions([RECENT])).plan,
            clock=WorkerClock(self._settings, brokers_time=None, metrics=metrics, host=self._host),
            metrics=metrics,
            may_write=lambda _: True,
            lost=lambda _: None,
        )
        claims = [Claim(number, 1) for number in range(PARTITIONS)]
        stores = [RocksStore(self._folder / str(number)) for number in range(PARTITIONS)]
        async with self.scheduler:
            for claim, store in zip(claims, stores, strict=True):
                self.scheduler.begin(claim, store, 0)
            # The first sweep, the first reports and the first checkpoints pass.
            await asyncio.sleep(10)
            await story()
            for claim in claims:
                await self.scheduler.end(claim)
        for store in stores:
            store.close()

    def as_one_of(self, partitions: int) -> None:
        """Let there be so many partitions in all."""
        self._settings = self._settings.model_copy(update={"partitions": partitions})

    def reported(self, number: int) -> Report:
        (report,) = (one for one in self.scheduler.reports() if one.partition == number)
        return report

    def scan(self, number: int) -> None:
        """Let an event arrive now."""
        at_ms = self._wall_ms()
        body = {"event_id": f"e{at_ms}", "contact_id": "c1", "event": "scan", "occurred_at": at_ms}
        self._offer(BEHAVIOR_EVENTS, Polled(number, 0, at_ms, b"c1", orjson.dumps(body)))

    def _offer(self, topic: str, record: Polled) -> None:
        self.scheduler.offer(1, TP(topic, record.partition), [record])

    async def steps(self, seconds: float) -> Counter[int]:
        """Return how many steps each partition makes in the next seconds."""
        before = self._steps.copy()
        await asyncio.sleep(seconds)
        return self._steps - before


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_without_input_and_due_contacts_a_partition_only_moves_its_clock(world: World) -> None:
    async def story() -> None:
        rests = 60 / DEFAULT_PACING.rest_seconds
        made = await world.steps(60)
        assert sorted(made) == list(range(PARTITIONS))
        assert all(abs(count - rests) <= 1 for count in made.values())

    world.run(story)


def test_a_record_wakes_its_partition_at_once_and_no_other_one(world: World) -> None:
    async def story() -> None:
        began = world.loop.now
        world.scan(3)
        made = await world.steps(0.04)
        assert list(made) == [3]
        assert len(world.sink.changed_at) == 1
        assert world.sink.changed_at[0] - began <= DEFAULT_PACING.at_once_seconds

    world.run(story)


def test_a_partition_rests_until_a_contact_is_due(world: World) -> None:
    async def story() -> None:
        began = world.loop.now
        world.scan(3)
        made = await world.steps(WINDOW_SECONDS - 0.1)
        # Arrival, outputs, checkpoint, report, and one move of the clock a second.
        assert made[3] <= 12
        await asyncio.sleep(1)
        entered_at, exited_at = world.sink.changed_at
        due_at = began + WINDOW_SECONDS + LAG_MS / 1000
        assert entered_at < due_at <= exited_at
        assert exited_at - due_at <= DEFAULT_PACING.look_again_seconds + DEFAULT_PACING.at_once_seconds

    world.run(story)


def test_many_partitions_report_their_members_rarely_and_new_definitions_at_once(world: World) -> None:
    rarely = 10.0
    world.as_one_of(int(rarely * DEFAULT_PACING.reported_counts))

    async def story() -> None:
        world.scan(3)
        await asyncio.sleep(1)
        assert world.reported(3).members == {"recent": 1}
        await asyncio.sleep(rarely - 2)
        assert len(world.sink.changed_at) == 2, "the contact has left"
        assert world.reported(3).members == {"recent": 1}
        await asyncio.sleep(2)
        assert world.reported(3).members == {"recent": 0}
        world.scan(3)
        await asyncio.sleep(rarely)
        world.scan(3)
        changed = loaded(definitions([RECENT, {**RECENT, "segment_id": "later"}])).plan
        assert changed.generation > world.reported(3).generation
        world.scheduler.adopt(changed)
        await asyncio.sleep(2)
        assert world.reported(3).generation == changed.generation
        assert world.reported(3).complete

    world.run(story)


def test_a_record_that_waits_for_the_other_topic_is_tried_again_soon(world: World) -> None:
    async def story() -> None:
        world.consumer.unknown = {CONTACT_UPDATES}
        world.scan(3)
        await asyncio.sleep(1)
        assert not world.sink.changed_at
        world.consumer.unknown = set()
        known_at = world.loop.now
        await asyncio.sleep(1)
        (changed_at,) = world.sink.changed_at
        assert changed_at - known_at <= DEFAULT_PACING.other_topic_seconds + DEFAULT_PACING.at_once_seconds

    world.run(story)
