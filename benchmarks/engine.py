"""Measures how many records a second the engine applies on one core, and what the rate depends on.

There is no Kafka and no disk. The engine gets records as they come from Kafka, decodes the JSON, evaluates
the contacts and keeps them in memory; the changes are dropped. Run it from the repository:

    python -m benchmarks.engine
    python -m benchmarks.engine --repeats 5 --records 50000

The settings are measured in turn, in several rounds (`--repeats`). Each rate is compared with the rate of the
first setting in the same round. The figures are the medians of the rounds, with their spread. CPU time is
measured, not wall time.
"""

from __future__ import annotations

import argparse
import gc
import time
from dataclasses import dataclass, field
from typing import Any

from benchmarks.figures import Figure, about_the_machine, command, table
from benchmarks.workload import Workload, definition_records, definitions
from streamseg.engine.partition import Partition
from streamseg.plan.definitions import Definitions
from streamseg.records.outputs import DeadLetter, MembershipChange, Suppression
from streamseg.settings import Settings
from streamseg.store.memory import MemoryStore

SETTINGS = Settings()
_DUE = 256


@dataclass(slots=True)
class Changes:
    """Counts the changes that the engine emits."""

    count: int = 0

    def change(self, change: MembershipChange) -> None:
        self.count += 1

    def membership(self, change: MembershipChange) -> None:
        """Not measured apart."""

    def suppression(self, suppression: Suppression) -> None:
        """Not measured apart."""

    def dead_letter(self, letter: DeadLetter) -> None:
        raise AssertionError(letter.message)


@dataclass
class Case:
    """One setting, and the rates (records/s) that were measured with it: of the updates and of the stream."""

    name: str
    segments: list[dict[str, Any]]
    contacts: int = 20_000
    records: int = 50_000
    changes: int = 0
    updates: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    def measure(self) -> None:
        """Measure one round: make the contacts known by their updates, then apply the stream."""
        judged = Definitions(SETTINGS)
        letters = judged.load(definition_records(self.segments))
        if letters:
            raise AssertionError(letters[0].message)
        changes = Changes()
        partition = Partition(store=MemoryStore(), plan=judged.plan, settings=SETTINGS, emitter=changes)
        workload = Workload(self.contacts, self.records)
        updates, stream = list(workload.updates()), list(workload.stream())
        gc.collect()
        gc.disable()
        began = time.process_time()
        for record in updates:
            partition.take(record)
        known = time.process_time()
        before = changes.count
        for record in stream:
            while partition.run_due(record.timestamp_ms, _DUE):
                continue
            partition.take(record)
        ended = time.process_time()
        gc.enable()
        self.updates.append(len(updates) / (known - began))
        self.rates.append(len(stream) / (ended - known))
        self.changes = changes.count - before


def busy(count: int) -> list[dict[str, Any]]:
    """Return `count` segments whose conditions all count every page view."""
    return [
        {
            "segment_id": f"busy-{index}",
            "name": f"busy {index}",
            "type": "standard",
            "clusters": [
                {
                    "match": "all",
                    "conditions": [
                        {
                            "event": "page_view",
                            "count": {"operator": "ge", "value": 2 + index},
                            "window": {"last": "P3D"},
                        }
                    ],
                }
            ],
        }
        for index in range(count)
    ]


def cases(records: int) -> list[Case]:
    """Return the settings; all others are compared with the first."""
    thousand = definitions(1_000)
    return [
        Case("1,000 segments", thousand, records=records),
        Case("10 segments", definitions(10), records=records),
        Case("100 segments", definitions(100), records=records),
        Case("10,000 segments", definitions(10_000), records=records),
        Case("10 of 10 segments matched", definitions(10, matching=10), records=records),
        Case("10 of 10,000 segments matched", definitions(10_000, matching=10), records=records),
        Case("5 conditions on each page view", thousand + busy(5), records=records),
        Case("50 conditions on each page view", thousand + busy(50), records=records),
        Case(f"1,000 contacts, {records // 1_000} records each", thousand, contacts=1_000, records=records),
        Case("100,000 contacts", thousand, contacts=100_000, records=records),
        Case(f"100 contacts, {records // 100} records each", thousand, contacts=100, records=records),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--records", type=int, default=50_000)
    wanted = parser.parse_args()
    measured = cases(wanted.records)
    for _ in range(wanted.repeats):
        for case in measured:
            case.measure()
    base = measured[0]
    rows = []
    for case in measured:
        rate = Figure(case.rates)
        cost = Figure([one / other for one, other in zip(base.rates, case.rates, strict=True)])
        rows.append(
            [
                case.name,
                rate.text(0),
                f"{1e6 / rate.median:.1f} µs",
                cost.text(2),
                Figure(case.updates).text(0),
                f"{case.changes / case.records:.2f}",
            ]
        )
    heading = ["", "records/s", "each", "cost, times", "new contacts/s", "changes a record"]
    print(command("benchmarks.engine"))
    print(table(heading, rows))
    print(about_the_machine())


if __name__ == "__main__":
    main()
