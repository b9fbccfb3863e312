"""One round of `benchmarks.against`, in the process of the checkout that is measured.

The arguments are the numbers of contacts, records and segments. It prints a JSON object: the µs of CPU time
per record in each phase, and a digest of the membership changes. Only names that every release has are used.
"""

from __future__ import annotations

import gc
import hashlib
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson

from benchmarks.peers.job import Job
from benchmarks.peers.streamseg_here import Feed

_OFFERED = 500


class Timed(Feed):
    """A feed that measures its checkpoints. `seconds` is the CPU time of those since it was last set to 0."""

    seconds = 0.0

    def save(self) -> None:
        began = time.process_time()
        super().save()
        self.seconds += time.process_time() - began


def phase(feed: Timed, records: list[Any]) -> tuple[float, float]:
    """Apply the records. Return the µs of CPU time per record, and those of them in checkpoints."""
    # A worker has these settings (`agents.worker.garbage`). Without them the collector examines all records.
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 10, 1_000_000_000)
    feed.seconds = 0.0
    began = time.process_time()
    for begin in range(0, len(records), _OFFERED):
        feed.take(records[begin : begin + _OFFERED])
    feed.save()
    each = 1e6 / len(records)
    return (time.process_time() - began) * each, feed.seconds * each


def main() -> None:
    contacts, count, segments = map(int, sys.argv[1:])
    job = Job.of(contacts=contacts, records=count, segments=segments, keep_all=False)
    records = job.records
    with tempfile.TemporaryDirectory(prefix="streamseg-against-") as folder:
        feed = Timed(job, Path(folder))
        first, _ = phase(feed, records[:contacts])
        stream, checkpoints = phase(feed, records[contacts:])
        feed.close()
    digest = hashlib.sha256(b"\n".join(feed.changes)).hexdigest()
    figures = {"first updates": first, "stream": stream, "stream's checkpoints": checkpoints}
    sys.stdout.buffer.write(orjson.dumps({**figures, "digest": digest}))


if __name__ == "__main__":
    main()
