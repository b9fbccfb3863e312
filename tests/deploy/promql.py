"""Queries to Prometheus, read, and what there is to ask for."""

from __future__ import annotations

import promql_parser

from agents.metrics import Metrics


def metrics_of(query: str) -> set[str]:
    """The metrics that a query reads. Raises ValueError where it is no PromQL."""
    found: set[str] = set()

    def note(part: promql_parser.Expr) -> bool:
        if isinstance(part, promql_parser.VectorSelector):
            assert part.name, f"a selector without a metric in {query}"
            found.add(part.name)
        return True

    promql_parser.walk(promql_parser.parse(query), note)
    return found


def known_metrics() -> set[str]:
    """All that Prometheus has of a worker, by the names of their samples."""
    ends = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
    families = Metrics().registry.collect()
    return {"up"} | {family.name + end for family in families for end in ends.get(family.type, ("",))}
