"""A short run of `python -m tests.soak`: samples are taken, and all checks pass at the end."""

from __future__ import annotations

from pathlib import Path

from tests.soak.page import drawing
from tests.soak.soaking import Load, soak

SECONDS = 30.0


def test_a_short_soak_samples_its_workers_and_leaves_everything_right(
    kafka_script: Path, tmp_path: Path
) -> None:
    load = Load(
        SECONDS, seed=5, contacts=200, quiet_contacts=500, between_seconds=(12.0, 20.0), quiet_seconds=0.0
    )
    result = soak(load, tmp_path / "run", say=print)
    assert "differences: none" in result.line, f"{result.line}; see {tmp_path / 'run-kept'}"
    assert {sample.number for sample in result.samples} >= {0, 1}
    assert all(sample.resident and sample.descriptors for sample in result.samples)
    assert any(sample.disk and sample.partitions for sample in result.samples)
    assert any(sample.latency[float("inf")] for sample in result.samples)
    assert result.faults_at
    assert drawing(result.samples, result.faults_at, SECONDS).count("<polyline") >= 6
