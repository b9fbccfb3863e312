"""The reports of all partitions' owners: the owner's address, the progress, the numbers of members. And the
addresses of all workers, also of those that have no partition yet."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, NamedTuple

import orjson

from agents.kafka.topic_reader import TopicReader
from agents.kafka.topics import progress_topic
from streamseg.catalogue.progress import Progress, Report
from streamseg.settings import Settings


@dataclass(frozen=True, slots=True)
class Peer:
    """A worker's address, and the secret that other workers must present to it."""

    url: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OwnedReport:
    """A report, the id of the worker run that wrote it, and the address of that worker."""

    report: Report
    run: str
    peer: Peer

    def to_bytes(self) -> bytes:
        # `asdict` would copy every entry of `members`, so it is not used for the report.
        report = {part.name: getattr(self.report, part.name) for part in fields(Report)}
        return orjson.dumps({**report, "run": self.run, **asdict(self.peer)})

    @classmethod
    def from_bytes(cls, data: bytes) -> OwnedReport:
        body: dict[str, Any] = orjson.loads(data)
        run, peer = body.pop("run"), Peer(body.pop("url"), body.pop("secret"))
        return cls(Report(**body), run, peer)


NO_PARTITION: Final = 2**31 - 1
"""The number in a report that only tells the address of its worker. No topic has so many partitions, and
workers of earlier releases pass over reports on partitions that do not exist."""


class _Heard(NamedTuple):
    peer: Peer
    seconds: float
    """When it was heard of last, by the monotonic clock, in s."""


class ProgressReader(TopicReader):
    """The latest report of each partition, and all reports combined in `progress`."""

    def __init__(self, settings: Settings, **kwargs: Any) -> None:
        super().__init__(settings, progress_topic(settings), self._take_reports, **kwargs)
        self.progress = Progress(settings.partitions)
        self._partitions = settings.partitions
        self._latest: dict[int, OwnedReport] = {}
        self._heard: dict[str, _Heard] = {}

    def peer(self, partition: int) -> Peer | None:
        """Return the address of the partition's owner; None if it is not known."""
        latest = self._latest.get(partition)
        return None if latest is None else latest.peer

    def workers(self) -> list[Peer]:
        """Return the workers that were heard of in the last `Pacing.silent_seconds`, and those whose report
        on a partition is still the latest one; by address."""
        since = time.monotonic() - self._pacing.silent_seconds
        owners = {one.peer.url for one in self._latest.values()}
        return [
            heard.peer
            for url, heard in sorted(self._heard.items())
            if heard.seconds >= since or url in owners
        ]

    async def evaluated_by_all(self, generation: int, seconds: float) -> bool:
        """Return whether every partition evaluates by this or a later generation of the definitions, waiting
        up to `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            known = [one.report.generation >= generation for one in self._latest.values()]
            if len(known) == self._partitions and all(known):
                return True
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(self._pacing.report_wait_seconds)

    def _take_reports(self, records: list[Any]) -> None:
        for record in records:
            owned = OwnedReport.from_bytes(record.value)
            number = owned.report.partition
            self._heard[owned.peer.url] = _Heard(owned.peer, time.monotonic())
            if number >= self._partitions:
                continue
            before = self._latest.get(number)
            if before is not None and before.run != owned.run:
                self.progress.forget(number)
            self._latest[number] = owned
            self.progress.take(owned.report)
