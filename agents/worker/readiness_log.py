"""Says in the log when the worker becomes ready, and when it no longer is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from mode import Service

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0


class ReadinessLog(Service):
    """Looks once a second; one line for each change, however often the reasons change in between."""

    mundane_level = "debug"

    def __init__(self, not_ready: Callable[[], list[str]], **kwargs: Any) -> None:
        """`not_ready` tells why the worker is not ready; nothing where it is."""
        super().__init__(**kwargs)
        self._not_ready = not_ready
        self._was_ready = False

    @Service.task
    async def _keep_looking(self) -> None:
        while not self.should_stop:
            self.look()
            await self.sleep(_LOOK_SECONDS)

    def look(self) -> None:
        """Say it where it has changed. A worker begins as one that is not ready."""
        reasons = self._not_ready()
        if self._was_ready == (not reasons):
            return
        self._was_ready = not reasons
        if reasons:
            _log.warning("no longer ready: %s", "; ".join(reasons))
        else:
            _log.info("ready")
