"""The seed alone decides every action of a run."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from streamseg.replay import Replay
from streamseg.settings import Settings
from tests.chaos.definitions import BORN_LIVE, STANDING, Story
from tests.chaos.plan import FAULTS, WORKERS, Action, Deed, plan_of_faults
from tests.chaos.traffic import Traffic
from tests.chaos.writing import Mode, Written

AT_MS = 1_777_593_600_000

_ENDS = {
    Deed.THAW: (Deed.FREEZE,),
    Deed.FREE_DISK: (Deed.FILL_DISK,),
    Deed.RIGHT_CLOCK: (Deed.CLOCK_AHEAD, Deed.CLOCK_BACK),
}
_ENDED_BY = {deed: end for end, begins in _ENDS.items() for deed in (end, *begins)}


def nothing() -> Mapping[tuple[str, int], int]:
    return {}


def written(seed: int) -> list[tuple[list[Written], Mode]]:
    traffic = Traffic(seed, contacts=50)
    traffic.open_lists = ("fair", "press")
    return [traffic.batch(30, AT_MS + 250 * tick) for tick in range(200)]


def defined(seed: int, steps: int = 300) -> list[Written]:
    story = Story(seed, nothing, nothing)
    records = [*story.standing(AT_MS), *story.born_live(AT_MS)]
    for step in range(steps):
        records += story.step(AT_MS + 2_500 * step)
    return records


def test_a_seed_gives_one_plan_one_input_and_one_story() -> None:
    assert plan_of_faults(3, 300) == plan_of_faults(3, 300) != plan_of_faults(4, 300)
    assert written(3) == written(3) != written(4)
    assert defined(3) == defined(3) != defined(4)


@pytest.mark.parametrize("seed", range(5))
def test_a_plan_has_every_kind_of_deed_and_undoes_what_it_does(seed: int) -> None:
    plan = plan_of_faults(seed, 300)
    deeds = {action.deed for action in plan}
    assert set(Deed) - deeds <= {Deed.CLOCK_AHEAD, Deed.CLOCK_BACK}
    assert deeds & {Deed.CLOCK_AHEAD, Deed.CLOCK_BACK}
    assert plan == sorted(plan)
    assert plan[-1].at_seconds <= 300
    last: dict[tuple[int, Deed], Action] = {}
    for action in plan:
        if action.deed in _ENDED_BY:
            last[action.target, _ENDED_BY[action.deed]] = action
    assert all(action.deed is end for (_, end), action in last.items())


@pytest.mark.parametrize("name", FAULTS)
def test_one_fault_alone_can_be_had(name: str) -> None:
    plan = plan_of_faults(1, 200, [name])
    assert plan
    assert {action.target for action in plan} <= {-1, *range(WORKERS)}


@pytest.mark.parametrize("seed", range(3))
def test_of_the_definitions_only_those_meant_to_be_refused_are(seed: int) -> None:
    """References always find their segments, and no deleted segment is referred to."""
    refused: list[int] = []
    run = Replay(settings=Settings(), on_dead_letter=lambda line, _: refused.append(line))
    records = defined(seed)
    for record in records:
        line = b'{"topic":"segment-definitions","timestamp":%d,"key":"%s","value":%s}'
        run.line(line % (record.at_ms, record.key or b"", record.value or b"null"))
    bad = [number for number, record in enumerate(records, 1) if (record.key or b"").startswith(b"bad-")]
    assert refused == bad
    assert len(bad) > 5
    assert {one["segment_id"] for one in (*STANDING, *BORN_LIVE)} <= run.definitions.plan.segments.keys()
