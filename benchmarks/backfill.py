"""Measures how fast a sweep evaluates contacts for new definitions, and how long live input waits meanwhile.

The task of one partition runs over RocksDB, in this process and without Kafka. It gets contacts with
attributes and a few events each. Then it sweeps for one new definition, for ten definitions in one pass, and
for one more definition while live events and updates come in. Run it from the repository:

    python -m benchmarks.backfill
    python -m benchmarks.backfill --contacts 50000 --events 20 --repeats 5

As in a worker, the garbage collector ignores old objects, and the state is saved after every
`checkpoint_records` contacts. It is saved to RocksDB only; `benchmarks.end_to_end` measures the time that
changelog and outputs take in Kafka. A slice is one `PartitionTask.step()`, which nothing interrupts: the
longest slice is the longest time that live input waits.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from agents.partitions.task import PartitionTask
from agents.worker.garbage import tune_collector
from benchmarks.figures import Figure, about_the_machine, command, table
from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES
from streamseg.plan.definitions import Definitions
from streamseg.plan.plan import Plan
from streamseg.records.inputs import Record
from streamseg.settings import Settings
from streamseg.store.caches import Caches
from streamseg.store.rocksdb import RocksStore

START_MS = 1_777_593_600_000
EVENTS = ("form_open", "form_submit", "email_open", "email_click", "wechat_scan", "page_view")
FORMS = 40
OFFERED = 500
LIVE_PER_STEP = 20


def definition(index: int) -> dict[str, Any]:
    """Return a definition: one of several kinds of condition on history and attributes; no two are alike."""
    form = {"property": "form", "operator": "eq", "value": f"form-{index % FORMS}"}
    count = {"operator": "ge", "value": 1 + index % 3}
    conditions: list[list[dict[str, Any]]] = [
        [{"event": EVENTS[index % len(EVENTS)], "count": count, "window": {"last": f"P{30 + index}D"}}],
        [
            {"attribute": "location", "operator": "eq", "value": "中国"},
            {"event": "email_*", "count": count, "window": {"last": f"P{60 + index}D"}},
        ],
        [{"event": "form_submit", "where": {"match": "all", "conditions": [form]}}],
        [{"attribute": "member_points", "operator": "ge", "value": 200 * index}],
    ]
    return {
        "segment_id": f"segment-{index:05}",
        "name": f"segment {index}",
        "type": "standard",
        "clusters": [{"match": "all", "conditions": conditions[index % len(conditions)]}],
    }


class Source:
    """Makes records as the two source topics hold them, with offsets and timestamps."""

    def __init__(self, contacts: int) -> None:
        self.at_ms = START_MS
        self._contacts = contacts
        self._offsets = {BEHAVIOR_EVENTS: 0, CONTACT_UPDATES: 0}
        self._seeded = random.Random(7)

    def update(self, number: int) -> Record:
        seeded = self._seeded
        attributes = {"location": seeded.choice(["中国", "美国"]), "member_points": seeded.randrange(3_000)}
        return self._record(CONTACT_UPDATES, number, {"attributes": attributes})

    def event(self, number: int) -> Record:
        seeded = self._seeded
        body = {
            "event_id": f"e{self._offsets[BEHAVIOR_EVENTS]}",
            "event": seeded.choice(EVENTS),
            "occurred_at": self.at_ms + 1,
            "properties": {"form": f"form-{seeded.randrange(FORMS)}", "source": "benchmark"},
        }
        return self._record(BEHAVIOR_EVENTS, number, body)

    def live(self, count: int) -> Iterator[Record]:
        """Return `count` records of any contacts: 4 of 5 are events, the others are updates."""
        for _ in range(count):
            number = self._seeded.randrange(self._contacts)
            yield self.update(number) if self._seeded.random() < 0.2 else self.event(number)

    def _record(self, topic: str, number: int, body: dict[str, Any]) -> Record:
        self.at_ms += 1
        contact_id = f"c{number:07}"
        offset = self._offsets[topic]
        self._offsets[topic] = offset + 1
        value = orjson.dumps({"contact_id": contact_id, **body})
        return Record(topic, 0, offset, self.at_ms, contact_id.encode(), value)


@dataclass
class Run:
    """The result of one sweep: its seconds of work, and the seconds of each slice."""

    contacts: int
    seconds: float = 0.0
    slices: list[float] = field(default_factory=list)
    live_records: int = 0

    @property
    def rate(self) -> float:
        """Contacts a second."""
        return self.contacts / self.seconds

    def longest_ms(self) -> float:
        return max(self.slices) * 1000

    def nearly_longest_ms(self) -> float:
        """Return the time that 99 of 100 slices stay below, in ms: the machine may cause the longest one."""
        return sorted(self.slices)[len(self.slices) * 99 // 100] * 1000


class World:
    """A task and its definitions. Its outputs are dropped at each save."""

    def __init__(self, folder: Path, contacts: int) -> None:
        self.settings = Settings(live_lag_ms=0)
        self.source = Source(contacts)
        self.contacts = contacts
        self._definitions = Definitions(self.settings)
        self._defined = 0
        self._store = RocksStore(
            folder,
            caches=Caches(self.settings.cache_bytes),
        )
        self._task = PartitionTask(
            number=0,
            store=self._store,
            plan=self._definitions.plan,
            settings=self.settings,
            ended_as_of=lambda _: self.source.at_ms,
        )

    def fill(self, events: int) -> None:
        """Apply the attributes of all contacts, and `events` events of each."""
        for number in range(self.contacts):
            self._offer([self.source.update(number)])
            self._offer([self.source.event(number) for _ in range(events)])
            if number % OFFERED == 0:
                self._work()
        self._work()

    def sweep(self, definitions: int, *, live: int = 0) -> Run:
        """Sweep for `definitions` new definitions, and offer `live` live records before every step."""
        plan = self._define(definitions)
        run = Run(self.contacts)
        tune_collector()
        self._task.adopt(plan)
        while self._task.sweeping:
            if live:
                self._offer(list(self.source.live(live)))
                run.live_records += live
            began = time.perf_counter()
            self._task.step()
            ended = time.perf_counter()
            run.slices.append(ended - began)
            self._save_if_full()
            run.seconds += time.perf_counter() - began
        self._work()
        return run

    def close(self) -> None:
        self._store.close()

    def _define(self, count: int) -> Plan:
        for _ in range(count):
            body = definition(self._defined)
            key, value = body["segment_id"].encode(), orjson.dumps(body)
            self._definitions.take(
                Record("segment-definitions", 0, self._defined, self.source.at_ms, key, value)
            )
            self._defined += 1
        return self._definitions.plan

    def _offer(self, records: list[Record]) -> None:
        for topic in (CONTACT_UPDATES, BEHAVIOR_EVENTS):
            own = [record for record in records if record.topic == topic]
            if own:
                self._task.offer(topic, own, self.source.at_ms)

    def _work(self) -> None:
        while self._task.step():
            self._save_if_full()
        self._save()

    def _save_if_full(self) -> None:
        if self._task.unsaved_size >= self.settings.checkpoint_records:
            self._save()

    def _save(self) -> None:
        self._store.save()
        self._task.buffer.clear()
        self._task.saved()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--contacts", type=int, default=200_000)
    parser.add_argument("--events", type=int, default=5, help="of each contact")
    parser.add_argument("--live", type=int, default=LIVE_PER_STEP, help="records before every step")
    parser.add_argument("--repeats", type=int, default=1)
    wanted = parser.parse_args()
    cases = {
        "1 definition": (1, 0),
        "10 definitions, one pass": (10, 0),
        "1 definition, live input": (1, wanted.live),
    }
    runs: dict[str, list[Run]] = {name: [] for name in cases}
    with tempfile.TemporaryDirectory(prefix="streamseg-backfill-") as folder:
        world = World(Path(folder) / "state", wanted.contacts)
        world.fill(wanted.events)
        for name, (definitions, live) in list(cases.items()) * wanted.repeats:
            runs[name].append(world.sweep(definitions, live=live))
        world.close()
    first = next(iter(runs.values()))
    print(command("benchmarks.backfill"))
    print(table(_HEADING, [_row(name, found, first) for name, found in runs.items()]))
    live_records = runs["1 definition, live input"][-1].live_records
    print(
        f"{live_records:,} live records were applied beside the last sweep; "
        f"{wanted.contacts:,} contacts with {wanted.events} events each, one partition, no Kafka\n"
        f"{about_the_machine()}"
    )


_HEADING = ["sweep for", "contacts/s", "times the first", "99 % of slices", "longest slice"]


def _row(name: str, runs: list[Run], base: list[Run]) -> list[str]:
    times = [run.seconds / first.seconds for run, first in zip(runs, base, strict=True)]
    return [
        name,
        Figure([run.rate for run in runs]).text(0),
        Figure(times).text(2),
        Figure([run.nearly_longest_ms() for run in runs]).text(1) + " ms",
        Figure([run.longest_ms() for run in runs]).text(1) + " ms",
    ]


if __name__ == "__main__":
    main()
