"""Measures how long a worker takes to be at work again, with and without its local state, on a real Kafka.

The worker applies contacts with 20 attributes and about one event each. Then it is killed and started again:
once with its local state, and once without its folder, so that it restores the state from the changelog. Run
it from the repository:

    python -m benchmarks.recovery --contacts 200000 --repeats 5
    python -m benchmarks.recovery --contacts 1000000 --repeats 5 --against ../an-older-checkout

`--against` measures the worker of another checkout (with its `.venv`) in turn, each with its own state.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agents.kafka.topics import changelog_topic
from benchmarks.figures import Figure, about_the_machine, command, table
from benchmarks.kafka import Broker, Feed, WorkerProcess, broker, checkouts, installation, wait_until
from benchmarks.workload import DAY_MS, Workload, definitions

CASES = {"local state kept": False, "local state lost": True}


@dataclass
class Filled:
    """A killed worker that had applied all records, and what was measured with it."""

    worker: WorkerProcess
    records: int
    memory_mib: float
    changelog_mib: float
    runs: dict[str, list[tuple[float, float, float]]] = field(
        default_factory=lambda: {name: [] for name in CASES}
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--contacts", type=int, default=200_000)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--segments", type=int, default=1_000)
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--against", type=Path, help="another checkout with its .venv")
    parser.add_argument("--bootstrap", help="a running broker, e.g. localhost:9092")
    wanted = parser.parse_args()
    with broker(wanted.bootstrap) as kafka, ExitStack() as stack:
        found = {
            name: stack.enter_context(_filled(kafka, checkout, wanted))
            for name, checkout in checkouts(wanted.against).items()
        }
        for name, lost in list(CASES.items()) * wanted.repeats:
            for at, one in found.items():
                if lost:
                    shutil.rmtree(one.worker.state)
                one.runs[name].append(run := _until_at_work(one.worker, wanted.partitions))
                one.worker.kill()
                print(f"{at}, {name}: {run[0]:.1f} s", file=sys.stderr, flush=True)
    print(command("benchmarks.recovery"))
    rows = [[name, case, *_columns(one.runs[case])] for case in CASES for name, one in found.items()]
    print(table(["checkout", "", "to be at work", "of that to start", "peak memory"], rows))
    for name, one in found.items():
        print(
            f"{name}: {wanted.contacts:,} contacts, {one.records:,} records, "
            f"changelog {one.changelog_mib:,.0f} MiB; "
            f"the worker that filled it took {one.memory_mib:,.0f} MiB at most"
        )
    print(about_the_machine())


@contextmanager
def _filled(kafka: Broker, checkout: Path | None, wanted: argparse.Namespace) -> Iterator[Filled]:
    """Let a worker of a checkout apply all records in an installation of its own, and kill it."""
    with installation(kafka, wanted.partitions) as settings:
        feed = Feed(settings)
        feed.define(definitions(wanted.segments))
        start_ms = time.time_ns() // 1_000_000 - 2 * DAY_MS
        workload = Workload(wanted.contacts, wanted.records, days=1, start_ms=start_ms)
        count = feed.write(workload.updates()) + feed.write(workload.stream())
        # A worker with the same instance id takes the killed worker's place at once.
        worker = WorkerProcess(settings, checkout=checkout, STREAMSEG_INSTANCE_ID="one")
        try:
            worker.start()
            wait_until(lambda: worker.applied() >= count, f"{count} records applied")
            time.sleep(2)
            memory_mib = worker.memory_bytes() / (1 << 20)
            worker.kill()
            changelog_mib = kafka.topic_bytes(changelog_topic(settings)) / (1 << 20)
            yield Filled(worker, count, memory_mib, changelog_mib)
        finally:
            worker.kill()


def _until_at_work(worker: WorkerProcess, partitions: int) -> tuple[float, float, float]:
    """Start the worker. Return the seconds until it works on all its partitions, the seconds of them until
    its web server was up, and its peak memory in MiB."""
    began = time.perf_counter()
    worker.start()
    web = time.perf_counter()
    worker.wait_at_work(partitions)
    seconds = time.perf_counter() - began
    return seconds, web - began, worker.memory_bytes() / (1 << 20)


def _columns(runs: list[tuple[float, float, float]]) -> list[str]:
    work, start, memory = (Figure(values) for values in zip(*runs, strict=True))
    return [f"{work.text(1)} s", f"{start.text(1)} s", f"{memory.text(0)} MiB"]


if __name__ == "__main__":
    main()
