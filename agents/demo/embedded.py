"""A whole worker inside this process, and a broker for it: for demonstrations and for tests.

The broker is the one that librdkafka contains for its own tests. It uses Kafka's protocol, but keeps
everything in memory, about 5 MB a partition. It drops older records without notice, gives every topic 4
partitions, and has no topic settings, no clock and no transactions: never use it in production.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from types import TracebackType

from confluent_kafka import Producer

from agents.kafka.topics import required_topics
from agents.pacing import Pacing
from agents.partitions.worker_clock import HostClock
from agents.worker.data_folder import DataFolder
from agents.worker.segment_app import SegmentApp, run
from streamseg.settings import Settings

PARTITIONS = 4
"""The number of partitions that the embedded broker gives every topic. The settings must have the same
number."""

EMBEDDED_PACING = Pacing(reader_fetch_wait_ms=50, resting_fetch_wait_ms=100)
"""The pace of a worker on an embedded broker. This broker does not answer a fetch as soon as a record
arrives, but only when the time of the fetch is over; and a command passes through several topics."""

_READY_SECONDS = 60.0
_STOP_SECONDS = 60.0


class EmbeddedBroker:
    """A broker in this process; `bootstrap` is its address. `close` ends it and deletes its records."""

    def __init__(self) -> None:
        quiet = logging.getLogger(__name__)
        # The address is never used: the client only carries the broker.
        configuration = {"bootstrap.servers": "embedded", "test.mock.num.brokers": 1, "log_level": 0}
        self._carrier: Producer | None = Producer(configuration, logger=quiet)
        broker = next(iter(self._carrier.list_topics(timeout=10).brokers.values()))
        self.bootstrap = f"{broker.host}:{broker.port}"

    def create_topics(self, settings: Settings) -> None:
        """Create the topics that a worker with these settings needs. The broker creates a topic when its
        metadata is requested."""
        if self._carrier is None:
            raise RuntimeError("the embedded broker is closed")
        for topic in required_topics(settings):
            self._carrier.list_topics(topic.name, timeout=10)

    def close(self) -> None:
        self._carrier = None

    def __enter__(self) -> EmbeddedBroker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class EmbeddedWorker:
    """A worker in a thread with its own event loop.

    It reads segment definitions from partition 0 of their topic only: write them there.
    """

    def __init__(
        self, settings: Settings, *, host_clock: HostClock | None = None, pacing: Pacing = EMBEDDED_PACING
    ) -> None:
        """`host_clock` replaces this host's clocks."""
        if settings.partitions != PARTITIONS:
            raise ValueError(f"an embedded broker has {PARTITIONS} partitions, not {settings.partitions}")
        self._settings = settings
        self._host_clock = host_clock
        self._pacing = pacing
        self._thread = threading.Thread(target=self._run, name="streamseg-worker", daemon=True)
        self._settled = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._error: BaseException | None = None
        self.app: SegmentApp | None = None

    def start(self) -> None:
        """Start the worker and return when it works on its partitions. Raises the error that prevented it."""
        self._thread.start()
        if not self._settled.wait(_READY_SECONDS):
            self.stop()
            raise TimeoutError(f"the worker was not ready after {_READY_SECONDS:.0f} s")
        self._raise_error()

    def stop(self) -> None:
        """Stop the worker after a last checkpoint. Raises the error with which the worker crashed, if it
        did."""
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_STOP_SECONDS)
        self._raise_error()

    @property
    def running(self) -> bool:
        """Whether the worker was started and has not ended."""
        return self._thread.is_alive()

    def __enter__(self) -> EmbeddedWorker:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:
            self._error = error
        finally:
            self._settled.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        with DataFolder(self._settings):
            self.app = SegmentApp(
                self._settings,
                transactions=False,
                broker_tells_time=False,
                host_clock=self._host_clock,
                pacing=self._pacing,
            )
            await run(self.app, self._stop, ready=self._settled.set)
