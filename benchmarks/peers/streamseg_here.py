"""streamseg without Kafka: one partition's task over RocksDB, checkpoints as a worker makes them.

python -m benchmarks.peers --only streamseg_here
"""

from __future__ import annotations

from pathlib import Path

import orjson

from agents.partitions.task import PartitionTask
from benchmarks.peers.evaluate import Change
from benchmarks.peers.job import Job, Result
from benchmarks.workload import definition_records
from streamseg.plan.definitions import Definitions
from streamseg.records.inputs import Record
from streamseg.settings import Settings
from streamseg.store.caches import Caches
from streamseg.store.rocksdb import RocksStore
from streamseg.times import parse_timestamp_ms, time_zone

NAME = "streamseg"
LIMITS = "What it makes for the changelog and for its other outputs is made, and dropped at each checkpoint."

_OFFERED = 500
_UTC = time_zone("UTC")


class Feed:
    """A task that is offered the job's records, a batch after the other."""

    def __init__(self, job: Job, folder: Path) -> None:
        self._settings = Settings(live_lag_ms=0)
        self._store = RocksStore(
            folder / "state",
            caches=Caches(self._settings.cache_bytes),
        )
        judged = Definitions(self._settings)
        if letters := judged.load(definition_records(job.segments)):
            raise ValueError(letters[0].message)
        self._now_ms = 0
        self._task = PartitionTask(
            number=0,
            store=self._store,
            plan=judged.plan,
            settings=self._settings,
            ended_as_of=lambda _: self._now_ms,
        )
        self.changes: list[bytes] = []

    def take(self, records: list[Record]) -> None:
        self._now_ms = records[-1].timestamp_ms
        by_topic: dict[str, list[Record]] = {}
        for record in records:
            by_topic.setdefault(record.topic, []).append(record)
        for topic, own in by_topic.items():
            self._task.offer(topic, own, self._now_ms)
        while self._task.step():
            if self._task.unsaved_size >= self._settings.checkpoint_records:
                self.save()

    def save(self) -> None:
        buffer = self._task.buffer
        self.changes += [value or b"" for _, value, _ in buffer.changes]
        if buffer.dead_letters:
            raise ValueError(buffer.dead_letters[0].message)
        for sent in (buffer.memberships(), buffer.suppressions()):
            for _ in sent:
                continue
        self._store.commit(self._store.changes(buffer.by_contact()))
        buffer.clear()
        self._task.saved()

    def close(self) -> None:
        self._store.close()


def run(job: Job, folder: Path) -> Result:
    result = Result()
    feed = Feed(job, folder)
    with result.measured():
        for begin in range(0, len(job.records), _OFFERED):
            feed.take(job.records[begin : begin + _OFFERED])
        feed.save()
    feed.close()
    result.changes = [change_of(value) for value in feed.changes]
    return result


def change_of(value: bytes) -> Change:
    """A value of `membership-changes`."""
    body = orjson.loads(value)
    at_ms = parse_timestamp_ms(body["effective_at"], _UTC)
    return Change(body["segment_id"], body["contact_id"], at_ms, body["change"] == "entered")
