"""The faults of a run and their times, made from the seed alone."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator
from enum import StrEnum
from itertools import count
from typing import NamedTuple

WORKERS = 3
FIRST_WORKERS = 2
"""The number of workers that run from the start; the last worker joins and leaves."""
SESSION_SECONDS = 6.0
BROKER = -1
DISK_WORKER = 1
"""The worker whose disk can be full."""
CLOCK_WORKER = 0
"""The worker whose clock can be wrong."""

_AFTER_ALL_SECONDS = 5.0
_SLOW_SECONDS = 0.2


class Deed(StrEnum):
    """An action on a worker, on the broker or on a disk."""

    AWAIT_WORK = "await_work"
    """Wait until the worker is at work or the wait is given up. All later actions are delayed by the time
    waited."""
    LAUNCH = "launch"
    KILL = "kill"
    TERMINATE = "terminate"
    FREEZE = "freeze"
    THAW = "thaw"
    LOSE_FOLDER = "lose_folder"
    FILL_DISK = "fill_disk"
    FREE_DISK = "free_disk"
    CLOCK_AHEAD = "clock_ahead"
    CLOCK_BACK = "clock_back"
    RIGHT_CLOCK = "right_clock"


class Action(NamedTuple):
    """An action at a time. `target` is a worker's number or BROKER; `at_seconds` counts from the start of the
    faults."""

    at_seconds: float
    deed: Deed
    target: int


class Rhythm(NamedTuple):
    """How often faults occur: the shortest and the longest time between two faults, and for which one worker
    is spared before another one is, in s."""

    between_seconds: tuple[float, float] = (1.0, 5.0)
    spared_seconds: tuple[float, float] = (50.0, 120.0)


CHAOS = Rhythm()


class _Moment(NamedTuple):
    """The time at which a fault begins in a run, and the worker that is never disturbed: a worker that has
    lived long has received the records that others have only restored."""

    seeded: random.Random
    at: float
    seconds: float
    spared: int

    def victim(self, among: int = WORKERS) -> int:
        return self.seeded.choice([worker for worker in range(among) if worker != self.spared])


_Fault = Callable[[_Moment], Iterator[Action]]


def plan_of_faults(
    seed: int, seconds: float, only: Collection[str] = (), rhythm: Rhythm = CHAOS
) -> list[Action]:
    """Return the faults of one run, by time; only those in `only` if it is not empty. Raises KeyError for an
    unknown name."""
    seeded = random.Random(f"faults {seed}")
    weights = {fault: _WEIGHTS[fault] for fault in map(FAULTS.__getitem__, only or FAULTS)}
    # Every kind occurs once before kinds are drawn, so that a run of some minutes has all of them.
    turns = seeded.sample(list(weights), len(weights))
    spared, spared_until = seeded.randrange(FIRST_WORKERS), seeded.uniform(*rhythm.spared_seconds)
    at = seeded.uniform(1.0, 3.0)
    actions: list[Action] = []
    for turn in count():
        if at > spared_until:
            spared, spared_until = 1 - spared, at + seeded.uniform(*rhythm.spared_seconds)
        drawn = seeded.choices(list(weights), list(weights.values()))[0]
        fault = turns[turn] if turn < len(turns) else drawn
        made = list(fault(_Moment(seeded, at, seconds, spared)))
        if at > seconds:
            return sorted(actions)
        if made[-1].at_seconds <= seconds:
            actions += made
            at += _AFTER_ALL_SECONDS if fault in _OF_ALL else 0.0
        at += seeded.uniform(*rhythm.between_seconds)
    raise AssertionError("time goes on")


def _kill(moment: _Moment) -> Iterator[Action]:
    """Kill a worker in the middle of its work, or while it catches up."""
    worker, at = moment.victim(), moment.at + moment.seeded.uniform(0.0, 6.0)
    yield Action(moment.at, Deed.AWAIT_WORK, worker)
    yield Action(at, Deed.KILL, worker)
    yield Action(at + moment.seeded.choice([0.1, 0.5, 2.0, 7.0]), Deed.LAUNCH, worker)


def _kills_in_a_row(moment: _Moment) -> Iterator[Action]:
    """Kill a worker again and again while it starts and reads its state."""
    worker, at = moment.victim(), moment.at
    yield Action(at, Deed.KILL, worker)
    for _ in range(moment.seeded.randint(2, 4)):
        at += 0.1
        yield Action(at, Deed.LAUNCH, worker)
        at += moment.seeded.uniform(1.5, 7.0)
        yield Action(at, Deed.KILL, worker)
    yield Action(at + 0.1, Deed.LAUNCH, worker)


def _terminate(moment: _Moment) -> Iterator[Action]:
    worker = moment.victim()
    yield Action(moment.at, Deed.TERMINATE, worker)
    yield Action(moment.at + moment.seeded.choice([3.0, 6.0, 10.0]), Deed.LAUNCH, worker)


def _freeze_past_session(moment: _Moment) -> Iterator[Action]:
    worker = moment.victim(FIRST_WORKERS)
    yield Action(moment.at, Deed.FREEZE, worker)
    yield Action(moment.at + SESSION_SECONDS * moment.seeded.uniform(1.2, 2.2), Deed.THAW, worker)


def _freeze_briefly(moment: _Moment) -> Iterator[Action]:
    worker = moment.victim(FIRST_WORKERS)
    yield Action(moment.at, Deed.FREEZE, worker)
    yield Action(moment.at + SESSION_SECONDS * moment.seeded.uniform(0.2, 0.9), Deed.THAW, worker)


def _join_and_leave(moment: _Moment) -> Iterator[Action]:
    worker, seeded = WORKERS - 1, moment.seeded
    yield Action(moment.at, Deed.LAUNCH, worker)
    yield Action(moment.at + seeded.uniform(3.0, 15.0), seeded.choice([Deed.TERMINATE, Deed.KILL]), worker)


def _lose_one_folder(moment: _Moment) -> Iterator[Action]:
    worker = moment.victim()
    yield Action(moment.at, Deed.KILL, worker)
    yield Action(moment.at + 0.1, Deed.LOSE_FOLDER, worker)
    yield Action(moment.at + moment.seeded.uniform(0.2, 2.0), Deed.LAUNCH, worker)


def _lose_all_folders(moment: _Moment) -> Iterator[Action]:
    """All state comes from the changelog, and the workers start one by one while it is read."""
    at, seeded = moment.at, moment.seeded
    for worker in range(WORKERS):
        yield Action(at, Deed.KILL, worker)
        yield Action(at + 0.1, Deed.LOSE_FOLDER, worker)
    at += 0.2
    for worker in seeded.sample(range(WORKERS), WORKERS):
        yield Action(at, Deed.LAUNCH, worker)
        at += seeded.uniform(0.3, 1.5)


def _restart_all(moment: _Moment) -> Iterator[Action]:
    for worker in range(WORKERS):
        yield Action(moment.at, Deed.TERMINATE, worker)
    at = moment.at + moment.seeded.uniform(4.0, 8.0)
    for worker in range(FIRST_WORKERS):
        yield Action(at, Deed.LAUNCH, worker)
        at += moment.seeded.uniform(0.0, 1.0)


def _kill_broker(moment: _Moment) -> Iterator[Action]:
    yield Action(moment.at, Deed.KILL, BROKER)
    yield Action(moment.at + moment.seeded.choice([0.1, 1.0, 10.0]), Deed.LAUNCH, BROKER)


def _freeze_broker(moment: _Moment) -> Iterator[Action]:
    """Freeze for a minute; for less in a run of less than six minutes."""
    yield Action(moment.at, Deed.FREEZE, BROKER)
    yield Action(moment.at + min(60.0, moment.seconds / 6), Deed.THAW, BROKER)


def _fill_disk(moment: _Moment) -> Iterator[Action]:
    yield Action(moment.at, Deed.FILL_DISK, DISK_WORKER)
    yield Action(moment.at + moment.seeded.uniform(3.0, 9.0), Deed.FREE_DISK, DISK_WORKER)


def _slow_broker(moment: _Moment) -> Iterator[Action]:
    """Let the broker work for only half of the time, in short turns."""
    at, until = moment.at, moment.at + moment.seeded.uniform(5.0, 15.0)
    while at < until:
        yield Action(at, Deed.FREEZE, BROKER)
        yield Action(at + _SLOW_SECONDS, Deed.THAW, BROKER)
        at += 2 * _SLOW_SECONDS


def _set_clock(moment: _Moment) -> Iterator[Action]:
    """Set a worker's clock wrong by an hour, and right again."""
    yield Action(moment.at, moment.seeded.choice([Deed.CLOCK_AHEAD, Deed.CLOCK_BACK]), CLOCK_WORKER)
    yield Action(moment.at + moment.seeded.uniform(2.0, 20.0), Deed.RIGHT_CLOCK, CLOCK_WORKER)


# How often each fault is drawn. Another fault may overlap with those that affect all workers, but not at
# once.
_WEIGHTS: dict[_Fault, int] = {
    _kill: 32,
    _kills_in_a_row: 16,
    _terminate: 10,
    _freeze_past_session: 8,
    _freeze_briefly: 4,
    _join_and_leave: 8,
    _lose_one_folder: 8,
    _lose_all_folders: 6,
    _restart_all: 3,
    _kill_broker: 4,
    _freeze_broker: 1,
    _slow_broker: 2,
    _set_clock: 4,
    _fill_disk: 4,
}
FAULTS = {fault.__name__.removeprefix("_"): fault for fault in _WEIGHTS}
"""All faults by their names."""
_OF_ALL = (_lose_all_folders, _restart_all, _kill_broker, _freeze_broker, _slow_broker)
