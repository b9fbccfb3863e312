"""Measures how the cost of a record grows with the number of contacts.

The task of one partition runs over RocksDB, in this process and without Kafka. For each number of contacts,
an update makes every contact known, and then the stream of the workload is measured: records of contacts that
are not in memory are among it. Run it from the repository:

    python -m benchmarks.growth --contacts 100000 1000000 5000000
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from agents.worker.garbage import tune_collector
from benchmarks.figures import about_the_machine, command, table
from benchmarks.peers.job import Job
from benchmarks.peers.streamseg_here import Feed
from benchmarks.workload import Workload, definitions
from streamseg.records.inputs import Record
from streamseg.settings import Settings

_OFFERED = 500


class Grown(NamedTuple):
    """What was measured with a number of contacts: µs of CPU time for each first update and for each record
    of the stream, and bytes."""

    first_us: float
    record_us: float
    memory_bytes: int
    state_bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--contacts", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--segments", type=int, default=1_000)
    wanted = parser.parse_args()
    found = {count: _grown(count, wanted.records, wanted.segments) for count in wanted.contacts}
    least = next(iter(found.values()))
    rows = [
        [
            f"{count:,}",
            f"{one.first_us:.1f} µs",
            f"{one.record_us:.1f} µs",
            f"{one.record_us / least.record_us:.2f}",
            f"{one.memory_bytes / (1 << 20):,.0f} MiB",
            f"{one.state_bytes / count:,.0f} bytes",
        ]
        for count, one in found.items()
    ]
    heading = ["contacts", "first update", "record", "times the first", "memory", "state a contact"]
    print(command("benchmarks.growth"))
    print(table(heading, rows))
    print(
        f"{wanted.records:,} records, {wanted.segments:,} segments, one partition, no Kafka, "
        f"caches of {Settings().cache_bytes >> 20} MiB\n{about_the_machine()}"
    )


def _grown(contacts: int, records: int, segments: int) -> Grown:
    workload = Workload(contacts, records)
    with tempfile.TemporaryDirectory(prefix="streamseg-growth-") as folder:
        feed = Feed(Job(workload, definitions(segments)), Path(folder))
        first = _cpu_seconds(feed, workload.updates()) / contacts
        record = _cpu_seconds(feed, workload.stream()) / records
        memory = int(Path("/proc/self/statm").read_text().split()[1]) * 4096
        feed.close()
        state = sum(path.stat().st_size for path in Path(folder).rglob("*.sst"))
    return Grown(first * 1e6, record * 1e6, memory, state)


def _cpu_seconds(feed: Feed, records: Iterator[Record]) -> float:
    """Apply the records. Return the CPU time that this took, without that of making them."""
    seconds = 0.0
    while offered := list(islice(records, _OFFERED)):
        tune_collector()
        began = time.process_time()
        feed.take(offered)
        seconds += time.process_time() - began
        feed.changes.clear()
    began = time.process_time()
    feed.save()
    seconds += time.process_time() - began
    gc.collect()
    return seconds


if __name__ == "__main__":
    main()
