"""Parts that the measurements on a real Kafka share: a broker, a writer of the workload, worker processes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from confluent_kafka import Producer

from agents.kafka.topics import required_topics, topic_name
from agents.kafka.topics_admin import TopicsAdmin
from streamseg.records.inputs import Record
from streamseg.settings import Settings
from tests.kafka.live import worker_environment

ROOT = Path(__file__).parents[1]
TIMEOUT_SECONDS = 900


@dataclass(frozen=True)
class Broker:
    """A broker's address and, if this program started it, the folder that holds its topics."""

    bootstrap: str
    data: Path | None = None

    def topic_bytes(self, topic: str) -> int:
        """Return the size of a topic on the broker's disk, in bytes; 0 if this program did not start it."""
        if self.data is None:
            return 0
        return sum(path.stat().st_size for path in self.data.glob(f"{topic}-*/*.log"))

    def cpu_seconds(self) -> float:
        """Return the CPU time that the broker has used so far, in s; 0 if this program did not start it."""
        return 0.0 if self.data is None else _cpu_seconds(int((self.data.parent / "kafka.pid").read_text()))


def leave_to_the_worker(cpu: int) -> None:
    """Keep this process, and the broker that it starts, off this core if there are other cores."""
    others = os.sched_getaffinity(0) - {cpu}
    if others:
        os.sched_setaffinity(0, others)


def checkouts(against: Path | None) -> dict[str, Path | None]:
    """Return the checkouts whose workers are measured in turn, by their names in the report."""
    return {"this": None} if against is None else {"this": None, against.name: against}


@contextmanager
def broker(bootstrap: str | None) -> Iterator[Broker]:
    """Return the given broker, or start one that runs until the end of the context."""
    if bootstrap is not None:
        yield Broker(bootstrap)
        return
    script = ROOT / "deploy" / "kafka.sh"
    with tempfile.TemporaryDirectory(prefix="streamseg-kafka-") as folder:
        started = subprocess.run(
            [script, "start", folder, "--port", "0"], check=True, capture_output=True, text=True
        )
        try:
            yield Broker(started.stdout.strip(), Path(folder) / "data")
        finally:
            subprocess.run([script, "stop", folder], check=True, capture_output=True)


def fresh_settings(bootstrap: str, *, partitions: int, data_dir: Path) -> Settings:
    """Return settings with a new topic prefix, and make the topics."""
    settings = Settings(
        bootstrap_servers=bootstrap,
        topic_prefix=f"bench-{uuid.uuid4().hex[:8]}-",
        partitions=partitions,
        data_dir=data_dir,
    )
    TopicsAdmin(settings).create(required_topics(settings))
    return settings


@contextmanager
def installation(kafka: Broker, partitions: int) -> Iterator[Settings]:
    """Return `fresh_settings` with a folder for the workers' state that exists until the end of the
    context."""
    with tempfile.TemporaryDirectory(prefix="streamseg-state-") as data:
        yield fresh_settings(kafka.bootstrap, partitions=partitions, data_dir=Path(data))


class Feed:
    """Writes records to their topics; the key decides the partition, as in every Kafka client."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        self._settings = settings
        self._names = {topic: topic_name(settings, topic) for topic in ("contact-updates", "behavior-events")}
        self._producer = Producer(
            {
                "bootstrap.servers": settings.bootstrap_servers,
                "partitioner": "murmur2_random",
                "linger.ms": 20,
                "compression.type": "lz4",
                "enable.idempotence": True,
                "queue.buffering.max.messages": 1_000_000,
                **options,
            }
        )

    def define(self, bodies: Iterable[dict[str, Any]]) -> None:
        topic = topic_name(self._settings, "segment-definitions")
        for body in bodies:
            self._produce(topic, body["segment_id"].encode(), orjson.dumps(body), 0, partition=0)
        self.flush()

    def write(self, records: Iterable[Record]) -> int:
        """Write all records with their timestamps, and return their number."""
        count = 0
        for record in records:
            self.put(record)
            count += 1
        self.flush()
        return count

    def put(self, record: Record) -> None:
        """Write one record; only `flush` makes sure that it was sent."""
        self._produce(self._names[record.topic], record.key, record.value, record.timestamp_ms)

    def _produce(
        self, topic: str, key: bytes | None, value: bytes | None, at_ms: int, partition: int = -1
    ) -> None:
        # -1 is the partition of the key.
        while True:
            try:
                self._producer.produce(topic, value, key=key, timestamp=at_ms, partition=partition)
                break
            except BufferError:
                self._producer.poll(0.1)
        self._producer.poll(0)

    def flush(self) -> None:
        if self._producer.flush(120):
            raise TimeoutError("the broker did not take everything in 120 s")


class WorkerProcess:
    """A `streamseg worker` process and its metrics."""

    def __init__(
        self, settings: Settings, name: str = "worker", *, checkout: Path | None = None, **environment: str
    ) -> None:
        """`checkout` is a checkout with its `.venv` whose worker is run; None: the one of this program."""
        self._programs = Path(sys.executable).parent if checkout is None else checkout / ".venv" / "bin"
        self.state = settings.data_dir / name
        self.state.mkdir(parents=True, exist_ok=True)
        self._log = settings.data_dir / f"{name}.log"
        self._environment = {**worker_environment(settings, self.state), **environment}
        self._process: subprocess.Popen[bytes] | None = None
        self._url = ""
        self._memory_with_processes = 0

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the worker was not started")
        return self._process.pid

    def start(self, *cpus: int) -> None:
        """Start the worker, on these CPUs only if any are given, and wait for its web server."""
        command: list[str | Path] = [self._programs / "streamseg", "worker"]
        if cpus:
            command = ["taskset", "-c", ",".join(map(str, cpus)), *command]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, env=self._environment, stderr=log)
        self._memory_with_processes = 0
        self.wait_for("metrics on port")
        found = re.search(r"metrics on port (\d+)", self._log.read_text())
        self._url = f"http://127.0.0.1:{found[1] if found else 0}/metrics"

    @property
    def url(self) -> str:
        """The address of the worker's web server."""
        return self._url.removesuffix("/metrics")

    def wait_for(self, text: str) -> None:
        """Wait until the worker has logged this text."""
        self._wait_until_log(lambda log: text in log, repr(text))

    def wait_at_work(self, partitions: int) -> None:
        """Wait until the worker has logged of each partition that it is at work on it. Release 0.1.0 has one
        line for all partitions that are restored together."""

        def at_work(log: str) -> bool:
            lines = re.findall(r"at work on partitions? ([\d, ]+)", log)
            return len({number for line in lines for number in re.findall(r"\d+", line)}) == partitions

        self._wait_until_log(at_work, f"at work on {partitions} partitions")

    def _wait_until_log(self, holds: Callable[[str], bool], what: str) -> None:
        def ended() -> bool:
            self._look_at_memory()
            return holds(self._log.read_text()) or self._ended()

        wait_until(ended, what)
        if not holds(self._log.read_text()):
            raise SystemExit(f"the worker ended before {what}:\n{self._log.read_text()}")

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def metrics(self) -> dict[str, float]:
        """Return each metric by its name, summed over its labels, and each labelled value by
        `name{labels}`."""
        if self._ended():
            raise SystemExit(f"the worker ended:\n{self._log.read_text()}")
        with urllib.request.urlopen(self._url, timeout=30) as response:  # noqa: S310 - our own worker
            lines = response.read().decode().splitlines()
        found: dict[str, float] = {}
        for line in lines:
            if line and not line.startswith("#"):
                labelled, _, value = line.rpartition(" ")
                found[labelled] = float(value)
                name = labelled.partition("{")[0]
                if name != labelled:
                    found[name] = found.get(name, 0.0) + float(value)
        return found

    def applied(self) -> float:
        """Return how many records the worker has applied and made durable."""
        return self.metrics().get('streamseg_records_total{result="applied"}', 0.0)

    def cpu_seconds(self) -> float:
        """Return the CPU time that the worker has used so far, in s."""
        return _cpu_seconds(self.pid)

    def memory_bytes(self) -> int:
        """Return the worker's peak resident memory so far, in bytes, or that of the worker together with
        its processes as far as `wait_for` and `wait_at_work` saw it, if that is more."""
        return max(_memory_bytes(self.pid, "VmHWM"), self._memory_with_processes)

    def _look_at_memory(self) -> None:
        family = [self.pid]
        for children in Path(f"/proc/{self.pid}/task").glob("*/children"):
            with suppress(OSError):
                family += map(int, children.read_text().split())
        together = sum(_memory_bytes(pid, "VmRSS") for pid in family)
        self._memory_with_processes = max(self._memory_with_processes, together)

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """Stop the worker, which makes a last checkpoint, and wait for its end."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(120)


def _memory_bytes(pid: int, name: str) -> int:
    """Return a figure of a process's memory, in bytes; 0 if it has ended."""
    try:
        found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_until(
    holds: Callable[[], bool], what: str, seconds: float = TIMEOUT_SECONDS, *, every: float = 0.05
) -> None:
    """Poll every `every` s until `holds` returns True; end the program if it does not within `seconds`. Each
    poll of a worker's metrics takes a part of the worker's CPU time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit(f"not in {seconds:.0f} s: {what}")
        time.sleep(every)
