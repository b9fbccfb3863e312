"""streamseg on Kafka: a `streamseg worker` process, as it runs in production, on one partition.

python -m benchmarks.peers --only streamseg_worker
"""

from __future__ import annotations

import time
from pathlib import Path

from agents.kafka.topics import topic_name
from benchmarks.kafka import Feed, WorkerProcess, fresh_settings
from benchmarks.peers.job import Job, Result
from benchmarks.peers.kafka_topics import read
from benchmarks.peers.streamseg_here import change_of

NAME = "streamseg, a worker"
LIMITS = (
    "After a crash nothing is judged twice; changes may come twice, with the same change_id. Its records are "
    "counted once they are durable, so its rate is from the first checkpoint on."
)


def run(job: Job, folder: Path, bootstrap: str) -> Result:
    settings = fresh_settings(bootstrap, partitions=1, data_dir=folder)
    feed = Feed(settings)
    feed.define(job.segments)
    feed.write(job.records)
    worker = WorkerProcess(settings)
    worker.start()
    try:
        result = _watch(worker, len(job.records))
    finally:
        worker.stop()
    result.changes = read(bootstrap, topic_name(settings, "membership-changes"), change_of)
    return result


def _watch(worker: WorkerProcess, count: int) -> Result:
    """The time between two looks, the first one soon after the start, made up to that of all records."""
    first = (0.0, 0.0, 0.0)
    while (applied := worker.applied()) < count:
        if applied and not first[0]:
            first = applied, time.perf_counter(), worker.cpu_seconds()
        time.sleep(0.02)
    seconds, cpu_seconds = time.perf_counter() - first[1], worker.cpu_seconds() - first[2]
    seen = count - first[0]
    if not first[0]:
        raise SystemExit(f"{count:,} records are too few: all were durable at the first look")
    remark = f"the rate is that of {seen:,.0f} records; of fewer than some 50,000 it says little"
    return Result(seconds * count / seen, cpu_seconds * count / seen, remark=remark)
