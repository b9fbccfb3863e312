"""Waits for the brokers at the start, and notices when they are away."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from mode import Service

from agents.kafka.broker_trouble import Trouble
from agents.metrics import Metrics
from agents.pacing import DEFAULT_PACING, Pacing
from streamseg.errors import ConfigurationError

_log = logging.getLogger(__name__)


class BrokerWatch(Service):
    """Checks every few seconds whether the brokers fulfil the worker's needs.

    Its start returns when they do. Trouble is logged at once and again every minute, during the start and
    later.
    """

    mundane_level = "debug"

    def __init__(
        self,
        *,
        look: Callable[[bool], Trouble | None],
        start_seconds: float | None,
        metrics: Metrics,
        timer: Callable[[], float] = time.monotonic,
        pacing: Pacing = DEFAULT_PACING,
        **kwargs: Any,
    ) -> None:
        """`look` returns the current trouble; its argument is `thorough`. It may block and is called in
        another thread. The start fails with ConfigurationError after `start_seconds`; if that is None, it
        never fails."""
        super().__init__(**kwargs)
        self.trouble: Trouble | None = None
        """The trouble that keeps this worker from working with the brokers, or None."""
        self.well_since = timer()
        """The time at which the last trouble ended or this service was made, by the monotonic clock (s)."""
        self._look = look
        self._start_seconds = start_seconds
        self._metrics = metrics
        self._timer = timer
        self._pacing = pacing
        self._troubled_since = 0.0
        self._logged_at = 0.0

    async def on_start(self) -> None:
        began = self._timer()
        waiting = "" if self._start_seconds is None else f"; waiting for up to {self._start_seconds:.0f} s"
        while not self.should_stop:
            self._note(await asyncio.to_thread(self._look, True), waiting)
            if self.trouble is None:
                return
            if self._start_seconds is not None and self._timer() - began >= self._start_seconds:
                raise ConfigurationError(
                    f"{self.trouble.words} (given up after {self._start_seconds:.0f} s, "
                    "STREAMSEG_START_TIMEOUT_MS)"
                )
            await self.sleep(self._pacing.retry_seconds)

    @Service.task
    async def _watch(self) -> None:
        while not self.should_stop:
            pacing = self._pacing
            await self.sleep(pacing.broker_look_seconds if self.trouble is None else pacing.retry_seconds)
            thorough = self.trouble is not None
            self._note(await asyncio.to_thread(self._look, thorough), "; waiting for it to end")

    def _note(self, trouble: Trouble | None, waiting: str) -> None:
        before, self.trouble = self.trouble, trouble
        self._metrics.broker_trouble.set(trouble is not None)
        now = self._timer()
        if trouble is None:
            if before is not None:
                self.well_since = now
                _log.info("the brokers are there again, after %.0f s", now - self._troubled_since)
            return
        if before is None:
            self._troubled_since = now
        again = now - self._logged_at >= self._pacing.trouble_log_seconds
        if before is None or before.kind is not trouble.kind or again:
            self._logged_at = now
            _log.warning("%s%s", trouble.words, waiting)
