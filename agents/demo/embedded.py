"""A whole worker inside this process, and a broker for it: for trying out and for tests.

The broker is the one that librdkafka has inside for its own tests. It speaks Kafka's protocol, but keeps
everything in memory, about 5 MB a partition, drops older records without a word, has 4 partitions for
every topic, no topic settings, no clock and no transactions: never for production.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from types import TracebackType

from confluent_kafka import Producer

from agents.kafka.topics import required_topics
from agents.partitions.pacing import DEFAULT_PACING, Pacing
from agents.partitions.worker_clock import HostClock
from agents.worker.data_folder import DataFolder
from agents.worker.segment_app import SegmentApp, run
from streamseg.settings import Settings

PARTITIONS = 4
"""How many partitions the embedded broker gives every topic; the settings must say the same."""

_READY_SECONDS = 60.0
_STOP_SECONDS = 60.0


class EmbeddedBroker:
    """A broker in this process; `bootstrap` is its address. Gone with everything in it at `close`."""

    def __init__(self) -> None:
        quiet = logging.getLogger(__name__)
        # The address is never used: the client is there for the broker that it carries.
        configuration = {"bootstrap.servers": "embedded", "test.mock.num.brokers": 1, "log_level": 0}
        self._carrier: Producer | None = Producer(configuration, logger=quiet)
        broker = next(iter(self._carrier.list_topics(timeout=10).brokers.values()))
        self.bootstrap = f"{broker.host}:{broker.port}"

    def create_topics(self, settings: Settings) -> None:
        """The topics that a worker of these settings needs; they come into being by being asked for."""
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
    """A worker in a thread with an event loop of its own.

    Segment definitions are read from partition 0 of their topic only: write them there.
    """

    def __init__(
        self, settings: Settings, *, host_clock: HostClock | None = None, pacing: Pacing = DEFAULT_PACING
    ) -> None:
        """`host_clock` stands for this host's clocks."""
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
        """Returns once the worker works on its partitions. Raises what kept it from that."""
        self._thread.start()
        if not self._settled.wait(_READY_SECONDS):
            self.stop()
            raise TimeoutError(f"the worker was not ready after {_READY_SECONDS:.0f} s")
        self._raise_error()

    def stop(self) -> None:
        """A last checkpoint, then the end. Raises what the worker crashed of, if it did."""
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_STOP_SECONDS)
        self._raise_error()

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended, by `stop` or by itself."""
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
