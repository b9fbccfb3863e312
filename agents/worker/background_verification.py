"""Verifies a few contacts a second while the worker is at work: compares their state with their history."""

from __future__ import annotations

import logging
from typing import Any

from mode import Service

from agents.api.comparing import Comparing
from agents.api.problems import ProblemError
from agents.metrics import Metrics
from streamseg.engine.verification import Difference
from streamseg.settings import Settings

_log = logging.getLogger(__name__)


class BackgroundVerification(Service):
    """Verifies the contacts of the partitions at work here again and again, one partition after the other,
    and counts the differences. `verify_contacts_per_second` sets the speed; 0 turns it off."""

    mundane_level = "debug"

    def __init__(self, settings: Settings, comparing: Comparing, metrics: Metrics, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._settings = settings
        self._comparing = comparing
        self._metrics = metrics
        self._number = 0
        self._after: str | None = None

    @Service.task
    async def _compare(self) -> None:
        rate = self._settings.verify_contacts_per_second
        while rate and not self.should_stop:
            await self.sleep(1 / rate)
            await self.compare_next()

    async def compare_next(self) -> None:
        """Verify the next contact; at the end of a partition, go on with the next partition."""
        try:
            found = await self._comparing.page(self._number, self._after, 1)
        except ProblemError:
            # The partition is not at work here, or is no longer at work here.
            found = None
        if found is None or found.last is None:
            self._number = (self._number + 1) % self._settings.partitions
            self._after = None
            return
        self._after = found.last
        self._metrics.verified.inc()
        for difference in found.differences:
            self._metrics.differences.labels(difference.kept.value).inc()
        if found.differences:
            self._log_differences(found.differences)

    def _log_differences(self, differences: list[Difference]) -> None:
        _log.warning(
            "what is kept of a contact in partition %d differs from its history: %s; run `streamseg verify`",
            self._number,
            ", ".join(sorted({difference.kept.value for difference in differences})),
        )
        for difference in differences:
            _log.debug("%s of %s in %s", difference.kept, difference.contact_id, difference.segment_id)
