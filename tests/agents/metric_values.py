"""Functions that read single values from a worker's metrics."""

from __future__ import annotations

from agents.metrics import Metrics


def value(metrics: Metrics, name: str, **labels: str) -> float:
    """That of a sample, named as it is shown; 0 where there is none."""
    return metrics.registry.get_sample_value(name, labels) or 0.0
