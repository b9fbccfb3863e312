"""Finds trouble with the brokers and describes it in words on which an operator can act."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, TransactionalIdAuthorizationFailed
from aiokafka.errors import KafkaError as AiokafkaError
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, TopicDescription

from agents.kafka.broker_trouble import (
    Kind,
    Trouble,
    no_connection,
    no_right,
    no_topic,
    other_protocol,
)
from agents.kafka.compatibility import check_group_rights
from agents.kafka.connection import aiokafka_options, files_of, librdkafka_options
from agents.kafka.rights import Operation, Resource, Right, Role, rights
from agents.kafka.topics import changelog_topic, required_topics, worker_id
from agents.renewed_files import states_of
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings

_log = logging.getLogger(__name__)

_OF_TRANSACTIONS = 1
"""The kind of coordinator that transactions have, as Kafka's protocol numbers it."""


class BrokerProbe:
    """Checks the brokers for everything that workers need: an answer, a login, topics, and rights to them."""

    def __init__(self, settings: Settings, *, timeout: float = 5.0) -> None:
        """`timeout` in s. Raises ConfigurationError if the settings cannot make a connection."""
        self._settings = settings
        self._rights = rights(settings, Role.WORKER)
        self._on_topics: dict[str, list[Operation]] = {}
        for right in self._rights:
            if right.resource is Resource.TOPIC:
                self._on_topics.setdefault(right.name, []).append(right.operation)
        self._timeout = timeout
        self._errors: list[KafkaError] = []
        self._files = states_of(files_of(settings))
        self._connect()

    def _connect(self) -> None:
        """Make the clients, with the certificates and the password of the moment."""
        settings = self._settings
        options: dict[str, Any] = {**librdkafka_options(settings), "reconnect.backoff.max.ms": 1_000}
        # This is a consumer, since brokers may create a topic that a producer asks for.
        self._client = Consumer({**options, "group.id": worker_id(settings), "error_cb": self._errors.append})
        self._admin = AdminClient(options)

    def look(self, *, thorough: bool) -> Trouble | None:
        """Return the current trouble, or None. `thorough`: check everything; otherwise check only that the
        brokers answer and have the changelog. Blocks for at most a few times the timeout.

        Raises ConfigurationError for trouble that waiting cannot end: topics with another number of
        partitions.
        """
        self._errors.clear()
        self._renew()
        try:
            if not thorough:
                return self._of_topic(changelog_topic(self._settings))
            return self._of_topics() or self._of_rights() or self._of_groups()
        except KafkaException as problem:
            return no_connection(self._settings, problem.args[0], self._errors)

    def _renew(self) -> None:
        """Make the clients again if files have changed: librdkafka reads them only then. While they cannot be
        used, the clients stay."""
        files = states_of(files_of(self._settings))
        if files != self._files:
            before = self._client
            try:
                self._connect()
            except (ConfigurationError, KafkaException) as error:
                _log.warning("the changed files of certificates or passwords cannot be used: %s", error)
                return
            self._files = files
            before.close()

    # -- topics ------------------------------------------------------------------------------------------

    def _of_topics(self) -> Trouble | None:
        missing, forbidden, wrong = [], [], []
        for topic in required_topics(self._settings):
            error, partitions = self._metadata(topic.name)
            if error == KafkaError.UNKNOWN_TOPIC_OR_PART:
                missing.append(topic.name)
            elif error == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                forbidden.append(_on_topic(self._on_topics[topic.name], topic.name))
            elif error == 0 and len(partitions) != topic.partitions:
                wrong.append(topic.name)
            elif (trouble := self._of_metadata(topic.name, error, partitions)) is not None:
                return trouble
        if wrong:
            raise ConfigurationError(
                f"{', '.join(wrong)} have another number of partitions than STREAMSEG_PARTITIONS "
                f"({self._settings.partitions}) asks for; see `streamseg topics check`"
            )
        if forbidden:
            return no_right(self._settings, forbidden)
        return no_topic(missing) if missing else None

    def _of_topic(self, name: str) -> Trouble | None:
        error, partitions = self._metadata(name)
        if error == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return no_topic([name])
        return self._of_metadata(name, error, partitions)

    def _of_metadata(self, name: str, error: int, partitions: Mapping[int, Any]) -> Trouble | None:
        if error == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            # A user without any right to a topic may not even see it.
            return no_right(self._settings, [_on_topic(self._on_topics[name], name)])
        if error or any(partition.leader < 0 for partition in partitions.values()):
            return Trouble(
                Kind.UNREACHABLE,
                f"no broker leads all partitions of {name}; look at the brokers of "
                f"{self._settings.bootstrap_servers}",
            )
        return None

    def _metadata(self, name: str) -> tuple[int, Mapping[int, Any]]:
        """Return the error code of a topic as a whole (0 if there is none), and its partitions."""
        try:
            found = self._client.list_topics(name, timeout=self._timeout).topics[name]
        finally:
            # The errors of the connections arrive by polling.
            self._client.poll(0)
        return (0 if found.error is None else found.error.code()), found.partitions

    # -- rights ------------------------------------------------------------------------------------------

    def _of_rights(self) -> Trouble | None:
        """Return missing rights on topics, as far as the brokers report them."""
        described: Mapping[str, Future[TopicDescription]] = self._admin.describe_topics(
            TopicCollection(list(self._on_topics)),
            include_authorized_operations=True,
            request_timeout=self._timeout,
        )
        lacking: list[str] = []
        for name, operations in self._on_topics.items():
            try:
                granted = {
                    operation.name for operation in described[name].result().authorized_operations or ()
                }
            except KafkaException:
                continue
            absent = [operation for operation in operations if granted and operation not in granted]
            if absent:
                lacking.append(_on_topic(absent, name))
        return no_right(self._settings, lacking) if lacking else None

    def _of_groups(self) -> Trouble | None:
        """Return the first missing right on a group or a transactional id, or that the workers' group has
        members with which this release cannot share partitions."""
        # librdkafka's consumer asks for the group's coordinator until its timeout, without giving the reason;
        # its admin client may crash the process if the coordinator is not known in time.
        return asyncio.run(self._check_groups())

    async def _check_groups(self) -> Trouble | None:
        admin = AIOKafkaAdminClient(**aiokafka_options(self._settings))
        try:
            async with asyncio.timeout(self._timeout):
                await admin.start()
                for right in self._rights:
                    if right.resource is not Resource.TOPIC and await _is_forbidden(admin, right):
                        return no_right(self._settings, [str(right)])
                if await self._has_earlier_workers(admin):
                    return other_protocol(worker_id(self._settings))
        except (AiokafkaError, TimeoutError):
            # The clients wait themselves while a coordinator is away.
            return None
        finally:
            await admin.close()
        return None

    async def _has_earlier_workers(self, admin: AIOKafkaAdminClient) -> bool:
        """Return whether workers of 0.1.0 are in the group. They had the changelog divided among the members
        too. Beside later workers, which do not, they would keep the changelogs of all partitions."""
        changelog = changelog_topic(self._settings).encode()
        for answer in await admin.describe_consumer_groups([worker_id(self._settings)]):
            for _, _, _, _, _, members, *_ in answer.groups:
                for *_, subscribed, assigned in members:
                    if changelog in subscribed or changelog in assigned:
                        return True
        return False


def _on_topic(operations: Sequence[Operation], name: str) -> str:
    return f"{' and '.join(operations)} on the topic {name}"


async def _is_forbidden(admin: AIOKafkaAdminClient, right: Right) -> bool:
    try:
        if right.resource is Resource.GROUP:
            await check_group_rights(admin, right.name)
        else:
            await admin.find_coordinator(right.name, _OF_TRANSACTIONS)
    except (GroupAuthorizationFailedError, TransactionalIdAuthorizationFailed):
        return True
    return False
