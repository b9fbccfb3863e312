"""The brokers' data about a consumer group."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from agents.kafka.client_errors import ClientErrors, code
from agents.kafka.connection import librdkafka_options
from streamseg.json_text import Json
from streamseg.settings import Settings

_Answer = TypeVar("_Answer")

_AGAIN_SECONDS = 0.2
_BETWEEN_COORDINATORS = {
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
}


class GroupAdmin:
    """Consumer groups of one cluster. Its methods raise ConfigurationError if the cluster refuses or does not
    answer within `timeout` seconds."""

    def __init__(self, settings: Settings, *, timeout: float = 30.0) -> None:
        self._timeout = timeout
        self._errors = ClientErrors(settings, timeout_seconds=timeout)
        self._options: dict[str, Any] = {**librdkafka_options(settings), "error_cb": self._errors.note}
        self._client = AdminClient({**self._options})

    def look(self, group: str, topics: Mapping[str, int]) -> Json:
        """Return a group's state and members, and for each partition of `topics` (name -> number of
        partitions) the committed offset, the end and the lag. A value that is not known is None."""
        description = self._described(group)
        partitions = [
            TopicPartition(name, number) for name, count in topics.items() for number in range(count)
        ]
        committed = self._committed(group, partitions)
        ends = self._ends(partitions)
        return {
            "state": description.state.name,
            "members": [
                {
                    "client": member.client_id,
                    "host": member.host,
                    "instance": member.group_instance_id,
                    "partitions": sorted(
                        f"{one.topic}/{one.partition}" for one in member.assignment.topic_partitions
                    ),
                }
                for member in description.members
            ],
            "partitions": {
                f"{one.topic}/{one.partition}": _offsets(
                    committed.get((one.topic, one.partition)), ends.get((one.topic, one.partition))
                )
                for one in partitions
            },
        }

    def members(self, group: str) -> int:
        """Return how many members a group has now; a group that does not exist has none."""
        members: list[Json] = self.look(group, {})["members"]
        return len(members)

    def committed(self, group: str, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Return the committed offsets of topic partitions (name on the brokers, number), where there are
        any."""
        # A consumer without the right would ask for the group's coordinator until its time is over.
        self._described(group)
        return self._committed(group, [TopicPartition(*place) for place in places])

    def commit(self, group: str, offsets: Mapping[tuple[str, int], int]) -> None:
        """Set the committed offsets of a group without members."""
        places = [TopicPartition(name, number, offset) for (name, number), offset in offsets.items()]

        def ask(consumer: Consumer) -> list[TopicPartition]:
            done = consumer.commit(offsets=places, asynchronous=False)
            for place in done:
                if place.error is not None:
                    raise KafkaException(place.error)
            return done

        self._by_consumer(group, ask, "set the offsets of", "READ")

    def delete(self, group: str) -> None:
        """Delete a group without members, with its offsets; one that does not exist is no error."""

        def ask() -> None:
            asked = self._client.delete_consumer_groups([group], request_timeout=self._timeout)
            try:
                asked[group].result()
            except KafkaException as error:
                if code(error) != KafkaError.GROUP_ID_NOT_FOUND:
                    raise

        self._answered(ask, f"cannot delete the group {group}", f"DELETE on the group {group}")

    def _described(self, group: str) -> Any:
        """Return what the brokers know of a group, confluent_kafka's ConsumerGroupDescription."""

        def ask() -> Any:
            asked = self._client.describe_consumer_groups([group], request_timeout=self._timeout)
            return asked[group].result()

        return self._answered(ask, f"cannot describe the group {group}", f"DESCRIBE on the group {group}")

    def _committed(self, group: str, partitions: list[TopicPartition]) -> dict[tuple[str, int], int]:
        found = self._by_consumer(
            group,
            lambda one: one.committed(partitions, timeout=self._timeout),
            "read the offsets of",
            "DESCRIBE",
        )
        return {(one.topic, one.partition): one.offset for one in found if one.offset >= 0}

    def _by_consumer(
        self, group: str, ask: Callable[[Consumer], list[TopicPartition]], what: str, operation: str
    ) -> list[TopicPartition]:
        """Ask by a consumer that does not join the group: librdkafka's admin client ends the process if the
        broker that it asks about offsets does not coordinate the group any more."""
        consumer = Consumer({**self._options, "group.id": group})
        try:
            return self._answered(
                lambda: ask(consumer),
                f"cannot {what} the group {group}",
                f"{operation} on the group {group}",
                consumer,
            )
        finally:
            consumer.close()

    def _answered(
        self, ask: Callable[[], _Answer], what: str, right: str, client: Consumer | None = None
    ) -> _Answer:
        """Ask until there is an answer, while a group gets another coordinator, for at most the timeout.

        Raises ConfigurationError: `what` says what cannot be done, `right` which right it needs. `client` is
        the client that asks, by default the admin client."""
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                return ask()
            except KafkaException as error:
                if code(error) not in _BETWEEN_COORDINATORS or time.monotonic() > deadline:
                    raise self._errors.of(error, what, client or self._client, right) from error
                time.sleep(_AGAIN_SECONDS)

    def _ends(self, partitions: list[TopicPartition]) -> dict[tuple[str, int], int]:
        asked = {one: OffsetSpec.latest() for one in partitions}  # type: ignore[no-untyped-call]
        answers = self._client.list_offsets(asked, request_timeout=self._timeout)
        return {
            (one.topic, one.partition): self._answered(
                answer.result, f"cannot read the end of {one.topic}", f"DESCRIBE on the topic {one.topic}"
            ).offset
            for one, answer in answers.items()
        }


def _offsets(committed: int | None, end: int | None) -> Json:
    lag = None if end is None else max(0, end - (committed or 0))
    return {"committed": committed, "end": end, "lag": lag}
