"""A process that dies between any two steps of a checkpoint sends nothing twice and loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agents.partitions.checkpoint import PartitionLostError
from streamseg.records.inputs import Record
from streamseg.times import MINUTE_MS
from tests.agents.simulation import (
    START_MS,
    CrashError,
    Surroundings,
    definitions,
    loaded,
    source_records,
)
from tests.numbering import assert_numbered_on

RECORDS = 120
UNTIL_MS = START_MS + 5 * MINUTE_MS


def undisturbed(tmp_path: Path, source: dict[str, list[Any]]) -> Surroundings:
    world = Surroundings(tmp_path / "undisturbed", source)
    asyncio.run(world.run(UNTIL_MS, every=2))
    return world


def by_contact(changes: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Each contact's changes in their order, as a consumer that drops repeats by change id sees them.

    Across contacts there is no order: due work of others is done between batches."""
    seen: dict[str, list[dict[str, Any]]] = {}
    for change in {change["change_id"]: change for change in changes}.values():
        seen.setdefault(change["contact_id"], []).append(change)
    return seen


def test_the_undisturbed_run_has_something_to_lose(tmp_path: Path) -> None:
    world = undisturbed(tmp_path, source_records(RECORDS))
    assert len(world.changes) > 50
    assert len({change["change_id"] for change in world.changes}) == len(world.changes)
    assert {change["reason"]["kind"] for change in world.changes} >= {
        "time",
        "behavior_event",
        "contact_update",
        "deletion",
    }
    kinds = {change["reason"]["kind"] for change in world.changes if world.headers[change["change_id"]]}
    assert kinds == {"behavior_event", "contact_update", "deletion"}
    assert len({str(headers) for headers in world.headers.values()}) > 20
    assert world.dead_letters
    assert world.committed == {topic: records[-1].offset + 1 for topic, records in world.source.items()}


@pytest.mark.parametrize("disk", ["kept", "lost"])
def test_a_crash_at_any_point_leaves_the_same_changes_and_memberships(tmp_path: Path, disk: str) -> None:
    source = source_records(RECORDS)
    expected = undisturbed(tmp_path, source)
    for point in range(expected.points):
        world = Surroundings(tmp_path / f"{disk}-{point}", source)
        world.crash_at = point
        with pytest.raises(CrashError):
            asyncio.run(world.run(UNTIL_MS, every=2))
        if disk == "lost":
            world.lose_disk()
        asyncio.run(world.run(UNTIL_MS, every=2))
        assert by_contact(world.changes) == by_contact(expected.changes), point
        assert world.memberships == expected.memberships, point
        assert world.headers == expected.headers, point
        assert world.dead_letters.keys() == expected.dead_letters.keys(), point
        assert world.committed == expected.committed, point


def test_crash_upon_crash_leaves_the_same_changes(tmp_path: Path) -> None:
    source = source_records(RECORDS, seed=3)
    expected = undisturbed(tmp_path, source)
    world = Surroundings(tmp_path / "crashing", source)
    for crash in range(40):
        world.crash_at = crash % 7
        if crash % 5 == 4:
            world.lose_disk()
        try:
            asyncio.run(world.run(UNTIL_MS, every=1 + crash % 3))
        except CrashError:
            continue
        break
    world.crash_at = None
    asyncio.run(world.run(UNTIL_MS))
    assert by_contact(world.changes) == by_contact(expected.changes)
    assert world.memberships == expected.memberships
    assert world.headers == expected.headers


@pytest.mark.parametrize("batch", [1, 3, 1_000])
@pytest.mark.parametrize("every", [1, 5])
def test_neither_batches_nor_checkpoints_show_in_the_changes(tmp_path: Path, batch: int, every: int) -> None:
    source = source_records(RECORDS, seed=5)
    expected = undisturbed(tmp_path, source)
    world = Surroundings(tmp_path / "other", source, batch=batch)
    asyncio.run(world.run(UNTIL_MS, every=every))
    assert by_contact(world.changes) == by_contact(expected.changes)
    assert world.memberships == expected.memberships


def test_a_worker_that_the_group_went_on_without_writes_nothing(tmp_path: Path) -> None:
    world = Surroundings(tmp_path / "lost", source_records(RECORDS))
    world.ours = False
    with pytest.raises(PartitionLostError):
        asyncio.run(world.run(UNTIL_MS, every=2))
    assert world.changes == []
    assert world.changelog == []
    assert world.committed == {}


def live_records(count: int, *, contacts: int, arrival_ms: int) -> dict[str, list[Record]]:
    """What comes of a stream once the clock has passed its timestamps, further on in the same topics."""
    late = source_records(count, contacts=contacts, seed=11)
    return {
        topic: [
            record.copy(offset=1_000 + record.offset, timestamp_ms=arrival_ms - 1_000 + index % 7)
            for index, record in enumerate(records)
        ]
        for topic, records in late.items()
    }


CHANGED = [
    {
        "segment_id": segment_id,
        "version": 2,
        "clusters": [
            {
                "match": "all",
                "conditions": [
                    {"event": "open", "count": {"operator": "ge", "value": least}},
                ],
            }
        ],
    }
    for segment_id, least in [("recent", 1), ("keen", 3), ("quiet", 2)]
]


async def run_live(world: Surroundings, *, crashes: Sequence[int] = ()) -> int:
    """By changed definitions what comes late, started anew after each crash, always at another moment of the
    present; how many points there were in the last process."""
    changed = loaded([*definitions(), *definitions(CHANGED, first_offset=10)])
    for attempt, crash_at in enumerate([*crashes, None]):
        world.crash_at = crash_at
        world.points = 0
        try:
            await world.run(UNTIL_MS + MINUTE_MS + 13_011 * attempt, every=2, plan=changed, live=True)
        except CrashError:
            if world.loses_disk:
                world.lose_disk()
    return world.points


@pytest.mark.parametrize("disk", ["kept", "lost"])
def test_what_depends_on_the_present_is_announced_once_whenever_a_crash_comes(
    tmp_path: Path, disk: str
) -> None:
    source = source_records(60, contacts=20)
    late = live_records(60, contacts=12, arrival_ms=UNTIL_MS)

    def world_of(name: str) -> Surroundings:
        world = Surroundings(tmp_path / name, source, batch=2)
        asyncio.run(world.run(UNTIL_MS, every=2))
        world.source = {topic: [*source[topic], *late[topic]] for topic in source}
        world.loses_disk = disk == "lost"
        return world

    expected = world_of("undisturbed")
    points = asyncio.run(run_live(expected))
    assert {change["reason"]["kind"] for change in expected.changes} >= {"definition", "behavior_event"}
    twice = 0
    for point in range(points):
        world = world_of(f"{disk}-{point}")
        asyncio.run(run_live(world, crashes=[point, 1, 3]))
        assert_numbered_on(world.changes)
        assert members(world) == members(expected), point
        twice += len(world.changes) - len({change["change_id"] for change in world.changes})
    assert twice, "a crash in the middle of the outputs says them again"


def members(world: Surroundings) -> set[bytes]:
    return {key for key, value in world.memberships.items() if value is not None}
