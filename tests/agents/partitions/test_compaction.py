"""Each store is compacted once an interval, by the wall clock."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from agents.partitions.compaction import Compaction
from streamseg.settings import Settings
from streamseg.times import DAY_MS

NOW = 1_777_593_600_000


class Store:
    """A store that only knows when it was compacted."""

    def __init__(self, compacted_ms: int | None = None, *, fails: bool = False) -> None:
        self._compacted_ms = compacted_ms
        self.open = True
        self.compactions = 0
        self._fails = fails

    @property
    def compacted_ms(self) -> int | None:
        assert self.open
        return self._compacted_ms

    def note_compacted(self, now_ms: int) -> None:
        self._compacted_ms = now_ms

    def compact(self, now_ms: int) -> None:
        if self._fails:
            raise OSError("c1 does not fit")
        self.compactions += 1
        self._compacted_ms = now_ms


class Scheduler:
    """Has partitions at work, each with one of the stores."""

    def __init__(self, *stores: Store) -> None:
        self.tasks = {number: SimpleNamespace(store=store) for number, store in enumerate(stores)}

    @property
    def numbers(self) -> list[int]:
        return sorted(self.tasks)

    def find(self, number: int) -> Any:
        return self.tasks.get(number)


def look(now_ms: int, *stores: Store) -> list[tuple[int, int | None]]:
    """How often each store was compacted, and its time, after one look."""
    compaction = Compaction(Settings(), Scheduler(*stores), now_ms=lambda: now_ms)
    asyncio.run(compaction.compact_due())
    return [(store.compactions, store.compacted_ms) for store in stores]


def test_a_partition_that_is_released_meanwhile_is_left_alone() -> None:
    stores = Store(0), Store(0)
    scheduler = Scheduler(*stores)

    class Releasing(Store):
        def compact(self, now_ms: int) -> None:
            super().compact(now_ms)
            del scheduler.tasks[1]
            stores[1].open = False

    scheduler.tasks[0].store = first = Releasing(0)
    asyncio.run(Compaction(Settings(), scheduler, now_ms=lambda: NOW).compact_due())
    assert (first.compactions, stores[1].compactions) == (1, 0)


def test_a_store_is_compacted_after_the_interval_and_not_before() -> None:
    new, fresh, old = Store(), Store(NOW - 7 * DAY_MS + 1), Store(NOW - 7 * DAY_MS)
    assert look(NOW, new, fresh, old) == [(0, NOW), (0, NOW - 7 * DAY_MS + 1), (1, NOW)]
    assert look(NOW + 1, new, fresh, old) == [(0, NOW), (1, NOW + 1), (1, NOW)]
    assert look(NOW + 7 * DAY_MS, new) == [(1, NOW + 7 * DAY_MS)]


def test_a_clock_that_was_wrong_does_not_put_it_off() -> None:
    assert look(NOW, Store(NOW + 365 * DAY_MS)) == [(1, NOW)]


def test_one_that_fails_is_told_without_its_text_and_keeps_nobody_waiting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    assert look(NOW, Store(0, fails=True), Store(0)) == [(0, 0), (1, NOW)]
    assert "OSError" in caplog.text
    assert "c1" not in caplog.text
