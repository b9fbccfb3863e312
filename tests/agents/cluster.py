"""Some workers, their group and their brokers in one thread; a seeded choice takes each next step.

As far as state goes the workers are the real ones: `Assignment`, `PartitionTask`, `checkpoint`,
`checkpoint_outputs`, `resend_kept_outputs` and a RocksStore on disk. Their surroundings are simulated, so
that anything can happen between any two steps: a broker serves a request late, after its sender was killed or
stopped, or never; a worker is killed, loses its disk, or stops for longer than its session; the group revokes
and assigns partitions at any point, in the middle of a restore, a checkpoint or another rebalance.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Coroutine, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from agents.kafka.changelog_record import Written, counts, expected_at
from agents.partitions.assignment import Assignment, Claim, State
from agents.partitions.checkpoint import (
    ForeignWriteError,
    PartitionLostError,
    check_changelog_end,
    checkpoint,
    checkpoint_outputs,
    repair,
    resend_kept_outputs,
)
from agents.partitions.output_buffer import OutputBuffer
from agents.partitions.task import PartitionTask
from schemas.topics import SOURCES
from streamseg.plan.plan import Plan
from streamseg.records.inputs import Record
from streamseg.records.outputs import DeadLetter
from streamseg.store.caches import Caches
from streamseg.store.database import KeyValue
from streamseg.store.rocksdb import RocksStore
from tests.agents.simulation import SETTINGS, START_MS

_POLL_RECORDS = 5
_READ_RECORDS = 7
_ACTIVE_RECORDS = 25
_TICK_MS = 1_500
_PEACEFUL_STEPS = 25
"""How many steps there are, on the average, between two that do harm."""

Action = tuple[str, Callable[[], None]]


class Logged(NamedTuple):
    """A record of a changelog, which is at its offset there; None where compaction has removed one."""

    key: bytes
    value: bytes | None
    header: tuple[str, bytes]


class Turn:
    """Awaited, it lets everybody else go first."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class Request:
    """What a worker has sent to a broker, and waits for."""

    def __init__(self, sender: Worker, serve: Callable[[], Any]) -> None:
        self.sender = sender
        self._serve = serve
        self.answered = False
        self.answer: Any = None

    def serve(self) -> None:
        self.answer = self._serve()
        self.answered = True

    def __await__(self) -> Generator[None, None, Any]:
        while not self.answered:
            yield
        return self.answer


@dataclass
class Brokers:
    """What outlives all workers."""

    sources: dict[int, dict[str, list[Record]]]
    changelogs: dict[int, list[Logged | None]]
    wall_ms: int = START_MS
    changes: list[dict[str, Any]] = field(default_factory=list)
    dead_letters: set[str] = field(default_factory=set)
    looked: dict[int, int] = field(default_factory=dict)
    """Up to where a worker at work has found each changelog to be all its own. Compaction begins only long
    after that: a record is too young for it until somebody has looked (`Pacing.changelog_look_seconds`)."""
    committed: dict[tuple[str, int], int] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

    def visible(self, topic: str, partition: int) -> list[Record]:
        """What was produced by now."""
        return [record for record in self.sources[partition][topic] if record.timestamp_ms <= self.wall_ms]


class Group:
    """The coordinator: eager rebalances, in which every member first gives all it has back."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self.members: dict[str, Worker] = {}
        self.rebalancing = False
        self._rejoined: set[str] = set()
        self.given: dict[str, list[int]] = {}
        """What members are to be told that they have, of the last rebalance that was completed."""

    def join(self, worker: Worker) -> None:
        self.members[worker.name] = worker
        self._begin()

    def leave(self, worker: Worker) -> None:
        if self.members.get(worker.name) is worker:
            del self.members[worker.name]
            self._begin()

    def _begin(self) -> None:
        self.rebalancing = True
        self._rejoined.clear()
        self.given.clear()

    def has_rejoined(self, worker: Worker) -> bool:
        return worker.name in self._rejoined

    def rejoin(self, worker: Worker) -> None:
        self._rejoined.add(worker.name)
        if self._rejoined >= self.members.keys():
            self.rebalancing = False
            names = sorted(self.members)
            for index, name in enumerate(names):
                self.given[name] = [
                    number for number in range(self._partitions) if number % len(names) == index
                ]


class Worker:
    """One process: carries out the effects of its state machine, as `owned_partitions` does."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.name = name
        self.stopped = False
        self.expired = False
        self.assignment = Assignment(self)
        self.coroutines: dict[Claim, Coroutine[Any, Any, None]] = {}
        self.tasks: dict[Claim, PartitionTask] = {}
        self._cluster = cluster
        self._brokers = cluster.brokers
        self._stores: dict[Claim, RocksStore] = {}
        self._ending: set[Claim] = set()
        self._positions: dict[tuple[Claim, str], int] = {}
        self._ends_seen: dict[tuple[Claim, str], int] = {}
        self.repaired: set[Claim] = set()

    # -- effects -----------------------------------------------------------------------------------------

    def restore(self, claims: list[Claim]) -> None:
        for claim in claims:
            self.coroutines[claim] = self._restore(claim)

    def work(self, claim: Claim) -> None:
        store = self._stores[claim]
        held = store.changelog_offset
        self._cluster.went_to_work(self, claim, -1 if held is None else held)
        self.tasks[claim] = PartitionTask(
            number=claim.partition,
            store=store,
            changelog_end=0 if held is None else held + 1,
            plan=self._cluster.plan,
            settings=SETTINGS,
            ended_as_of=lambda topic: self._ends_seen.get((claim, topic)),
        )
        for topic in SOURCES:
            self._positions[claim, topic] = self._brokers.committed.get((topic, claim.partition), 0)
        self.coroutines[claim] = self._work(claim)

    def finish(self, claim: Claim) -> None:
        self._ending.add(claim)

    def abandon(self, claim: Claim) -> None:
        self._ending.add(claim)
        if claim in self.tasks:
            self._close(claim)

    # -- what goes on under a claim ----------------------------------------------------------------------

    async def _restore(self, claim: Claim) -> None:
        folder = self._cluster.folder / self.name / str(claim.partition)
        store = self._stores[claim] = RocksStore(folder, caches=Caches(1))
        changelog = self._brokers.changelogs[claim.partition]
        await Turn()
        end = len(changelog)
        while claim not in self._ending:
            held = store.changelog_offset
            start = 0 if held is None else held + 1
            if start >= end:
                self.assignment.restored(claim)
                return
            logged = changelog[start : min(end, start + _READ_RECORDS)]
            records: list[KeyValue] = []
            strays: list[bytes] = []
            for offset, one in enumerate(logged, start):
                if one is not None and counts([one.header], offset):
                    records.append((one.key, one.value))
                elif one is not None:
                    strays.append(one.key)
            store.apply_changelog(records, start + len(logged) - 1, strays)
            await Turn()
        self._close(claim)

    async def _work(self, claim: Claim) -> None:
        task, sink = self.tasks[claim], _Sink(self, claim)
        still_ours = sink.still_ours
        try:
            await resend_kept_outputs(task.store, task.number, sink, still_ours)
            await repair(task, sink, still_ours)
            self.repaired.add(claim)
            while claim not in self._ending:
                await Turn()
                task.step()
                choice = self._cluster.choose(4)
                if choice == 0 and task.unsaved:
                    await checkpoint(task, sink, self._acknowledge, still_ours)
                    task.saved()
                elif choice == 1 and task.buffer.output_count and not task.sweeping:
                    await checkpoint_outputs(task, sink, still_ours)
            if task.unsaved:
                await checkpoint(task, sink, self._acknowledge, still_ours)
                task.saved()
            await checkpoint(task, sink, self._acknowledge, still_ours)
        except PartitionLostError:
            self.assignment.lost(claim)
        self._close(claim)

    def _close(self, claim: Claim) -> None:
        store = self._stores.pop(claim, None)
        if store is not None:
            store.close()
        self.tasks.pop(claim, None)
        self.coroutines.pop(claim, None)
        self.assignment.gone(claim)

    def _acknowledge(self, topic: str, partition: int, next_offset: int) -> None:
        if not self.expired:
            self._brokers.committed[topic, partition] = next_offset

    # -- moved on by the cluster -------------------------------------------------------------------------

    def move(self, claim: Claim) -> None:
        """One step of what goes on under a claim."""
        coroutine = self.coroutines[claim]
        try:
            coroutine.send(None)
        except StopIteration:
            if self.coroutines.get(claim) is coroutine:
                del self.coroutines[claim]

    def poll(self, claim: Claim) -> None:
        """Hand the next records of a partition at work to its task."""
        for topic in SOURCES:
            position = self._positions[claim, topic]
            unread = [
                record
                for record in self._brokers.visible(topic, claim.partition)
                if record.offset >= position
            ]
            if unread:
                batch = unread[:_POLL_RECORDS]
                self.tasks[claim].offer(topic, batch, self._brokers.wall_ms)
                self._positions[claim, topic] = batch[-1].offset + 1
                self._ends_seen.pop((claim, topic), None)
            if len(unread) <= _POLL_RECORDS:
                self._ends_seen[claim, topic] = self._brokers.wall_ms

    def look(self, claim: Claim) -> None:
        """Whether anybody else has written to the changelog since. Raises ForeignWriteError where so."""
        if any(request.sender is self for request in self._brokers.requests):
            return
        end = len(self._brokers.changelogs[claim.partition])
        check_changelog_end(claim.partition, self.tasks[claim].changelog_end, end)
        self._brokers.looked[claim.partition] = end

    def stop(self) -> None:
        """It gets no time to run."""
        self.stopped = True

    def go_on(self) -> None:
        """It runs again, and finds out only by its clock how long it did not."""
        self.stopped = False

    def die(self) -> None:
        """Whatever is in memory is gone; what was sent may still come to a broker."""
        for coroutine in list(self.coroutines.values()):
            coroutine.close()
        for store in self._stores.values():
            store.close()
        self.coroutines.clear()
        self._stores.clear()


class _Sink:
    """What one task sends: each goes to the brokers as a request, which is served at some other time."""

    def __init__(self, worker: Worker, claim: Claim) -> None:
        self._worker = worker
        self._claim = claim
        self._brokers = worker._brokers

    async def still_ours(self) -> bool:
        return self._worker.assignment.may_write(self._claim) and not self._worker.expired

    async def _send(self, serve: Callable[[], Any]) -> Any:
        assert self._worker.assignment.may_write(self._claim), (
            f"{self._claim} is written for in another state"
        )
        if self._worker.expired:
            raise PartitionLostError("stood still")
        request = Request(self._worker, serve)
        self._brokers.requests.append(request)
        return await request

    async def send_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        positions = [letter.record.position for letter in letters]
        if positions:
            await self._send(lambda: self._brokers.dead_letters.update(positions))

    async def send_changelog(
        self, partition: int, groups: Iterable[Sequence[KeyValue]], *, first: int
    ) -> Written | None:
        # Batches of a few groups each, of which some may arrive and some not.
        offsets = count(first)
        whole = [[Logged(key, value, expected_at(next(offsets))) for key, value in group] for group in groups]
        written: list[Written] = []
        for start in range(0, len(whole), 3):
            records = [record for group in whole[start : start + 3] for record in group]
            written.append(await self._send(lambda records=records: self._append(partition, records)))  # type: ignore[misc]
        if not written:
            return None
        return Written(written[0].first, written[-1].last, sum(one.records for one in written))

    def _append(self, partition: int, records: list[Logged]) -> Written:
        changelog = self._brokers.changelogs[partition]
        first = len(changelog)
        changelog += records
        return Written(first, len(changelog) - 1, len(records))

    async def send_outputs(self, partition: int, buffer: OutputBuffer) -> None:
        values = [value for _, value, _ in buffer.changes]
        for part in (values[: len(values) // 2], values[len(values) // 2 :]):
            if part:
                await self._send(lambda part=part: self._brokers.changes.extend(map(orjson.loads, part)))  # type: ignore[misc]


class Cluster:
    """All of it. `choice` decides what happens next, so that a seed, or Hypothesis, can repeat it."""

    def __init__(
        self,
        folder: Path,
        sources: dict[int, dict[str, list[Record]]],
        plan: Plan,
        choice: random.Random,
        *,
        workers: int = 2,
    ) -> None:
        self.folder = folder
        self.plan = plan
        self.brokers = Brokers(sources, {number: [] for number in sources})
        self.group = Group(len(sources))
        self._choice = choice
        self._names = [f"worker{number}" for number in range(workers)]
        self.workers: dict[str, Worker] = {}
        self._asked: dict[tuple[Worker, Claim], int] = {}
        self.log: list[str] = []

    def choose(self, count: int) -> int:
        return self._choice.randrange(count)

    def went_to_work(self, worker: Worker, claim: Claim, held: int) -> None:
        """No partition goes to work on less than its changelog held when it was assigned."""
        asked = self._asked[worker, claim]
        assert held + 1 >= asked, f"{claim} is at work on {held + 1} of {asked} changelog records"

    # -- steps -------------------------------------------------------------------------------------------

    def _actions(self) -> list[Action]:
        """What may happen next by itself."""
        found: list[Action] = [("tick", self._tick)]
        for name in self._names:
            worker = self.workers.get(name)
            if worker is None:
                found.append((f"start {name}", lambda name=name: self._start(name)))  # type: ignore[misc]
            elif not worker.stopped:
                found += self._of(worker)
        for sender in self._senders():
            if self._runs(sender):
                found += [(f"serve {sender.name}", lambda sender=sender: self._serve(sender))] * 3  # type: ignore[misc]
        return found

    def _senders(self) -> list[Worker]:
        return list({request.sender: None for request in self.brokers.requests})

    def _runs(self, worker: Worker) -> bool:
        return self.workers.get(worker.name) is worker and not worker.stopped

    def _of(self, worker: Worker) -> list[Action]:
        name = worker.name
        found: list[Action] = [(f"end {name}", lambda: self._kill(worker))] if worker.expired else []
        for claim in worker.coroutines:
            found += [(f"move {name} {claim}", lambda claim=claim: self._move(worker, claim))] * 3  # type: ignore[misc]
        for claim in worker.tasks:
            if worker.assignment.state(claim.partition) is State.AT_WORK:
                found.append((f"poll {name} {claim}", lambda claim=claim: worker.poll(claim)))  # type: ignore[misc]
                if claim in worker.repaired:
                    found.append((f"look {name} {claim}", lambda claim=claim: self._look(worker, claim)))  # type: ignore[misc]
        return found + self._membership(worker) * 2

    def _harm(self) -> list[Action]:
        """What may happen next and had better not."""
        found: list[Action] = [
            (f"compact {number}", lambda number=number: self._compact(number))  # type: ignore[misc]
            for number in self.brokers.changelogs
        ]
        for worker in self.workers.values():
            found += [
                (f"kill {worker.name}", lambda worker=worker: self._kill(worker)),  # type: ignore[misc]
                (f"wipe {worker.name}", lambda worker=worker: self._kill(worker, disk=True)),  # type: ignore[misc]
            ]
            if not worker.stopped:
                found += [(f"stop {worker.name}", lambda worker=worker: worker.stop())] * 2  # type: ignore[misc]
        return found

    def _recovery(self) -> list[Action]:
        """What becomes of workers that stand still, and of what was sent by those and by dead ones."""
        found: list[Action] = [
            (f"serve late {sender.name}", lambda sender=sender: self._serve(sender))  # type: ignore[misc]
            for sender in self._senders()
            if not self._runs(sender)
        ]
        for worker in self.workers.values():
            if worker.stopped:
                found.append((f"continue {worker.name}", lambda worker=worker: worker.go_on()))  # type: ignore[misc]
                if not worker.expired:
                    found.append((f"expire {worker.name}", lambda worker=worker: self._expire(worker)))  # type: ignore[misc]
        return found

    def _membership(self, worker: Worker) -> list[Action]:
        group, name = self.group, worker.name
        if group.members.get(name) is not worker:
            return []
        if group.rebalancing:
            if worker.assignment.assigned is not None:
                return [(f"revoke {name}", worker.assignment.revoke)]
            if not worker.assignment.open_claims and not group.has_rejoined(worker):
                return [(f"rejoin {name}", lambda: group.rejoin(worker))]
            return []
        if name in group.given:
            return [(f"assign {name}", lambda: self._assign(worker))]
        return []

    def _compact(self, partition: int) -> None:
        """Those of its records that are old enough lose what a later one of the same key among them
        replaces; the last few stay as they are."""
        changelog = self.brokers.changelogs[partition]
        old = changelog[:-_ACTIVE_RECORDS][: self.brokers.looked.get(partition, 0)]
        latest = {one.key: offset for offset, one in enumerate(old) if one is not None}
        for offset, one in enumerate(old):
            if one is not None and latest[one.key] > offset:
                changelog[offset] = None

    def _tick(self) -> None:
        self.brokers.wall_ms += _TICK_MS

    def _start(self, name: str) -> None:
        self.workers[name] = Worker(self, name)
        self.group.join(self.workers[name])

    def _kill(self, worker: Worker, *, disk: bool = False) -> None:
        worker.die()
        del self.workers[worker.name]
        self.group.leave(worker)
        if disk:
            shutil.rmtree(self.folder / worker.name, ignore_errors=True)

    def _expire(self, worker: Worker) -> None:
        worker.expired = True
        self.group.leave(worker)

    def _assign(self, worker: Worker) -> None:
        partitions = self.group.given.pop(worker.name)
        # Only now may it ask for the ends: what is in the changelogs at this moment it has to have read.
        self._asked.update(
            ((worker, Claim(number, worker.assignment.epoch + step)), len(self.brokers.changelogs[number]))
            for number in partitions
            for step in (1, 2)
        )
        worker.assignment.assign(partitions)

    def _move(self, worker: Worker, claim: Claim) -> None:
        try:
            worker.move(claim)
        except ForeignWriteError:
            self._kill(worker)

    def _look(self, worker: Worker, claim: Claim) -> None:
        try:
            worker.look(claim)
        except ForeignWriteError:
            self._kill(worker)

    def _serve(self, sender: Worker) -> None:
        """The oldest request of a sender arrives; of one that is gone it may never do."""
        request = next(request for request in self.brokers.requests if request.sender is sender)
        self.brokers.requests.remove(request)
        if self.workers.get(sender.name) is sender or self.choose(2):
            request.serve()

    def step(self, *, calm: bool = False) -> None:
        actions = self._actions()
        if not self.choose(_PEACEFUL_STEPS):
            actions = self._recovery() + ([] if calm else self._harm()) or actions
        name, act = actions[self.choose(len(actions))]
        self.log.append(name)
        act()

    def settle(self, until_ms: int, limit: int = 60_000) -> None:
        """Let it go on in peace until everything is done up to an instant."""
        self.brokers.wall_ms = max(self.brokers.wall_ms, until_ms)
        for _ in range(limit):
            if self._done(until_ms):
                return
            self.step(calm=True)
        raise AssertionError("it does not come to rest")

    def _done(self, until_ms: int) -> bool:
        ends = {
            (topic, number): logs[topic][-1].offset + 1
            for number, logs in self.brokers.sources.items()
            for topic in SOURCES
            if logs[topic]
        }
        if (
            any(self.brokers.committed.get(place, 0) < end for place, end in ends.items())
            or self.brokers.requests
        ):
            return False
        at_work = self.at_work()
        return len(at_work) == len(self.brokers.sources) and all(
            task.store.clock_ms >= until_ms and not task.unsaved for task in at_work.values()
        )

    def at_work(self) -> dict[int, PartitionTask]:
        """Return the partitions at work, of workers that run."""
        return {
            claim.partition: task
            for worker in self.workers.values()
            if not worker.stopped and not worker.expired
            for claim, task in worker.tasks.items()
            # Until then it may still have to send what an earlier owner did not.
            if worker.assignment.state(claim.partition) is State.AT_WORK and claim in worker.repaired
        }

    def close(self) -> None:
        for worker in self.workers.values():
            worker.die()
