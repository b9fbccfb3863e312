"""Measures how many records a second workers apply from a real Kafka, with state, changelog and outputs.

All input is in Kafka before the workers start, so the figure is the rate of a catch-up: fetch, decode,
evaluate, keep history, write changelog, state and changes, commit. The stream of records is measured; the
contact updates before it, which make the contacts known, are not. Run it from the repository:

    python -m benchmarks.end_to_end
    python -m benchmarks.end_to_end --contacts 20000 --records 200000 --segments 1000 --workers 1 2
    python -m benchmarks.end_to_end --repeats 5 --against ../an-older-checkout

`--against` measures the workers of another checkout (with its `.venv`) in turn.

It starts a broker (deploy/kafka.sh) on the same machine, unless --bootstrap names one. One worker has a core
that the broker does not use. Several workers have one core each, if there are as many, and share them with
the broker.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from agents.kafka.topics import changelog_topic
from benchmarks.figures import Figure, about_the_machine, command, table
from benchmarks.kafka import (
    Broker,
    Feed,
    WorkerProcess,
    broker,
    checkouts,
    installation,
    leave_to_the_worker,
    wait_until,
)
from benchmarks.workload import DAY_MS, Workload, definitions
from streamseg.settings import Settings


@dataclass(frozen=True)
class Case:
    """What is measured: so many workers of a checkout (its name in the report, and its folder; None: this
    one), with so many segments."""

    name: str
    checkout: Path | None
    workers: int
    segments: int


@dataclass(frozen=True)
class Run:
    """The result of one catch-up."""

    records: int
    seconds: float
    cpu_seconds: float
    memory_bytes: int
    changelog_bytes: int
    state_bytes: int
    changes: int


def catch_up(
    kafka: Broker, settings: Settings, workload: Workload, bodies: list[dict[str, Any]], case: Case
) -> Run:
    """Measure one catch-up: all workers make the contacts known and stop; then they apply the stream."""
    feed = Feed(settings)
    feed.define(bodies)
    contacts = feed.write(workload.updates())
    group = [
        WorkerProcess(settings, f"worker-{number}", checkout=case.checkout) for number in range(case.workers)
    ]
    cpus = os.cpu_count() or 1
    try:
        for number, worker in enumerate(group):
            worker.start(number % cpus)
        wait_until(lambda: _applied(group) >= contacts, f"{contacts} contacts known")
        for worker in group:
            worker.stop()
        records = feed.write(workload.stream())
        before = kafka.topic_bytes(changelog_topic(settings))
        for number, worker in enumerate(group):
            worker.start(number % cpus)
        wait_until(lambda: _applied(group) > 0, "the first of the stream")
        began, first, cpu = time.perf_counter(), _applied(group), _cpu(group)
        changes = _changes(group)
        wait_until(lambda: _applied(group) >= records, f"{records} records applied", every=0.25)
        ended, last = time.perf_counter(), _applied(group)
        return Run(
            records=int(last - first),
            seconds=ended - began,
            cpu_seconds=_cpu(group) - cpu,
            memory_bytes=max(worker.memory_bytes() for worker in group),
            changelog_bytes=kafka.topic_bytes(changelog_topic(settings)) - before,
            state_bytes=sum(_folder_bytes(worker.state) for worker in group),
            changes=int(_changes(group) - changes),
        )
    finally:
        for worker in group:
            worker.stop()


def _applied(group: Sequence[WorkerProcess]) -> float:
    return sum(worker.applied() for worker in group)


def _changes(group: Sequence[WorkerProcess]) -> float:
    return sum(worker.metrics().get("streamseg_membership_changes_total", 0.0) for worker in group)


def _cpu(group: Sequence[WorkerProcess]) -> float:
    return sum(worker.cpu_seconds() for worker in group)


def _folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.sst"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--contacts", type=int, default=20_000)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--segments", type=int, nargs="+", default=[1_000])
    parser.add_argument("--workers", type=int, nargs="+", default=[1])
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--against", type=Path, help="another checkout with its .venv")
    parser.add_argument("--bootstrap", help="a running broker, e.g. localhost:9092")
    wanted = parser.parse_args()
    cases = [
        Case(name, checkout, workers, segments)
        for segments, workers in product(wanted.segments, wanted.workers)
        for name, checkout in checkouts(wanted.against).items()
    ]
    runs: dict[Case, list[Run]] = {case: [] for case in cases}
    if wanted.workers == [1]:
        leave_to_the_worker(0)
    with broker(wanted.bootstrap) as kafka:
        for _ in range(wanted.repeats):
            for case in cases:
                # The timestamps are within the topics' retention, which uses the records' timestamps.
                days = 5.0
                start_ms = time.time_ns() // 1_000_000 - int((days + 1) * DAY_MS)
                workload = Workload(wanted.contacts, wanted.records, days, start_ms=start_ms)
                with installation(kafka, wanted.partitions) as settings:
                    runs[case].append(catch_up(kafka, settings, workload, definitions(case.segments), case))
    rows = [_row(case, wanted.contacts, runs[case], runs[cases[0]]) for case in cases]
    print(command("benchmarks.end_to_end"))
    print(table(_HEADING, rows))
    cores = "another core" if wanted.workers == [1] else "the same cores"
    print(
        f"{wanted.contacts:,} contacts, {wanted.records:,} records, {wanted.partitions} partitions; "
        f"the broker runs on {cores}\n{about_the_machine()}"
    )


_HEADING = [
    "checkout",
    "workers",
    "segments",
    "records/s",
    "times the first",
    "CPU a record",
    "peak memory",
    "changelog a record",
    "state a contact",
    "changes a record",
]


def _row(case: Case, contacts: int, runs: list[Run], base: list[Run]) -> list[str]:
    rates = [run.records / run.seconds for run in runs]
    firsts = [run.records / run.seconds for run in base]
    last = runs[-1]
    return [
        case.name,
        str(case.workers),
        f"{case.segments:,}",
        Figure(rates).text(0),
        Figure([rate / first for rate, first in zip(rates, firsts, strict=True)]).text(2),
        f"{Figure([run.cpu_seconds / run.records * 1e6 for run in runs]).text(0)} µs",
        f"{last.memory_bytes / (1 << 20):.0f} MiB",
        f"{last.changelog_bytes / last.records:.0f} bytes",
        f"{last.state_bytes / contacts:.0f} bytes",
        f"{last.changes / last.records:.2f}",
    ]


if __name__ == "__main__":
    main()
