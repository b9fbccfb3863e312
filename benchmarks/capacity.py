"""Measures what a worker, a partition, a contact and a record cost, for deploy/capacity.md.

Each figure is the difference of two states of one worker on a real Kafka: without contacts and with them,
with few partitions and with many, before the stream and after it. Memory is that at rest, after a restart
with the local state, because a worker that has just read a lot holds caches and buffers. Run it from the
repository, with nothing beside it; it takes some five minutes:

    python -m benchmarks.capacity
    python -m benchmarks.capacity --contacts 200000 --records 1000000 --segments 1000
"""

from __future__ import annotations

import argparse
import re
import shutil
import time
from pathlib import Path
from typing import NamedTuple

from agents.kafka.topics import changelog_topic, topic_name
from benchmarks.figures import about_the_machine, command, table
from benchmarks.kafka import (
    Broker,
    Feed,
    WorkerProcess,
    broker,
    installation,
    leave_to_the_worker,
    wait_until,
)
from benchmarks.workload import DAY_MS, Workload, definitions
from streamseg.settings import Settings

WORKER_CPU = 0
_TO_REST_SECONDS = 5.0
_IDLE_SECONDS = 15.0
_RESIDENT = re.compile(r"^VmRSS:\s+(\d+) kB$", re.MULTILINE)
_OUTPUTS = ("membership-changes", "segment-memberships", "channel-suppressions")


class AtRest(NamedTuple):
    """A worker that has nothing to do: resident bytes, file descriptors, the share of a core, and the bytes
    of its state, of its changelog and of its outputs."""

    resident: int
    descriptors: int
    core: float
    state: int
    changelog: int
    outputs: int


class Applied(NamedTuple):
    """Records that were applied one after the other: their number, the seconds, and the worker's CPU time."""

    records: int
    seconds: float
    cpu_seconds: float


class Worker:
    """One worker with its topics."""

    def __init__(self, kafka: Broker, settings: Settings) -> None:
        self._kafka = kafka
        self._settings = settings
        self._feed = Feed(settings)
        self._process = WorkerProcess(settings, STREAMSEG_INSTANCE_ID="capacity")

    def define(self, segments: int) -> None:
        self._feed.define(definitions(segments))

    def start(self) -> float:
        """Start the worker. Return the seconds until it works on all its partitions."""
        began = time.perf_counter()
        self._process.start(WORKER_CPU)
        self._process.wait_for(f"({self._settings.partitions} of {self._settings.partitions})")
        return time.perf_counter() - began

    def stop(self) -> None:
        self._process.stop()

    def lose_state(self) -> None:
        shutil.rmtree(self._process.state)

    def apply(self, count: int) -> Applied:
        """Wait until so many records are applied that were written before the start."""
        began = time.perf_counter()
        cpu = self._process.cpu_seconds()
        wait_until(lambda: self._process.applied() >= count, f"{count} records", every=0.25)
        return Applied(count, time.perf_counter() - began, self._process.cpu_seconds() - cpu)

    def write(self, workload: Workload, *, stream: bool) -> int:
        return self._feed.write(workload.stream() if stream else workload.updates())

    def at_rest(self) -> AtRest:
        """Wait until the worker rests, and look at it for a while."""
        time.sleep(_TO_REST_SECONDS)
        process = Path(f"/proc/{self._process.pid}")
        began, used = time.perf_counter(), self._process.cpu_seconds()
        time.sleep(_IDLE_SECONDS)
        core = (self._process.cpu_seconds() - used) / (time.perf_counter() - began)
        resident = _RESIDENT.search((process / "status").read_text())
        topics = [topic_name(self._settings, topic) for topic in _OUTPUTS]
        return AtRest(
            resident=int(resident[1]) << 10 if resident else 0,
            descriptors=sum(1 for _ in (process / "fd").iterdir()),
            core=core,
            state=sum(file.stat().st_size for file in self._process.state.rglob("*.sst")),
            changelog=self._kafka.topic_bytes(changelog_topic(self._settings)),
            outputs=sum(map(self._kafka.topic_bytes, topics)),
        )


def _empty(kafka: Broker, partitions: int, segments: int) -> AtRest:
    """Return an idle worker without contacts."""
    with installation(kafka, partitions) as settings:
        worker = Worker(kafka, settings)
        try:
            worker.define(segments)
            worker.start()
            return worker.at_rest()
        finally:
            worker.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--segments", type=int, default=1_000)
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--many-partitions", type=int, default=64)
    parser.add_argument("--bootstrap", help="a running broker, e.g. localhost:9092")
    wanted = parser.parse_args()
    leave_to_the_worker(WORKER_CPU)
    days = 5.0
    start_ms = time.time_ns() // 1_000_000 - int((days + 1) * DAY_MS)
    workload = Workload(wanted.contacts, wanted.records, days, start_ms=start_ms)
    with broker(wanted.bootstrap) as kafka:
        bare = _empty(kafka, wanted.partitions, 1)
        empty = _empty(kafka, wanted.partitions, wanted.segments)
        many = _empty(kafka, wanted.many_partitions, wanted.segments)
        with installation(kafka, wanted.partitions) as settings:
            worker = Worker(kafka, settings)
            worker.define(wanted.segments)
            try:
                known = worker.write(workload, stream=False)
                worker.start()
                first = worker.apply(known)
                worker.stop()
                kept = worker.start()
                filled = worker.at_rest()
                worker.stop()
                records = worker.write(workload, stream=True)
                worker.start()
                stream = worker.apply(records)
                worker.stop()
                worker.start()
                full = worker.at_rest()
                worker.stop()
                worker.lose_state()
                lost = worker.start()
                restored = worker.at_rest()
            finally:
                worker.stop()
    contacts, events = known / 1e6, records / 1e6
    more = wanted.many_partitions - wanted.partitions
    rows = [
        ["a worker without contacts", _mib(bare.resident), f"{100 * bare.core:.1f} % of a core", ""],
        [
            "1,000 segments more",
            _mib((empty.resident - bare.resident) * 1_000 / max(1, wanted.segments - 1)),
            "",
            "",
        ],
        [
            "a partition more",
            _mib((many.resident - empty.resident) / more),
            f"{100 * (many.core - empty.core) / more:.2f} % of a core",
            f"{(many.descriptors - empty.descriptors) / more:.1f} files open",
        ],
        [
            "a million contacts",
            _mib((filled.resident - empty.resident) / contacts),
            f"{first.cpu_seconds / known * 1e6:.0f} µs of CPU each, {known / first.seconds:,.0f}/s",
            f"{_mib((filled.state - empty.state) / contacts)} on disk, "
            f"{_mib((filled.changelog - empty.changelog) / contacts)} of changelog",
        ],
        [
            "a million records of the stream",
            _mib((full.resident - filled.resident) / events),
            f"{stream.cpu_seconds / records * 1e6:.0f} µs of CPU each, {records / stream.seconds:,.0f}/s",
            f"{_mib((full.state - filled.state) / events)} on disk, "
            f"{_mib((full.changelog - filled.changelog) / events)} of changelog, "
            f"{_mib((full.outputs - filled.outputs) / events)} of outputs",
        ],
        ["a start with the local state", "", f"{kept:.1f} s", ""],
        [
            "a start without it",
            f"{_mib(restored.resident)} in all",
            f"{lost:.1f} s, {lost / contacts:.0f} s a million contacts with their events",
            "",
        ],
    ]
    print(command("benchmarks.capacity"))
    print(table(["", "memory at rest", "CPU and time", "disk"], rows))
    print(
        f"{known:,} contacts, {records:,} records, {wanted.segments:,} segments, {wanted.partitions} and "
        f"{wanted.many_partitions} partitions\n{about_the_machine()}"
    )


def _mib(size: float) -> str:
    return f"{size / (1 << 20):,.1f} MiB"


if __name__ == "__main__":
    main()
