"""What a worker counts, for Prometheus. No contact's data, no ids: topics, partitions and codes only."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """One worker's metrics, in a registry of its own, so that several workers may share a process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self.records = Counter(
            "streamseg_records",
            "Records of the source topics, by what became of them: applied, repeated, rejected",
            ["result"],
            registry=registry,
        )
        self.due = Counter("streamseg_due", "Contacts settled because time passed", registry=registry)
        self.capped = Counter(
            "streamseg_capped", "Occurrences dropped at the cap of a contact's history", registry=registry
        )
        self.unclear_answers = Counter(
            "streamseg_unclear_answers",
            "Forms with an answer about subscribing that is neither yes nor no",
            registry=registry,
        )
        self.changes = Counter(
            "streamseg_membership_changes", "Membership changes sent", ["partition"], registry=registry
        )
        self.dead_letters = Counter(
            "streamseg_dead_letters", "Refused records, by error code", ["code"], registry=registry
        )
        self.api_refusals = Counter(
            "streamseg_api_refusals",
            "Requests to the API that were refused, by code",
            ["code"],
            registry=registry,
        )
        self.checkpoints = Histogram(
            "streamseg_checkpoint_seconds",
            "How long a checkpoint took: outputs and changelog acknowledged, state written",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            registry=registry,
        )
        self.due_lateness = Histogram(
            "streamseg_due_lateness_seconds",
            "How long after its due time a contact's changes were acknowledged, while read to the end",
            buckets=(0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10, 60),
            registry=registry,
        )
        self.lag = Gauge(
            "streamseg_lag_records",
            "Offsets of a source partition that have not been applied yet",
            ["topic", "partition"],
            registry=registry,
        )
        self.clock = Gauge(
            "streamseg_clock_seconds", "Stream time of a partition, epoch s", ["partition"], registry=registry
        )
        self.ready = Gauge(
            "streamseg_ready", "1 while the worker is ready (GET /ready), else 0", registry=registry
        )
        self.broker_trouble = Gauge(
            "streamseg_broker_trouble",
            "1 while the brokers are away or refuse what a worker needs, else 0",
            registry=registry,
        )
        self.restarts = Counter(
            "streamseg_restarts",
            "How often the worker began anew in the same process, after trouble with the brokers",
            registry=registry,
        )
        self.clock_doubted = Gauge(
            "streamseg_clock_doubted",
            "1 while the clock of this host is not believed, else 0",
            registry=registry,
        )
        self.partitions = Gauge("streamseg_partitions", "Partitions this worker has", registry=registry)
        self.recovered = Counter("streamseg_recovered_records", "Changelog records read", registry=registry)
        self.generation = Gauge(
            "streamseg_definitions_generation",
            "Offset of the latest definition in force",
            registry=registry,
        )
        self.sweeping = Gauge(
            "streamseg_sweeping_partitions",
            "Partitions whose contacts are being brought up to changed definitions",
            registry=registry,
        )

        self.verified = Counter(
            "streamseg_verified_contacts",
            "Contacts that the background check compared with their history",
            registry=registry,
        )
        self.differences = Counter(
            "streamseg_differences",
            "What the background check found to differ, by what is kept wrongly",
            ["kept"],
            registry=registry,
        )

    def exposition(self) -> bytes:
        """All of it in the OpenMetrics text format."""
        text: bytes = generate_latest(self.registry)  # type: ignore[no-untyped-call]
        return text
