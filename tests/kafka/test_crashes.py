"""Kills and rebalances in the middle of the stream do not change the output."""

from __future__ import annotations

import random
import shutil
import time
from typing import Any

import pytest

from streamseg.records.inputs import Record
from streamseg.settings import Settings
from tests.kafka.live import (
    WAIT_SECONDS,
    Topics,
    Worker,
    all_come_out,
    comparable,
    eventually,
    expected_changes,
    running,
)
from tests.kafka.workload import DEFINITIONS, stream, write
from tests.numbering import assert_numbered_on

KILLS = 20
RECORDS = 120_000
LIVE_KILLS = 6


@pytest.fixture
def topics(kafka_settings: Settings) -> Topics:
    topics = Topics(kafka_settings)
    topics.create()
    topics.define(*DEFINITIONS)
    return topics


def replayed(topics: Topics, records: list[Record]) -> dict[str, dict[str, Any]]:
    """The changes of an undisturbed run; the stream ended so long ago that nothing else is due by now."""
    return expected_changes(topics.settings, DEFINITIONS, records, time.time_ns() // 1_000_000)


def assert_as_replayed(topics: Topics, expected: dict[str, dict[str, Any]]) -> None:
    """Every change that a replay gives came out, and no other, each contact's in order; repeats are
    recognisable, and the compacted topic ends in the same memberships."""
    changes = topics.changes()
    assert comparable(changes) == comparable(expected.values())
    sequences = assert_numbered_on(changes)
    members = {f"{segment}|{contact}" for (segment, contact), last in sequences.items() if last % 2}
    assert topics.latest("segment-memberships").keys() == members


def test_twenty_kills_leave_the_changes_of_an_undisturbed_run(
    topics: Topics, kafka_settings: Settings
) -> None:
    records = stream(RECORDS, contacts=2_000, minutes=60)
    bad = [(record.key, b"{bad") for record in records[::5_000]]
    for index, record in enumerate(records):
        topics.write(record.topic, record.key, record.value, at_ms=record.timestamp_ms)
        if index % 5_000 == 0:
            topics.write(record.topic, record.key, b"{bad", at_ms=record.timestamp_ms)
    topics.flush()
    # With a name of its own the restarted worker takes the dead one's place at once.
    worker = Worker(
        kafka_settings,
        STREAMSEG_INSTANCE_ID="one",
        STREAMSEG_CACHE_BYTES=str(1 << 20),
        STREAMSEG_CHECKPOINT_RECORDS="500",
        STREAMSEG_COMMIT_INTERVAL_MS="50",
    )
    seeded = random.Random(5)
    applied = [0]
    try:
        for kill in range(KILLS):
            worker.launch()
            worker.wait_for("at work on partition")
            # How far it is to get, not how long it is let: a busy machine is killed in mid-stream too.
            goal = applied[-1] + seeded.randrange(2_000)
            eventually(lambda goal=goal: sum(topics.committed().values()) >= goal, f"{goal} committed")  # type: ignore[misc]
            time.sleep(seeded.uniform(0, 0.2))
            applied.append(sum(topics.committed().values()))
            worker.kill()
            if kill % 7 == 6:
                shutil.rmtree(worker.state)
    finally:
        worker.end()
    assert len(set(applied)) > KILLS / 2, f"killed at the same place again and again: {applied}"
    assert applied[-1] < len(records), f"killed after the stream: {applied}"
    expected = replayed(topics, records)
    with running(worker):
        eventually(topics.all_committed, "all input committed")
        all_come_out(topics, expected)
    assert_as_replayed(topics, expected)
    letters = {(message.key(), message.value()) for message in topics.read("dead-letters")}
    assert letters == set(bad)


def test_kills_amid_sweeps_and_live_input_announce_each_change_once(
    topics: Topics, kafka_settings: Settings
) -> None:
    """Both are stamped by a clock that follows the wall, so nothing that is done again is done as before."""
    seeded = random.Random(7)
    people = [f"p{number:04}" for number in range(3_000)]

    def define(version: int) -> None:
        least = {"attribute": "member_points", "operator": "ge", "value": 100 * (version % 2)}
        clusters = [{"match": "all", "conditions": [least]}]
        topics.define({"segment_id": "rich", "version": version, "clusters": clusters})

    def update(contact_id: str) -> None:
        value = {"contact_id": contact_id, "attributes": {"member_points": seeded.randrange(200)}}
        topics.write("contact-updates", contact_id, value, at_ms=time.time_ns() // 1_000_000 - 500)

    for contact_id in people:
        update(contact_id)
    define(1)
    worker = Worker(kafka_settings, STREAMSEG_INSTANCE_ID="one", STREAMSEG_CHECKPOINT_RECORDS="200")
    version = 1
    try:
        for kill in range(LIVE_KILLS):
            worker.start()
            # How much it is to say, not how long it is let: a busy machine is killed in the middle too. More
            # than the sweep of one changed definition says.
            goal = seeded.randrange(len(people), 2 * len(people))
            deadline = time.monotonic() + WAIT_SECONDS
            while worker.metric("streamseg_membership_changes_total") < goal:
                assert time.monotonic() < deadline, f"not in {WAIT_SECONDS:.0f} s: {goal} changes"
                for contact_id in seeded.sample(people, 20):
                    update(contact_id)
                topics.flush()
                if worker.metric("streamseg_sweeping_partitions") == 0:
                    version += 1
                    define(version)
            worker.kill()
            if kill % 3 == 2:
                shutil.rmtree(worker.state)
    finally:
        worker.end()
    version += 2 - version % 2
    define(version)
    with running(worker):
        eventually(topics.all_committed, "all input committed")
        eventually(lambda: worker.metric("streamseg_sweeping_partitions") == 0, "the end of the sweeps")
        everybody = {f"rich|{contact_id}" for contact_id in people}
        eventually(lambda: everybody <= topics.latest("segment-memberships").keys(), "everybody in rich")
    assert_numbered_on(topics.changes())


def test_workers_that_come_and_go_share_the_partitions_and_change_nothing(
    topics: Topics, kafka_settings: Settings
) -> None:
    records = stream(30_000, contacts=1_000, minutes=60, seed=9)
    write(topics, records)
    # Commits come from revocations and stops only: the interval is longer than the test.
    never = {"STREAMSEG_COMMIT_INTERVAL_MS": "10000000", "STREAMSEG_CHECKPOINT_RECORDS": "500"}
    first = Worker(kafka_settings, "first", **never)
    second = Worker(kafka_settings, "second", **never)
    try:
        first.start()
        eventually(lambda: first.metric("streamseg_records_total") > 1_000, "some records applied")
        assert topics.committed() == {}
        second.start()
        assert topics.committed() != {}, "offsets were committed when the partitions were revoked"
        # Each partition goes to work by itself, as soon as it is restored.
        for worker in (first, second):
            eventually(
                lambda worker=worker: worker.metric("streamseg_partitions") == 2,  # type: ignore[misc]
                "two partitions each",
            )
        assert first.stop() == 0
        first.start()
        eventually(lambda: first.metric("streamseg_partitions") == 2, "two partitions each")
        assert second.stop() == 0
        eventually(lambda: first.metric("streamseg_partitions") == 4, "all partitions on one")
        expected = replayed(topics, records)
        all_come_out(topics, expected)
        assert first.stop() == 0
    finally:
        first.end()
        second.end()
    assert topics.all_committed()
    assert_as_replayed(topics, expected)
    # Nobody was killed, so nothing was done twice.
    changes = topics.changes()
    assert len({change["change_id"] for change in changes}) == len(changes)


def test_a_worker_that_was_frozen_does_not_write_over_its_successor(
    topics: Topics, kafka_settings: Settings
) -> None:
    records = stream(30_000, contacts=1_000, minutes=60, seed=13)
    write(topics, records)
    short = {"STREAMSEG_SESSION_TIMEOUT_MS": "6000", "STREAMSEG_CHECKPOINT_RECORDS": "500"}
    frozen = Worker(kafka_settings, "frozen", **short)
    successor = Worker(kafka_settings, "successor", **short)
    try:
        frozen.start()
        eventually(lambda: frozen.metric("streamseg_records_total") > 1_000, "some records applied")
        frozen.freeze()
        successor.start()
        eventually(lambda: successor.metric("streamseg_partitions") == 4, "all partitions with the successor")
        eventually(lambda: successor.metric("streamseg_records_total") > 1_000, "the successor at work")
        frozen.thaw()
        eventually(lambda: frozen.poll() == 1, "the end of the one that stood still")
        assert "this process stood still for" in frozen.log
        frozen.start()
        eventually(lambda: frozen.metric("streamseg_partitions") == 2, "two partitions each")
        eventually(topics.all_committed, "all input committed")
        expected = replayed(topics, records)
        all_come_out(topics, expected)
        assert frozen.stop() == 0
        assert successor.stop() == 0
    finally:
        frozen.end()
        successor.end()
    assert_as_replayed(topics, expected)
    # What a later worker finds in the changelog is what came out.
    shutil.rmtree(successor.state)
    last = {(change["segment_id"], change["contact_id"]): change["sequence"] for change in topics.changes()}
    with running(successor):
        topics.define({"segment_id": "recent-scan", "clusters": NOBODY})
        eventually(lambda: "recent-scan" not in _segments(topics), "the changed segment empty")
    for change in topics.changes():
        key = (change["segment_id"], change["contact_id"])
        assert change["sequence"] <= last.get(key, 0) + 1


NOBODY = [{"match": "all", "conditions": [{"attribute": "name", "operator": "eq", "value": "nobody"}]}]


def _segments(topics: Topics) -> set[str]:
    return {value["segment_id"] for value in topics.latest("segment-memberships").values()}
