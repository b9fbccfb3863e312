"""`streamseg topics create` and `check` against a real broker."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)
from typer.testing import CliRunner

from agents.commands import topics
from agents.kafka.topics import required_topics
from streamseg.settings import Settings


@pytest.fixture
def environment(kafka_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of the test, as an operator would give them."""
    monkeypatch.setenv("STREAMSEG_BOOTSTRAP_SERVERS", kafka_settings.bootstrap_servers)
    monkeypatch.setenv("STREAMSEG_TOPIC_PREFIX", kafka_settings.topic_prefix)
    monkeypatch.setenv("STREAMSEG_APPLICATION_ID", kafka_settings.application_id)
    monkeypatch.setenv("STREAMSEG_PARTITIONS", str(kafka_settings.partitions))
    monkeypatch.setenv("STREAMSEG_REPLICATION_FACTOR", str(kafka_settings.replication_factor))
    return kafka_settings


@pytest.fixture
def admin(bootstrap: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": bootstrap})


def run(*arguments: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(topics, [*arguments, "--json"])
    assert result.stdout, result.stderr
    return result.exit_code, json.loads(result.stdout)


def states(report: dict[str, Any]) -> dict[str, str]:
    return {topic["topic"]: topic["state"] for topic in report["topics"]}


def differences(report: dict[str, Any], name: str) -> list[tuple[str, str, str]]:
    (topic,) = (topic for topic in report["topics"] if topic["topic"] == name)
    return [(each["setting"], each["required"], each["found"]) for each in topic["differences"]]


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for a change that the controller has taken to be seen by the broker."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, "the broker does not show the change"


def alter(admin: AdminClient, topic: str, setting: str, value: str) -> None:
    resource = ConfigResource(
        ResourceType.TOPIC,
        topic,
        incremental_configs=[ConfigEntry(setting, value, incremental_operation=AlterConfigOpType.SET)],
    )
    for future in admin.incremental_alter_configs([resource]).values():
        future.result()

    def shown() -> bool:
        (described,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
        return bool(described.result()[setting].value == value)

    eventually(shown)


def test_all_topics_are_made_on_an_empty_broker(environment: Settings, admin: AdminClient) -> None:
    code, report = run("create")
    assert code == 0
    assert report["ok"]
    assert set(states(report).values()) == {"created"}
    prefix = environment.topic_prefix
    present = admin.list_topics(timeout=10).topics
    assert {name.removeprefix(prefix): len(present[name].partitions) for name in states(report)} == {
        "contact-updates": 4,
        "behavior-events": 4,
        "segment-commands": 1,
        "segment-definitions": 1,
        "membership-changes": 4,
        "segment-memberships": 4,
        "channel-suppressions": 4,
        "segment-catalog": 1,
        "dead-letters": 4,
        "audit": 1,
        "streamseg-contacts-changelog": 4,
        "streamseg-outcomes": 1,
        "streamseg-progress": 1,
    }


def test_the_broker_holds_the_settings_that_are_required(environment: Settings, admin: AdminClient) -> None:
    run("create")
    for topic in required_topics(environment):
        (described,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic.name)]).values()
        found = {name: entry.value for name, entry in described.result().items()}
        assert {name: found[name] for name in topic.config} == dict(topic.config)


def test_creating_twice_changes_nothing(environment: Settings) -> None:
    run("create")
    code, report = run("create")
    assert code == 0
    assert set(states(report).values()) == {"as required"}


def test_creating_makes_only_what_is_missing(environment: Settings, admin: AdminClient) -> None:
    name = f"{environment.topic_prefix}contact-updates"
    for future in admin.create_topics([NewTopic(name, 4, 1, config={"retention.ms": "1000"})]).values():
        future.result()
    eventually(lambda: name in admin.list_topics(timeout=10).topics)
    code, report = run("create")
    assert code == 0, "a setting that an operator chose is no reason to stop"
    found = states(report)
    assert found.pop(name) == "differs"
    assert set(found.values()) == {"created"}
    assert ("retention.ms", "604800000", "1000") in differences(report, name)


def test_creating_fails_where_a_topic_has_other_partitions(environment: Settings, admin: AdminClient) -> None:
    name = f"{environment.topic_prefix}behavior-events"
    for future in admin.create_topics([NewTopic(name, 3, 1)]).values():
        future.result()
    eventually(lambda: name in admin.list_topics(timeout=10).topics)
    code, report = run("create")
    assert code == 1
    assert ("partitions", "4", "3") in differences(report, name)


def test_check_is_content_with_what_create_made(environment: Settings) -> None:
    run("create")
    code, report = run("check")
    assert code == 0
    assert report["ok"]
    assert set(states(report).values()) == {"as required"}


def test_check_finds_every_topic_missing_on_an_empty_broker(
    environment: Settings, admin: AdminClient
) -> None:
    code, report = run("check")
    assert code == 1
    assert set(states(report).values()) == {"missing"}
    names = admin.list_topics(timeout=10).topics
    assert not [name for name in names if name.startswith(environment.topic_prefix)], "check makes nothing"


def test_check_finds_a_missing_topic(environment: Settings, admin: AdminClient) -> None:
    run("create")
    name = f"{environment.topic_prefix}segment-catalog"
    for future in admin.delete_topics([name]).values():
        future.result()
    eventually(lambda: name not in admin.list_topics(timeout=10).topics)
    code, report = run("check")
    assert code == 1
    assert [topic for topic, state in states(report).items() if state != "as required"] == [name]
    assert states(report)[name] == "missing"


def test_check_finds_another_number_of_partitions(environment: Settings, admin: AdminClient) -> None:
    run("create")
    name = f"{environment.topic_prefix}membership-changes"
    for future in admin.create_partitions([NewPartitions(name, 6)]).values():
        future.result()
    eventually(lambda: len(admin.list_topics(timeout=10).topics[name].partitions) == 6)
    code, report = run("check")
    assert code == 1
    assert differences(report, name) == [("partitions", "4", "6")]


@pytest.mark.parametrize(
    ("topic", "setting", "value", "required"),
    [
        ("segment-definitions", "cleanup.policy", "delete", "compact"),
        ("contact-updates", "retention.ms", "3600000", "604800000"),
        ("segment-memberships", "delete.retention.ms", "1000", "604800000"),
        ("segment-definitions", "min.compaction.lag.ms", "0", "86400000"),
        ("dead-letters", "max.message.bytes", "1000000", "4194304"),
        ("audit", "retention.ms", "86400000", "31536000000"),
        ("behavior-events", "message.timestamp.type", "LogAppendTime", "CreateTime"),
        ("streamseg-contacts-changelog", "segment.bytes", "1073741824", "134217728"),
    ],
)
def test_check_finds_a_setting_that_differs(
    environment: Settings, admin: AdminClient, topic: str, setting: str, value: str, required: str
) -> None:
    run("create")
    name = f"{environment.topic_prefix}{topic}"
    alter(admin, name, setting, value)
    code, report = run("check")
    assert code == 1
    assert differences(report, name) == [(setting, required, value)]
    assert [topic for topic, state in states(report).items() if state != "as required"] == [name]


def test_check_finds_another_number_of_copies(environment: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    run("create")
    monkeypatch.setenv("STREAMSEG_REPLICATION_FACTOR", "3")
    code, report = run("check")
    assert code == 1
    name = f"{environment.topic_prefix}contact-updates"
    assert differences(report, name) == [
        ("replication.factor", "3", "1"),
        ("min.insync.replicas", "2", "1"),
    ]


def test_more_copies_than_brokers_are_refused_with_what_to_change(
    environment: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMSEG_REPLICATION_FACTOR", "1000")
    result = CliRunner().invoke(topics, ["create"])
    assert result.exit_code == 1
    assert "STREAMSEG_REPLICATION_FACTOR" in result.stderr
    assert "Traceback" not in result.output


def test_the_table_names_each_topic_and_what_differs(environment: Settings, admin: AdminClient) -> None:
    run("create")
    alter(admin, f"{environment.topic_prefix}contact-updates", "retention.ms", "1234567")
    result = CliRunner().invoke(topics, ["check"], env={"COLUMNS": "200"})
    assert result.exit_code == 1
    for topic in required_topics(environment):
        assert topic.name in result.stdout
    assert "retention.ms: 1234567, not 604800000" in result.stdout


def test_bootstrap_overrides_the_environment(
    environment: Settings, bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMSEG_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    code, report = run("create", "--bootstrap", bootstrap)
    assert code == 0
    assert report["bootstrap"] == bootstrap
