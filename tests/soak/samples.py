"""What each worker of a soak takes at a moment: memory, open files, threads, disk; and its latency."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.chaos.workers import Place, Workers

_LATENCY = re.compile(r'^streamseg_change_latency_seconds_bucket\{le="([^"]+)"\} (\S+)$', re.MULTILINE)
_RESIDENT = re.compile(r"^VmRSS:\s+(\d+) kB$", re.MULTILINE)
_THREADS = re.compile(r"^Threads:\s+(\d+)$", re.MULTILINE)


class Sample(NamedTuple):
    """One worker at one moment.

    at_seconds   since the start of the faults
    number       the worker's number
    pid          its process
    resident     resident memory, bytes
    descriptors  open file descriptors
    threads      threads
    disk         size of the files in its data folder, bytes
    partitions   partitions of which it has a folder there, whether they are at work there now or were earlier
    latency      upper bound of a latency (s) -> the number of observations up to it since the process began
    """

    at_seconds: float
    number: int
    pid: int
    resident: int
    descriptors: int
    threads: int
    disk: int
    partitions: int
    latency: dict[float, float]


class Sampler:
    """Takes a sample of each running worker at a fixed interval, in a thread of its own."""

    def __init__(self, every_seconds: float, say: Callable[[Sample], None]) -> None:
        self.samples: list[Sample] = []
        self._every_seconds = every_seconds
        self._say = say
        self._over = threading.Event()

    @contextmanager
    def watching(self, workers: Workers) -> Iterator[None]:
        """Take samples while the context is open."""
        watching = threading.Thread(target=self._watch, args=(workers,), daemon=True)
        watching.start()
        try:
            yield
        finally:
            self._over.set()
            watching.join()

    def _watch(self, workers: Workers) -> None:
        began = time.monotonic()
        while not self._over.wait(self._every_seconds):
            for place in workers.places:
                sample = _sample(place, time.monotonic() - began)
                if sample is not None:
                    self.samples.append(sample)
                    self._say(sample)


def _sample(place: Place, at_seconds: float) -> Sample | None:
    """Return a sample of a worker; None if it does not run, is frozen, or has just ended."""
    try:
        if not place.running:
            return None
        worker = place.worker
        process = Path(f"/proc/{worker.pid}")
        status = (process / "status").read_text()
        resident, threads = _RESIDENT.search(status), _THREADS.search(status)
        if resident is None or threads is None:
            return None
        _, metrics = worker.get("/metrics")
        return Sample(
            at_seconds=at_seconds,
            number=place.number,
            pid=worker.pid,
            resident=int(resident[1]) << 10,
            descriptors=sum(1 for _ in (process / "fd").iterdir()),
            threads=int(threads[1]),
            disk=_size(worker.state),
            partitions=sum(1 for _ in worker.state.glob("v*/tables/*.db")),
            latency={float(bound): float(count) for bound, count in _LATENCY.findall(metrics)},
        )
    except (OSError, AssertionError):
        # The worker ended meanwhile, or its web server does not answer yet.
        return None


def _size(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except FileNotFoundError:
            continue  # RocksDB has removed it meanwhile
    return total
