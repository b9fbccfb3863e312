"""Notices that this process stood still for so long that another worker may own its partitions."""

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
    """The process was stopped, or got no CPU time, for longer than its group waits. It must start again.

    The records that it was about to write are older than those that the next owner wrote. (The class is a
    ProducerFenced, since that error ends aiokafka's sender without any further delivery.)
    """


class CutOffError(StreamsegError, ProducerFenced):  # type: ignore[misc]  # aiokafka has no types
    """The group got no heartbeat of this worker for a session timeout, so another worker may own its
    partitions. The records about to be written could be older than those that the other worker wrote. (The
    class is a ProducerFenced as well.)
    """


class StallGuard(Service):
    """Ticks four times a second. `check` is called before every write; it raises if the last tick is too long
    ago.

    After a standstill any code may run first, a write for example, so `check` must not wait for a tick.
    """

    mundane_level = "debug"

    def __init__(
        self, settings: Settings, *, late: Callable[[float], None] | None = None, **kwargs: Any
    ) -> None:
        """`late` is called for each tick with its delay against the plan, in s."""
        super().__init__(**kwargs)
        self._late = late
        # The last heartbeat may have been sent one heartbeat interval before the standstill.
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
        """Raise StoodStillError if this process has not run for nine tenths of a session timeout."""
        stood_seconds = time.monotonic() - self._ticked_at
        if stood_seconds > self._limit_seconds:
            raise StoodStillError(
                f"this process stood still for {stood_seconds:.0f} s, and its partitions may be with another "
                "worker since; it ends, so that it begins with what that one wrote"
            )
