"""Measures how long it takes to compute all memberships anew by SQL, as the kept events grow.

DuckDB holds contacts and events of the workload in tables, and finds all members of all segments by the one
query of `benchmarks.peers.duckdb_sql`. An installation that recomputes cannot be fresher than that takes. Run
it from the repository, with `benchmarks/peers/requirements.txt` installed:

    python -m benchmarks.recomputing --events 1000000 10000000 100000000
"""

from __future__ import annotations

import argparse
import tempfile
import time
from itertools import islice
from pathlib import Path

from benchmarks.figures import Figure, about_the_machine, command, table
from benchmarks.peers.duckdb_sql import Database
from benchmarks.workload import Workload, definitions

_APPENDED = 50_000
_EVENTS_PER_CONTACT = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--segments", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    wanted = parser.parse_args()
    least = wanted.events[0]
    workload = Workload(least // _EVENTS_PER_CONTACT, least)
    now_ms = workload.start_ms + int(workload.days * 86_400_000)
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory(prefix="streamseg-recomputing-") as folder:
        database = Database(Path(folder) / "segments.duckdb", definitions(wanted.segments))
        records = [*workload.updates(), *workload.stream()]
        for begin in range(0, len(records), _APPENDED):
            database.append(list(islice(records, begin, begin + _APPENDED)))
        copies = 1
        for events in wanted.events:
            # More contacts that did the same.
            database.copy_contacts(copies, events // least)
            copies = events // least
            seconds = []
            for _ in range(wanted.repeats):
                began = time.perf_counter()
                database.recompute(now_ms)
                seconds.append(time.perf_counter() - began)
            figure = Figure(seconds)
            rows.append(
                [
                    f"{events:,}",
                    f"{events // _EVENTS_PER_CONTACT:,}",
                    f"{figure.text(2)} s",
                    f"{events / figure.median / 1e6:.1f} million/s",
                ]
            )
        database.close()
    print(command("benchmarks.recomputing"))
    print(table(["events", "contacts", "one recomputation", "events"], rows))
    print(f"{wanted.segments:,} segments, all cores\n{about_the_machine()}")


if __name__ == "__main__":
    main()
