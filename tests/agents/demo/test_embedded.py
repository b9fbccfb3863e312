"""A whole worker on the broker inside this process."""

from __future__ import annotations

import logging
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from confluent_kafka import Consumer, Producer

from agents.demo.embedded import EmbeddedBroker, EmbeddedWorker
from agents.partitions.task import PartitionTask
from agents.partitions.worker_clock import HostClock
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings
from streamseg.times import DAY_MS, HOUR_MS
from tests.agents.installation import installed
from tests.agents.metric_values import value

WAIT_SECONDS = 60.0
RECENT = {
    "segment_id": "recent",
    "type": "standard",
    "name": "最近扫码",
    "clusters": [{"match": "all", "conditions": [{"event": "wechat_scan", "window": {"last": "PT2S"}}]}],
}


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture
def settings(broker: EmbeddedBroker, tmp_path: Path) -> Settings:
    return installed(broker, tmp_path / "data")


class Client:
    """Writes to the topics, and gathers what comes out of some."""

    def __init__(self, settings: Settings, *outputs: str) -> None:
        servers = {"bootstrap.servers": settings.bootstrap_servers, "log_level": 0}
        self._producer = Producer({**servers, "partitioner": "murmur2_random"})
        self._consumer = Consumer({**servers, "group.id": "test", "auto.offset.reset": "earliest"})
        self._consumer.subscribe(list(outputs))
        self.messages: list[Any] = []

    def define(self, definition: dict[str, Any]) -> None:
        self._producer.produce(
            "segment-definitions", orjson.dumps(definition), key=definition["segment_id"], partition=0
        )
        self._producer.flush(10)

    def command(self, command: dict[str, Any], timestamp_ms: int) -> None:
        value = orjson.dumps(command)
        self._producer.produce("segment-commands", value, partition=0, timestamp=timestamp_ms)
        self._producer.flush(10)

    def write(self, topic: str, key: str, value: bytes, timestamp_ms: int = 0) -> None:
        """A timestamp of 0 is now."""
        self._producer.produce(topic, value, key=key, timestamp=timestamp_ms)
        self._producer.flush(10)

    def wait(self, holds: Callable[[list[Any]], bool]) -> list[Any]:
        deadline = time.monotonic() + WAIT_SECONDS
        while not holds(self.messages):
            assert time.monotonic() < deadline, f"only {len(self.messages)} messages came"
            self.messages += [each for each in self._consumer.consume(100, 0.2) if each.error() is None]
        return self.messages

    def close(self) -> None:
        self._consumer.close()


def scan(contact_id: str) -> bytes:
    at_ms = time.time_ns() // 1_000_000
    return orjson.dumps(
        {"event_id": "e1", "contact_id": contact_id, "event": "wechat_scan", "occurred_at": at_ms}
    )


def test_contacts_enter_and_leave_and_a_restart_goes_on(settings: Settings) -> None:
    client = Client(settings, "membership-changes", "dead-letters")
    client.define(RECENT)
    with EmbeddedWorker(settings) as worker:
        client.write("behavior-events", "c1", scan("c1"))
        client.write("behavior-events", "c1", b"{bad")
        client.wait(lambda messages: len(messages) >= 3)
        assert worker.app is not None
        port = worker.app.web_server_service.port
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10) as answer:
            assert orjson.loads(answer.read()) == {"status": "ok"}
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            exposition = answer.read().decode()
    assert 'streamseg_records_total{result="applied"} 1.0' in exposition
    assert 'streamseg_dead_letters_total{code="invalid_json"} 1.0' in exposition
    assert "c1" not in exposition

    with EmbeddedWorker(settings):
        client.write("behavior-events", "c2", scan("c2"))
        messages = client.wait(lambda messages: len(messages) >= 5)
    client.close()
    changes = [orjson.loads(each.value()) for each in messages if each.topic() == "membership-changes"]
    assert [(change["contact_id"], change["change"], change["sequence"]) for change in changes] == [
        ("c1", "entered", 1),
        ("c1", "exited", 2),
        ("c2", "entered", 1),
        ("c2", "exited", 2),
    ]
    (letter,) = [each for each in messages if each.topic() == "dead-letters"]
    assert letter.value() == b"{bad"


def test_a_worker_tells_its_life_in_order(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="agents")
    with EmbeddedWorker(settings):
        until(lambda: {"ready", "leads the catalogue"} <= set(caplog.messages))
    told = [message for message in caplog.messages if message.split()[0] in LIFE]
    first = [one for index, one in enumerate(told) if one not in told[:index]]
    steps = [
        "assigned partitions 0, 1, 2, 3",
        "restoring partitions 0, 1, 2, 3",
        "ready",
        "ending",
        "releasing partition 0",
        "released partition 0",
        "stopped",
    ]
    assert [one for one in first if one in steps] == steps
    assert sum(one.startswith("at work on partition") for one in told) >= 4


LIFE = ("assigned", "restoring", "at", "ready", "ending", "releasing", "released", "stopped")


def test_what_a_worker_does_is_seen_in_its_metrics(settings: Settings) -> None:
    client = Client(settings, "membership-changes", "dead-letters", "segment-catalog")
    client.define(RECENT)
    with EmbeddedWorker(settings) as worker:
        assert worker.app is not None
        metrics = worker.app.metrics
        base = f"http://127.0.0.1:{worker.app.web_server_service.port}"

        def shown(name: str, **labels: str) -> float:
            with urllib.request.urlopen(f"{base}/metrics", timeout=10):  # noqa: S310
                return value(metrics, f"streamseg_{name}", **labels)

        def ask(path: str) -> int:
            try:
                with urllib.request.urlopen(base + path, timeout=10) as answer:  # noqa: S310
                    return int(answer.status)
            except urllib.error.HTTPError as error:
                return error.code

        until(lambda: shown("ready") == 1)
        until(lambda: shown("leader") == 1)
        client.write("behavior-events", "c1", scan("c1"))
        client.wait(lambda messages: any(each.topic() == "membership-changes" for each in messages))
        client.command({"command": "create_group", "account": "ann", "group": "g"}, 0)
        client.command({"command": "create_group", "account": "ann", "group": "g"}, 0)
        until(lambda: shown("command_seconds_count", result="refused") == 1)
        until(lambda: shown("change_latency_seconds_count") >= 1)
        assert shown("command_seconds_count", result="applied") == 1
        assert 0 < shown("change_latency_seconds_sum") < WAIT_SECONDS
        assert shown("topic_partitions") == shown("partitions") == settings.partitions
        assert shown("rebalances_total") >= 1
        assert shown("restoring_partitions") == shown("restore_remaining_records") == 0
        assert shown("state_keys") > 0
        assert shown("cold_starts_total") == shown("unacknowledged_seconds") == 0
        until(lambda: shown("sweeping_partitions") == 0)

        member = "/api/v1/segments/{segment_id}/contacts"
        assert ask("/api/v1/segments/recent/contacts?limit=1") == 200
        assert ask("/api/v1/segments/secret-name/contacts") == 404
        assert ask("/api/v1/nowhere/secret-name") == 404
        for method, route, status in (
            ("GET", member, "200"),
            ("GET", member, "404"),
            ("none", "none", "404"),
        ):
            assert shown("api_requests_total", method=method, route=route, status=status) == 1
        assert shown("api_request_seconds_count", method="GET", route=member) == 2
        assert b"secret-name" not in metrics.exposition()
    assert value(metrics, "streamseg_leader") == 0
    client.close()


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_record_timestamp_outside_the_calendar_stops_nobody(settings: Settings) -> None:
    client = Client(settings, "segment-catalog", "dead-letters")
    with EmbeddedWorker(settings) as worker:
        for timestamp_ms in (10**16, -(10**17), 0):
            command = {"command": "create_group", "account": "ann", "group": f"at {timestamp_ms}"}
            client.command(command, timestamp_ms)
            client.write("behavior-events", "c1", scan("c1"), timestamp_ms)
        messages = client.wait(
            lambda messages: (
                [each.topic() for each in messages].count("dead-letters") == 4
                and any(each.key() == b"group|at 0" for each in messages)
            )
        )
        assert worker.running
    client.close()
    letters = [dict(each.headers()) for each in messages if each.topic() == "dead-letters"]
    assert sorted(
        (one["source.topic"], one["error.code"], one["error.path"], one["source.offset"]) for one in letters
    ) == [
        (topic, b"invalid_schema", b"timestamp", offset)
        for topic in (b"behavior-events", b"segment-commands")
        for offset in (b"0", b"1")
    ]


class ChangedClock(HostClock):
    """A host whose wall clock is set wrong by so much."""

    wrong_ms = 0

    def wall_ms(self) -> int:
        return super().wall_ms() + self.wrong_ms


def test_a_clock_that_jumps_a_day_ahead_moves_no_stream_time(settings: Settings) -> None:
    client = Client(settings, "membership-changes", "dead-letters")
    client.define(RECENT)
    clock = ChangedClock()
    with EmbeddedWorker(settings, host_clock=clock) as worker:
        assert worker.app is not None
        client.write("behavior-events", "c1", scan("c1"))
        client.wait(lambda messages: len(messages) >= 1)
        clock.wrong_ms = DAY_MS
        # It leaves by time alone: stream time goes on, at its own pace.
        client.wait(lambda messages: len(messages) >= 2)
        assert worker.app.clock.doubt == "the clock of this host jumped 86,400.0 s ahead"
        # What is dated as the wrong clock says is still too far ahead.
        client.write("behavior-events", "c2", scan("c2"), time.time_ns() // 1_000_000 + DAY_MS)
        client.wait(lambda messages: len(messages) >= 3)
        clock.wrong_ms = 0
        assert worker.app.clock.doubt is None
        client.write("behavior-events", "c3", scan("c3"))
        messages = client.wait(lambda messages: len(messages) >= 5)
    client.close()
    changes = [orjson.loads(each.value()) for each in messages if each.topic() == "membership-changes"]
    assert [(change["contact_id"], change["change"]) for change in changes] == [
        ("c1", "entered"),
        ("c1", "exited"),
        ("c3", "entered"),
        ("c3", "exited"),
    ]
    (letter,) = [dict(each.headers()) for each in messages if each.topic() == "dead-letters"]
    assert letter["error.code"] == b"timestamp_in_future"


def test_commands_and_records_dated_ahead_are_refused(settings: Settings) -> None:
    client = Client(settings, "dead-letters")
    ahead_ms = time.time_ns() // 1_000_000 + 2 * HOUR_MS
    with EmbeddedWorker(settings):
        client.command({"command": "create_group", "account": "ann", "group": "g"}, ahead_ms)
        client.write("behavior-events", "c1", scan("c1"), ahead_ms)
        client.write("contact-updates", "c1", b'{"contact_id": "c1"}', ahead_ms)
        messages = client.wait(lambda messages: len(messages) >= 3)
    client.close()
    letters = [dict(each.headers()) for each in messages]
    assert {letter["source.topic"] for letter in letters} == {
        b"segment-commands",
        b"behavior-events",
        b"contact-updates",
    }
    assert {letter["error.code"] for letter in letters} == {b"timestamp_in_future"}


def test_an_unexpected_error_ends_the_worker_and_commits_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(settings, "membership-changes")
    client.define(RECENT)
    worker = EmbeddedWorker(settings)
    worker.start()
    assert worker.app is not None
    client.write("behavior-events", "c1", scan("c1"))
    client.wait(lambda messages: len(messages) >= 1)

    def fail(task: PartitionTask) -> bool:
        raise ZeroDivisionError("not foreseen")

    monkeypatch.setattr(PartitionTask, "step", fail)
    client.write("behavior-events", "c2", scan("c2"))
    deadline = time.monotonic() + WAIT_SECONDS
    while worker.running:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with pytest.raises(ZeroDivisionError, match="not foreseen"):
        worker.stop()
    monkeypatch.undo()

    with EmbeddedWorker(settings):
        messages = client.wait(lambda messages: len(messages) >= 4)
    client.close()
    entered = [
        change["contact_id"]
        for change in (orjson.loads(message.value()) for message in messages)
        if change["change"] == "entered"
    ]
    assert entered == ["c1", "c2"]


def test_a_definition_without_version_counts_on_over_a_restart(settings: Settings) -> None:
    client = Client(settings, "dead-letters")
    client.define(RECENT)
    with EmbeddedWorker(settings) as worker:
        client.define({**RECENT, "name": "另一个名称"})
        deadline = time.monotonic() + WAIT_SECONDS
        while versions(worker) != (2, 2):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    client.define(RECENT)
    client.close()
    with EmbeddedWorker(settings) as worker:
        assert versions(worker)[0] == 3


def versions(worker: EmbeddedWorker) -> tuple[int | None, int | None]:
    """Of the segment by which contacts are judged, and of its row."""
    assert worker.app is not None
    segment = worker.app.definition_topic.definitions.plan.segments.get("recent")
    row = worker.app.catalogue_topic.catalogue.rows.get("recent")
    return None if segment is None else segment.version, None if row is None else row.version


def test_state_that_is_ahead_of_its_changelog_is_refused(settings: Settings) -> None:
    client = Client(settings, "membership-changes")
    client.define(RECENT)
    with EmbeddedWorker(settings):
        client.write("behavior-events", "c1", scan("c1"))
        client.wait(lambda messages: len(messages) >= 1)
    client.close()
    with EmbeddedBroker() as other:
        moved = settings.model_copy(update={"bootstrap_servers": other.bootstrap})
        other.create_topics(moved)
        with pytest.raises(ConfigurationError, match="ahead of its changelog"):
            EmbeddedWorker(moved).start()


def test_a_port_that_is_taken_is_named_with_the_setting(settings: Settings) -> None:
    with EmbeddedWorker(settings) as first:
        assert first.app is not None
        port = first.app.web_server_service.port
        taken = settings.model_copy(update={"http_port": port, "data_dir": settings.data_dir / "second"})
        with pytest.raises(ConfigurationError, match="STREAMSEG_HTTP_PORT"):
            EmbeddedWorker(taken).start()


def test_an_embedded_worker_wants_as_many_partitions_as_its_broker_has(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="4 partitions, not 8"):
        EmbeddedWorker(Settings(partitions=8, data_dir=tmp_path))
