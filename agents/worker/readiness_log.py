"""Logs when the worker becomes ready, and when it is no longer ready."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from mode import Service

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0


class ReadinessLog(Service):
    """Checks once a second and logs one line for each change between ready and not ready. A change of the
    reasons alone is not logged."""

    mundane_level = "debug"

    def __init__(self, not_ready: Callable[[], list[str]], now_ms: Callable[[], int], **kwargs: Any) -> None:
        """`not_ready` returns the reasons why the worker is not ready; none if it is ready. `now_ms` returns
        epoch ms."""
        super().__init__(**kwargs)
        self._now_ms = now_ms
        self._not_ready = not_ready
        self._was_ready = False
        self.since_ms = now_ms()
        """When the worker became ready, or ceased to be; epoch ms."""

    @Service.task
    async def _keep_looking(self) -> None:
        while not self.should_stop:
            self.look()
            await self.sleep(_LOOK_SECONDS)

    def look(self) -> None:
        """Log a change since the last call. Before the first call the worker counts as not ready."""
        reasons = self._not_ready()
        if self._was_ready == (not reasons):
            return
        self._was_ready = not reasons
        self.since_ms = self._now_ms()
        if reasons:
            _log.warning("no longer ready: %s", "; ".join(reasons))
        else:
            _log.info("ready")
