"""A partition applies its input in the order of time, and its clock never passes input that may still
come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from agents.pacing import DEFAULT_PACING, Pacing
from agents.partitions.change_latency import ChangeLatency
from agents.partitions.task import PartitionTask
from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES
from streamseg.records.inputs import Record
from streamseg.settings import Settings
from streamseg.store.rocksdb import RocksStore
from streamseg.times import HOUR_MS
from tests.agents.simulation import definitions, loaded

NOW = 1_777_600_000_000
SCAN = {"event": "scan", "window": {"last": "PT5S"}}
RECENT = {"segment_id": "recent", "clusters": [{"match": "all", "conditions": [SCAN]}]}


class World:
    """A task over a fresh store; `ended` says, per topic, as of when it is known to be read to its end."""

    def __init__(self, folder: Path, *, pacing: Pacing = DEFAULT_PACING, **settings: object) -> None:
        self.ended: dict[str, int | None] = {BEHAVIOR_EVENTS: None, CONTACT_UPDATES: None}
        self.latest_ms = NOW + HOUR_MS
        self.store = RocksStore(folder)
        self.taken: list[tuple[str, int]] = []
        self.timed: list[float] = []
        self.task = PartitionTask(
            number=0,
            store=self.store,
            plan=loaded(definitions([RECENT])).plan,
            settings=Settings(live_lag_ms=250, **settings),  # type: ignore[arg-type]
            ended_as_of=lambda topic: self.ended[topic],
            latest_ms=lambda: self.latest_ms,
            pacing=pacing,
            latency=ChangeLatency(self.timed.append),
        )
        take = self.task.partition.take

        def spy(record: Record, latest_ms: int | None) -> None:
            self.taken.append((record.topic, record.offset))
            take(record, latest_ms)

        # Only what reaches the engine, and in which order, is of interest here.
        self.task.partition = _Spied(self.task.partition, spy)  # type: ignore[assignment]

    def offer(self, topic: str, *at_ms: int, first: int = 0, arrives_ms: int = NOW) -> None:
        self.task.offer(
            topic, [_record(topic, first + i, moment) for i, moment in enumerate(at_ms)], arrives_ms
        )

    def work(self) -> list[tuple[str, int]]:
        while self.task.step():
            continue
        taken, self.taken = self.taken, []
        return taken


class _Spied:
    def __init__(self, partition: object, take: Callable[[Record, int | None], None]) -> None:
        self._partition = partition
        self.take = take

    def __getattr__(self, name: str) -> object:
        return getattr(self._partition, name)


def _record(topic: str, offset: int, at_ms: int) -> Record:
    body: dict[str, object] = {"contact_id": "c1"}
    if topic == BEHAVIOR_EVENTS:
        body |= {"event_id": f"e{offset}", "event": "scan", "occurred_at": at_ms}
    return Record(topic, 0, offset, at_ms, b"c1", orjson.dumps(body))


def _scan_of(number: int, at_ms: int) -> Record:
    contact_id = f"d{number}"
    body = {"contact_id": contact_id, "event_id": "e", "event": "scan", "occurred_at": at_ms}
    return Record(BEHAVIOR_EVENTS, 0, number, at_ms, contact_id.encode(), orjson.dumps(body))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "state")
    yield world
    world.store.close()


def test_the_two_topics_are_merged_by_timestamp_and_ties_by_topic(world: World) -> None:
    world.offer(BEHAVIOR_EVENTS, NOW + 1, NOW + 3, NOW + 3, NOW + 9)
    world.offer(CONTACT_UPDATES, NOW, NOW + 3, NOW + 4)
    world.ended = {BEHAVIOR_EVENTS: NOW + 10, CONTACT_UPDATES: NOW + 10}
    assert world.work() == [
        (CONTACT_UPDATES, 0),
        (BEHAVIOR_EVENTS, 0),
        (BEHAVIOR_EVENTS, 1),
        (BEHAVIOR_EVENTS, 2),
        (CONTACT_UPDATES, 1),
        (CONTACT_UPDATES, 2),
        (BEHAVIOR_EVENTS, 3),
    ]


def test_a_record_waits_while_the_other_topic_may_still_bring_an_earlier_one(world: World) -> None:
    world.offer(BEHAVIOR_EVENTS, NOW - 10)
    assert world.work() == []
    world.ended[CONTACT_UPDATES] = NOW - 11
    assert world.work() == []
    world.offer(CONTACT_UPDATES, NOW - 30)
    assert world.work() == [(CONTACT_UPDATES, 0)]
    world.ended[CONTACT_UPDATES] = NOW - 10
    assert world.work() == [(BEHAVIOR_EVENTS, 0)]


def test_a_record_dated_ahead_waits_only_for_what_was_there_when_it_arrived(world: World) -> None:
    world.offer(BEHAVIOR_EVENTS, NOW + 60_000, arrives_ms=NOW)
    world.ended[CONTACT_UPDATES] = NOW - 1
    assert world.work() == []
    world.ended[CONTACT_UPDATES] = NOW
    assert world.work() == [(BEHAVIOR_EVENTS, 0)]


def test_records_of_other_batches_have_arrival_times_of_their_own(world: World) -> None:
    world.ended[CONTACT_UPDATES] = NOW
    world.offer(BEHAVIOR_EVENTS, NOW + 60_000, first=0, arrives_ms=NOW)
    world.offer(BEHAVIOR_EVENTS, NOW + 60_001, first=1, arrives_ms=NOW + 5)
    assert world.work() == [(BEHAVIOR_EVENTS, 0)]
    world.ended[CONTACT_UPDATES] = NOW + 5
    assert world.work() == [(BEHAVIOR_EVENTS, 1)]


def test_before_the_end_only_records_move_the_clock(world: World) -> None:
    world.offer(BEHAVIOR_EVENTS, NOW - 60_000)
    world.ended = {BEHAVIOR_EVENTS: None, CONTACT_UPDATES: NOW}
    world.work()
    assert world.task.partition.clock_ms == NOW - 60_000


def test_at_the_end_the_clock_follows_the_earlier_of_the_two_ends_at_a_distance(world: World) -> None:
    world.offer(BEHAVIOR_EVENTS, NOW - 60_000)
    world.ended = {BEHAVIOR_EVENTS: NOW, CONTACT_UPDATES: NOW - 40}
    world.work()
    assert world.task.partition.clock_ms == NOW - 40 - 250


def test_the_clock_stands_still_while_nothing_is_known_of_the_source(world: World) -> None:
    world.ended = {BEHAVIOR_EVENTS: NOW, CONTACT_UPDATES: NOW}
    world.work()
    clock_ms = world.task.partition.clock_ms
    world.ended[CONTACT_UPDATES] = None
    world.work()
    assert world.task.partition.clock_ms == clock_ms


def test_a_contact_that_falls_due_exits_at_its_due_time_without_input(world: World) -> None:
    world.offer(BEHAVIOR_EVENTS, NOW - 60_000)
    world.ended = {BEHAVIOR_EVENTS: NOW, CONTACT_UPDATES: NOW}
    world.work()
    changes = [orjson.loads(value or b"") for _, value, _ in world.task.buffer.changes]
    assert [(change["change"], change["reason"]["kind"]) for change in changes] == [
        ("entered", "behavior_event"),
        ("exited", "time"),
    ]
    assert changes[1]["change_id"].split("|")[2] == str(NOW - 55_000)
    assert world.task.earliest_due_ms == NOW - 55_000


def test_a_due_time_of_1970_is_a_due_time(world: World) -> None:
    world.task.earliest_due_ms = 0
    world.offer(BEHAVIOR_EVENTS, NOW - 60_000)
    world.ended = {BEHAVIOR_EVENTS: NOW, CONTACT_UPDATES: NOW}
    world.work()
    assert world.task.earliest_due_ms == 0


def test_records_that_the_state_holds_are_skipped_and_acknowledged_again(tmp_path: Path) -> None:
    first = World(tmp_path / "state")
    first.offer(BEHAVIOR_EVENTS, NOW - 3, NOW - 2, NOW - 1)
    first.ended = {BEHAVIOR_EVENTS: NOW, CONTACT_UPDATES: NOW}
    first.work()
    assert first.task.next_offsets == {BEHAVIOR_EVENTS: 3}
    first.store.set_number("next_offset behavior-events", 2)
    first.store.save()
    first.store.close()

    second = World(tmp_path / "state")
    second.offer(BEHAVIOR_EVENTS, NOW - 3, NOW - 2, NOW - 1)
    second.ended = {BEHAVIOR_EVENTS: NOW, CONTACT_UPDATES: NOW}
    assert second.work() == [(BEHAVIOR_EVENTS, 2)]
    assert second.task.next_offsets == {BEHAVIOR_EVENTS: 3}
    second.store.close()


def test_one_step_is_bounded_in_records_and_in_bytes(tmp_path: Path) -> None:
    world = World(tmp_path / "state", pacing=Pacing(step_records=10, step_bytes=1_000_000))
    world.ended = {BEHAVIOR_EVENTS: NOW, CONTACT_UPDATES: NOW}
    world.offer(BEHAVIOR_EVENTS, *range(NOW - 5_000, NOW))
    assert world.task.step()
    assert len(world.taken) == 10

    world.work()
    big = orjson.dumps({"contact_id": "c1", "attributes": {"text": "x" * 400_000}})
    updates = [Record(CONTACT_UPDATES, 0, offset, NOW, b"c1", big) for offset in range(50)]
    world.task.offer(CONTACT_UPDATES, updates, NOW)
    assert world.task.step()
    assert len(world.taken) == 3
    world.store.close()


def test_one_step_settles_few_contacts_while_records_wait_and_more_without(tmp_path: Path) -> None:
    pacing = Pacing(step_records=1, step_due=20, step_due_beside_records=5)
    world = World(tmp_path / "state", pacing=pacing)
    world.ended = {BEHAVIOR_EVENTS: NOW - 6_000, CONTACT_UPDATES: NOW - 6_000}
    world.task.offer(BEHAVIOR_EVENTS, [_scan_of(number, NOW - 7_000) for number in range(100)], NOW - 7_000)
    world.work()
    world.ended = {BEHAVIOR_EVENTS: NOW, CONTACT_UPDATES: NOW}
    world.offer(BEHAVIOR_EVENTS, NOW - 2, NOW - 1, first=100)
    partition = world.task.partition
    counts = []
    for _ in range(4):
        before = partition.counts.due
        world.task.step()
        counts.append(partition.counts.due - before)
    assert counts == [5, 5, 20, 20]
    world.store.close()


def test_changed_definitions_reach_every_contact_in_steps_while_input_goes_on(world: World) -> None:
    world.ended = {BEHAVIOR_EVENTS: NOW, CONTACT_UPDATES: NOW}
    world.task.offer(CONTACT_UPDATES, [_known(offset) for offset in range(500)], NOW)
    world.work()
    assert not world.task.sweeping

    known = {"attribute": "contact_id", "operator": "is_set"}
    both = [RECENT, {"segment_id": "all", "clusters": [{"match": "all", "conditions": [known]}]}]
    world.task.adopt(loaded(definitions(both, first_offset=5)).plan)
    world.offer(BEHAVIOR_EVENTS, *[NOW - 1] * 1_000)
    world.task.step()
    assert world.task.sweeping
    assert 0 < len(world.taken) < 1_000
    assert len(world.work()) == 1_000
    assert not world.task.sweeping
    changes = [orjson.loads(value or b"") for _, value, _ in world.task.buffer.changes]
    # The 500 and the one that the events are of.
    assert sum(change["segment_id"] == "all" for change in changes) == 501


def _known(offset: int) -> Record:
    contact_id = f"k{offset}"
    body = orjson.dumps({"contact_id": contact_id})
    return Record(CONTACT_UPDATES, 0, offset, NOW - 5_000, contact_id.encode(), body)


def test_a_sweep_that_was_finished_is_not_done_again_after_a_restart(tmp_path: Path) -> None:
    first = World(tmp_path / "state")
    assert first.task.sweeping
    first.work()
    assert not first.task.sweeping
    assert first.task.unsaved
    first.store.save()
    first.store.close()
    second = World(tmp_path / "state")
    assert not second.task.sweeping
    second.store.close()


def test_a_record_dated_too_far_ahead_is_refused_and_moves_no_clock(world: World) -> None:
    far, near = NOW + HOUR_MS + 1, NOW + HOUR_MS
    world.offer(BEHAVIOR_EVENTS, far, near)
    world.ended[CONTACT_UPDATES] = NOW
    assert world.work() == [(BEHAVIOR_EVENTS, 0), (BEHAVIOR_EVENTS, 1)]
    (letter,) = world.task.buffer.dead_letters
    assert (letter.record.offset, letter.code, letter.path) == (0, "timestamp_in_future", "timestamp")
    assert world.task.partition.clock_ms == near
    assert world.task.applied(BEHAVIOR_EVENTS) == 2


def test_a_record_whose_time_has_come_is_taken(world: World) -> None:
    at_ms = NOW + 2 * HOUR_MS
    world.latest_ms = at_ms
    world.offer(BEHAVIOR_EVENTS, at_ms)
    world.ended[CONTACT_UPDATES] = NOW
    world.work()
    assert world.task.buffer.dead_letters == []
    assert world.task.partition.clock_ms == at_ms


def test_a_record_is_timed_only_once_its_partition_is_read_to_the_end(world: World) -> None:
    world.offer(BEHAVIOR_EVENTS, NOW)
    world.offer(CONTACT_UPDATES, NOW)
    world.task.step()
    assert world.task.buffer.output_count
    world.task.latency.acknowledged(NOW + 20_000)
    assert world.timed == []
    world.ended = {BEHAVIOR_EVENTS: NOW + 1_000, CONTACT_UPDATES: NOW + 1_000}
    world.work()
    assert world.timed == [20.0]
    # What brings nothing about is not timed.
    world.offer(CONTACT_UPDATES, NOW + 500, first=1)
    world.work()
    world.task.latency.acknowledged(NOW + 30_000)
    assert world.timed == [20.0]
