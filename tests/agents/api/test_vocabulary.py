"""The names and values that contacts have are counted from a sample, when somebody asks, and kept a while."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from agents.api import vocabulary
from agents.api.partitions import LocalPartitions
from agents.api.slices import Slices
from agents.api.vocabulary import Vocabulary
from streamseg.replay import Replay
from streamseg.settings import Settings

SETTINGS = Settings()
AT_MS = 1_777_593_600_000


class Worker:
    """One partition at work, number 0, whose contacts the test makes; it counts the contacts that are read,
    and has a clock of its own."""

    def __init__(self) -> None:
        self.run = Replay(settings=SETTINGS)
        self.read: list[str] = []
        self.now = 0.0
        self.rests = 0
        task = SimpleNamespace(store=self, partition=self.run.partition)
        scheduler = SimpleNamespace(find=lambda number: task if number == 0 else None)
        local = LocalPartitions(scheduler, SETTINGS, Slices(lambda: self.now, self._rest))
        self._vocabulary = Vocabulary(SETTINGS, local, None, None, lambda: self.now)  # type: ignore[arg-type]

    async def _rest(self, seconds: float) -> None:
        self.rests += 1

    def add(self, contact_id: str, **attributes: Any) -> None:
        value = {"contact_id": contact_id, "attributes": attributes}
        self.run.line({"topic": "contact-updates", "timestamp": AT_MS, "key": contact_id, "value": value})

    def happened(self, contact_id: str, event: str, number: int) -> None:
        value = {
            "event_id": f"e{number}",
            "contact_id": contact_id,
            "event": event,
            "occurred_at": AT_MS + number,
        }
        line = {
            "topic": "behavior-events",
            "timestamp": AT_MS + number,
            "key": contact_id,
            "value": value,
        }
        self.run.line(line)

    def contact(self, contact_id: str) -> Any:
        self.read.append(contact_id)
        self.now += 0.001
        return self.run.store.contact(contact_id)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.run.store, name)

    def asked(self) -> dict[str, Any]:
        (names,) = asyncio.run(self._vocabulary._seen([0]))["seen"]
        return names  # type: ignore[no-any-return]


def test_contacts_are_read_in_slices_and_what_was_counted_is_kept_for_some_minutes() -> None:
    worker = Worker()
    for number in range(100):
        worker.add(f"c{number}", city="上海")
    assert worker.asked()["attributes"]["city"]["count"] == 100
    assert worker.rests > 10
    worker.add("new", city="上海")
    assert worker.asked()["contacts"] == 100
    worker.now += 300
    assert worker.asked()["contacts"] == 101
    assert len(worker.read) == 201


def test_callers_at_the_same_time_get_what_is_counted_once() -> None:
    worker = Worker()
    for number in range(20):
        worker.add(f"c{number}")

    async def together() -> None:
        found = await asyncio.gather(*(worker._vocabulary._seen([0]) for _ in range(3)))
        assert found[0] == found[1] == found[2]

    asyncio.run(together())
    assert len(worker.read) == 20


def test_an_erased_contact_is_not_counted() -> None:
    worker = Worker()
    worker.add("c1", city="上海")
    erased = {"contact_id": "c1", "deleted": True}
    worker.run.line({"topic": "contact-updates", "timestamp": AT_MS, "key": "c1", "value": erased})
    assert worker.asked()["contacts"] == 0


def test_a_large_partition_is_sampled_and_every_count_goes_on_where_the_last_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vocabulary, "_SAMPLE", 10)
    monkeypatch.setattr(vocabulary, "_LISTED", 40)
    worker = Worker()
    ids = [f"c{number:03d}" for number in range(100)]
    for contact_id in ids:
        worker.add(contact_id)
    rounds = []
    for _ in range(4):
        worker.read.clear()
        assert worker.asked()["contacts"] == 10
        rounds.append({ids.index(one) // 40 for one in worker.read})
        assert len(set(worker.read)) == 10
        worker.now += 300
    assert rounds == [{0}, {1}, {2}, {0}]


def test_of_a_long_history_the_latest_events_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "_EVENTS", 10)
    worker = Worker()
    for number in range(100):
        worker.happened("c1", "new" if number >= 95 else "old", number)
    events = worker.asked()["events"]
    assert events["new"]["seen"]["count"] == 5
    assert events["old"]["seen"]["count"] <= 10
