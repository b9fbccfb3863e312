"""Changelogs are read from the state's position to their end, and no further after a stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from agents.demo.embedded import EmbeddedBroker
from agents.kafka import changelog_reader, silence
from agents.kafka.changelog_reader import read_changelog
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings
from streamseg.store.database import KeyValue

TOPIC = "changelog"
RECORDS = 12_000


@pytest.fixture(scope="module")
def bootstrap() -> Iterator[str]:
    """A broker with records in partitions 0 and 1 of the changelog, none in 2."""
    with EmbeddedBroker() as broker:
        producer = Producer({"bootstrap.servers": broker.bootstrap, "linger.ms": 20})
        for number in range(RECORDS):
            value = None if number % 10 == 0 else b"%d" % number
            producer.produce(
                TOPIC, value, key=b"k%d" % number, partition=number % 2, timestamp=1_000 + number
            )
        assert producer.flush(30) == 0
        yield broker.bootstrap


class Applied:
    """What was read, by partition."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.records: dict[int, list[KeyValue]] = {}
        self.offsets: dict[int, int] = {}
        self.ends: dict[int, int] = {}
        self.stop = threading.Event()
        self._stop_after = stop_after

    def apply(self, partition: int, records: list[KeyValue], strays: list[bytes], offset: int) -> None:
        self.records.setdefault(partition, []).extend(records)
        self.offsets[partition] = offset
        if self._stop_after is not None and sum(map(len, self.records.values())) >= self._stop_after:
            self.stop.set()

    def read(self, bootstrap: str, starts: dict[int, int], folder: Path) -> None:
        settings = Settings(bootstrap_servers=bootstrap, data_dir=folder)
        deadline = threading.Timer(60, self.stop.set)
        deadline.start()
        try:
            read_changelog(settings, TOPIC, starts, self.apply, self.reach, self.stop)
        finally:
            deadline.cancel()

    def reach(self, partition: int, end: int) -> None:
        assert partition not in self.ends
        self.ends[partition] = end


def test_all_of_it_in_order(bootstrap: str, tmp_path: Path) -> None:
    applied = Applied()
    applied.read(bootstrap, {0: 0, 1: 0, 2: 0}, tmp_path)
    for partition in (0, 1):
        numbers = range(partition, RECORDS, 2)
        expected = [(b"k%d" % number, b"%d" % number if number % 10 else None) for number in numbers]
        assert applied.records[partition] == expected
    assert applied.offsets == {0: RECORDS // 2 - 1, 1: RECORDS // 2 - 1}
    assert applied.ends == {0: RECORDS // 2, 1: RECORDS // 2, 2: 0}


def test_a_partition_is_read_once_little_is_left_of_the_one_before_it(
    bootstrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changelog_reader, "_RECORDS", 100)
    offsets: list[tuple[int, int]] = []

    def apply(partition: int, records: list[KeyValue], strays: list[bytes], offset: int) -> None:
        offsets.append((partition, offset))

    settings = Settings(bootstrap_servers=bootstrap, data_dir=tmp_path)
    read_changelog(settings, TOPIC, {1: 0, 0: 0}, apply, Applied().reach, threading.Event())
    begin_of_the_next = next(number for number, (partition, _) in enumerate(offsets) if partition == 0)
    assert offsets[begin_of_the_next - 1][1] >= RECORDS // 2 - 100


def test_a_partition_whose_leader_is_silent_does_not_keep_the_next_one_waiting(
    bootstrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied = Applied()
    silent = [TopicPartition(TOPIC, 0)]

    class Silent(Consumer):
        """Nothing arrives of partition 0 before partition 1 has come to its end."""

        def resume(self, partitions: list[TopicPartition]) -> None:
            super().resume([one for one in partitions if one.partition != 0])

        def consume(self, *options: Any) -> list[Message]:
            if 1 in applied.ends:
                super().resume(silent)
            return super().consume(*options)

    monkeypatch.setattr(changelog_reader, "Consumer", Silent)
    applied.read(bootstrap, {0: 0, 1: 0}, tmp_path)
    assert list(applied.ends) == [1, 0]
    assert len(applied.records[0]) == RECORDS // 2


def test_what_the_state_holds_is_not_read_again(bootstrap: str, tmp_path: Path) -> None:
    applied = Applied()
    applied.read(bootstrap, {0: 5_997, 1: RECORDS // 2}, tmp_path)
    assert applied.records == {0: [(b"k11994", b"11994"), (b"k11996", b"11996"), (b"k11998", b"11998")]}
    assert applied.ends == {0: RECORDS // 2, 1: RECORDS // 2}


def test_it_ends_early_where_it_is_to_and_says_of_no_partition_that_it_was_read(
    bootstrap: str, tmp_path: Path
) -> None:
    applied = Applied(stop_after=1)
    applied.read(bootstrap, {0: 0, 1: 0}, tmp_path)
    assert 0 < sum(map(len, applied.records.values())) < RECORDS
    assert applied.ends == {}


def test_a_state_that_is_ahead_of_its_changelog_is_refused(bootstrap: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is ahead of its changelog"):
        Applied().read(bootstrap, {0: RECORDS // 2 + 1}, tmp_path)


def test_what_is_written_after_a_partition_came_to_its_end_is_not_applied(tmp_path: Path) -> None:
    applied = Applied()
    with EmbeddedBroker() as broker:
        producer = Producer({"bootstrap.servers": broker.bootstrap, "linger.ms": 20})

        def write(partition: int, count: int) -> None:
            for number in range(count):
                producer.produce(TOPIC, b"v", key=b"%d" % number, partition=partition)
            assert producer.flush(30) == 0

        write(0, 10)
        write(1, RECORDS)

        def reach(partition: int, end: int) -> None:
            applied.reach(partition, end)
            # It is at work now, and writes while the other one is still read.
            write(partition, 100)

        settings = Settings(bootstrap_servers=broker.bootstrap, data_dir=tmp_path)
        read_changelog(settings, TOPIC, {0: 0, 1: 0}, applied.apply, reach, applied.stop)
    assert applied.ends == {0: 10, 1: RECORDS}
    assert {partition: len(records) for partition, records in applied.records.items()} == applied.ends


def test_an_error_of_whoever_applies_is_passed_on(bootstrap: str, tmp_path: Path) -> None:
    def refuse(partition: int, records: list[KeyValue], strays: list[bytes], offset: int) -> None:
        raise OSError("no space left")

    settings = Settings(bootstrap_servers=bootstrap, data_dir=tmp_path)
    with pytest.raises(OSError, match="no space left"):
        read_changelog(settings, TOPIC, {0: 0}, refuse, Applied().reach, threading.Event())


NOBODY = Settings(bootstrap_servers="127.0.0.1:1")
CAUSE = "cannot read more of changelog within 1 s: no Kafka answered at 127.0.0.1:1 "


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests and silence of a fraction of the time."""
    monkeypatch.setattr(changelog_reader, "_ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(changelog_reader, "_LOGGED_SECONDS", 1)


@pytest.mark.usefixtures("hasty")
def test_whoever_cannot_wait_is_told_why_there_is_no_answer(capfd: pytest.CaptureFixture[str]) -> None:
    applied = Applied()
    with pytest.raises(ConfigurationError) as raised:
        read_changelog(NOBODY, TOPIC, {0: 0}, applied.apply, applied.reach, applied.stop, timeout_seconds=1)
    assert str(raised.value).startswith(CAUSE)
    assert "Connection refused" in str(raised.value)
    assert capfd.readouterr().err == ""


@pytest.mark.usefixtures("hasty")
def test_whoever_waits_without_a_limit_says_why_in_the_log() -> None:
    applied = Applied()
    told: list[str] = []

    class Stops(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(record.getMessage())
            if len(told) == 2:
                applied.stop.set()

    log, handler = logging.getLogger(silence.__name__), Stops()
    log.addHandler(handler)
    try:
        read_changelog(NOBODY, TOPIC, {0: 0}, applied.apply, applied.reach, applied.stop)
    finally:
        log.removeHandler(handler)
    for words in told:
        assert words.startswith(CAUSE)
        assert "Connection refused" in words
        assert words.endswith("; waiting for it to end")
    assert applied.ends == {}
