"""All private names of aiokafka and Faust on which a worker relies.

Nothing else in `agents/` uses them. Each use is a function here, and names that a class overrides or reads
from its base are listed here. `check_libraries` checks all of them when a worker starts, since most of them
would fail silently: an attribute that no code reads any more can still be set.
"""

from __future__ import annotations

import asyncio
import inspect
import re
import sys
from collections.abc import Awaitable, Callable, Collection
from functools import cache, partial
from importlib.metadata import version
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient, ConnectionGroup
from aiokafka.conn import AIOKafkaConnection
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import Assignment, TopicPartitionState
from aiokafka.errors import GroupAuthorizationFailedError, NodeNotReadyError
from aiokafka.producer.message_accumulator import MessageBatch
from aiokafka.producer.sender import Sender
from aiokafka.protocol.group import HeartbeatRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from faust import App
from faust.tables import TableManager
from faust.transport import consumer as stock
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service
from mode.threads import ServiceThread

from agents.renewed_files import RenewedPassword
from streamseg.errors import ConfigurationError

_FETCHER_SECONDS = 0.2
"""How often aiokafka's fetcher looks for work by itself, if nothing else is set."""

_BATCHES = sys.modules[DefaultRecordBatchBuilder.__module__]


# -- aiokafka: connections -------------------------------------------------------------------------------


def use_passwords_of_the_moment() -> None:
    """Make each new connection of aiokafka's clients ask a RenewedPassword for the password of the moment.
    Doing it again changes nothing."""
    if getattr(AIOKafkaConnection._do_sasl_handshake, "asks_for_passwords", False):
        return
    handshake = AIOKafkaConnection._do_sasl_handshake

    async def with_password_of_the_moment(connection: AIOKafkaConnection) -> None:
        if isinstance(connection._sasl_plain_password, RenewedPassword):
            connection._sasl_plain_password = connection._sasl_plain_password.now()
        await handshake(connection)

    with_password_of_the_moment.asks_for_passwords = True  # type: ignore[attr-defined]
    AIOKafkaConnection._do_sasl_handshake = with_password_of_the_moment


# -- aiokafka: the group ---------------------------------------------------------------------------------


def on_heartbeat(
    consumer: AIOKafkaConsumer, hear: Callable[[Callable[[], Awaitable[bool]]], Awaitable[bool]]
) -> None:
    """Call `hear` for every heartbeat. `hear` gets the function that sends one heartbeat and returns whether
    it was answered, and returns the same."""
    coordinator = consumer._coordinator
    coordinator._do_heartbeat = partial(hear, coordinator._do_heartbeat)


def is_member(consumer: AIOKafkaConsumer) -> bool:
    """Return whether the group counted this consumer as a member at its last answer."""
    generation: int = consumer._coordinator.generation
    return bool(generation != driver.DEFAULT_GENERATION_ID)


async def check_group_rights(admin: AIOKafkaAdminClient, group: str) -> None:
    """Raise aiokafka's GroupAuthorizationFailedError if this user may not find the group (DESCRIBE) or not
    join it (READ), and another KafkaError if the group's coordinator does not answer.

    A heartbeat needs the same right as joining. The heartbeat of a member that does not exist changes
    nothing; the coordinator answers that it does not know the member."""
    coordinator = await admin.find_coordinator(group)
    answer = await admin._send_request_to_node(coordinator, HeartbeatRequest(group, -1, ""))
    if answer.error_code == GroupAuthorizationFailedError.errno:
        raise GroupAuthorizationFailedError(group)


# -- aiokafka: fetching ----------------------------------------------------------------------------------


def set_fetch_wait(consumer: AIOKafkaConsumer, wait_ms: int) -> None:
    """Set how long the broker may delay an empty answer from now on. The consumer looks for other work twice
    as seldom, since everything that it waits for wakes it."""
    if consumer._fetcher is not None:
        consumer._fetcher._fetch_max_wait_ms = wait_ms
        consumer._fetcher._fetcher_timeout = max(_FETCHER_SECONDS, 2 * wait_ms / 1000)


def set_fetch_beside_kept(consumer: AIOKafkaConsumer, seconds: float) -> None:
    """Set how long records that were fetched from now on and are not taken may keep all other partitions of
    their broker from being fetched."""
    if consumer._fetcher is not None:
        consumer._fetcher._prefetch_backoff = seconds


def partition_state(consumer: AIOKafkaConsumer, tp: TP) -> TopicPartitionState | None:
    """Return aiokafka's state of an assigned partition; None while it is not known. The state belongs to the
    consumer's thread, which may change it at any time."""
    subscription = consumer._subscription.subscription
    assignment = None if subscription is None else subscription.assignment
    return None if assignment is None else assignment.state_value(tp)


def position(state: TopicPartitionState) -> int | None:
    """Return the offset of the next record to be handed out; None while it is not known."""
    known: int | None = state._position
    return known


# -- aiokafka: producing ---------------------------------------------------------------------------------


class CheckedWriter:
    """A connection's writer that calls `check` once, right before it writes the next time."""

    def __init__(self, writer: Any) -> None:
        self.check: Callable[[], None] | None = None
        self._writer = writer

    def write(self, data: bytes) -> None:
        check, self.check = self.check, None
        if check is not None:
            check()
        self._writer.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)


def before_sending(producer: AIOKafkaProducer, check: Callable[[Collection[TP]], None]) -> None:
    """Call `check` with the topic partitions before a request with records is made, and again right before
    its bytes are written: making it, and a connection for it, takes time. Retries are included. If it raises,
    nothing is sent: the first time the producer ends, the second time the records of the request fail."""
    sender, client = producer._sender, producer.client
    send_batches, send = sender._send_produce_req, client.send
    # Node id -> what its request is about; a node gets one such request at a time.
    sending: dict[int, Collection[TP]] = {}

    async def checked(node_id: int, batches: Any) -> None:
        check(batches.keys())
        sending[node_id] = batches.keys()
        await send_batches(node_id, batches)

    async def armed(node_id: int, request: Any, *, group: Any = ConnectionGroup.DEFAULT) -> Any:
        if isinstance(request, ProduceRequest):
            if not await client.ready(node_id, group=group):
                raise NodeNotReadyError(f"no connection to the broker {node_id}")
            connection = client._conns[(node_id, group)]
            if not isinstance(connection._writer, CheckedWriter):
                connection._writer = CheckedWriter(connection._writer)
            # Nothing else runs before `send` writes: the connection is there.
            connection._writer.check = partial(check, sending[node_id])
        return await send(node_id, request, group=group)

    sender._send_produce_req = checked
    client.send = armed


def count_retries(producer: AIOKafkaProducer, count: Callable[[int], None]) -> None:
    """Call `count` with the number of batches that are about to be sent again, if there are any."""
    sender = producer._sender
    send = sender._send_produce_req

    async def counted(node_id: int, batches: Any) -> None:
        again = sum(batch.retry_count > 1 for batch in batches.values())
        if again:
            count(again)
        await send(node_id, batches)

    sender._send_produce_req = counted


async def end_consumer(consumer: AIOKafkaConsumer, seconds: float) -> None:
    """Stop the consumer, and cancel its remaining tasks after `seconds`. By itself it may wait for brokers
    that are away, or raise the cancellation of its own requests and leave connections open."""
    try:
        async with asyncio.timeout(seconds):
            await consumer.stop()
    except (TimeoutError, asyncio.CancelledError):
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        await _give_up([consumer._coordinator, consumer._fetcher, consumer._client], seconds)
        await consumer._client.close()


async def end_producer(producer: AIOKafkaProducer, seconds: float) -> None:
    """Stop the producer, and cancel its remaining tasks after `seconds`. By itself it waits for brokers that
    are away: for a batch until the batch times out, for a transaction forever."""
    try:
        async with asyncio.timeout(seconds):
            await producer.stop()
    except TimeoutError:
        await _give_up([producer._sender, producer.client], seconds)
        await producer.client.close()


async def _give_up(owners: Collection[object], seconds: float) -> None:
    """Cancel the tasks that run for these objects of a client."""
    left = [task for task in asyncio.all_tasks() if any(_worked_on_by(task) is owner for owner in owners)]
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=seconds)


def _worked_on_by(task: asyncio.Task[Any]) -> object:
    """Return the object whose method a task runs; None if it runs no method."""
    frame = getattr(task.get_coro(), "cr_frame", None)
    return None if frame is None else frame.f_locals.get("self")


def compress_with(compress: Callable[[bytes], bytes]) -> None:
    """Set the function that compresses with zstd in all producers of this process. aiokafka has no setting
    for it; its batch builder calls this function by name."""
    _BATCHES.zstd_encode = compress  # type: ignore[attr-defined]


# -- Faust -----------------------------------------------------------------------------------------------


async def wait_for_crash(app: App) -> None:
    """Return when the app has crashed; `crash_reason` holds the error."""
    await app._crashed.wait()


# -- the check ----------------------------------------------------------------------------------------------


class Called(NamedTuple):
    """A method of a library that this package calls or overrides, with all its parameters."""

    library: str
    owner: type
    name: str
    parameters: str


class Used(NamedTuple):
    """An attribute that the module of a class reads, sets or calls. If that module did not use it, our use of
    it would have no effect."""

    library: str
    owner: type
    name: str


_AIOKAFKA, _FAUST, _MODE = "aiokafka", "faust-streaming", "mode-streaming"

CALLED = (
    Called(_AIOKAFKA, GroupCoordinator, "_do_heartbeat", "self"),
    Called(_AIOKAFKA, AIOKafkaAdminClient, "_send_request_to_node", "self node_id request"),
    Called(_AIOKAFKA, Assignment, "state_value", "self tp"),
    Called(_AIOKAFKA, Sender, "_send_produce_req", "self node_id batches"),
    Called(_AIOKAFKA, AIOKafkaClient, "send", "self node_id request group"),
    Called(_FAUST, driver.AIOKafkaConsumerThread, "_ensure_consumer", "self"),
    Called(_FAUST, driver.AIOKafkaConsumerThread, "_create_worker_consumer", "self transport"),
    Called(_FAUST, driver.Consumer, "_new_consumer_thread", "self"),
    Called(_FAUST, driver.Consumer, "_getmany", "self active_partitions timeout"),
    Called(_FAUST, driver.Consumer, "_drain_messages", "self fetcher"),
    Called(_FAUST, driver.Consumer, "_wait_next_records", "self timeout"),
    Called(_FAUST, driver.Consumer, "_get_active_partitions", "self"),
    Called(_FAUST, driver.Consumer, "_filter_tps_with_pending_acks", "self topics"),
    Called(_FAUST, driver.Consumer, "_new_offset", "self tp"),
    Called(_FAUST, driver.Consumer, "verify_event_path", "self now tp"),
    Called(_FAUST, driver.Consumer, "perform_seek", "self"),
    Called(_FAUST, driver.Consumer, "on_partitions_assigned", "self assigned generation_id"),
    Called(_FAUST, driver.Consumer, "on_partitions_revoked", "self revoked"),
    Called(_FAUST, TableManager, "_update_channels", "self"),
    Called(_MODE, ServiceThread, "_start_thread", "self"),
)

USED = (
    Used(_AIOKAFKA, AIOKafkaConnection, "_do_sasl_handshake"),
    Used(_AIOKAFKA, AIOKafkaConnection, "_sasl_plain_password"),
    Used(_AIOKAFKA, AIOKafkaConnection, "_writer"),
    Used(_AIOKAFKA, AIOKafkaClient, "_conns"),
    Used(_AIOKAFKA, AIOKafkaConsumer, "_coordinator"),
    Used(_AIOKAFKA, AIOKafkaConsumer, "_fetcher"),
    Used(_AIOKAFKA, AIOKafkaConsumer, "_client"),
    Used(_AIOKAFKA, AIOKafkaConsumer, "_subscription"),
    Used(_AIOKAFKA, GroupCoordinator, "_do_heartbeat"),
    Used(_AIOKAFKA, GroupCoordinator, "generation"),
    Used(_AIOKAFKA, Fetcher, "_fetch_max_wait_ms"),
    Used(_AIOKAFKA, Fetcher, "_fetcher_timeout"),
    Used(_AIOKAFKA, Fetcher, "_prefetch_backoff"),
    Used(_AIOKAFKA, TopicPartitionState, "_position"),
    Used(_AIOKAFKA, TopicPartitionState, "highwater"),
    Used(_AIOKAFKA, TopicPartitionState, "lso"),
    Used(_AIOKAFKA, TopicPartitionState, "timestamp"),
    Used(_AIOKAFKA, AIOKafkaProducer, "_sender"),
    Used(_AIOKAFKA, Sender, "_send_produce_req"),
    Used(_AIOKAFKA, MessageBatch, "retry_count"),
    Used(_FAUST, driver.AIOKafkaConsumerThread, "_create_worker_consumer"),
    Used(_FAUST, driver.AIOKafkaConsumerThread, "_consumer"),
    Used(_FAUST, stock.ThreadDelegateConsumer, "_thread"),
    Used(_FAUST, stock.ThreadDelegateConsumer, "_new_consumer_thread"),
    Used(_FAUST, stock.Fetcher, "_drain_messages"),
    Used(_FAUST, stock.Consumer, "_getmany"),
    Used(_FAUST, stock.Consumer, "_filter_tps_with_pending_acks"),
    Used(_FAUST, stock.Consumer, "_new_offset"),
    Used(_FAUST, stock.Consumer, "_read_offset"),
    Used(_FAUST, stock.Consumer, "suspend_flow"),
    Used(_FAUST, stock.Consumer, "flow_active"),
    Used(_FAUST, stock.Consumer, "verify_event_path"),
    Used(_FAUST, App, "_consumer"),
    Used(_FAUST, TableManager, "recovery"),
    Used(_MODE, Service, "_crashed"),
)


def check_libraries() -> None:
    """Raise ConfigurationError, with the name, if an installed library lacks one of these names."""
    for library, owner, name, parameters in CALLED:
        if _parameters(owner, name) != parameters.split():
            raise _unsupported(library, f"{owner.__name__}.{name}")
    for library, owner, name in USED:
        if re.search(rf"\.{name}\b", _source(owner.__module__)) is None:
            raise _unsupported(library, f"{owner.__name__}.{name}")
    if not hasattr(_BATCHES, "zstd_encode"):
        raise _unsupported(_AIOKAFKA, "zstd_encode")


@cache
def _source(module: str) -> str:
    return inspect.getsource(sys.modules[module])


def _parameters(owner: type, name: str) -> list[str] | None:
    method = getattr(owner, name, None)
    return None if method is None else list(inspect.signature(method).parameters)


def _unsupported(library: str, name: str) -> ConfigurationError:
    return ConfigurationError(
        f"{library} {version(library)} is not supported: it has no {name} as this release uses it; "
        "install the versions that streamseg asks for (pip install --upgrade streamseg)"
    )
