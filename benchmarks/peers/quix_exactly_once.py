"""Quix Streams as in `quix_app`, with the guarantee that streamseg gives.

python -m benchmarks.peers --only quix_exactly_once
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers.job import Job, Result
from benchmarks.peers.kafka_topics import run_process
from benchmarks.peers.quix_app import serve

NAME = "Quix Streams, exactly once"
LIMITS = (
    "As above, but state's changelog, changes and offsets are one transaction, every 5 s as is its "
    "default: until then nobody who reads what is committed sees a change."
)


def run(job: Job, folder: Path, bootstrap: str) -> Result:
    return run_process(__name__, job, folder, bootstrap)


if __name__ == "__main__":
    serve("exactly-once")
