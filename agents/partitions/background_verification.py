"""Compares a few contacts a second with what follows from their history, while the worker is at work."""

from __future__ import annotations

import logging
from itertools import islice
from typing import Any

from mode import Service

from agents.metrics import Metrics
from agents.partitions.scheduler import Shards
from streamseg.engine.verification import Difference, Verifier
from streamseg.settings import Settings

_log = logging.getLogger(__name__)


class BackgroundVerification(Service):
    """Goes round the contacts of the partitions at work here, one partition after the other, as fast as
    `verify_contacts_per_second` says, and counts what differs. Off where that is 0."""

    mundane_level = "debug"

    def __init__(self, settings: Settings, shards: Shards, metrics: Metrics, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._settings = settings
        self._shards = shards
        self._metrics = metrics
        self._number = 0
        self._after: str | None = None

    @Service.task
    async def _compare(self) -> None:
        rate = self._settings.verify_contacts_per_second
        while rate and not self.should_stop:
            await self.sleep(1 / rate)
            self.compare_next()

    def compare_next(self) -> None:
        """Compare the next contact; at the end of a partition, go on with the next one at work here."""
        shard = self._shards.shard(self._number)
        found = None if shard is None else next(islice(shard.store.contact_ids(self._after), 1), None)
        if shard is None or found is None:
            self._number = (self._number + 1) % self._settings.partitions
            self._after = None
            return
        self._after = found
        verifier = Verifier(shard.store, shard.partition.plan, self._settings)
        differences = list(verifier.differences(found, shard.partition.clock_ms))
        self._metrics.verified.inc()
        for difference in differences:
            self._metrics.differences.labels(difference.kept.value).inc()
        if differences:
            self._tell(differences)

    def _tell(self, differences: list[Difference]) -> None:
        _log.warning(
            "what is kept of a contact in partition %d differs from its history: %s; run `streamseg verify`",
            self._number,
            ", ".join(sorted({difference.kept.value for difference in differences})),
        )
        for difference in differences:
            _log.debug("%s of %s in %s", difference.kept, difference.contact_id, difference.segment_id)
