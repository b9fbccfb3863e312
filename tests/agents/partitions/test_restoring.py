"""Lost state is restored from the changelog, by the worker's own process or by several."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from agents.demo.embedded import EmbeddedBroker
from agents.kafka.topics import changelog_topic
from agents.metrics import Metrics
from agents.partitions import restoring, restoring_process
from agents.partitions.assignment import Claim
from agents.partitions.restoring import Restoring
from agents.partitions.restoring_process import RestoringProcess
from streamseg.contact.contact import Contact
from streamseg.settings import Settings
from streamseg.store.caches import Caches
from streamseg.store.rocksdb import RocksStore

CONTACTS = {0: 300, 1: 200, 2: 1}
RECORDS = {0: 3_300, 1: 2_200, 2: 11}
"""Each contact is written once with its attributes, and then ten times."""


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker with a changelog of three partitions, written by stores."""
    with EmbeddedBroker() as broker:
        producer = Producer({"bootstrap.servers": broker.bootstrap, "linger.ms": 20})
        topic = changelog_topic(Settings())
        for partition, contacts in CONTACTS.items():
            store = RocksStore(tmp_path_factory.mktemp("written"))
            for round_number in range(10):
                for number in range(contacts):
                    contact = store.contact(f"c{number}") or Contact(f"c{number}")
                    contact.due_ms = round_number * 1_000 + number
                    if not round_number:
                        contact.attributes.set("number", number, 1)
                    store.put(contact)
                pending = store.changes()
                for group in pending.groups:
                    for key, value in group:
                        producer.produce(topic, value, key=key, partition=partition)
                store.commit(pending)
            store.close()
        assert producer.flush(30) == 0
        yield broker.bootstrap


class Worker:
    """What a worker learns from the restoring of its partitions."""

    def __init__(self, bootstrap: str, folder: Path, processes: int) -> None:
        self.settings = Settings(bootstrap_servers=bootstrap, data_dir=folder, restoring_processes=processes)
        self.folder = folder
        self.states: dict[int, dict[str, Any]] = {}
        self.restoring = Restoring(
            [Claim(number, 1) for number in CONTACTS],
            self.settings,
            metrics=Metrics(),
            caches=Caches(1),
            folder_of=lambda number: folder / str(number),
            restored=self._restored,
        )
        self.shares: list[tuple[int, int] | None] = []

    def _restored(self, claim: Claim, store: RocksStore, end: int) -> None:
        assert store.changelog_offset == end - 1
        self.states[claim.partition] = {
            contact_id: dict(contact.attributes.items())
            for contact_id in store.contact_ids()
            if (contact := store.contact(contact_id)) is not None
        }
        assert store.next_due() == (9_000, "c0")
        store.close()

    def run(self) -> None:
        self.restoring.run(lambda: self.shares.append(self.restoring.share(0)))

    def check(self) -> None:
        assert self.states == {
            partition: {f"c{number}": {"number": [number, 1]} for number in range(contacts)}
            for partition, contacts in CONTACTS.items()
        }
        assert self.restoring.remaining == 0
        assert self.restoring.share(0) == (RECORDS[0], RECORDS[0])


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[set[int]]:
    """The partitions of each process that is started, where any number of records is worth two."""
    shares: list[set[int]] = []

    class Noted(RestoringProcess):
        def __init__(self, settings: Settings, folders: dict[int, Path]) -> None:
            shares.append(set(folders))
            super().__init__(settings, folders)

    monkeypatch.setattr(restoring, "RestoringProcess", Noted)
    monkeypatch.setattr(restoring, "_WORTH_PROCESSES", 1)
    monkeypatch.setattr(restoring, "_cores", lambda: 2)
    return shares


def test_processes_share_the_partitions_by_their_sizes(
    bootstrap: str, tmp_path: Path, started: list[set[int]]
) -> None:
    worker = Worker(bootstrap, tmp_path, 3)
    worker.run()
    assert started == [{0}, {1, 2}]
    worker.check()
    done = [share[0] for share in worker.shares if share is not None]
    assert done == sorted(done)


def test_a_process_of_its_own_is_not_started_for_little(bootstrap: str, tmp_path: Path) -> None:
    worker = Worker(bootstrap, tmp_path, 3)
    worker.run()
    worker.check()


def test_with_one_process_the_worker_restores(
    bootstrap: str, tmp_path: Path, started: list[set[int]]
) -> None:
    worker = Worker(bootstrap, tmp_path, 1)
    worker.run()
    assert started == []
    worker.check()


def test_state_that_is_kept_is_restored_by_the_worker(
    bootstrap: str, tmp_path: Path, started: list[set[int]]
) -> None:
    for partition in (0, 1):
        RocksStore(tmp_path / str(partition)).close()
    worker = Worker(bootstrap, tmp_path, 3)
    worker.run()
    assert started == []
    worker.check()


def test_the_worker_does_what_a_process_has_left_undone(
    bootstrap: str,
    tmp_path: Path,
    started: list[set[int]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class KilledEarly(RestoringProcess):
        def progress(self) -> Iterator[restoring_process.Progress]:
            for step in super().progress():
                yield step
                self.kill()

    monkeypatch.setattr(restoring, "RestoringProcess", KilledEarly)
    worker = Worker(bootstrap, tmp_path, 2)
    with caplog.at_level(logging.WARNING):
        worker.run()
    assert "ended with status -9" in caplog.text
    worker.check()


def test_a_stop_ends_the_processes(bootstrap: str, tmp_path: Path, started: list[set[int]]) -> None:
    worker = Worker(bootstrap, tmp_path, 2)
    worker.restoring.stop.set()
    worker.run()
    assert len(started) == 2
    assert worker.states == {}
    for store in worker.restoring.stores.values():
        store.close()


def test_a_process_ends_with_its_worker(tmp_path: Path) -> None:
    """The stores are free for the next worker, also after the worker was killed."""
    program = f"""
import time
from pathlib import Path
from agents.partitions.restoring_process import RestoringProcess
from streamseg.settings import Settings
process = RestoringProcess(Settings(bootstrap_servers="127.0.0.1:1"), {{0: Path({str(tmp_path / "0")!r})}})
time.sleep(600)
"""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as worker:
        deadline = time.monotonic() + 60
        while not (tmp_path / "0" / "LOCK").exists():
            assert time.monotonic() < deadline
        worker.kill()
        # The process has its standard error too, so this ends when both are gone.
        worker.communicate(timeout=60)
    RocksStore(tmp_path / "0").close()
