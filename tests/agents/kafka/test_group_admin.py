"""A group that gets another coordinator is asked again."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from agents.kafka import group_admin
from agents.kafka.group_admin import GroupAdmin
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings


class Answers:
    """Stands in for confluent_kafka's consumer: it fails with each of these errors, and then answers."""

    def __init__(self, errors: list[int]) -> None:
        self.left = list(errors)
        self.closed = False

    def committed(self, partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        if self.left:
            raise KafkaException(KafkaError(self.left.pop(0)))
        return [TopicPartition(one.topic, one.partition, 7) for one in partitions]

    def poll(self, timeout: float) -> None:
        return

    def close(self) -> None:
        self.closed = True


class Describing:
    """Stands in for confluent_kafka's AdminClient: every group may be described."""

    def __init__(self, *_: Any, **__: Any) -> None:
        return

    def describe_consumer_groups(self, groups: list[str], request_timeout: float) -> dict[str, Future[None]]:
        described: Future[None] = Future()
        described.set_result(None)
        return dict.fromkeys(groups, described)


def _admin(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> GroupAdmin:
    def consumer(*_: Any, **__: Any) -> Answers:
        return answers

    monkeypatch.setattr(group_admin, "Consumer", consumer)
    monkeypatch.setattr(group_admin, "AdminClient", Describing)
    return GroupAdmin(Settings(bootstrap_servers="127.0.0.1:1"))


def test_offsets_are_asked_for_again_while_the_group_has_no_coordinator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = Answers([KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS])
    assert _admin(answers, monkeypatch).committed("group", [("topic", 0)]) == {("topic", 0): 7}
    assert answers.closed


def test_a_lasting_error_is_not_asked_about_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers([KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.NOT_COORDINATOR])
    with pytest.raises(ConfigurationError, match="no right to DESCRIBE on the group group"):
        _admin(answers, monkeypatch).committed("group", [("topic", 0)])
    assert answers.left == [KafkaError.NOT_COORDINATOR]
    assert answers.closed
