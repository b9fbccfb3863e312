"""Whether memory, descriptors, threads, disk or latency grow in the course of a soak.

The first part of a run is left out, in which state and caches fill, and so are the first minutes of a
process that began later. The rest is cut into three parts of equal length, and the last part is compared with
the first one, by medians, because a fault moves single samples.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from tests.soak.samples import Sample

WARM_UP = 0.25
"""The share of a run that is left out."""

LONGEST_FILL_SECONDS = 900.0
"""A process has filled its state and caches after this time, or after `WARM_UP` of a shorter run."""

_MIB = 1 << 20


class Limit(NamedTuple):
    """How much a figure may grow: to `times` its first value, and by `more` in any case."""

    name: str
    unit: float
    times: float
    more: float
    of: Callable[[Sample], float]


LIMITS = (
    Limit("memory, MiB", _MIB, 1.10, 16 * _MIB, lambda sample: sample.resident),
    Limit("file descriptors", 1, 1.05, 8, lambda sample: sample.descriptors),
    Limit("threads", 1, 1.05, 3, lambda sample: sample.threads),
    # By partition, since partitions come to a worker and go, and their folders stay.
    Limit(
        "disk a partition, MiB", _MIB, 1.25, 16 * _MIB, lambda sample: sample.disk / max(1, sample.partitions)
    ),
)
_LATENCY_TIMES = 1.5
_LATENCY_MORE_SECONDS = 0.05
_LEAST_SAMPLES = 3


class Trend(NamedTuple):
    """A figure in the first and in the last part of a run. `creeps`: it has grown by more than is allowed."""

    name: str
    worker: int | None
    first: float
    last: float
    creeps: bool


def trends(samples: Sequence[Sample], seconds: float, *, quiet: Callable[[float], bool]) -> list[Trend]:
    """Return how each worker's figures have moved, and the latency of all workers together.

    `quiet` says whether no fault happened in the time before a moment (s); only quiet samples count. A worker
    with too few samples in a part is left out."""
    begin = WARM_UP * seconds
    length = (seconds - begin) / 3
    full = _full(samples, min(begin, LONGEST_FILL_SECONDS))
    first = [one for one in samples if begin <= one.at_seconds < begin + length and quiet(one.at_seconds)]
    last = [one for one in samples if begin + 2 * length <= one.at_seconds and quiet(one.at_seconds)]
    found = []
    for number in sorted({sample.number for sample in samples}):
        early = [one for one in first if one.number == number and full(one)]
        late = [one for one in last if one.number == number and full(one)]
        if min(len(early), len(late)) >= _LEAST_SAMPLES:
            found += [_trend(limit, number, early, late) for limit in LIMITS]
    for share in (0.5, 0.99):
        was, became = quantile(_taken(first), share), quantile(_taken(last), share)
        if was is not None and became is not None:
            creeps = became > max(_LATENCY_TIMES * was, was + _LATENCY_MORE_SECONDS)
            found.append(Trend(f"latency p{share * 100:.0f}, ms", None, was * 1000, became * 1000, creeps))
    return found


def _full(samples: Sequence[Sample], fill_seconds: float) -> Callable[[Sample], bool]:
    """Return whether the process of a sample had run for `fill_seconds`."""
    begun: dict[tuple[int, int], float] = {}
    for one in samples:
        begun.setdefault((one.number, one.pid), one.at_seconds)
    return lambda one: one.at_seconds - begun[one.number, one.pid] >= fill_seconds


def _trend(limit: Limit, number: int, early: Iterable[Sample], late: Iterable[Sample]) -> Trend:
    was, became = statistics.median(map(limit.of, early)), statistics.median(map(limit.of, late))
    creeps = became > max(limit.times * was, was + limit.more)
    return Trend(limit.name, number, was / limit.unit, became / limit.unit, creeps)


def _taken(samples: Iterable[Sample]) -> dict[float, float]:
    """Return upper bound -> the number of latencies up to it that were observed between these samples."""
    taken: dict[float, float] = {}
    ordered = sorted(samples, key=lambda one: (one.number, one.pid, one.at_seconds))
    for before, after in itertools.pairwise(ordered):
        if (before.number, before.pid) == (after.number, after.pid):
            for bound, count in after.latency.items():
                taken[bound] = taken.get(bound, 0.0) + count - before.latency.get(bound, 0.0)
    return taken


def quantile(counts: dict[float, float], share: float) -> float | None:
    """Return the latency (s) below which this share of the observations lies, by linear interpolation in the
    bucket, as Prometheus's `histogram_quantile` does; None without observations."""
    total = max(counts.values(), default=0.0)
    if not total:
        return None
    below, lower = 0.0, 0.0
    for bound in sorted(counts):
        if counts[bound] >= share * total:
            if bound == float("inf"):
                return lower
            inside = counts[bound] - below
            return lower + (bound - lower) * (share * total - below) / inside if inside else bound
        below, lower = counts[bound], bound
    return lower
