"""The worker: a Faust app that is composed from Settings, and the functions that run and stop it."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Collection, Iterable
from itertools import chain
from pathlib import Path
from typing import Any, cast

import faust
from aiohttp import web
from faust.app import BootStrategy
from faust.streams import Stream
from faust.tables import TableManager
from faust.types import TP, StreamT
from mode import CrashingSupervisor, ServiceT
from yarl import URL

from agents.api.application import Api
from agents.api.recent_errors import RecentErrors
from agents.api.web_server import Listener, WebServer
from agents.catalogue.catalogue_topic import CatalogueTopic
from agents.catalogue.command_client import CommandClient
from agents.catalogue.definition_topic import DefinitionTopic
from agents.catalogue.leader import Leader
from agents.catalogue.progress_reader import ProgressReader
from agents.catalogue.progress_writer import ProgressWriter
from agents.certificate_ends import CertificateEnds
from agents.console.page import ConsolePage
from agents.freed_memory import FreedMemory
from agents.kafka.assignor import WorkerAssignor
from agents.kafka.batch_producer import BatchProducer
from agents.kafka.broker_probe import BrokerProbe
from agents.kafka.broker_watch import BrokerWatch
from agents.kafka.changelog_reader import changelog_ends
from agents.kafka.compatibility import check_libraries, wait_for_crash
from agents.kafka.connection import faust_credentials
from agents.kafka.topics import changelog_topic, outcomes_topic, topic_name, worker_id
from agents.metrics import Metrics
from agents.pacing import DEFAULT_PACING, Pacing
from agents.partitions.changelog_look import ChangelogLook
from agents.partitions.compaction import Compaction
from agents.partitions.owned_partitions import OwnedPartitions
from agents.partitions.scheduler import TaskScheduler
from agents.partitions.worker_clock import HostClock, WorkerClock
from agents.worker import transport
from agents.worker.background_verification import BackgroundVerification
from agents.worker.condition import WorkerCondition
from agents.worker.disk_room import DiskRoom
from agents.worker.intake import PartitionIntake
from agents.worker.readiness import ReadinessFacts, reasons_not_ready
from agents.worker.readiness_log import ReadinessLog
from agents.worker.stall_guard import CutOffError, StallGuard
from agents.worker.transport import BatchConsumer, Polled
from schemas.topics import SOURCES
from streamseg.plan.plan import Plan
from streamseg.settings import Settings

_log = logging.getLogger(__name__)


class Boot(BootStrategy):
    """Starts the worker's own services before Faust's, and stops them after Faust's."""

    def server(self) -> Iterable[ServiceT]:
        app = cast(SegmentApp, self.app)
        return chain(app.own_services(), super().server())


class Tables(TableManager):
    """Starts at once. Stock Faust waits a second for tables to be added, and this app has no tables."""

    async def on_start(self) -> None:
        if not self.should_stop:
            await self._update_channels()
            await self.recovery.start()


class SegmentApp(faust.App):
    """The worker's app, which `run` starts and stops. `streamseg worker` is the only command that runs it."""

    mundane_level = "debug"

    BootStrategy = Boot
    # Faust's own messages go to Faust's log.
    logger = logging.getLogger("faust.app")

    def __init__(
        self,
        settings: Settings,
        *,
        probe: BrokerProbe | None = None,
        start_seconds: float | None = None,
        transactions: bool = True,
        broker_tells_time: bool = True,
        host_clock: HostClock | None = None,
        restarted_after: str | None = None,
        metrics: Metrics | None = None,
        listener: Listener | None = None,
        recent_errors: RecentErrors | None = None,
        pacing: Pacing = DEFAULT_PACING,
    ) -> None:
        """Compose the app.

        probe              the app waits until it finds no trouble with the brokers; None: it does not wait
        start_seconds      how long the app waits for that and for room on its disk, in s; None: without limit
        transactions       False: the catalogue is written without transactions, for a broker without them
        broker_tells_time  False: the host's clock is compared with its monotonic clock only
        host_clock         takes the place of this host's clocks
        restarted_after    the trouble that ended the previous app, in words; None: there was none
        metrics, listener  if given, they outlive the app
        recent_errors      the latest errors of the log, for a diagnosis; None: there are none

        Raises ConfigurationError if a library is not as this release needs it."""
        check_libraries()
        self.settings = settings
        self.pacing = pacing
        self.metrics = Metrics() if metrics is None else metrics
        self._restarted_after = restarted_after
        self.ended = False
        """Whether the app was stopped completely."""
        self.metrics.topic_partitions.set(settings.partitions)
        self._stall_guard = StallGuard(settings, late=self.metrics.loop_lag.observe)
        self._brokers = None
        if probe is not None:
            self._brokers = BrokerWatch(
                look=lambda thorough: probe.look(thorough=thorough),
                start_seconds=start_seconds,
                metrics=self.metrics,
                pacing=pacing,
            )
        self._disk_room = DiskRoom(settings.data_dir, start_seconds=start_seconds, pacing=pacing)
        self.batch_producer = BatchProducer(
            settings, check=self._check_writing, metrics=self.metrics, pacing=pacing
        )
        self.clock = WorkerClock(
            settings,
            brokers_time=self._brokers_time if broker_tells_time else None,
            metrics=self.metrics,
            host=host_clock,
            pacing=pacing,
        )
        self.definition_topic = DefinitionTopic(
            settings=settings,
            batch_producer=self.batch_producer,
            changed=self._definitions_changed,
            answering=self._answering,
            counted=lambda segment_id, source: self.catalogue_topic.counted_version(segment_id, source),
            metrics=self.metrics,
            pacing=pacing,
        )
        self.scheduler = TaskScheduler(
            settings=settings,
            sink=self.batch_producer,
            consumer=lambda: cast(BatchConsumer, self.consumer),
            plan=lambda: self.definition_topic.definitions.plan,
            clock=self.clock,
            metrics=self.metrics,
            may_write=lambda claim: self.partitions.may_write(claim),
            lost=lambda claim: self.partitions.lost(claim),
            pacing=pacing,
        )
        self.partitions = OwnedPartitions(
            settings,
            scheduler=self.scheduler,
            metrics=self.metrics,
            folder=lambda: Path(self.conf.tabledir),
        )
        self.intake = PartitionIntake(settings, pacing, partitions=self.partitions, scheduler=self.scheduler)
        self.progress_reader = ProgressReader(settings, pacing=pacing)
        self.catalogue_topic = CatalogueTopic(settings, self.definition_topic, pacing=pacing)
        self.progress_writer = ProgressWriter(
            settings,
            batch_producer=self.batch_producer,
            reports=self.scheduler.reports,
            peer=lambda: self.api.peer,
            pacing=pacing,
        )
        self.leader = Leader(
            settings,
            catalogue_topic=self.catalogue_topic,
            definition_topic=self.definition_topic,
            progress=self.progress_reader,
            check=self._stall_guard.check,
            metrics=self.metrics,
            now_ms=self.clock.now_ms,
            latest_ms=self.clock.latest_ms,
            transactions=transactions,
            pacing=pacing,
        )
        self.command_client = CommandClient(
            settings,
            batch_producer=self.batch_producer,
            catalogue_topic=self.catalogue_topic,
            definition_topic=self.definition_topic,
            pacing=pacing,
        )
        self.api = Api(
            settings,
            commands=self.command_client,
            catalogue_topic=self.catalogue_topic,
            definition_topic=self.definition_topic,
            progress=self.progress_reader,
            scheduler=self.scheduler,
            batch_producer=self.batch_producer,
            port=lambda: self.web_server_service.port,
            metrics=self.metrics,
            ending=lambda: self.should_stop,
            recent_errors=RecentErrors() if recent_errors is None else recent_errors,
            condition=lambda: self._condition.described(),
            now_ms=self.clock.now_ms,
        )
        self._readiness = ReadinessLog(self.not_ready, self.clock.now_ms)
        self._condition = WorkerCondition(
            settings,
            not_ready=self.not_ready,
            readiness=self._readiness,
            clock=self.clock,
            catalogue=self.catalogue_topic,
            partitions=self.partitions,
            scheduler=self.scheduler,
        )
        self._changelog_look = ChangelogLook(
            self.scheduler,
            lambda numbers: changelog_ends(settings, changelog_topic(settings), numbers),
            pacing=pacing,
        )
        self._compaction = Compaction(settings, self.scheduler, now_ms=self.clock.now_ms, pacing=pacing)
        self._freed_memory = FreedMemory(pacing)
        self._background_verification = BackgroundVerification(settings, self.api.comparing, self.metrics)
        self._certificates = CertificateEnds(
            settings, lambda setting, end: self.metrics.certificate_end.labels(setting).set(end)
        )
        self.web_server_service = WebServer(
            settings=settings,
            metrics=self.metrics,
            problem=self.problem,
            not_ready=self.not_ready,
            listener=listener,
            observe=self._observe,
            mount=self._mount,
        )
        super().__init__(worker_id(settings), **_faust_options(settings, pacing))
        self._define_ingest()

    def _mount(self, application: web.Application) -> None:
        self.api.mount(application)
        ConsolePage(self.settings).mount(application)

    def _define_ingest(self) -> None:
        names = [topic_name(self.settings, topic) for topic in SOURCES]
        sources = self.topic(*names, key_type=bytes, value_type=bytes, value_serializer="raw")

        @self.agent(sources, name="ingest", supervisor_strategy=CrashingSupervisor)
        async def ingest(stream: StreamT[bytes]) -> None:
            """Pass each poll's records to their partitions, which do the work."""
            async for value in cast(Stream[bytes], stream).noack():
                polled = cast(Polled, value)
                for tp, records in polled.batches.items():
                    self.intake.offer(polled.epoch, tp, records)

    async def _brokers_time(self) -> int | None:
        return await self.batch_producer.brokers_time(outcomes_topic(self.settings))

    def own_services(self) -> list[ServiceT]:
        """Return the worker's own services, in the order in which they start."""
        return [
            self._stall_guard,
            # From the beginning it answers what the worker waits for.
            self.web_server_service,
            self._disk_room,
            *([] if self._brokers is None else [self._brokers]),
            self.batch_producer,
            self.clock,
            # Rows come before definitions, whose versions go on from those of the rows.
            self.catalogue_topic,
            self.definition_topic,
            self.progress_reader,
            self.scheduler,
            self.partitions,
            self.progress_writer,
            self.command_client,
            self.leader,
            self.api,
            self._background_verification,
            self._compaction,
            self._freed_memory,
            self._readiness,
            self._changelog_look,
        ]

    # -- definitions -------------------------------------------------------------------------------------

    def _definitions_changed(self, plan: Plan) -> None:
        self.scheduler.adopt(plan)
        self.catalogue_topic.take_plan(plan)

    def _answering(self) -> bool | None:
        assigned = self.partitions.assigned
        return None if assigned is None else 0 in assigned

    # -- what may be written ------------------------------------------------------------------------------

    def _check_writing(self, tps: Collection[TP]) -> None:
        """Raise an error if the records about to be written to these topic partitions may be older than
        records that another worker has written."""
        self._stall_guard.check()
        changelog = changelog_topic(self.settings)
        self.partitions.check_changelog(tp.partition for tp in tps if tp.topic == changelog)
        if self._consumer is None or not self.scheduler.numbers:
            return
        silent_seconds = cast(BatchConsumer, self._consumer).seconds_since_heartbeat
        if silent_seconds > self.settings.session_timeout_ms / 1000:
            raise CutOffError(
                f"the group has not heard of this worker for {silent_seconds:.0f} s, and its partitions may "
                "be with another one since; it begins with what that one wrote"
            )

    # -- health ------------------------------------------------------------------------------------------

    def problem(self) -> str | None:
        """Return what has blocked the worker for longer than `stall_timeout_ms`, in words, or None."""
        limit = self.settings.stall_timeout_ms / 1000
        if self._brokers is not None and (
            self._brokers.trouble is not None or time.monotonic() - self._brokers.well_since < limit
        ):
            # A restart would not help while the brokers are in trouble.
            return None
        stalled = self.scheduler.stalled_seconds()
        if stalled > limit:
            return f"a partition has been at the same step for {stalled:.0f} s"
        if self._consumer is None:
            return None
        if self.partitions.restoring:
            waiting = time.monotonic() - self.partitions.progressed_at
            return f"no progress of the recovery for {waiting:.0f} s" if waiting > limit else None
        unpolled = time.monotonic() - cast(BatchConsumer, self._consumer).polled_at
        return f"no poll for {unpolled:.0f} s" if unpolled > limit else None

    def not_ready(self) -> list[str]:
        """Return the reasons why the worker is not ready, in words; empty if it is ready."""
        assigned = self.partitions.assigned
        trouble = None if self._brokers is None else self._brokers.trouble
        before = self._restarted_after if assigned is None else None
        return reasons_not_ready(
            ReadinessFacts(
                ending=self.should_stop,
                brokers=before if trouble is None else trouble.words,
                clock=self.clock.doubt,
                catalogue=self.leader.trouble,
                folder=None if self.settings.data_dir.is_dir() else self.settings.data_dir,
                disk=self._disk_room.lack,
                topics=self.api.answers,
                assigned=assigned,
                at_work=self.partitions.at_work,
            )
        )

    def _observe(self) -> None:
        """Bring the gauges up to date."""
        self.scheduler.observe()
        self.partitions.observe()
        self.batch_producer.observe()
        self._certificates.observe()
        self.metrics.ready.set(not self.not_ready())

    # -- the end -----------------------------------------------------------------------------------------

    async def on_stop(self) -> None:
        """Make a last checkpoint and commit while the services that they need are still running."""
        await self.partitions.end()
        if self._consumer is not None:
            await cast(BatchConsumer, self._consumer).commit_and_end_transactions()
        await super().on_stop()


def _faust_options(settings: Settings, pacing: Pacing) -> dict[str, Any]:
    session_seconds = settings.session_timeout_ms / 1000
    return {
        "broker": [f"{transport.SCHEME}://{host.strip()}" for host in settings.bootstrap_servers.split(",")],
        "broker_credentials": faust_credentials(settings),
        "TableManager": Tables,
        "PartitionAssignor": _assignor,
        "datadir": settings.data_dir,
        "topic_partitions": settings.partitions,
        "topic_replication_factor": settings.replication_factor,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "table_standby_replicas": 0,
        "stream_wait_empty": False,
        "stream_buffer_maxsize": 65_536,
        "broker_commit_interval": settings.commit_interval_ms / 1000,
        "broker_max_poll_records": pacing.poll_records,
        "broker_session_timeout": session_seconds,
        "broker_heartbeat_interval": session_seconds / 10,
        "broker_rebalance_timeout": max(60.0, session_seconds),
        "broker_request_timeout": max(90.0, session_seconds),
        "consumer_auto_offset_reset": "earliest",
        "consumer_group_instance_id": settings.instance_id,
        "web_enabled": False,
        # Faust distinguishes workers by this address; nothing ever calls it. The group remembers the address
        # of a static member and compares it, so a static member's address must stay the same.
        "canonical_url": URL(f"http://{settings.instance_id or uuid.uuid4().hex}"),
    }


def _assignor(app: SegmentApp, **_: int) -> WorkerAssignor:
    return WorkerAssignor(app, app.partitions.kept)


async def run(app: SegmentApp, stop: asyncio.Event, *, ready: Callable[[], None] | None = None) -> None:
    """Start the app and keep it running until `stop` is set. `ready` is called once the app works on its
    partitions. Raises the error with which the app crashed."""
    starting = asyncio.ensure_future(app.start())
    waits = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(wait_for_crash(app))]
    try:
        await asyncio.wait([starting, *waits], return_when=asyncio.FIRST_COMPLETED)
        if starting.done() and starting.exception() is None and not app.crashed:
            _log.info("started")
            restored = asyncio.ensure_future(app.partitions.wait_until_ready())
            waits.append(restored)
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if restored.done() and ready is not None:
                ready()
            await asyncio.wait(waits[:2], return_when=asyncio.FIRST_COMPLETED)
    finally:
        _log.info("ending")
        for wait in waits:
            wait.cancel()
        await _end(app)
        await asyncio.wait([starting], timeout=app.pacing.interrupted_start_seconds)
        starting.cancel()
    if app.crash_reason is not None:
        raise app.crash_reason
    if starting.done() and not starting.cancelled():
        starting.result()
    if app.ended:
        _log.info("stopped")


async def _end(app: SegmentApp) -> None:
    """Stop the app, or give up after a time: a part that hangs after a crash must not prevent the next
    start."""
    pacing = app.pacing
    seconds = pacing.stop_seconds if app.crash_reason is None else pacing.crashed_stop_seconds
    stopping = asyncio.ensure_future(app.stop())
    _, late = await asyncio.wait([stopping], timeout=seconds)
    app.ended = not late
    if late:
        _log.error("not stopped after %.0f s", seconds)
