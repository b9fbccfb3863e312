"""The gauges of the state that a worker has."""

from __future__ import annotations

from collections.abc import Sequence

from agents.metrics import Metrics
from agents.partitions.task import Shard


def observe_state(shards: Sequence[Shard], metrics: Metrics) -> None:
    """Bring the gauges up to date, for all partitions at work together."""
    swept = [shard.swept for shard in shards if shard.sweeping]
    metrics.sweeping.set(len(swept))
    metrics.sweep_done.set(sum(done for done, _ in swept))
    metrics.sweep_total.set(sum(total for _, total in swept))
    figures = [shard.store.figures() for shard in shards]
    metrics.state_bytes.set(sum(one.disk_bytes for one in figures))
    metrics.state_keys.set(sum(one.keys for one in figures))
    metrics.compaction_pending.set(sum(one.compaction_pending_bytes for one in figures))
    metrics.write_stalled.set(sum(one.write_stalled for one in figures))
