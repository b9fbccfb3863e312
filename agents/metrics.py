"""What a worker counts, for Prometheus. No contact's data, no ids: topics, partitions, routes, codes only."""

from __future__ import annotations

from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, Histogram, ProcessCollector
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

from streamseg.contact.state_version import STATE_VERSION
from streamseg.errors import Code

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """One worker's metrics, in a registry of its own, so that several workers may share a process.

    What happens is counted where it happens. Gauges of how things stand are set when they are asked for, by
    the `observe` methods of the worker's parts.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._input()
        self._outputs()
        self._partitions()
        self._definitions()
        self._state()
        self._api()
        self._process()

    # -- what is counted ---------------------------------------------------------------------------------

    def _input(self) -> None:
        self.records = self._counter(
            "records",
            "Records of the source topics, by what became of them: applied, repeated, rejected",
            "result",
        )
        self.due = self._counter("due", "Contacts settled because time passed")
        self.capped = self._counter("capped", "Occurrences dropped at the cap of a contact's history")
        self.unclear_answers = self._counter(
            "unclear_answers", "Forms with an answer about subscribing that is neither yes nor no"
        )
        self.lag = self._gauge(
            "lag_records",
            "Offsets of a source partition that have not been applied yet",
            "topic",
            "partition",
        )
        self.clock = self._gauge("clock_seconds", "Stream time of a partition, epoch s", "partition")

    def _outputs(self) -> None:
        self.changes = self._counter("membership_changes", "Membership changes sent", "partition")
        self.dead_letters = self._counter("dead_letters", "Refused records, by error code", "code")
        for code in Code:
            # Shown from the beginning: Prometheus sees no growth in what begins at 1.
            self.dead_letters.labels(code.value)
        self.checkpoints = self._histogram(
            "checkpoint_seconds",
            "How long a checkpoint took: outputs and changelog acknowledged, state written",
            (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        )
        self.due_lateness = self._histogram(
            "due_lateness_seconds",
            "How long after its due time a contact's changes were acknowledged, while read to the end",
            (0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10, 30, 60),
        )
        self.change_latency = self._histogram(
            "change_latency_seconds",
            "How long after a record's timestamp the outputs that it brought about were acknowledged, "
            "while read to the end; of what is sent together, the earliest record",
            (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
        )
        self.produce_errors = self._counter(
            "produce_errors", "Sendings to a topic partition that ended with an error of the brokers"
        )
        self.produce_retries = self._counter(
            "produce_retries", "Batches that were sent once more, since a broker did not acknowledge them"
        )
        self.unacknowledged = self._gauge(
            "unacknowledged_seconds",
            "How long the oldest output on its way waits to be acknowledged; 0: none",
        )

    def _partitions(self) -> None:
        self.topic_partitions = self._gauge(
            "topic_partitions", "Partitions that the source topics have, for all workers together"
        )
        self.partitions = self._gauge("partitions", "Partitions this worker has")
        self.restoring = self._gauge(
            "restoring_partitions", "Partitions whose state is being read from the changelog"
        )
        self.restore_remaining = self._gauge(
            "restore_remaining_records",
            "Offsets of the changelog that are still to be read for the partitions being restored",
        )
        self.cold_starts = self._counter(
            "cold_starts",
            "Partitions that began without any state although input of theirs had been applied before",
        )
        self.recovered = self._counter("recovered_records", "Changelog records read")
        self.rebalances = self._counter("rebalances", "How often the group has given out partitions anew")
        self.last_rebalance = self._gauge(
            "last_rebalance_seconds", "When the group last gave out partitions, epoch s; 0: not yet"
        )

    def _definitions(self) -> None:
        self.generation = self._gauge("definitions_generation", "Offset of the latest definition in force")
        self.sweeping = self._gauge(
            "sweeping_partitions",
            "Partitions whose contacts are being brought up to changed definitions",
        )
        self.sweep_done = self._gauge(
            "sweep_done",
            "Contacts of the sweeping partitions that were brought up to the definitions, in all passes",
        )
        self.sweep_total = self._gauge(
            "sweep_total", "Contacts that the sweeping partitions have, in all passes"
        )
        self.leader = self._gauge("leader", "1 while this worker rules on commands, else 0")
        self.commands = self._histogram(
            "command_seconds",
            "How long it took to rule on a command and to write what follows, "
            "by the result: applied, refused",
            (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            "result",
        )

    def _state(self) -> None:
        self.state_bytes = self._gauge("state_bytes", "Disk space that RocksDB's tables take")
        self.state_keys = self._gauge(
            "state_keys", "Keys in RocksDB, of contacts, events and all else, as it estimates them"
        )
        self.compaction_pending = self._gauge(
            "compaction_pending_bytes", "What RocksDB still has to compact, as it estimates it"
        )
        self.write_stalled = self._gauge(
            "write_stalled_partitions", "Partitions whose writes RocksDB slows down or stops"
        )
        self.disk_free = self._gauge("disk_free_bytes", "Free space of the disk with the data folder")
        self.disk_size = self._gauge("disk_size_bytes", "Size of the disk with the data folder")
        self.verified = self._counter(
            "verified_contacts", "Contacts that the background check compared with their history"
        )
        self.differences = self._counter(
            "differences", "What the background check found to differ, by what is kept wrongly", "kept"
        )

    def _api(self) -> None:
        self.api_refusals = self._counter(
            "api_refusals", "Requests to the API that were refused, by code", "code"
        )
        self.api_requests = self._counter(
            "api_requests",
            "Requests to the API; `none` for an address or method that there is not, "
            "status `gone` where the caller did not wait",
            "method",
            "route",
            "status",
        )
        self.api_seconds = self._histogram(
            "api_request_seconds",
            "How long requests to the API took",
            (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            "method",
            "route",
        )
        self.questions = self._gauge(
            "api_questions_running",
            "Questions that are being answered: `short` ones about members and contacts, `long` ones that "
            "look at all contacts (previews, comparisons, recounts)",
            "kind",
        )

    def _process(self) -> None:
        self.ready = self._gauge("ready", "1 while the worker is ready (GET /ready), else 0")
        self.broker_trouble = self._gauge(
            "broker_trouble", "1 while the brokers are away or refuse what a worker needs, else 0"
        )
        self.clock_doubted = self._gauge(
            "clock_doubted", "1 while the clock of this host is not believed, else 0"
        )
        self.restarts = self._counter(
            "restarts",
            "How often the worker began anew in the same process, after trouble with the brokers",
        )
        self.loop_lag = self._histogram(
            "loop_lag_seconds",
            "How much later than planned the worker's thread comes to what waits, four times a second",
            (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30),
        )
        build = self._gauge("build_info", "1; the release, and the layout of its state", "version", "layout")
        build.labels(version("streamseg"), STATE_VERSION).set(1)
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    # -- how ---------------------------------------------------------------------------------------------

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"streamseg_{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"streamseg_{name}", meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"streamseg_{name}", meaning, labels, buckets=buckets, registry=self.registry)

    def exposition(self) -> bytes:
        """All of it in the OpenMetrics text format."""
        text: bytes = generate_latest(self.registry)  # type: ignore[no-untyped-call]
        return text
