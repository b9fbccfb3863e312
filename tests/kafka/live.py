"""Functions for worker tests on a real Kafka: write records, read records, run worker processes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition

from agents.kafka.topics import required_topics, topic_name, worker_id
from agents.kafka.topics_admin import TopicsAdmin
from streamseg.records.inputs import Record
from streamseg.replay import replay
from streamseg.settings import Settings

WAIT_SECONDS = 300.0
SOURCES = ("behavior-events", "contact-updates")
PROGRAMS = Path(sys.executable).parent
"""Where the commands of the installation that runs the tests are."""


def eventually(holds: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> None:
    """Wait until it holds; AssertionError with `what` if it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not in {seconds:.0f} s: {what}"
        time.sleep(0.05)


class Topics:
    """The topics of one test, by their names in the contract."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def _producer(self) -> Producer:
        return Producer(
            {
                "bootstrap.servers": self.settings.bootstrap_servers,
                "partitioner": "murmur2_random",
                "message.max.bytes": 4 << 20,
                # A retry, as right after a topic was made, must not change the order.
                "enable.idempotence": True,
                "linger.ms": 5,
            }
        )

    def create(self) -> None:
        TopicsAdmin(self.settings).create(required_topics(self.settings))

    def write(
        self, topic: str, key: str | bytes | None, value: Any, *, at_ms: int | None = None, **options: Any
    ) -> None:
        """A record; a value that is neither bytes nor None becomes JSON. Not sent before `flush`."""
        body = value if value is None or isinstance(value, bytes) else orjson.dumps(value)
        name = topic_name(self.settings, topic)
        while True:
            try:
                self._producer.produce(name, body, key=key, timestamp=at_ms or 0, **options)
                break
            except BufferError:
                self._producer.poll(0.1)
        self._producer.poll(0)

    def flush(self) -> None:
        assert self._producer.flush(60) == 0

    def define(self, *definitions: dict[str, Any]) -> None:
        for definition in definitions:
            body = {"type": "standard", "name": definition["segment_id"], **definition}
            self.write("segment-definitions", definition["segment_id"], body, partition=0)
        self.flush()

    def read(self, topic: str) -> list[Any]:
        """Everything that is in a topic now, confluent messages in partition order."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.settings.bootstrap_servers,
                "group.id": "reader",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 20,
            }
        )
        name = topic if topic.startswith(self.settings.topic_prefix) else topic_name(self.settings, topic)
        try:
            numbers = sorted(consumer.list_topics(name, timeout=10).topics[name].partitions)
            consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for number in numbers])
            read = _read_to_end(consumer, numbers, name)
            return [message for number in numbers for message in read[number]]
        finally:
            consumer.close()

    def length(self, topic: str) -> int:
        """The sum of the end offsets of a topic's partitions."""
        name = topic_name(self.settings, topic)
        consumer = Consumer({"bootstrap.servers": self.settings.bootstrap_servers, "group.id": "reader"})
        try:
            numbers = consumer.list_topics(name, timeout=10).topics[name].partitions
            places = [TopicPartition(name, number) for number in numbers]
            return sum(consumer.get_watermark_offsets(place, timeout=10)[1] for place in places)
        finally:
            consumer.close()

    def values(self, topic: str) -> list[Any]:
        """The JSON values in a topic."""
        return [orjson.loads(message.value()) for message in self.read(topic)]

    def changes(self) -> list[dict[str, Any]]:
        return self.values("membership-changes")

    def latest(self, topic: str) -> dict[str, Any]:
        """What a compacted topic says: key -> the latest value, tombstones left out."""
        last = {message.key(): message.value() for message in self.read(topic)}
        return {key.decode(): orjson.loads(value) for key, value in last.items() if value is not None}

    def committed(self) -> dict[tuple[str, int], int]:
        """The committed offsets of the workers' group, by topic of the contract and partition."""
        return _committed(self.settings)

    def ends(self) -> dict[tuple[str, int], int]:
        """The end offsets of the source topics."""
        consumer = Consumer({"bootstrap.servers": self.settings.bootstrap_servers, "group.id": "reader"})
        try:
            return {
                (topic, number): consumer.get_watermark_offsets(
                    TopicPartition(topic_name(self.settings, topic), number), timeout=10
                )[1]
                for topic in SOURCES
                for number in range(self.settings.partitions)
            }
        finally:
            consumer.close()

    def all_committed(self) -> bool:
        """Whether the group has committed the source topics up to their ends."""
        committed = self.committed()
        return all(committed.get(place, 0) >= end for place, end in self.ends().items())


def _read_to_end(consumer: Consumer, numbers: Iterable[int], name: str) -> dict[int, list[Any]]:
    """What the partitions that a consumer was given hold by now: records of transactions that were aborted,
    and the marks of their ends, are no records."""
    read: dict[int, list[Any]] = {number: [] for number in numbers}
    left = set(read)
    deadline = time.monotonic() + WAIT_SECONDS
    while left:
        assert time.monotonic() < deadline, f"{name} cannot be read to its end"
        for message in consumer.consume(1_000, 0.05):
            error = message.error()
            if error is None:
                number = message.partition()
                assert number is not None
                read[number].append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                left.discard(message.partition())
    return read


def _committed(settings: Settings) -> dict[tuple[str, int], int]:
    consumer = Consumer({"bootstrap.servers": settings.bootstrap_servers, "group.id": worker_id(settings)})
    wanted = [
        TopicPartition(topic_name(settings, topic), number)
        for topic in SOURCES
        for number in range(settings.partitions)
    ]
    try:
        places = consumer.committed(wanted, timeout=20)
    finally:
        consumer.close()
    prefix = len(settings.topic_prefix)
    return {(place.topic[prefix:], place.partition): place.offset for place in places if place.offset >= 0}


def worker_environment(settings: Settings, state: Path) -> dict[str, str]:
    """The environment of a worker process on the cluster of these settings, for this machine only."""
    return {
        **os.environ,
        "STREAMSEG_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "STREAMSEG_TOPIC_PREFIX": settings.topic_prefix,
        "STREAMSEG_APPLICATION_ID": settings.application_id,
        "STREAMSEG_PARTITIONS": str(settings.partitions),
        "STREAMSEG_DATA_DIR": str(state),
        "STREAMSEG_HTTP_PORT": "0",
        "STREAMSEG_HTTP_HOST": "127.0.0.1",
    }


class Worker:
    """A `streamseg worker` process, started by `start`; environment variables may be added. `programs`: the
    folder of the command, where it is another installation's."""

    at_work = "agents.worker.segment_app: started"

    def __init__(
        self,
        settings: Settings,
        name: str = "worker",
        programs: Path = PROGRAMS,
        /,
        **environment: str,
    ) -> None:
        self.state = settings.data_dir / name
        self.state.mkdir(parents=True, exist_ok=True)
        self._programs = programs
        self._log = settings.data_dir / f"{name}.log"
        self._environment = {
            **worker_environment(settings, self.state),
            "STREAMSEG_SESSION_TIMEOUT_MS": "10000",
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._from = 0

    @property
    def log(self) -> str:
        """What it has logged since its last start."""
        return self._log.read_text()[self._from :] if self._log.exists() else ""

    def launch(self) -> None:
        """Start the process, without waiting."""
        self._from = len(self._log.read_text()) if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "streamseg", "worker"],
                env=self._environment,
                stderr=log,
                stdout=log,
            )

    def start(self) -> None:
        """Start the process and wait until it is at work."""
        self.launch()
        self.wait_for(self.at_work)

    def wait_for(self, text: str) -> None:
        """Wait until it has logged this since its last start."""
        eventually(lambda: text in self.log or self.poll() is not None, f"{text!r} in the log")
        assert text in self.log, f"ended with {self.poll()} before {text!r}:\n{self.log}"

    def poll(self) -> int | None:
        assert self._process is not None
        return self._process.poll()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def terminate(self) -> None:
        """SIGTERM, without waiting."""
        assert self._process is not None
        self._process.terminate()

    def wait(self, seconds: float = 60) -> int:
        """Its exit status, once it has ended; subprocess.TimeoutExpired if it does not in time."""
        assert self._process is not None
        return self._process.wait(seconds)

    def stop(self) -> int:
        """SIGTERM, and its exit status."""
        self.terminate()
        return self.wait()

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(30)

    def freeze(self) -> None:
        """SIGSTOP: it neither works nor sends heartbeats until `thaw`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()

    @property
    def port(self) -> int | None:
        """Of its own web server; None before that is up."""
        found = re.search(r"metrics on port (\d+)", self.log)
        return None if found is None else int(found[1])

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of its own web server."""
        assert self.port is not None
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode()

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        return sum(self._samples(name))

    def caught_up(self) -> bool:
        """Whether it knows how far each source partition it has is behind, and none is."""
        lags = self._samples("streamseg_lag_records")
        wanted = len(SOURCES) * int(self.metric("streamseg_partitions"))
        return len(lags) == wanted > 0 and not any(lags)

    def _samples(self, name: str) -> list[float]:
        _, body = self.get("/metrics")
        family = re.sub(r"_(total|sum|count)$", "", name)
        assert re.search(rf"^# TYPE {family}(_total)? ", body, re.MULTILINE), f"no metric {name}"
        return [
            float(line.rsplit(" ", 1)[1])
            for line in body.splitlines()
            if re.match(rf"{re.escape(name)}(\{{|\s)", line)
        ]


@contextmanager
def running(worker: Worker) -> Iterator[Worker]:
    """The worker at work; stopped at the end, which must go well."""
    try:
        worker.start()
        yield worker
        assert worker.stop() == 0, worker.log
    finally:
        worker.end()


def expected_changes(
    settings: Settings, definitions: Iterable[dict[str, Any]], records: Iterable[Record], until_ms: int
) -> dict[str, dict[str, Any]]:
    """What a replay of the records, in the order of (timestamp, topic), gives: change id -> change."""
    lines: list[dict[str, Any]] = [
        {
            "topic": "segment-definitions",
            "timestamp": 0,
            "key": definition["segment_id"],
            "value": {"type": "standard", "name": definition["segment_id"], **definition},
        }
        for definition in definitions
    ]
    lines += [
        {
            "topic": record.topic,
            "timestamp": record.timestamp_ms,
            "key": (record.key or b"").decode(),
            "value": orjson.loads(record.value or b"null"),
        }
        for record in sorted(records, key=lambda record: (record.timestamp_ms, record.topic))
    ]
    changes = replay(lines, settings=settings, until_ms=until_ms)
    return {change.change_id: change.wire() for change in changes}


def comparable(changes: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Changes by id, without what names a record's offset, which a replay numbers otherwise."""
    return {change["change_id"]: {**change, "reason": change["reason"]["kind"]} for change in changes}


def all_come_out(topics: Topics, expected: Mapping[str, Any]) -> None:
    """Wait until every one of these change ids can be read. Input that is committed is not enough: what
    falls due after its end comes as the clock goes on to the present."""
    eventually(
        lambda: expected.keys() <= {change["change_id"] for change in topics.changes()},
        f"all of {len(expected)} changes",
    )
