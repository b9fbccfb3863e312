"""A worker whose disk is full does not begin, so it does not disturb its group."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from agents.pacing import Pacing
from agents.worker.disk_room import LEAST_FREE_BYTES, DiskRoom
from streamseg.errors import ConfigurationError

FOLDER = Path("data/1")


class Disk:
    """Has these free bytes, one after the other; each look takes 10 s."""

    def __init__(self, *free: int) -> None:
        self._free = list(free)
        self.now = 0.0

    def free(self, folder: Path) -> int:
        assert folder == FOLDER
        self.now += 10
        return self._free.pop(0) if len(self._free) > 1 else self._free[0]


def started(disk: Disk, start_seconds: float | None) -> DiskRoom:
    room = DiskRoom(
        FOLDER,
        start_seconds=start_seconds,
        free=disk.free,
        timer=lambda: disk.now,
        pacing=Pacing(retry_seconds=0.0),
    )
    asyncio.run(room.on_start())
    return room


def test_it_begins_at_once_if_there_is_room(caplog: pytest.LogCaptureFixture) -> None:
    assert started(Disk(LEAST_FREE_BYTES), 300).lack is None
    assert caplog.messages == []


def test_it_begins_once_there_is_room(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        room = started(Disk(*[1 << 20] * 9, LEAST_FREE_BYTES), None)
    assert room.lack is None
    assert len(caplog.messages) == 2, "at once and after a minute"
    assert "data/1 has 1.0 MiB free, and the worker needs 16" in caplog.messages[0]


def test_after_the_time_for_the_start_it_gives_up_with_the_reason() -> None:
    with pytest.raises(ConfigurationError, match=r"has 0.0 MiB free.*given up after 30 s"):
        started(Disk(0), 30)


def test_the_disk_is_looked_at_before_the_folder_is_there(tmp_path: Path) -> None:
    room = DiskRoom(tmp_path / "later" / "1", start_seconds=0)
    asyncio.run(room.on_start())
    assert room.lack is None
