"""Sets the metrics about the state that a worker keeps."""

from __future__ import annotations

from collections.abc import Sequence

from agents.metrics import Metrics
from agents.partitions.task import PartitionTask


def observe_state(tasks: Sequence[PartitionTask], metrics: Metrics) -> None:
    """Bring the gauges up to date: the sums over all partitions at work; and count what happened since the
    last call."""
    swept = [task.swept for task in tasks if task.sweeping]
    metrics.sweeping.set(len(swept))
    metrics.sweep_done.set(sum(done for done, _ in swept))
    metrics.sweep_total.set(sum(total for _, total in swept))
    figures = [task.store.figures() for task in tasks]
    metrics.state_bytes.set(sum(one.disk_bytes for one in figures))
    metrics.state_keys.set(sum(one.keys for one in figures))
    used = [task.store.take_cache_use() for task in tasks]
    metrics.cache_hits.inc(sum(one.hits for one in used))
    metrics.cache_misses.inc(sum(one.misses for one in used))
    metrics.compaction_pending.set(sum(one.compaction_pending_bytes for one in figures))
    metrics.compacted.set(min((task.store.compacted_ms or 0 for task in tasks), default=0) / 1000)
    metrics.write_stalled.set(sum(one.write_stalled for one in figures))
