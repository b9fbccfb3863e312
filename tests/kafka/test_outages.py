"""A broker stops and returns while a worker has live input."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from streamseg.records.inputs import Record
from streamseg.settings import Settings
from tests.chaos.checks import equal_ids_are_equal_changes, instant_ms
from tests.kafka.live import (
    SOURCES,
    Topics,
    Worker,
    eventually,
    expected_changes,
    running,
)
from tests.numbering import assert_numbered_on

AWAY_SECONDS = 75
"""Longer than a session and than a producer keeps a batch."""

RECENT_MS = 3_000
RECENT = {"event": "scan", "window": {"last": "PT3S"}}
RICH = {"attribute": "member_points", "operator": "ge", "value": 50}
DEFINITIONS: list[dict[str, Any]] = [
    {"segment_id": "recent", "clusters": [{"match": "all", "conditions": [RECENT]}]},
    {"segment_id": "rich", "clusters": [{"match": "all", "conditions": [RICH]}]},
]


class Broker:
    """A broker of its own, to be killed."""

    def __init__(self, script: Path, folder: Path) -> None:
        self._script = script
        self._folder = folder
        self.bootstrap = ""

    def start(self) -> None:
        port = ["--port", "0"] if not self.bootstrap else []
        command: list[str | Path] = [self._script, "start", self._folder, *port]
        started = subprocess.run(command, capture_output=True, text=True, timeout=180, check=True)
        self.bootstrap = started.stdout.strip()

    def kill(self) -> None:
        os.kill(int((self._folder / "kafka.pid").read_text()), signal.SIGKILL)

    def stop(self) -> None:
        subprocess.run([self._script, "stop", self._folder], capture_output=True, timeout=180, check=False)


@pytest.fixture
def broker(kafka_script: Path, tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(kafka_script, tmp_path / "broker")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def settings(broker: Broker, tmp_path: Path) -> Settings:
    return Settings(
        bootstrap_servers=broker.bootstrap,
        topic_prefix=f"t{uuid.uuid4().hex[:8]}-",
        partitions=4,
        data_dir=tmp_path / "workers",
    )


class Input(threading.Thread):
    """Writes events and updates at their own time until it is told to stop, whether a broker is there or
    not."""

    def __init__(self, topics: Topics) -> None:
        super().__init__(daemon=True)
        self._topics = topics
        self._done = threading.Event()
        self.written = 0

    def run(self) -> None:
        while not self._done.wait(0.02):
            number = self.written
            contact_id, at_ms = f"c{number % 40}", time.time_ns() // 1_000_000
            if number % 3:
                body: dict[str, Any] = {"event_id": f"e{number}", "event": "scan", "occurred_at": at_ms}
                topic = "behavior-events"
            else:
                body = {"attributes": {"member_points": number * 7 % 100}}
                topic = "contact-updates"
            self._topics.write(topic, contact_id, {"contact_id": contact_id, **body}, at_ms=at_ms)
            self.written += 1

    def stop(self) -> None:
        self._done.set()
        self.join()
        self._topics.flush()


def read(topics: Topics) -> list[Record]:
    return [
        Record(topic, one.partition(), one.offset(), one.timestamp()[1], one.key(), one.value())
        for topic in SOURCES
        for one in topics.read(topic)
    ]


def replayed_members(topics: Topics) -> set[str]:
    """Who is a member, by a replay of all that was read, once every window has closed."""
    records = read(topics)
    until_ms = max(record.timestamp_ms for record in records) + 10_000
    members: dict[str, bool] = {}
    for change in expected_changes(topics.settings, DEFINITIONS, records, until_ms).values():
        members[f"{change['segment_id']}|{change['contact_id']}"] = change["change"] == "entered"
    return {key for key, entered in members.items() if entered}


def assert_as_replayed(topics: Topics, changes: list[tuple[bytes, dict[str, Any]]]) -> None:
    """The changes, as bytes and what they say, are those of a replay.

    Records come late on a busy machine, and the clock of a partition may be ahead of them. So only of what
    they bring about by themselves a replay says when; of the rest, that it is exact to its own due time."""
    assert list(equal_ids_are_equal_changes(changes)) == []
    distinct = list({change["change_id"]: change for _, change in changes}.values())
    records = sorted(read(topics), key=lambda record: (record.timestamp_ms, record.topic))
    until_ms = records[-1].timestamp_ms + 1
    expected = expected_changes(topics.settings, DEFINITIONS, records, until_ms).values()
    # A replay names the number of a line, and the definitions come first.
    lines = {f"{one.topic}/0/{at}": one for at, one in enumerate(records, len(DEFINITIONS) + 1)}
    wanted: dict[str, list[Any]] = defaultdict(list)
    for change in expected:
        if change["segment_id"] == "rich":
            record = lines[change["reason"]["ref"]]
            wanted[change["contact_id"]].append((change["sequence"], change["change"], record.position))
    found: dict[str, list[Any]] = defaultdict(list)
    made_ms = {record.position: record.timestamp_ms for record in records}
    for change in distinct:
        ref = change["reason"].get("ref")
        if change["segment_id"] == "rich":
            found[change["contact_id"]].append((change["sequence"], change["change"], ref))
            assert instant_ms(change["effective_at"]) >= made_ms[ref], change
    assert found == wanted
    occurred = {
        (event["contact_id"], event["occurred_at"])
        for event in (orjson.loads(one.value or b"") for one in records if one.topic == "behavior-events")
    }
    for change in distinct:
        if change["segment_id"] == "recent" and change["change"] == "exited":
            assert change["reason"]["kind"] == "time"
            at_ms = instant_ms(change["effective_at"]) - RECENT_MS
            assert (change["contact_id"], at_ms) in occurred, change


def reasons(worker: Worker) -> list[str]:
    """Why the worker is not ready; none where it is."""
    status, body = worker.get("/ready")
    answer = orjson.loads(body)
    assert (status, answer["status"]) in [(200, "ready"), (503, "not ready")]
    found: list[str] = answer.get("reasons", [])
    return found


def logged(worker: Worker) -> list[str]:
    """Its log, the lines of tracebacks left out."""
    return [line for line in worker.log.splitlines() if re.match(r"\d{4}-\d\d-\d\d ", line)]


def test_a_worker_outlives_an_outage_and_loses_and_doubles_nothing(
    broker: Broker, settings: Settings
) -> None:
    topics = Topics(settings)
    topics.create()
    topics.define(*DEFINITIONS)
    written = Input(topics)
    with running(Worker(settings)) as worker:
        eventually(lambda: reasons(worker) == [], "a worker that is ready")
        written.start()
        eventually(lambda: worker.metric("streamseg_records_total") > 300, "some records applied")
        entries = len(logged(worker))
        broker.kill()
        away_since = time.monotonic()
        eventually(lambda: any("no Kafka answered" in one for one in reasons(worker)), "that it is said")
        while time.monotonic() < away_since + AWAY_SECONDS:
            assert worker.get("/health")[0] == 200
            assert reasons(worker) != []
            assert worker.poll() is None
            time.sleep(1)
        assert worker.metric("streamseg_ready") == 0
        broker.start()
        eventually(lambda: reasons(worker) == [], "a worker that is ready again")
        said = logged(worker)[entries:]
        assert len(said) < 60, "\n".join(said)
        before = worker.metric("streamseg_records_total")
        eventually(lambda: worker.metric("streamseg_records_total") > before + 300, "records applied anew")
        written.stop()
        eventually(topics.all_committed, "all input committed")
        members = replayed_members(topics)
        eventually(lambda: topics.latest("segment-memberships").keys() == members, f"{len(members)} members")
        changes = topics.read("membership-changes")
        assert_as_replayed(topics, [(one.value(), orjson.loads(one.value())) for one in changes])
    sequences = assert_numbered_on(topics.changes())
    assert {f"{segment}|{contact}" for (segment, contact), last in sequences.items() if last % 2} == members


def test_a_worker_that_is_started_before_the_broker_waits_for_it(broker: Broker, settings: Settings) -> None:
    topics = Topics(settings)
    topics.create()
    broker.kill()
    worker = Worker(settings)
    try:
        worker.launch()
        worker.wait_for("no Kafka answered")
        assert worker.get("/health")[0] == 200
        assert worker.get("/api/v1/segments")[0] == 503
        broker.start()
        worker.wait_for(worker.at_work)
        eventually(lambda: reasons(worker) == [], "a worker that is ready")
        assert worker.stop() == 0
    finally:
        worker.end()


def test_a_worker_without_topics_waits_for_them_and_then_ends_with_a_line(settings: Settings) -> None:
    worker = Worker(settings, STREAMSEG_START_TIMEOUT_MS="3000")
    try:
        worker.launch()
        eventually(lambda: worker.poll() == 1, "the end")
        last = worker.log.splitlines()[-1]
        assert last.startswith(f"streamseg worker: no topic {settings.topic_prefix}contact-updates")
        assert "streamseg topics create" in last
        assert last.endswith("(given up after 3 s, STREAMSEG_START_TIMEOUT_MS)")
        assert "Traceback" not in worker.log
    finally:
        worker.end()


def test_a_second_worker_on_a_folder_leaves_the_first_at_work(settings: Settings) -> None:
    topics = Topics(settings)
    topics.create()
    with running(Worker(settings)) as first:
        second = Worker(settings)
        try:
            second.launch()
            eventually(lambda: second.poll() == 1, "the end of the second")
        finally:
            second.end()
        (line,) = second.log.splitlines()[-1:]
        assert line.startswith("streamseg worker: another worker is running on the data folder")
        assert "Traceback" not in second.log
        assert reasons(first) == []
        assert first.log.count("at work on partition 0") == 1
