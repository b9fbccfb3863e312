"""Writes the progress of this worker's partitions, and where the worker is."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from typing import Any

from mode import Service

from agents.catalogue.progress_reader import NO_PARTITION, OwnedReport, Peer
from agents.kafka.batch_producer import BatchProducer, Message
from agents.kafka.topics import progress_name
from agents.pacing import DEFAULT_PACING, Pacing
from streamseg.catalogue.progress import Report
from streamseg.settings import Settings


class ProgressWriter(Service):
    """Writes a partition's report when it has changed. A partition makes a report at most every half
    second.

    Every few seconds it also tells where the worker is: a worker whose partitions are still restored has no
    report of theirs."""

    mundane_level = "debug"

    def __init__(
        self,
        settings: Settings,
        *,
        batch_producer: BatchProducer,
        reports: Callable[[], list[Report]],
        peer: Callable[[], Peer],
        pacing: Pacing = DEFAULT_PACING,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._topic = progress_name(settings)
        self._batch_producer = batch_producer
        self._reports = reports
        self._peer = peer
        self._pacing = pacing
        self._run = uuid.uuid4().hex
        self._written: dict[int, Report] = {}
        self._told_at: float | None = None

    @Service.task
    async def _write(self) -> None:
        while not self.should_stop:
            await self._tell_where()
            current = {report.partition: report for report in self._reports()}
            # A partition that comes back had another owner meanwhile, so its report is written again.
            self._written = {key: one for key, one in self._written.items() if key in current}
            changed = [one for key, one in current.items() if self._written.get(key) != one]
            if changed:
                peer = self._peer()
                messages = [
                    Message(str(one.partition).encode(), OwnedReport(one, self._run, peer).to_bytes())
                    for one in changed
                ]
                await self._batch_producer.send(self._topic, messages, partition=0)
                self._written.update((one.partition, one) for one in changed)
            await asyncio.sleep(self._pacing.report_look_seconds)

    async def _tell_where(self) -> None:
        now = time.monotonic()
        if self._told_at is not None and now - self._told_at < self._pacing.tell_seconds:
            return
        peer = self._peer()
        told = OwnedReport(Report(NO_PARTITION, -1, 0, 0), self._run, peer)
        await self._batch_producer.send(
            self._topic, [Message(f"worker|{peer.url}".encode(), told.to_bytes())], partition=0
        )
        self._told_at = now
