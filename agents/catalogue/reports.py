"""What each partition's owner says of it: who it is, how far it is, how many members it has."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from agents.follower import Follower
from agents.topics import progress_topic
from streamseg.catalogue.progress import Progress, Report
from streamseg.settings import Settings

_TICK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class OwnedReport:
    """A report, the run of a worker that made it, and the address that this one answers at."""

    report: Report
    run: str
    url: str

    def to_bytes(self) -> bytes:
        return orjson.dumps({**asdict(self.report), "run": self.run, "url": self.url})

    @classmethod
    def from_bytes(cls, data: bytes) -> OwnedReport:
        body: dict[str, Any] = orjson.loads(data)
        run, url = body.pop("run"), body.pop("url")
        return cls(Report(**body), run, url)


class Reports(Follower):
    """The latest report of each partition, and all of them as one `progress`."""

    def __init__(self, settings: Settings, **kwargs: Any) -> None:
        super().__init__(settings, progress_topic(settings), self._take_reports, **kwargs)
        self.progress = Progress(settings.partitions)
        self._partitions = settings.partitions
        self._latest: dict[int, OwnedReport] = {}

    def url(self, partition: int) -> str | None:
        """Where the partition's owner answers, as far as is known."""
        latest = self._latest.get(partition)
        return None if latest is None else latest.url

    async def judged_by(self, generation: int, seconds: float) -> bool:
        """Whether every partition works by that generation of the definitions, within so long."""
        deadline = time.monotonic() + seconds
        while True:
            known = [one.report.generation >= generation for one in self._latest.values()]
            if len(known) == self._partitions and all(known):
                return True
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(_TICK_SECONDS)

    def _take_reports(self, records: list[Any]) -> None:
        for record in records:
            owned = OwnedReport.from_bytes(record.value)
            number = owned.report.partition
            if number >= self._partitions:
                continue
            before = self._latest.get(number)
            if before is not None and before.run != owned.run:
                self.progress.forget(number)
            self._latest[number] = owned
            self.progress.take(owned.report)
