"""Measures the time from an event to its change, and the delay of changes by time alone, on a real Kafka.

Events of the workload are written at a steady rate; each has the time at which it is written. Some of them
are probes: the first event of a new contact, which enters a segment by it. The latency is the time from
writing a probe to reading its change from `membership-changes`, producer and consumer included. At the end,
many contacts leave a segment at the same time while more events come in. Run it from the repository:

    python -m benchmarks.latency --rate 10000
    python -m benchmarks.latency --rate 10000 --due 100000 --seconds 30 --repeats 5
    python -m benchmarks.latency --rate 10000 --due 0 --repeats 5 --against ../an-older-checkout

The last column is the CPU time of the worker's process for each record that was written, whatever the worker
did in that time. `--against` measures the worker of another checkout (with its `.venv`) in turn.

The worker has one core. The broker and this program, which writes and reads, have the other cores.
"""

from __future__ import annotations

import argparse
import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from confluent_kafka import OFFSET_END, Consumer, TopicPartition

from agents.kafka.topics import topic_name
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
from streamseg.records.inputs import Record
from streamseg.settings import Settings

PROBES_A_SECOND = 50
SHARES = (0.25, 0.5, 0.8)
SLICE_SECONDS = 0.02
DUE_SHARE = 0.25
WORKER_CPU = 0

PROBED: dict[str, Any] = {
    "segment_id": "probed",
    "name": "probed",
    "type": "standard",
    "clusters": [{"match": "all", "conditions": [{"event": "probe", "window": {"last": "P1D"}}]}],
}
FRESH: dict[str, Any] = {
    "segment_id": "fresh",
    "name": "fresh",
    "type": "standard",
    "clusters": [
        {
            "match": "all",
            "conditions": [{"attribute": "fresh_since", "operator": "within_last", "value": "PT1H"}],
        }
    ],
}


@dataclass
class Watch:
    """Reads `membership-changes` in a separate thread, and notes when the change of each probe and exit
    came."""

    settings: Settings
    probes: dict[str, float] = field(default_factory=dict)
    late_seconds: list[float] = field(default_factory=list)
    entered: int = 0

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait(30)

    def _run(self) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": self.settings.bootstrap_servers,
                "group.id": "watch",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 5,
            }
        )
        name = topic_name(self.settings, "membership-changes")
        numbers = range(self.settings.partitions)
        consumer.assign([TopicPartition(name, number, OFFSET_END) for number in numbers])
        consumer.poll(1.0)
        self._ready.set()
        while not self._stop.is_set():
            for message in consumer.consume(1_000, 0.005):
                if message.error() is None:
                    self._take(message.value() or b"", _now())
        consumer.close()

    def _take(self, value: bytes, now: float) -> None:
        if b'"segment_id":"probed"' in value:
            self.probes[orjson.loads(value)["contact_id"]] = now
        elif b'"segment_id":"fresh"' in value:
            change = orjson.loads(value)
            if change["change"] == "entered":
                self.entered += 1
            else:
                self.late_seconds.append(now - datetime.fromisoformat(change["effective_at"]).timestamp())

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)


class Load:
    """Writes the workload's events and probes at a steady rate."""

    def __init__(self, settings: Settings, workload: Workload, *, probes: float = PROBES_A_SECOND) -> None:
        """`probes` is the number of probes a second."""
        self._probes = probes
        self._feed = Feed(settings, **{"linger.ms": 1})
        self._stream = self._endless(workload)
        self._number = 0
        self.sent = 0
        """How many records were written in all runs, probes included."""

    @staticmethod
    def _endless(workload: Workload) -> Iterator[Record]:
        seed = workload.seed
        while True:
            seed += 1
            yield from replace(workload, seed=seed).stream()

    def run(self, rate: float, seconds: float) -> dict[str, float]:
        """Write `rate` events a second for `seconds`; return when each probe was written, epoch s."""
        written: dict[str, float] = {}
        began = _now()
        sent = probed = 0
        while (passed := _now() - began) < seconds:
            while sent < passed * rate:
                self._write(next(self._stream))
                sent += 1
            while probed < passed * self._probes:
                contact_id = f"probe-{os.getpid()}-{self._number}"
                self._number += 1
                written[contact_id] = _now()
                self._feed.put(_probe(contact_id, written[contact_id]))
                probed += 1
            time.sleep(SLICE_SECONDS)
        self._feed.flush()
        self.sent += sent + probed
        return written

    def _write(self, record: Record) -> None:
        now_ms = time.time_ns() // 1_000_000
        body = orjson.loads(record.value or b"{}")
        if "event_id" in body:
            # The workload repeats; new event ids make the repeated events count as new ones.
            self._number += 1
            body |= {"event_id": f"{body['event_id']}-{self._number}", "occurred_at": now_ms}
        self._feed.put(record.copy(timestamp_ms=now_ms, value=orjson.dumps(body)))


def _now() -> float:
    """Return the wall clock, epoch s."""
    return time.time_ns() / 1e9


def _probe(contact_id: str, at: float) -> Record:
    at_ms = int(at * 1000)
    body = {"event_id": contact_id, "contact_id": contact_id, "event": "probe", "occurred_at": at_ms}
    return Record("behavior-events", 0, 0, at_ms, contact_id.encode(), orjson.dumps(body))


def _freshly_imported(crowd: int, count: int, since_ms: int) -> Iterator[Record]:
    for number in range(count):
        contact_id = f"fresh-{crowd}-{number:07}"
        body = {"contact_id": contact_id, "attributes": {"fresh_since": since_ms}}
        at_ms = time.time_ns() // 1_000_000
        yield Record("contact-updates", 0, 0, at_ms, contact_id.encode(), orjson.dumps(body))


_COLUMNS = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "most": 1.0}


def _percentiles(runs: list[list[float]]) -> list[str]:
    """Return the percentiles, each as a figure over the runs."""
    ordered = [sorted(seconds) for seconds in runs]
    return [
        Figure([one[min(int(len(one) * share), len(one) - 1)] * 1000 for one in ordered]).text(0) + " ms"
        for share in _COLUMNS.values()
    ]


def latencies(watch: Watch, written: dict[str, float]) -> list[float]:
    wait_until(lambda: written.keys() <= watch.probes.keys(), "every probe", 120)
    return [watch.probes[contact_id] - at for contact_id, at in written.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rate", type=float, required=True, help="sustained records/s; see end_to_end")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--contacts", type=int, default=20_000)
    parser.add_argument("--segments", type=int, default=1_000)
    parser.add_argument("--due", type=int, default=100_000, help="contacts that fall due at one instant")
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--against", type=Path, help="another checkout with its .venv")
    parser.add_argument("--bootstrap", help="a running broker, e.g. localhost:9092")
    wanted = parser.parse_args()
    leave_to_the_worker(WORKER_CPU)
    report = Report()
    with broker(wanted.bootstrap) as kafka:
        for number in range(wanted.repeats):
            for name, checkout in checkouts(wanted.against).items():
                _measure(kafka, name if wanted.against else "", checkout, number, wanted, report)
    print(command("benchmarks.latency"))
    print(table(["", *_COLUMNS, "CPU a record"], report.rows()))
    print(f"{wanted.contacts:,} contacts, {wanted.segments:,} segments\n{about_the_machine()}")


class Report:
    """What was measured in all rounds, by the name of the row."""

    def __init__(self) -> None:
        self._latencies: defaultdict[str, list[list[float]]] = defaultdict(list)
        self._cpu: defaultdict[str, list[float]] = defaultdict(list)

    def add(self, name: str, latencies: list[float], cpu_seconds: float | None = None) -> None:
        """Add the latencies of a round, in s, and the CPU time for each record, if it was measured."""
        self._latencies[name].append(latencies)
        if cpu_seconds is not None:
            self._cpu[name].append(cpu_seconds * 1e6)

    def rows(self) -> list[list[str]]:
        return [
            [name, *_percentiles(found), f"{Figure(self._cpu[name]).text(0)} µs" if name in self._cpu else ""]
            for name, found in self._latencies.items()
        ]


def _measure(
    kafka: Broker, name: str, checkout: Path | None, number: int, wanted: argparse.Namespace, report: Report
) -> None:
    """Measure one round of the worker of a checkout, with an installation of its own."""
    with installation(kafka, wanted.partitions) as settings:
        feed = Feed(settings)
        feed.define([PROBED, FRESH, *definitions(wanted.segments)])
        workload = Workload(wanted.contacts, start_ms=time.time_ns() // 1_000_000 - 1_000)
        known = feed.write(workload.updates())
        worker, watch = WorkerProcess(settings, checkout=checkout), Watch(settings)
        try:
            worker.start(WORKER_CPU)
            wait_until(lambda: worker.applied() >= known, "the contacts known", every=0.5)
            load = Load(settings, workload)
            load.run(wanted.rate * SHARES[0], wanted.seconds / 4)
            for share in SHARES:
                used, sent = worker.cpu_seconds(), load.sent
                written = load.run(wanted.rate * share, wanted.seconds)
                found = latencies(watch, written)
                cpu_seconds = (worker.cpu_seconds() - used) / (load.sent - sent)
                row = f"{name} {share:.0%} of {wanted.rate:,.0f}/s".strip()
                report.add(row, found, cpu_seconds)
            if wanted.due:
                rate = wanted.rate * DUE_SHARE
                late, meanwhile = _fall_due(number, wanted.due, rate, feed, load, watch)
                report.add(f"{name} {wanted.due:,} exits at one instant, late by".strip(), late)
                report.add(f"{name} {rate:,.0f}/s meanwhile".strip(), meanwhile)
        finally:
            watch.stop()
            worker.stop()


def _fall_due(
    number: int, count: int, rate: float, feed: Feed, load: Load, watch: Watch
) -> tuple[list[float], list[float]]:
    """Let `count` contacts enter a segment and leave it at the same time. Return the delay of each exit and
    the latencies of the probes meanwhile, in s."""
    watch.entered = 0
    watch.late_seconds = []
    due_at = _now() + 30 + count / 2_500
    began = _now()
    feed.write(_freshly_imported(number, count, int(due_at * 1000) - 3_600_000))
    wait_until(lambda: watch.entered >= count, f"{count} entered")
    took = _now() - began
    if _now() > due_at - 5:
        raise SystemExit(f"it took {took:.0f} s to make {count} contacts known: they fell due meanwhile")
    load.run(rate, due_at - _now() - 1)
    written = load.run(rate, 20)
    wait_until(lambda: len(watch.late_seconds) >= count, f"{count} exits")
    return watch.late_seconds, latencies(watch, written)


if __name__ == "__main__":
    main()
