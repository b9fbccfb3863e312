"""What counts as creeping, and what does not."""

from __future__ import annotations

import pytest

from tests.soak.creep import Trend, quantile, trends
from tests.soak.samples import Sample

_MIB = 1 << 20
_SECONDS = 4_000.0


def _always(at_seconds: float) -> bool:
    return at_seconds >= 0


def _run(
    resident: float = 0.0, latency: float = 0.0, disk: float = 0.0, descriptors: float = 0.0
) -> list[Sample]:
    """A run of two workers; the arguments are the growth of worker 1 over the whole run: MiB, MiB, and
    descriptors. `latency` is how many of ten outputs in each step of the last quarter are slow."""
    samples = []
    for step in range(400):
        at = step * 10.0
        for number in (0, 1):
            share = number * step / 400
            slow = latency * max(0, step - 300)
            samples.append(
                Sample(
                    at_seconds=at,
                    number=number,
                    pid=100 + number,
                    resident=int((150 + resident * share) * _MIB),
                    descriptors=int(60 + descriptors * share),
                    threads=12,
                    disk=int((40 + disk * share) * _MIB),
                    partitions=1,
                    latency={0.1: 10.0 * step - slow, 1.0: 10.0 * step, float("inf"): 10.0 * step},
                )
            )
    return samples


def _creeping(samples: list[Sample]) -> list[tuple[str, int | None]]:
    return [(one.name, one.worker) for one in trends(samples, _SECONDS, quiet=_always) if one.creeps]


def test_a_steady_run_does_not_creep() -> None:
    assert _creeping(_run()) == []
    assert _creeping(_run(resident=10, disk=10, descriptors=5)) == []


@pytest.mark.parametrize(
    ("samples", "name"),
    [
        (_run(resident=60), "memory, MiB"),
        (_run(descriptors=40), "file descriptors"),
        (_run(disk=60), "disk a partition, MiB"),
    ],
)
def test_what_grows_is_named_with_its_worker(samples: list[Sample], name: str) -> None:
    assert _creeping(samples) == [(name, 1)]


def test_latency_that_grows_is_named() -> None:
    assert ("latency p99, ms", None) in _creeping(_run(latency=5.0))


def test_partitions_that_come_to_a_worker_bring_their_disk() -> None:
    later = [
        one._replace(disk=3 * one.disk, partitions=3) if one.at_seconds > 2_500 else one for one in _run()
    ]
    assert _creeping(later) == []


def test_growth_at_the_start_is_the_warm_up() -> None:
    grown = [one._replace(resident=one.resident // 3) if one.at_seconds < 900 else one for one in _run()]
    assert _creeping(grown) == []


def test_growth_after_a_process_began_is_its_warm_up() -> None:
    # Worker 1 joins after 1,000 s and is full 500 s later; the first part of the run ends after 2,000 s.
    joined = [
        one._replace(resident=one.resident // 2) if one.number == 1 and one.at_seconds < 1_500 else one
        for one in _run()
        if one.number == 0 or one.at_seconds >= 1_000
    ]
    assert _creeping(joined) == []
    again = [one._replace(pid=one.pid + int(one.at_seconds // 500)) for one in _run(resident=60)]
    assert _creeping(again) == [], "no process of it was ever full"


def test_samples_near_a_fault_do_not_count() -> None:
    disturbed = [
        one._replace(resident=one.resident * 3) if one.at_seconds > 3_300 else one for one in _run(latency=0)
    ]
    assert _creeping(disturbed)
    found = trends(disturbed, _SECONDS, quiet=lambda at: at <= 3_300)
    assert [one for one in found if one.creeps] == []


def test_a_process_that_began_anew_does_not_lower_the_counts() -> None:
    samples = [
        one._replace(pid=one.pid + 10, latency={bound: 0.01 * count for bound, count in one.latency.items()})
        if one.at_seconds > 2_000
        else one
        for one in _run()
    ]
    p50 = next(one for one in trends(samples, _SECONDS, quiet=_always) if one.name == "latency p50, ms")
    assert p50 == Trend("latency p50, ms", None, 50.0, 50.0, creeps=False)


def test_a_quantile_lies_in_its_bucket() -> None:
    counts = {0.1: 50.0, 0.5: 90.0, float("inf"): 100.0}
    assert quantile(counts, 0.25) == pytest.approx(0.05)
    assert quantile(counts, 0.7) == pytest.approx(0.3)
    assert quantile(counts, 0.99) == 0.5
    assert quantile({}, 0.5) is None
