"""Computes what a rebalance of a large group takes, without a broker.

Each worker of the group is an assignor of its own. They exchange what the coordinator of the group would
pass on: every worker joins; then one leaves; then it comes back. The bytes of all members matter most,
because a broker keeps all members of a group in one record of `__consumer_offsets`, which must not be longer
than the broker's `message.max.bytes` (1,048,588 bytes by default). Our assignor and that of Faust are
compared.

The members also tell each other of their partitions: a report of a partition has the number of members of
each segment, and every worker reads all reports. What a report takes is measured for some numbers of
segments. Run it from the repository:

    python -m benchmarks.group_size
    python -m benchmarks.group_size --workers 100 --partitions 1000
    python -m benchmarks.group_size --workers 10 100 --partitions 48 1000 --keep

`--keep` puts the figures into benchmarks/capacity.json; `make pages` writes deploy/capacity.md from there.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Callable, Iterable
from itertools import product
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

from aiokafka.cluster import ClusterMetadata
from faust.assignor.partition_assignor import PartitionAssignor

from agents.catalogue.progress_reader import OwnedReport, Peer
from agents.kafka.assignor import WorkerAssignor
from agents.kafka.compression import compress
from benchmarks.capacity_figures import Measured, keep
from benchmarks.figures import about_the_machine, command, table
from schemas.topics import SOURCES
from streamseg.catalogue.progress import Progress, Report
from tests.agents.kafka.group_member import member_app

_READ = 200
_ASSIGNORS: dict[str, Callable[[Any], PartitionAssignor]] = {
    "streamseg": lambda app: WorkerAssignor(app, kept=lambda: ()),
    "Faust": PartitionAssignor,
}


class Rebalance(NamedTuple):
    """One rebalance.

    seconds   CPU time of the member that computes the assignment
    record    bytes of the metadata and the assignments of all members
    largest   bytes of the largest metadata or assignment of one member
    moved     partitions that a worker gave away, beyond those that the workers that joined had to get
    """

    seconds: float
    record: int
    largest: int
    moved: int


class Group:
    """The members of a group and their partitions."""

    def __init__(self, partitions: int, make: Callable[[Any], PartitionAssignor]) -> None:
        self._make = make
        self._topics = set(SOURCES)
        self._cluster = cast(
            ClusterMetadata, SimpleNamespace(partitions_for_topic=lambda _: set(range(partitions)))
        )
        self._members: dict[str, PartitionAssignor] = {}
        self._owners: dict[int, str] = {}

    def join(self, names: Iterable[str]) -> None:
        for name in names:
            self._members[name] = self._make(member_app(f"{name}.streamseg-workers.streamseg.svc:8080"))

    def leave(self, name: str) -> PartitionAssignor:
        return self._members.pop(name)

    def rebalance(self) -> Rebalance:
        """Let one member compute the assignment, and all take it."""
        metadata = {name: one.metadata(self._topics) for name, one in self._members.items()}
        leader = next(iter(self._members.values()))
        began = time.process_time()
        assigned = leader.assign(self._cluster, metadata)
        seconds = time.process_time() - began
        owners: dict[int, str] = {}
        for name, assignment in assigned.items():
            self._members[name].on_assignment(assignment)
            owners.update((number, name) for _, numbers in assignment.assignment for number in numbers)
        given = sum(
            owners[number] != owner for number, owner in self._owners.items() if owner in self._members
        )
        joined = self._members.keys() - set(self._owners.values()) if self._owners else set()
        moved = max(0, given - sum(owner in joined for owner in owners.values()))
        self._owners = owners
        sizes = [
            *(len(one.encode()) for one in metadata.values()),
            *(len(one.encode()) for one in assigned.values()),
        ]
        return Rebalance(seconds, sum(sizes), max(sizes), moved)


class Told(NamedTuple):
    """A partition's report: its bytes, its bytes on the topic, and the CPU time to read it, in µs."""

    size: int
    packed: int
    cpu_us: float


def report(segments: int) -> Told:
    """Return what a report of a partition with members in so many segments takes."""
    seeded = random.Random(segments)
    counts = {f"segment-{number:05}": seeded.randrange(20_000) for number in range(segments)}
    peer = Peer("http://streamseg-77.streamseg-workers.streamseg.svc:8080", seeded.randbytes(16).hex())
    data = OwnedReport(Report(7, segments, 1, 1, counts), seeded.randbytes(16).hex(), peer).to_bytes()
    progress = Progress(8)
    began = time.process_time()
    for _ in range(_READ):
        progress.take(OwnedReport.from_bytes(data).report)
    cpu = (time.process_time() - began) / _READ
    return Told(len(data), len(compress(data)), cpu * 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=[3, 10, 30, 100])
    parser.add_argument("--partitions", type=int, nargs="+", default=[48, 300, 1_000])
    parser.add_argument("--keep", action="store_true", help="put the figures into benchmarks/capacity.json")
    parser.add_argument("--segments", type=int, nargs="+", default=[100, 1_000, 10_000])
    wanted = parser.parse_args()
    load = os.getloadavg()[0]
    rows = []
    figures: dict[str, list[float]] = {}
    for partitions, workers in product(wanted.partitions, wanted.workers):
        for assignor, make in _ASSIGNORS.items():
            group = Group(partitions, make)
            names = [f"streamseg-{number}" for number in range(workers)]
            group.join(names)
            steps = [("all join", group.rebalance()), ("again", group.rebalance())]
            group.leave(names[-1])
            steps.append(("one leaves", group.rebalance()))
            group.join(names[-1:])
            steps.append(("it comes back", group.rebalance()))
            for step, one in steps:
                name = f"{partitions}/{workers}/{assignor}/{step}"
                figures |= {
                    f"{name}/bytes": [one.record],
                    f"{name}/largest": [one.largest],
                    f"{name}/cpu_s": [one.seconds],
                    f"{name}/moved": [one.moved],
                }
            rows += [
                [
                    f"{partitions:,}",
                    f"{workers:,}",
                    assignor,
                    step,
                    f"{one.seconds:.2f} s",
                    f"{one.record:,}",
                    f"{one.largest:,}",
                    f"{one.moved:,}",
                ]
                for step, one in steps
            ]
    told = {segments: report(segments) for segments in wanted.segments}
    for segments, read in told.items():
        figures |= {f"report/{segments}/{name}": [value] for name, value in read._asdict().items()}
    if wanted.keep:
        loads = [load, os.getloadavg()[0]]
        parameters = {"workers": wanted.workers, "partitions": wanted.partitions}
        line = command("benchmarks.group_size")
        keep("group", Measured.of(line, about_the_machine(), loads, parameters, figures))
    print(command("benchmarks.group_size"))
    heading = [
        "partitions",
        "workers",
        "assignor",
        "",
        "CPU",
        "bytes of all members",
        "largest",
        "moved in vain",
    ]
    print(table(heading, rows))
    told_rows = [
        [f"{segments:,}", f"{read.size:,}", f"{read.packed:,}", f"{read.cpu_us:.0f} µs"]
        for segments, read in told.items()
    ]
    print(table(["segments", "bytes of a report", "on the topic", "CPU to read it"], told_rows))
    print(about_the_machine())


if __name__ == "__main__":
    main()
