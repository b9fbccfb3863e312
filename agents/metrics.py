"""The metrics of a worker, for Prometheus.

No metric has contacts' data or ids in it: labels are topics, partitions, routes and codes only.
"""

from __future__ import annotations

from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, Histogram, ProcessCollector
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

from streamseg.build_form import BUILD_FORM
from streamseg.contact.state_version import STATE_VERSION
from streamseg.errors import Code

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """One worker's metrics, in a registry of its own, so that several workers may share a process.

    Events are counted where they happen. Gauges are set when Prometheus asks for them, by the `observe`
    methods of the worker's parts.
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
            "Records of the source topics, by result: applied, repeated, rejected",
            "result",
        )
        self.due = self._counter("due", "Contacts evaluated because they fell due")
        self.capped = self._counter("capped", "Occurrences dropped at the cap of a contact's history")
        self.unclear_answers = self._counter(
            "unclear_answers", "Forms whose property `subscribed` is neither yes nor no"
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
            # Each code is shown from the start, at 0: Prometheus cannot see the growth of a new series.
            self.dead_letters.labels(code.value)
        self.checkpoints = self._histogram(
            "checkpoint_seconds",
            "How long a checkpoint took, until outputs and changelog were acknowledged and state was written",
            (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        )
        self.due_lateness = self._histogram(
            "due_lateness_seconds",
            "How long after its due time a contact's changes were acknowledged; observed only while the "
            "partition has been read to its end",
            (0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10, 30, 60),
        )
        self.change_latency = self._histogram(
            "change_latency_seconds",
            "How long after a record's timestamp the outputs that it caused were acknowledged; observed only "
            "while the partition has been read to its end; for outputs sent together, the earliest record "
            "counts",
            (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
        )
        self.produce_errors = self._counter(
            "produce_errors",
            "Sends that ended with an error of the brokers; what partitions send together counts once",
        )
        self.produce_retries = self._counter(
            "produce_retries", "Batches that were sent again because a broker did not acknowledge them"
        )
        self.unacknowledged = self._gauge(
            "unacknowledged_seconds",
            "How long the oldest sent output has waited for its acknowledgement; 0: none is waiting",
        )

    def _partitions(self) -> None:
        self.topic_partitions = self._gauge(
            "topic_partitions", "Number of partitions of the source topics, for all workers together"
        )
        self.partitions = self._gauge("partitions", "Partitions that this worker has")
        self.restoring = self._gauge(
            "restoring_partitions", "Partitions whose state is being read from the changelog"
        )
        self.restore_remaining = self._gauge(
            "restore_remaining_records",
            "Offsets of the changelog that must still be read for the partitions that are being restored",
        )
        self.cold_starts = self._counter(
            "cold_starts",
            "Partitions that started without any state although some of their input had already been applied",
        )
        self.recovered = self._counter("recovered_records", "Changelog records read")
        self.rebalances = self._counter("rebalances", "How often the group has assigned the partitions")
        self.last_rebalance = self._gauge(
            "last_rebalance_seconds", "When the group last assigned the partitions, epoch s; 0: not yet"
        )

    def _definitions(self) -> None:
        self.generation = self._gauge("definitions_generation", "Offset of the latest definition in force")
        self.sweeping = self._gauge(
            "sweeping_partitions",
            "Partitions whose contacts are being evaluated for changed definitions",
        )
        self.sweep_done = self._gauge(
            "sweep_done",
            "Contacts of the sweeping partitions that are already evaluated, over all passes",
        )
        self.sweep_total = self._gauge(
            "sweep_total", "Contacts of the sweeping partitions that have to be evaluated, over all passes"
        )
        self.leader = self._gauge(
            "leader", "1 while this worker is the leader, which carries out commands, else 0"
        )
        self.commands = self._histogram(
            "command_seconds",
            "How long it took to apply or refuse a command and to write the outcome, by result: applied, "
            "refused",
            (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            "result",
        )

    def _state(self) -> None:
        self.state_bytes = self._gauge("state_bytes", "Disk space that RocksDB's tables take")
        self.state_keys = self._gauge(
            "state_keys", "Keys in RocksDB (contacts, events and all others), as RocksDB estimates them"
        )
        self.compaction_pending = self._gauge(
            "compaction_pending_bytes", "Bytes that RocksDB still has to compact, as RocksDB estimates them"
        )
        self.cache_hits = self._counter(
            "block_cache_hits", "Blocks of RocksDB's tables that were found in the block cache"
        )
        self.cache_misses = self._counter(
            "block_cache_misses",
            "Blocks of RocksDB's tables that were not in the block cache and had to be read; if they are "
            "many, raise STREAMSEG_CACHE_BYTES",
        )
        self.compacted = self._gauge(
            "compacted_timestamp_seconds",
            "Since when no replaced or deleted value is on the disk: the time of the last compaction of all "
            "data, of the partition at work where that is longest ago; 0 before the first look",
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
            "differences",
            "Differences that the background check found, by the kind of data that is wrong",
            "kept",
        )

    def _api(self) -> None:
        self.api_refusals = self._counter(
            "api_refusals", "Requests to the API that were refused, by code", "code"
        )
        self.audit_failures = self._counter(
            "audit_failures", "Entries that could not be written to `audit` in time; the caller got an error"
        )
        self.tokens_unreadable = self._gauge(
            "api_tokens_unreadable",
            "1 while the changed file of tokens cannot be read and the tokens before are in force, else 0",
        )
        self.api_requests = self._counter(
            "api_requests",
            "Requests to the API; `none` is an address or method that does not exist, status `gone` means "
            "that the caller did not wait",
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
            "evaluate all contacts (previews, comparisons, recounts), `watching` for streams of changes",
            "kind",
        )

    def _process(self) -> None:
        self.ready = self._gauge("ready", "1 while the worker is ready (GET /ready), else 0")
        self.broker_trouble = self._gauge(
            "broker_trouble", "1 while the brokers are away or refuse a request that the worker needs, else 0"
        )
        self.clock_doubted = self._gauge(
            "clock_doubted", "1 while the worker does not trust the clock of its host, else 0"
        )
        self.restarts = self._counter(
            "restarts",
            "How often the worker started again in the same process, after trouble with the brokers",
        )
        self.certificate_end = self._gauge(
            "certificate_end_seconds",
            "Until when the certificates in the file of a setting are valid, epoch s: the first end in a "
            "file of a certificate, the last one in a file of authorities; only for settings in use",
            "setting",
        )
        self.loop_lag = self._histogram(
            "loop_lag_seconds",
            "How much later than planned the event loop runs a timer, measured four times a second",
            (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30),
        )
        build = self._gauge(
            "build_info",
            "1; the release, the layout of its state, and its form: `compiled` or `plain`",
            "version",
            "layout",
            "form",
        )
        build.labels(version("streamseg"), STATE_VERSION, BUILD_FORM).set(1)
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    # -- construction ------------------------------------------------------------------------------------

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"streamseg_{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"streamseg_{name}", meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"streamseg_{name}", meaning, labels, buckets=buckets, registry=self.registry)

    def exposition(self) -> bytes:
        """Return all metrics in the OpenMetrics text format."""
        text: bytes = generate_latest(self.registry)  # type: ignore[no-untyped-call]
        return text
