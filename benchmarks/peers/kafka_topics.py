"""What the peers on Kafka have in common: topics, the job's records on them, a process that is measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from benchmarks.peers.evaluate import Change, Rules
from benchmarks.peers.job import Job, Result

_SECONDS = 300


@dataclass(frozen=True)
class Setup:
    """What a peer's process is told, as JSON in its only argument. One partition each."""

    bootstrap: str
    name: str
    count: int
    folder: str
    keep_all: bool

    @property
    def source(self) -> str:
        return f"{self.name}-records"

    @property
    def changes(self) -> str:
        return f"{self.name}-changes"

    @classmethod
    def told(cls) -> Setup:
        return cls(**json.loads(os.environ["PEER_SETUP"]))

    def rules(self) -> Rules:
        definitions = orjson.loads((Path(self.folder) / "segments.json").read_bytes())
        return Rules(definitions, keep_all=self.keep_all)


class Stopwatch:
    """Counts records inside a peer's process and says what they took, once."""

    def __init__(self, setup: Setup) -> None:
        self._left = setup.count
        self._file = Path(setup.folder) / "took.json"
        self._began = 0.0
        self._cpu = 0.0

    def record(self) -> bool:
        """One is about to be handled; whether it is the last one."""
        if not self._began:
            self._began, self._cpu = time.perf_counter(), time.process_time()
        self._left -= 1
        return self._left == 0

    def stop(self) -> None:
        took = {
            "seconds": time.perf_counter() - self._began,
            "cpu_seconds": time.process_time() - self._cpu,
        }
        self._file.write_bytes(orjson.dumps(took))


def run_process(module: str, job: Job, folder: Path, bootstrap: str) -> Result:
    """All records in the topic, then the peer's process until it has stopped its watch."""
    setup = Setup(bootstrap, f"peer-{uuid.uuid4().hex[:8]}", len(job.records), str(folder), job.keep_all)
    (folder / "segments.json").write_bytes(orjson.dumps(job.segments))
    _fill(setup, job)
    environment = {**os.environ, "PEER_SETUP": json.dumps(asdict(setup))}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", module], env=environment, stdout=log, stderr=log)
        try:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_SECONDS)
        finally:
            process.kill()
        status = process.wait()
    took = folder / "took.json"
    if not took.exists():
        raise SystemExit(f"{module} ended with status {status}:\n{(folder / 'log').read_text()}")
    changes = read(bootstrap, setup.changes, lambda value: Change(*orjson.loads(value)))
    return Result(**orjson.loads(took.read_bytes()), changes=changes)


def _fill(setup: Setup, job: Job) -> None:
    admin = AdminClient({"bootstrap.servers": setup.bootstrap})
    topics = [NewTopic(name, 1, 1) for name in (setup.source, setup.changes)]
    for made in admin.create_topics(topics).values():
        made.result()
    producer = Producer(
        {"bootstrap.servers": setup.bootstrap, "linger.ms": 20, "queue.buffering.max.messages": 10_000_000}
    )
    for record in job.records:
        producer.produce(setup.source, record.value, key=record.key, timestamp=record.timestamp_ms)
        producer.poll(0)
    if producer.flush(120):
        raise TimeoutError("the broker did not take everything in 120 s")


def read(bootstrap: str, topic: str, change_of: Callable[[bytes], Change]) -> list[Change]:
    """Everything in partition 0 of the topic."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"read-{topic}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    changes: list[Change] = []
    while (message := consumer.poll(30)) is not None and message.error() is None:
        changes.append(change_of(message.value() or b""))
    consumer.close()
    return changes
