"""Notices that this process stood still for so long that its partitions may belong to others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from aiokafka.errors import ProducerFenced
from mode import Service

from streamseg.errors import StreamsegError
from streamseg.settings import Settings

_TICK_SECONDS = 0.25


class StoodStillError(StreamsegError, ProducerFenced):  # type: ignore[misc]  # aiokafka has no types
    """The process was stopped, or starved, for longer than its group waits: it has to start anew.

    What it was about to write is older than what its successor wrote. (A ProducerFenced, since that is what
    aiokafka's sender ends by without delivering anything more.)
    """


class CutOffError(StreamsegError, ProducerFenced):  # type: ignore[misc]  # aiokafka has no types
    """The group has not heard of this worker for a session timeout, so its partitions may be with another
    worker: what was about to be written could be older than what that one wrote. (A ProducerFenced as well.)
    """


class StallGuard(Service):
    """Ticks; whoever is about to write asks `check` whether the last tick is too long ago.

    The first thing that runs after a standstill may be anything, so the asking must not rely on the tick.
    """

    mundane_level = "debug"

    def __init__(
        self, settings: Settings, *, late: Callable[[float], None] | None = None, **kwargs: Any
    ) -> None:
        """`late` is told of each tick how many seconds later than planned it came."""
        super().__init__(**kwargs)
        self._late = late
        # The last heartbeat may have been as long before the standstill as heartbeats are apart.
        self._limit_seconds = 0.9 * settings.session_timeout_ms / 1000
        self._ticked_at = time.monotonic()

    async def on_start(self) -> None:
        self._ticked_at = time.monotonic()

    @Service.task
    async def _tick(self) -> None:
        while not self.should_stop:
            self.check()
            self._ticked_at = time.monotonic()
            await asyncio.sleep(_TICK_SECONDS)
            if self._late is not None:
                self._late(max(0.0, time.monotonic() - self._ticked_at - _TICK_SECONDS))

    def check(self) -> None:
        """Raises StoodStillError where this process has not run for nine tenths of a session timeout."""
        stood_seconds = time.monotonic() - self._ticked_at
        if stood_seconds > self._limit_seconds:
            raise StoodStillError(
                f"this process stood still for {stood_seconds:.0f} s, and its partitions may be with another "
                "worker since; it ends, so that it begins with what that one wrote"
            )
