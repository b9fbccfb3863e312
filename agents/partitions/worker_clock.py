"""The clock that a worker uses: this host's clock, as far as it can be trusted."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from aiokafka.errors import KafkaError, ProducerFenced
from mode import Service

from agents.metrics import Metrics
from agents.pacing import DEFAULT_PACING, Pacing
from agents.partitions.clock import BelievableClock, Evidence
from streamseg.settings import Settings

_log = logging.getLogger(__name__)

_TICK_SECONDS = 0.25
_READ_MS = 50

# The monotonic clock that goes on while the host sleeps, if the system has one.
_STEADY_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class HostClock:
    """The clocks of this host. A test may give a worker other clocks."""

    def wall_ms(self) -> int:
        """Return the time of day, epoch ms."""
        return time.time_ns() // 1_000_000  # noqa: TID251 - this is the clock

    def steady_ms(self) -> float:
        """Return the monotonic clock, ms."""
        return time.clock_gettime(_STEADY_CLOCK) * 1000


class _Reading(NamedTuple):
    wall_ms: int
    steady_ms: float


class WorkerClock(Service):
    """Returns the trusted time (`agents.partitions.clock`). It asks the brokers for their time every half
    minute, and every second while the host's clock is doubted."""

    mundane_level = "debug"

    def __init__(
        self,
        settings: Settings,
        *,
        brokers_time: Callable[[], Awaitable[int | None]] | None,
        metrics: Metrics,
        host: HostClock | None = None,
        pacing: Pacing = DEFAULT_PACING,
        **kwargs: Any,
    ) -> None:
        """`brokers_time` asks a broker for its time and returns it, epoch ms, or None if the broker does not
        give it; it may raise aiokafka's KafkaError. Without it, no broker is asked."""
        super().__init__(**kwargs)
        self._clock = BelievableClock(settings.clock_tolerance_ms)
        self._record_tolerance_ms = settings.record_tolerance_ms
        self._brokers_time = brokers_time
        self._metrics = metrics
        self._host = HostClock() if host is None else host
        self._pacing = pacing
        self._logged_doubt: str | None = None
        self._logged_at = 0.0

    @property
    def doubt(self) -> str | None:
        """The reason why the host's clock is not trusted now, in words, or None if it is trusted."""
        self.now_ms()
        return self._clock.doubt

    def now_ms(self) -> int:
        """Return the trusted time, epoch ms."""
        reading = self._read()
        return self._clock.look(reading.wall_ms, reading.steady_ms)

    def latest_ms(self) -> int:
        """Return the latest timestamp (epoch ms) that a record may have while input is read live."""
        return self.now_ms() + self._record_tolerance_ms

    def believable(self, moment_ms: int | None) -> int | None:
        """Return the trusted time (epoch ms) for a recent time of this process's wall clock (epoch ms); None
        if `moment_ms` is None or if the wall clock has been set back since."""
        if moment_ms is None:
            return None
        passed_ms = time.time_ns() // 1_000_000 - moment_ms  # noqa: TID251 - of this process, as `moment_ms`
        return None if passed_ms < 0 else self.now_ms() - passed_ms

    async def on_start(self) -> None:
        """Read the brokers' clock before any part of the worker uses this one."""
        await self._ask()
        self._log_doubt()

    @Service.task
    async def _keep_asking(self) -> None:
        while not self.should_stop:
            pacing = self._pacing
            await self.sleep(pacing.clock_ask_in_doubt_seconds if self.doubt else pacing.clock_ask_seconds)
            try:
                await self._ask()
            except ProducerFenced:
                raise
            except KafkaError as error:
                # The trouble with the brokers is logged elsewhere (`agents.kafka.broker_watch`).
                _log.debug("no broker gave its time: %r", error)

    @Service.task
    async def _keep_looking(self) -> None:
        while not self.should_stop:
            self._log_doubt()
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
            self._clock.compare(Evidence(broker_ms, asked.steady_ms, answered.steady_ms), answered.wall_ms)

    def _read(self) -> _Reading:
        """Return both clocks, read at the same moment even if this thread is interrupted."""
        while True:
            before_ms = self._host.steady_ms()
            wall_ms = self._host.wall_ms()
            after_ms = self._host.steady_ms()
            if after_ms - before_ms <= _READ_MS:
                return _Reading(wall_ms, after_ms)

    def _log_doubt(self) -> None:
        """Log a new doubt at once, a doubt that lasts every minute, and the end of a doubt."""
        doubt = self.doubt
        self._metrics.clock_doubted.set(doubt is not None)
        now = time.monotonic()
        if doubt is None:
            if self._logged_doubt is not None:
                _log.info("the clock of this host is believed again")
        elif self._logged_doubt is None or now - self._logged_at >= self._pacing.trouble_log_seconds:
            self._logged_at = now
            _log.warning(
                "%s; stream time does not follow it, and the worker is not ready until it is right again",
                doubt,
            )
        self._logged_doubt = doubt
