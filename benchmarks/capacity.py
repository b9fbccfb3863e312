"""Measures what a worker, a partition, a segment, a contact, a record, a changed definition, a recovery and a
backup cost, on a real Kafka.

Each figure is the difference of two states of one worker: without contacts and with them, with few partitions
and with many, before the stream and after it. Memory is that at rest, after a restart with the local state,
because a worker that has just read a lot holds caches and buffers. The CPU time of contacts, records and
sweeps is that beyond an idle worker's. CPU times and bytes can be compared
between machines that are busy with other work; seconds cannot. Run it from the repository:

    python -m benchmarks.capacity
    python -m benchmarks.capacity --contacts 100000 --records 300000 --repeats 3 --keep
    python -m benchmarks.capacity --contacts 1000000 --brief --keep

`--keep` puts the figures into benchmarks/capacity.json, under the number of contacts; `make pages` writes the
tables of deploy/capacity.md from there. A round with 100,000 contacts takes about eight minutes.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from agents.kafka.topics import changelog_topic, topic_name
from benchmarks.capacity_figures import Measured, keep
from benchmarks.figures import Figure, about_the_machine, command, table
from benchmarks.kafka import Broker, Feed, WorkerProcess, broker, installation, wait_until
from benchmarks.latency import Load
from benchmarks.workload import DAY_MS, Workload, definitions
from schemas.topics import (
    BEHAVIOR_EVENTS,
    CHANNEL_SUPPRESSIONS,
    CONTACT_UPDATES,
    MEMBERSHIP_CHANGES,
    SEGMENT_MEMBERSHIPS,
)
from streamseg.settings import Settings
from tests.kafka.live import worker_environment

_DAYS = 5.0
_PATIENCE = 3_600.0
_LOOK_SECONDS = 2.0
"""How often the worker's metrics are read. Each time takes some 10 ms of its CPU time."""
_TO_REST_SECONDS = 5.0
_IDLE_SECONDS = 10.0
_WARM_SECONDS = 10.0
_LIVE_SECONDS = 30.0
_FEW_SEGMENTS = 10
_RESIDENT = re.compile(r"^VmRSS:\s+(\d+) kB$", re.MULTILINE)
_SOCKET = re.compile(r"bytes_(sent|received):(\d+)")
_INPUTS = (CONTACT_UPDATES, BEHAVIOR_EVENTS)
_OUTPUTS = (MEMBERSHIP_CHANGES, SEGMENT_MEMBERSHIPS, CHANNEL_SUPPRESSIONS)

Figures = dict[str, float]


class Counters(NamedTuple):
    """What grows: CPU seconds of worker and broker, bytes on the worker's connections to the broker, and
    bytes of the input topics, the output topics, the changelog and the state, and the time, in s."""

    at: float
    cpu: float
    broker_cpu: float
    sent: float
    received: float
    inputs: float
    outputs: float
    changelog: float
    state: float

    def since(self, before: Counters) -> Counters:
        return Counters(*(now - then for now, then in zip(self, before, strict=True)))

    def beyond(self, idle: AtRest) -> Counters:
        """Return the same without the CPU time that an idle worker takes in this time. On a machine that is
        busy with other work, where everything takes long, it is a large part."""
        return self._replace(cpu=self.cpu - idle.core * self.at)


class AtRest(NamedTuple):
    """A worker that has nothing to do: resident bytes, file descriptors, and what it uses in a second."""

    resident: int
    descriptors: int
    core: float
    broker_core: float
    sent: float
    received: float


class Started(NamedTuple):
    """A start: the seconds until the worker is at work on all partitions, CPU seconds, peak resident
    bytes."""

    seconds: float
    cpu_seconds: float
    peak: int


class Worker:
    """One worker with its topics."""

    def __init__(self, kafka: Broker, settings: Settings) -> None:
        self._kafka = kafka
        self._settings = settings
        self._feed = Feed(settings)
        self._process = WorkerProcess(settings, STREAMSEG_INSTANCE_ID="capacity")
        self._defined = 0

    def define(self, bodies: Sequence[dict[str, Any]]) -> None:
        self._feed.define(bodies)
        self._defined += len(bodies)

    def start(self) -> Started:
        began = time.perf_counter()
        self._process.start()
        self._process.wait_at_work(self._settings.partitions)
        seconds = time.perf_counter() - began
        return Started(seconds, self._process.cpu_seconds(), self._process.memory_bytes())

    def stop(self) -> None:
        self._process.stop()

    def lose_state(self) -> None:
        shutil.rmtree(self._process.state)

    def counters(self) -> Counters:
        running = self._process.running
        sent, received = self._connections() if running else (0, 0)
        return Counters(
            time.perf_counter(),
            self._process.cpu_seconds() if running else 0.0,
            self._kafka.cpu_seconds(),
            sent,
            received,
            self._bytes_of(*_INPUTS),
            self._bytes_of(*_OUTPUTS),
            self._kafka.topic_bytes(changelog_topic(self._settings)),
            sum(file.stat().st_size for file in self._process.state.rglob("*.sst")),
        )

    def _bytes_of(self, *topics: str) -> int:
        return sum(self._kafka.topic_bytes(topic_name(self._settings, topic)) for topic in topics)

    def _connections(self) -> tuple[int, int]:
        """Return the bytes that the worker has sent to the broker and received from it, on connections that
        are open."""
        port = self._settings.bootstrap_servers.rpartition(":")[2]
        found = subprocess.run(
            ["ss", "-tinpHO", f"dport = :{port}"], check=True, capture_output=True, text=True
        )
        totals = {"sent": 0, "received": 0}
        for line in found.stdout.splitlines():
            if f"pid={self._process.pid}," in line:
                for direction, count in _SOCKET.findall(line):
                    totals[direction] += int(count)
        return totals["sent"], totals["received"]

    def write(self, workload: Workload, *, stream: bool) -> int:
        return self._feed.write(workload.stream() if stream else workload.updates())

    def apply(self, count: int) -> Counters:
        """Start, wait until so many records are applied that were written before, and stop. Return what it
        took from the moment when all partitions were at work, without the last checkpoint."""
        self.start()
        before = self.counters()
        wait_until(
            lambda: self._process.applied() >= count, f"{count} records", _PATIENCE, every=_LOOK_SECONDS
        )
        took = self.counters().since(before)
        self.stop()
        return took

    def at_rest(self) -> AtRest:
        """Wait until the worker rests, and look at it for a while."""
        time.sleep(_TO_REST_SECONDS)
        before = self.counters()
        time.sleep(_IDLE_SECONDS)
        took = self.counters().since(before)
        process = Path(f"/proc/{self._process.pid}")
        resident = _RESIDENT.search((process / "status").read_text())
        return AtRest(
            resident=int(resident[1]) << 10 if resident else 0,
            descriptors=sum(1 for _ in (process / "fd").iterdir()),
            core=took.cpu / took.at,
            broker_core=took.broker_cpu / took.at,
            sent=took.sent / took.at,
            received=took.received / took.at,
        )

    def live(self, workload: Workload, rate: float) -> Counters:
        """Write events of now at a steady rate, and return what they took in a second."""
        load = Load(self._settings, workload, probes=0)
        applied = self._process.applied()
        load.run(rate, _WARM_SECONDS)
        # Time has passed since the last record, so many contacts fall due at first.
        wait_until(lambda: self._process.applied() >= applied + load.sent, "the first events", every=1.0)
        self._await_due()
        before = self.counters()
        sent = load.sent
        load.run(rate, _LIVE_SECONDS)
        wait_until(lambda: self._process.applied() >= applied + load.sent, "the events", every=0.1)
        took = self.counters().since(before)
        seconds = (load.sent - sent) / rate
        return Counters(*(count / seconds for count in took))

    def _await_due(self) -> None:
        due = -1.0
        while (now := self._process.metrics().get("streamseg_due_total", 0.0)) - due > 100:
            due = now
            time.sleep(1.0)

    def sweep(self, bodies: Sequence[dict[str, Any]]) -> Counters:
        """Define segments, and return what it took to evaluate all contacts for them."""
        before = self.counters()
        self.define(bodies)
        wait_until(
            lambda: self._generation() >= self._defined - 1 and self._sweeping(), "the sweep", _PATIENCE
        )
        wait_until(lambda: not self._sweeping(), "the end of the sweep", _PATIENCE, every=_LOOK_SECONDS)
        return self.counters().since(before)

    def _generation(self) -> float:
        return self._process.metrics().get("streamseg_definitions_generation", -1.0)

    def _sweeping(self) -> bool:
        return self._process.metrics().get("streamseg_sweeping_partitions", 0.0) > 0


class Ran(NamedTuple):
    """A command that has ended: its seconds, its CPU seconds and its peak resident bytes."""

    seconds: float
    cpu_seconds: float
    peak: int


def _run(settings: Settings, *arguments: str) -> Ran:
    """Run a command of streamseg."""
    began = time.perf_counter()
    program = Path(sys.executable).parent / "streamseg"
    log = settings.data_dir / "command.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [program, *arguments], env=worker_environment(settings, settings.data_dir), stdout=out, stderr=out
        )
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"streamseg {' '.join(arguments)}:\n{log.read_text()}")
    return Ran(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss << 10)


def _empty(kafka: Broker, partitions: int, segments: int) -> AtRest:
    """Return an idle worker without contacts."""
    with installation(kafka, partitions) as settings:
        worker = Worker(kafka, settings)
        try:
            worker.define(definitions(segments))
            worker.start()
            return worker.at_rest()
        finally:
            worker.stop()


def _idle(kafka: Broker, wanted: argparse.Namespace) -> tuple[Figures, AtRest]:
    """Return what a worker, a partition and a segment cost without contacts, and the idle worker."""
    bare = _empty(kafka, wanted.partitions, 1)
    empty = _empty(kafka, wanted.partitions, wanted.segments)
    many = _empty(kafka, wanted.many_partitions, wanted.segments)
    more = wanted.many_partitions - wanted.partitions
    return {
        "idle_memory_bytes": bare.resident,
        "idle_core": bare.core,
        "idle_sent_bytes_s": bare.sent,
        "idle_received_bytes_s": bare.received,
        "segment_memory_bytes": (empty.resident - bare.resident) / max(1, wanted.segments - 1),
        "partition_memory_bytes": (many.resident - empty.resident) / more,
        "partition_core": (many.core - empty.core) / more,
        "partition_files": (many.descriptors - empty.descriptors) / more,
        "partition_sent_bytes_s": (many.sent - empty.sent) / more,
        "partition_received_bytes_s": (many.received - empty.received) / more,
    }, empty


def _few_segments(kafka: Broker, workload: Workload, partitions: int, empty: AtRest) -> Figures:
    """Return what contacts and records cost with few segments."""
    with installation(kafka, partitions) as settings:
        worker = Worker(kafka, settings)
        worker.define(definitions(_FEW_SEGMENTS))
        known = worker.write(workload, stream=False)
        first = worker.apply(known).beyond(empty)
        records = worker.write(workload, stream=True)
        stream = worker.apply(records).beyond(empty)
    return {
        "few_contact_cpu_us": first.cpu / known * 1e6,
        "few_record_cpu_us": stream.cpu / records * 1e6,
    }


def _at_work(worker: Worker, workload: Workload, empty: AtRest, wanted: argparse.Namespace) -> Figures:
    """Return what new segments and live events cost a worker that has all contacts."""
    more = definitions(wanted.segments + 11)[wanted.segments :]
    one, ten = worker.sweep(more[:1]).beyond(empty), worker.sweep(more[1:]).beyond(empty)
    live = worker.live(workload, wanted.rate)
    return {
        "sweep_cpu_us": one.cpu / workload.contacts * 1e6,
        "sweep_contacts_s": workload.contacts / one.at,
        "sweep_ten_cpu_us": ten.cpu / workload.contacts * 1e6,
        "live_rate": wanted.rate,
        "live_core": live.cpu,
        "live_broker_core": live.broker_cpu,
        "live_sent_bytes_s": live.sent,
        "live_received_bytes_s": live.received,
        "live_input_bytes_s": live.inputs,
        "live_output_bytes_s": live.outputs,
        "live_changelog_bytes_s": live.changelog,
    }


def _filled(kafka: Broker, workload: Workload, empty: AtRest, wanted: argparse.Namespace) -> Figures:
    """Return what contacts, records, a changed definition, a recovery and a backup cost."""
    with installation(kafka, wanted.partitions) as settings:
        worker = Worker(kafka, settings)
        try:
            worker.define(definitions(wanted.segments))
            figures = _contacts(worker, workload, empty)
            if not wanted.brief:
                figures |= _stream(worker, workload, empty)
            kept = worker.start()
            full = worker.at_rest()
            if not wanted.brief:
                figures |= _at_work(worker, workload, empty, wanted)
            worker.stop()
            worker.lose_state()
            changelog = worker.counters().changelog
            lost = worker.start()
            restored = worker.at_rest()
            worker.stop()
            if not wanted.brief:
                figures |= _moved(kafka, settings, workload, wanted.partitions * 2)
        finally:
            worker.stop()
    return figures | {
        "full_memory_bytes": full.resident,
        "full_core": full.core,
        "start_seconds": kept.seconds,
        "start_cpu_seconds": kept.cpu_seconds,
        "recovery_seconds": lost.seconds,
        "recovery_cpu_seconds": lost.cpu_seconds,
        "recovery_peak_bytes": lost.peak,
        "recovery_changelog_bytes": changelog,
        "recovered_memory_bytes": restored.resident,
    }


def _contacts(worker: Worker, workload: Workload, empty: AtRest) -> Figures:
    nothing = worker.counters()
    known = worker.write(workload, stream=False)
    first = worker.apply(known).beyond(empty)
    worker.start()
    filled, after = worker.at_rest(), worker.counters()
    worker.stop()
    return {
        "contact_memory_bytes": (filled.resident - empty.resident) / known,
        "contact_cpu_us": first.cpu / known * 1e6,
        "contacts_s": known / first.at,
        **_bytes_each("contact", nothing, after, known),
    }


def _stream(worker: Worker, workload: Workload, empty: AtRest) -> Figures:
    nothing = worker.counters()
    records = worker.write(workload, stream=True)
    stream = worker.apply(records).beyond(empty)
    worker.start()
    worker.at_rest()
    after = worker.counters()
    worker.stop()
    return {
        "record_cpu_us": stream.cpu / records * 1e6,
        "records_s": records / stream.at,
        **_bytes_each("record", nothing, after, records),
    }


def _bytes_each(what: str, before: Counters, after: Counters, number: int) -> Figures:
    """Return how many bytes each of `number` contacts or records took, by the name of the figure."""
    return {
        f"{what}_input_bytes": (after.inputs - before.inputs) / number,
        f"{what}_state_bytes": (after.state - before.state) / number,
        f"{what}_changelog_bytes": (after.changelog - before.changelog) / number,
        f"{what}_output_bytes": (after.outputs - before.outputs) / number,
    }


def _moved(kafka: Broker, settings: Settings, workload: Workload, partitions: int) -> Figures:
    """Export the state, and import it into topics with another number of partitions. Return what it took, and
    the bytes that were written: files, a changelog."""
    folder = settings.data_dir / "export"
    exported = _run(settings, "state", "export", "--to", str(folder))
    files = sum(file.stat().st_size for file in folder.iterdir())
    with installation(kafka, partitions) as new:
        imported = _run(new, "state", "import", "--from", str(folder), "--no-erasures")
        changelog = kafka.topic_bytes(changelog_topic(new))
    return {
        f"{name}_{what}": value
        for name, ran, size in (("export", exported, files), ("import", imported, changelog))
        for what, value in (
            ("seconds_million", ran.seconds / workload.contacts * 1e6),
            ("cpu_us", ran.cpu_seconds / workload.contacts * 1e6),
            ("peak_bytes", ran.peak),
            ("contact_bytes", size / workload.contacts),
        )
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--segments", type=int, default=1_000)
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--many-partitions", type=int, default=64)
    parser.add_argument("--rate", type=float, default=1_000, help="live events/s")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--brief", action="store_true", help="only contacts, starts and a recovery")
    parser.add_argument("--keep", action="store_true", help="put the figures into benchmarks/capacity.json")
    wanted = parser.parse_args()
    start_ms = time.time_ns() // 1_000_000 - int((_DAYS + 1) * DAY_MS)
    workload = Workload(wanted.contacts, wanted.records, _DAYS, start_ms=start_ms)
    fewer = replace(workload, contacts=min(wanted.contacts, 20_000), records=min(wanted.records, 40_000))
    rounds: list[Figures] = []
    loads: list[float] = []
    with broker(None) as kafka:
        for _ in range(wanted.repeats):
            idle, empty = _idle(kafka, wanted)
            loads.append(os.getloadavg()[0])
            figures = {**idle, **_filled(kafka, workload, empty, wanted)}
            loads.append(os.getloadavg()[0])
            if not wanted.brief:
                figures |= _few_segments(kafka, fewer, wanted.partitions, empty)
            rounds.append(figures)
            measured = Measured.of(
                command("benchmarks.capacity"),
                about_the_machine(),
                loads,
                {name: getattr(wanted, name) for name in _PARAMETERS},
                {name: [one[name] for one in rounds] for name in rounds[0]},
            )
            if wanted.keep:
                keep(str(wanted.contacts), measured)
    print(command("benchmarks.capacity"))
    rows = [[name, Figure(values).text(3)] for name, values in measured.figures.items()]
    print(table(["figure", ""], rows))
    print(f"loads {', '.join(f'{one:.1f}' for one in loads)}\n{about_the_machine()}")


_PARAMETERS = ("contacts", "records", "segments", "partitions", "many_partitions", "rate")


if __name__ == "__main__":
    main()
