"""A sweep reaches every contact, reports its progress, and continues after a restart."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.partitions.sweep import Sweep
from agents.partitions.task import PartitionTask
from schemas.topics import CONTACT_UPDATES
from streamseg.contact.contact import Contact
from streamseg.engine.partition import Swept
from streamseg.plan.definitions import Definitions
from streamseg.plan.plan import Plan
from streamseg.records.inputs import Record
from streamseg.settings import Settings
from streamseg.store.rocksdb import RocksStore
from tests.definition_log import settled

NOW = 1_777_600_000_000
SETTINGS = Settings(live_lag_ms=0)
PEOPLE = 200


def definition(offset: int, points: int, segment_id: str = "rich", **more: Any) -> Record:
    condition = {"attribute": "member_points", "operator": "ge", "value": points}
    body = {
        "segment_id": segment_id,
        "type": "standard",
        "name": segment_id,
        "version": offset + 1,
        "clusters": [{"match": "all", "conditions": [condition]}],
        **more,
    }
    return Record("segment-definitions", 0, offset, NOW, segment_id.encode(), orjson.dumps(body))


def update(offset: int, contact_id: str, points: int) -> Record:
    body = orjson.dumps({"contact_id": contact_id, "attributes": {"member_points": points}})
    return Record(CONTACT_UPDATES, 0, offset, NOW, contact_id.encode(), body)


def plan_of(*records: Record) -> Plan:
    """The plan of a worker that starts with these on the topic."""
    definitions = Definitions(SETTINGS)
    assert definitions.load(records) == []
    return definitions.plan


def followed(*records: Record, found: tuple[Record, ...] = (definition(0, 100),)) -> list[Plan]:
    """The plans of a worker that started with some on the topic and was there as each of these came."""
    definitions = Definitions(SETTINGS)
    definitions.load(found)
    plans = []
    for record in records:
        definitions.take(record)
        plans.append(definitions.plan)
    return plans


class World:
    """A task over a store on disk that outlives it; every step is saved."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self.offset = 0
        self.changes: list[dict[str, Any]] = []
        self.start(plan)

    def start(self, plan: Plan) -> None:
        self.store = RocksStore(self.folder)
        self.task = PartitionTask(
            number=0, store=self.store, plan=plan, settings=SETTINGS, ended_as_of=lambda _: NOW
        )

    def restart(self, plan: Plan) -> None:
        self.store.close()
        self.start(plan)

    def step(self) -> bool:
        busy = self.task.step()
        self.changes += [orjson.loads(value or b"") for _, value, _ in self.task.buffer.changes]
        self.task.buffer.clear()
        self.store.save()
        self.task.saved()
        return busy

    def work(self) -> int:
        steps = 1
        while self.step():
            steps += 1
        return steps

    def put(self, *points: tuple[str, int]) -> None:
        """Contacts and their points, as updates to come."""
        records = [update(self.offset + at, *each) for at, each in enumerate(points)]
        self.offset += len(records)
        self.task.offer(CONTACT_UPDATES, records, NOW)

    def told(self) -> list[tuple[str, str]]:
        """Who has entered and exited since last asked."""
        changes, self.changes = self.changes, []
        return [(change["contact_id"], change["change"]) for change in changes]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """200 contacts with 0 to 199 points, those of at least 100 in `rich`."""
    world = World(tmp_path / "state", plan_of(definition(0, 100)))
    world.put(*[(f"c{number:03}", number) for number in range(PEOPLE)])
    world.work()
    assert len(world.told()) == 100
    yield world
    world.store.close()


def test_a_changed_formula_takes_over_once_all_contacts_are_ready_for_it(world: World) -> None:
    world.task.adopt(followed(definition(1, 150))[-1])
    while world.task.report().done * 2 < world.task.report().total or world.task.report().total < PEOPLE:
        world.step()
        assert world.told() == []
    world.work()
    assert sorted(world.told()) == [(f"c{number}", "exited") for number in range(100, 150)]


def test_a_restart_in_the_first_pass_keeps_to_the_formula_that_stands(world: World) -> None:
    world.task.adopt(followed(definition(1, 150))[-1])
    for _ in range(3):
        world.step()
    done = world.task.report().done
    assert 0 < done < PEOPLE
    world.restart(plan_of(definition(1, 150)))
    assert world.task.sweeping
    world.put(("new", 120))
    assert world.step()
    assert world.told() == [("new", "entered")], "by the old formula"
    assert world.task.report().done > done, "it goes on"
    world.work()
    assert sorted(world.told()) == [(f"c{number}", "exited") for number in range(100, 150)] + [
        ("new", "exited")
    ]


def test_a_restart_in_the_second_pass_goes_on_by_the_new_formula(world: World) -> None:
    world.task.adopt(followed(definition(1, 150))[-1])
    while not world.changes:
        world.step()
    done = world.task.report().done
    assert done > PEOPLE
    world.restart(plan_of(definition(1, 150)))
    world.put(("new", 120))
    assert world.step()
    assert world.task.report().done >= done
    world.work()
    assert sorted(world.told()) == [(f"c{number}", "exited") for number in range(100, 150)]


def test_a_restart_under_yet_another_formula_still_keeps_to_the_one_that_stands(world: World) -> None:
    world.task.adopt(followed(definition(1, 150))[-1])
    for _ in range(3):
        world.step()
    world.restart(plan_of(definition(2, 50), definition(3, 190, "richest")))
    world.put(("new", 120))
    world.step()
    assert ("new", "entered") in world.told()
    world.work()
    entered = [(f"c{number:03}", "entered") for number in [*range(50, 100), *range(190, 200)]]
    assert sorted(world.told()) == sorted(entered)


def test_a_deleted_segment_that_an_old_formula_asks_for_is_kept_with_it(tmp_path: Path) -> None:
    member = [{"match": "all", "conditions": [{"segment": "rich", "member": True}]}]
    above = definition(1, 0, "above", clusters=member)
    world = World(tmp_path / "state", plan_of(definition(0, 100), above))
    world.put(*[(f"c{number:03}", number) for number in range(PEOPLE)])
    world.work()
    assert len(world.told()) == 200
    gone = Record("segment-definitions", 0, 3, NOW, b"rich", None)
    plans = followed(definition(2, 150, "above"), gone, found=(definition(0, 100), above))
    world.task.adopt(plans[-1])
    world.step()
    world.restart(plan_of(definition(2, 150, "above")))
    world.put(("new", 120))
    world.work()
    assert len([who for who, change in world.told() if change == "exited" and who != "new"]) == 150
    world.store.close()


REFERS = [{"match": "all", "conditions": [{"segment": "rich", "member": True}]}]
ABOVE = definition(1, 0, "above", clusters=REFERS)


@pytest.fixture
def referring(tmp_path: Path) -> Iterator[World]:
    """As `world`, and all of `rich` in `above`, which refers to it; `above` is being changed to ask for
    150 points itself."""
    world = World(tmp_path / "state", plan_of(definition(0, 100), ABOVE))
    world.put(*[(f"c{number:03}", number) for number in range(PEOPLE)])
    world.work()
    world.told()
    world.task.adopt(followed(definition(2, 150, "above"), found=(definition(0, 100), ABOVE))[-1])
    world.step()
    yield world
    world.store.close()


ASKS_ABOVE = [{"match": "all", "conditions": [{"segment": "above", "member": True}]}]


@pytest.mark.parametrize("earlier_note", [False, True])
@pytest.mark.parametrize(
    ("later", "staying"),
    [
        pytest.param((), 200, id="deleted"),
        pytest.param((definition(4, 160),), 160, id="changed"),
        pytest.param((definition(4, 0, clusters=ASKS_ABOVE),), 150, id="turned round"),
    ],
)
def test_what_an_old_formula_asks_for_may_change_while_no_worker_runs(
    referring: World, later: tuple[Record, ...], staying: int, earlier_note: bool
) -> None:
    """The first pass was cut short; what the old formula refers to, unchanged then, is another by the
    restart. A note of an earlier release does not say what it was like."""
    world = referring
    if earlier_note:
        note = world.store.note("standing")
        assert note is not None
        note["segments"] = [row for row in note["segments"] if row[0] == "above"]
        world.store.set_note("standing", note)
        world.store.save()
    world.restart(plan_of(definition(2, 150, "above"), *later))
    world.work()
    told = [(one["segment_id"], one["contact_id"], one["change"]) for one in world.changes]
    above = [("above", f"c{number}", "exited") for number in range(100, 150)]
    rich = [("rich", f"c{number}", "exited") for number in range(100, staying)]
    assert sorted(told) == sorted(above + rich)


@pytest.mark.parametrize("still_later", [(), (definition(5, 0, "top", clusters=ASKS_ABOVE),)])
def test_a_segment_that_comes_to_ask_for_one_in_transition_while_no_worker_runs_keeps_its_members(
    tmp_path: Path, still_later: tuple[Record, ...]
) -> None:
    """The first pass for `rich` was cut short. `above` was there before, and by the restart refers to it, so
    that it waits: nobody who stays in it is to leave it meanwhile."""
    above = definition(1, 50, "above")
    world = World(tmp_path / "state", plan_of(definition(0, 100), above))
    world.put(*[(f"c{number:03}", number) for number in range(PEOPLE)])
    world.work()
    world.told()
    world.task.adopt(followed(definition(2, 150), found=(definition(0, 100), above))[-1])
    world.step()
    world.restart(plan_of(definition(2, 150), definition(4, 0, "above", clusters=REFERS), *still_later))
    # Whoever is heard of while it waits stays, too, by whatever it asked for before.
    world.put(("c180", 190), ("c060", 20), ("new", 170))
    world.work()
    told = [(one["segment_id"], one["contact_id"], one["change"]) for one in world.changes]
    rich = [("rich", f"c{number}", "exited") for number in range(100, 150)] + [("rich", "new", "entered")]
    left = [("above", f"c{number:03}", "exited") for number in range(50, 150)]
    top = [("top", f"c{number}", "entered") for number in range(150, PEOPLE)] if still_later else []
    top += [("top", "new", "entered")] if still_later else []
    assert sorted(told) == sorted([*rich, *left, ("above", "new", "entered"), *top])
    world.store.close()


def test_a_moved_or_shared_segment_is_not_swept(world: World) -> None:
    world.task.adopt(followed(definition(1, 100, group="g", version=1))[-1])
    assert world.work() == 1
    assert world.told() == []
    moved = (definition(0, 100), definition(1, 100, group="g", version=1))
    world.restart(plan_of(*settled(Definitions(SETTINGS), moved)))
    assert not world.task.sweeping


def test_a_segment_moved_in_mid_sweep_does_not_start_it_over(world: World) -> None:
    changed, shared = followed(
        definition(1, 150, version=2), definition(2, 150, version=2, shared_with=["b"])
    )
    world.task.adopt(changed)
    for _ in range(3):
        world.step()
    done = world.task.report().done
    world.task.adopt(shared)
    world.step()
    assert world.task.report().done > done
    world.work()
    assert sorted(world.told()) == [(f"c{number}", "exited") for number in range(100, 150)]
    edits = (definition(1, 150, version=2), definition(2, 150, version=2, shared_with=["b"]))
    world.restart(plan_of(*settled(Definitions(SETTINGS), (definition(0, 100), *edits))))
    assert not world.task.sweeping


@pytest.mark.parametrize(("contacts", "pieces"), [(0, 1), (1, 1), (1_999, 1), (2_000, 2), (4_500, 3)])
def test_contacts_are_counted_in_pieces(tmp_path: Path, contacts: int, pieces: int) -> None:
    store = RocksStore(tmp_path)
    for number in range(contacts):
        store.put(Contact(f"c{number:05}"))
    sweep = Sweep(store, plan_of(definition(0, 1)), SETTINGS)
    assert [sweep.count() for _ in range(pieces)] == [True] * (pieces - 1) + [False]
    assert sweep.share == (0, contacts + 1)
    store.close()


def test_the_share_is_never_all_of_it_before_the_end(tmp_path: Path) -> None:
    store = RocksStore(tmp_path)
    for number in range(10):
        store.put(Contact(f"c{number}"))
    sweep = Sweep(store, plan_of(definition(0, 1)), SETTINGS)
    shares = [sweep.share]
    assert not sweep.count()
    for last in ("c3", "c7", "c9"):
        sweep.reached(Swept(4, last))
        shares.append(sweep.share)
    sweep.reached(Swept(0, None))
    assert shares == [(0, 1), (4, 11), (8, 11), (10, 11)]
    assert (sweep.share, sweep.running, sweep.unsaved) == ((1, 1), False, True)
    store.close()


@pytest.mark.parametrize("restarted", [False, True])
def test_nobody_enters_a_new_segment_by_a_formula_that_is_on_its_way_out(
    world: World, restarted: bool
) -> None:
    refers = [{"match": "all", "conditions": [{"segment": "rich"}]}]
    again = [{"match": "all", "conditions": [{"segment": "very"}]}]
    records = [
        definition(1, 150),
        definition(2, 0, "very", clusters=refers),
        definition(3, 0, "very-very", clusters=again),
        definition(4, 10, "other"),
    ]
    plan = followed(*records)[-1]
    world.task.adopt(plan)
    world.step()
    world.step()
    world.put(("c120", 120), ("new", 500))
    if restarted:
        world.restart(plan_of(*records))
        world.put(("c121", 121))
    world.work()
    entered: dict[str, set[str]] = {}
    for change in world.changes:
        if change["segment_id"] != "rich":
            assert change["change"] == "entered", change
            entered.setdefault(change["segment_id"], set()).add(change["contact_id"])
    rich = {f"c{number:03}" for number in range(150, PEOPLE)}
    if not restarted:
        rich.add("new")
    assert entered["very"] == entered["very-very"] == rich
    assert len(entered["other"]) == PEOPLE - 10 + (not restarted)


def test_a_slice_ends_when_its_time_is_over(tmp_path: Path) -> None:
    took = 0.02
    now = 0.0

    def timer() -> float:
        nonlocal now
        now += took
        return now

    store = RocksStore(tmp_path / "state")
    task = PartitionTask(
        number=0,
        store=store,
        plan=plan_of(definition(0, 100)),
        settings=SETTINGS,
        ended_as_of=lambda _: NOW,
        timer=timer,
    )
    task.offer(CONTACT_UPDATES, [update(number, f"c{number:03}", number) for number in range(PEOPLE)], NOW)
    while task.step():
        pass
    task.adopt(followed(definition(1, 150))[-1])
    swept = []
    while task.step():
        swept.append(task.report().done)
        took = 0.02 if len(swept) < 12 else 0.001
    slices = [after - before for before, after in pairwise(swept)]
    assert slices[:10] == [1] * 10
    # 0: from the end of the first pass to the second one.
    assert {one for one in slices[13:-1] if one} <= {6, 7}
    store.close()
