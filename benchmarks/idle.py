"""Measures the CPU time that a worker takes while nothing arrives, on a real Kafka.

The worker knows some contacts and segments, has no input and nothing that falls due. Then its CPU time over
some seconds is read from the kernel. Run it from the repository; `--against` measures the worker of another
checkout (with its `.venv`) in turn, so that both have the same conditions:

    python -m benchmarks.idle --repeats 5 --against ../an-older-checkout

The worker has one core. The broker and this program have the other cores.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path

from agents.pacing import DEFAULT_PACING
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
from benchmarks.workload import Workload, definitions

WORKER_CPU = 0
# Before it rests, a worker commits, reports and fetches as while records flow.
_TO_REST_SECONDS = DEFAULT_PACING.resting_after_seconds + 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--contacts", type=int, default=2_000)
    parser.add_argument("--segments", type=int, default=100)
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--against", type=Path, help="another checkout with its .venv")
    parser.add_argument("--bootstrap", help="a running broker, e.g. localhost:9092")
    wanted = parser.parse_args()
    leave_to_the_worker(WORKER_CPU)
    shares: defaultdict[str, list[float]] = defaultdict(list)
    with broker(wanted.bootstrap) as kafka:
        for _ in range(wanted.repeats):
            for name, checkout in checkouts(wanted.against).items():
                shares[name].append(_share(kafka, checkout, wanted))
    print(command("benchmarks.idle"))
    rows = [[name, Figure([100 * share for share in found]).text(2) + " %"] for name, found in shares.items()]
    print(table(["worker", "of a core"], rows))
    print(f"{wanted.partitions} partitions, {wanted.contacts:,} contacts\n{about_the_machine()}")


def _share(kafka: Broker, checkout: Path | None, wanted: argparse.Namespace) -> float:
    """Return the share of a core that an idle worker uses."""
    with installation(kafka, wanted.partitions) as settings:
        feed = Feed(settings)
        feed.define(definitions(wanted.segments))
        known = feed.write(Workload(wanted.contacts, start_ms=time.time_ns() // 1_000_000 - 1_000).updates())
        worker = WorkerProcess(settings, checkout=checkout)
        try:
            worker.start(WORKER_CPU)
            wait_until(lambda: worker.applied() >= known, "the contacts known")
            time.sleep(_TO_REST_SECONDS)
            used, began = worker.cpu_seconds(), time.monotonic()
            time.sleep(wanted.seconds)
            return (worker.cpu_seconds() - used) / (time.monotonic() - began)
        finally:
            worker.stop()


if __name__ == "__main__":
    main()
