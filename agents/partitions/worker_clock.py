"""The clock that a worker goes by: this host's, as far as it may be believed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from aiokafka.errors import KafkaError, ProducerFenced
from mode import Service

from agents.metrics import Metrics
from agents.partitions.clock import BelievableClock, Evidence
from streamseg.settings import Settings

_log = logging.getLogger(__name__)

_TICK_SECONDS = 0.25
_ASK_SECONDS = 30.0
_ASK_IN_DOUBT_SECONDS = 1.0
_SAY_SECONDS = 60.0
_READ_MS = 50

# Where it can be had, the monotonic clock that goes on while the host sleeps.
_STEADY_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class HostClock:
    """The clocks of this host. A test may give a worker others."""

    def wall_ms(self) -> int:
        """The time of day, epoch ms."""
        return time.time_ns() // 1_000_000

    def steady_ms(self) -> float:
        """The monotonic clock, ms."""
        return time.clock_gettime(_STEADY_CLOCK) * 1000


class _Reading(NamedTuple):
    wall_ms: int
    steady_ms: float


class WorkerClock(Service):
    """Tells the believable time (`agents.partitions.clock`), and asks the brokers for theirs: every half
    minute, and every second while the host's clock is in doubt."""

    mundane_level = "debug"

    def __init__(
        self,
        settings: Settings,
        *,
        brokers_time: Callable[[], Awaitable[int | None]] | None,
        metrics: Metrics,
        host: HostClock | None = None,
        **kwargs: Any,
    ) -> None:
        """`brokers_time` asks a broker for its clock, epoch ms, None where it does not tell; it may raise
        aiokafka's KafkaError. Without it, no broker is asked."""
        super().__init__(**kwargs)
        self._clock = BelievableClock(settings.clock_tolerance_ms)
        self._record_tolerance_ms = settings.record_tolerance_ms
        self._brokers_time = brokers_time
        self._metrics = metrics
        self._host = HostClock() if host is None else host
        self._doubt_said: str | None = None
        self._said_at = 0.0

    @property
    def doubt(self) -> str | None:
        """Why the host's clock is not believed just now, or None."""
        self.now_ms()
        return self._clock.doubt

    def now_ms(self) -> int:
        """The believable time, epoch ms."""
        reading = self._read()
        return self._clock.look(reading.wall_ms, reading.steady_ms)

    def latest_ms(self) -> int:
        """The latest time (epoch ms) that a record may be dated while input is read live."""
        return self.now_ms() + self._record_tolerance_ms

    def believable(self, moment_ms: int | None) -> int | None:
        """The believable time of a moment that was read off this process's wall clock lately; None where that
        clock has been set back since."""
        if moment_ms is None:
            return None
        passed_ms = time.time_ns() // 1_000_000 - moment_ms
        return None if passed_ms < 0 else self.now_ms() - passed_ms

    async def on_start(self) -> None:
        """Hear the brokers' clock before anything goes by this one."""
        await self._ask()
        self._say()

    @Service.task
    async def _keep_asking(self) -> None:
        while not self.should_stop:
            await self.sleep(_ASK_IN_DOUBT_SECONDS if self.doubt else _ASK_SECONDS)
            try:
                await self._ask()
            except ProducerFenced:
                raise
            except KafkaError as error:
                # Others say what is the matter with the brokers.
                _log.debug("no broker told its time: %r", error)

    @Service.task
    async def _keep_looking(self) -> None:
        while not self.should_stop:
            self._say()
            await asyncio.sleep(_TICK_SECONDS)

    async def _ask(self) -> None:
        if self._brokers_time is None:
            return
        asked = self._read()
        broker_ms = await self._brokers_time()
        answered = self._read()
        if broker_ms is None:
            self._clock.look(answered.wall_ms, answered.steady_ms)
        else:
            self._clock.hear(Evidence(broker_ms, asked.steady_ms, answered.steady_ms), answered.wall_ms)

    def _read(self) -> _Reading:
        """Both clocks at the same moment, however this thread is held up."""
        while True:
            before_ms = self._host.steady_ms()
            wall_ms = self._host.wall_ms()
            after_ms = self._host.steady_ms()
            if after_ms - before_ms <= _READ_MS:
                return _Reading(wall_ms, after_ms)

    def _say(self) -> None:
        """A new doubt at once, one that lasts every minute, and its end."""
        doubt = self.doubt
        self._metrics.clock_doubted.set(doubt is not None)
        now = time.monotonic()
        if doubt is None:
            if self._doubt_said is not None:
                _log.info("the clock of this host is believed again")
        elif self._doubt_said is None or now - self._said_at >= _SAY_SECONDS:
            self._said_at = now
            _log.warning(
                "%s; stream time does not follow it, and the worker is not ready until it is right again",
                doubt,
            )
        self._doubt_said = doubt
