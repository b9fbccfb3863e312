"""Creates the required topics on a broker, and compares the topics there with the required ones."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (
    AdminClient,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from agents.kafka.broker_trouble import no_right
from agents.kafka.client_errors import ClientErrors, code, text
from agents.kafka.connection import librdkafka_options
from agents.kafka.topics import Topic
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings

_POLL_SECONDS = 0.1
_FORBIDDEN = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED)


class State(StrEnum):
    """The state in which a topic was found, or `created`."""

    CREATED = "created"
    AS_REQUIRED = "as required"
    DIFFERS = "differs"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that differs from the required value. The name is Kafka's, or `partitions` or
    `replication.factor`."""

    setting: str
    required: str
    found: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A required topic and its state on the broker."""

    topic: Topic
    state: State
    differences: tuple[Difference, ...] = ()

    @property
    def right(self) -> bool:
        """Whether the topic is as workers need it."""
        return self.state in (State.AS_REQUIRED, State.CREATED)

    @property
    def partitions_differ(self) -> bool:
        """Whether the number of partitions differs, so that contacts would be on other partitions than in the
        co-partitioned topics."""
        return any(difference.setting == "partitions" for difference in self.differences)


class TopicsAdmin:
    """The topics of one cluster. Every method raises ConfigurationError if the cluster refuses or does not
    answer within `timeout` seconds."""

    def __init__(self, settings: Settings, *, timeout: float = 30.0) -> None:
        self._settings = settings
        self._timeout = timeout
        self._errors = ClientErrors(settings, timeout_seconds=timeout)
        options: dict[str, Any] = {**librdkafka_options(settings), "error_cb": self._errors.note}
        self._client = AdminClient(options)

    def check(self, topics: Sequence[Topic]) -> list[Finding]:
        """Return the state of each topic, in the order given."""
        present = self._present(topics)
        configs = self._configs(topic.name for topic in topics if topic.name in present)
        return [
            _compare(topic, present[topic.name], configs[topic.name])
            if topic.name in present
            else Finding(topic, State.MISSING)
            for topic in topics
        ]

    def ids(self, names: Sequence[str]) -> dict[str, str]:
        """Return name -> the id that the brokers gave the topic when it was made. A topic that was deleted
        and made again has another one. Topics that do not exist are left out."""
        found: dict[str, str] = {}
        described: dict[str, Future[Any]] = self._client.describe_topics(
            TopicCollection(list(names)), request_timeout=self._timeout
        )
        for name, future in described.items():
            try:
                found[name] = str(future.result().topic_id)
            except KafkaException as problem:
                if code(problem) != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise self._error(
                        problem, f"cannot describe {name}", f"DESCRIBE on the topic {name}"
                    ) from problem
        return found

    def delete(self, names: Sequence[str]) -> None:
        """Delete topics; one that does not exist is no error."""
        futures: dict[str, Future[Any]] = (
            self._client.delete_topics(list(names), request_timeout=self._timeout) if names else {}
        )
        for name, future in futures.items():
            try:
                future.result()
            except KafkaException as problem:
                if code(problem) != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise self._error(
                        problem, f"cannot delete the topic {name}", f"DELETE on the topic {name}"
                    ) from problem

    def create(self, topics: Sequence[Topic]) -> list[Finding]:
        """Create the missing topics, leave the others as they are, and return the state of each topic.

        Returns when every partition of every topic has a leader, so that a worker can start at once.
        """
        present = self._present(topics)
        missing = [topic for topic in topics if topic.name not in present]
        created = self._make(missing) if missing else set()
        self._await_leaders(topics)
        return [
            Finding(found.topic, State.CREATED, found.differences)
            if found.topic.name in created and found.state is State.AS_REQUIRED
            else found
            for found in self.check(topics)
        ]

    def _make(self, topics: Sequence[Topic]) -> set[str]:
        requests = [
            NewTopic(
                topic.name,
                num_partitions=topic.partitions,
                replication_factor=topic.replication_factor,
                config=dict(topic.config),
            )
            for topic in topics
        ]
        created: set[str] = set()
        futures = self._client.create_topics(requests, request_timeout=self._timeout)
        for name, future in futures.items():
            try:
                future.result()
                created.add(name)
            except KafkaException as problem:
                # Another process created the topic between the check and the request.
                if code(problem) != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise self._error(
                        problem, f"cannot create the topic {name}", f"CREATE the topic {name}"
                    ) from problem
        return created

    def _await_leaders(self, topics: Sequence[Topic]) -> None:
        deadline = time.monotonic() + self._timeout
        while True:
            waiting = [
                topic.name
                for topic, partitions in self._partitions(topics)
                if not partitions or any(partition.leader < 0 for partition in partitions.values())
            ]
            if not waiting:
                return
            if time.monotonic() >= deadline:
                raise ConfigurationError(
                    f"{', '.join(waiting)} still without a leader after {self._timeout:g} s; "
                    f"look at the brokers of {self._settings.bootstrap_servers}"
                )
            time.sleep(_POLL_SECONDS)

    def _present(self, topics: Sequence[Topic]) -> dict[str, dict[int, Any]]:
        return {topic.name: partitions for topic, partitions in self._partitions(topics) if partitions}

    def _partitions(self, topics: Sequence[Topic]) -> list[tuple[Topic, dict[int, Any]]]:
        try:
            metadata = self._client.list_topics(timeout=self._timeout)
        except KafkaException as problem:
            raise self._error(problem, "cannot read the topics") from problem
        self._check_hidden([topic.name for topic in topics if topic.name not in metadata.topics])
        return [
            (topic, metadata.topics[topic.name].partitions if topic.name in metadata.topics else {})
            for topic in topics
        ]

    def _check_hidden(self, names: list[str]) -> None:
        """Raise ConfigurationError if topics that are not listed exist but are hidden from this user."""
        if not names:
            return
        described: dict[str, Future[Any]] = self._client.describe_topics(
            TopicCollection(names), request_timeout=self._timeout
        )
        hidden: list[str] = []
        for name, future in described.items():
            try:
                future.result()
            except KafkaException as problem:
                if code(problem) in _FORBIDDEN:
                    hidden.append(f"DESCRIBE on the topic {name}")
        if hidden:
            raise ConfigurationError(no_right(self._settings, hidden).words)

    def _configs(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        if not resources:
            return {}
        futures: dict[ConfigResource, Future[dict[str, Any]]] = self._client.describe_configs(
            resources, request_timeout=self._timeout
        )
        configs: dict[str, dict[str, str]] = {}
        for resource, future in futures.items():
            try:
                entries = future.result()
            except KafkaException as problem:
                raise self._error(
                    problem,
                    f"cannot read the settings of {resource.name}",
                    f"DESCRIBE_CONFIGS on the topic {resource.name}",
                ) from problem
            configs[resource.name] = {name: str(entry.value) for name, entry in entries.items()}
        return configs

    def _error(self, problem: KafkaException, what: str, right: str = "it") -> ConfigurationError:
        """`right` is the right that the user lacks if the brokers forbid the request."""
        if code(problem) == KafkaError.INVALID_REPLICATION_FACTOR:
            return ConfigurationError(
                f"{what}: {text(problem)}; set STREAMSEG_REPLICATION_FACTOR to at most the number of brokers"
            )
        return self._errors.of(problem, what, self._client, right)


def _compare(topic: Topic, partitions: dict[int, Any], config: dict[str, str]) -> Finding:
    replicas = min(len(partition.replicas) for partition in partitions.values())
    pairs = [
        ("partitions", str(topic.partitions), str(len(partitions))),
        ("replication.factor", str(topic.replication_factor), str(replicas)),
        *((name, required, config.get(name, "not known")) for name, required in topic.config.items()),
    ]
    differences = tuple(Difference(*pair) for pair in pairs if pair[1] != pair[2])
    return Finding(topic, State.DIFFERS if differences else State.AS_REQUIRED, differences)
