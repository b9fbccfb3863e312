"""The required topics, and the errors that the commands report without a broker."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from agents.commands import topics
from agents.kafka.topics import Topic, changelog_topic, required_topics, worker_id
from streamseg.errors import ConfigurationError
from streamseg.settings import Settings


def by_name(settings: Settings) -> dict[str, Topic]:
    return {topic.name: topic for topic in required_topics(settings)}


def test_names_cleanup_and_order_are_the_contracts() -> None:
    found = [(topic.name, topic.config["cleanup.policy"]) for topic in required_topics(Settings())]
    assert found == [
        ("contact-updates", "delete"),
        ("behavior-events", "delete"),
        ("segment-commands", "delete"),
        ("segment-definitions", "compact"),
        ("membership-changes", "delete"),
        ("segment-memberships", "compact"),
        ("channel-suppressions", "compact"),
        ("segment-catalog", "compact"),
        ("dead-letters", "delete"),
        ("audit", "delete"),
        ("streamseg-contacts-changelog", "compact"),
        ("streamseg-outcomes", "delete"),
        ("streamseg-progress", "compact"),
    ]


def test_what_has_a_total_order_has_one_partition_and_all_else_the_configured_number() -> None:
    found = by_name(Settings(partitions=12))
    assert {name: topic.partitions for name, topic in found.items()} == {
        "contact-updates": 12,
        "behavior-events": 12,
        "segment-commands": 1,
        "segment-definitions": 1,
        "membership-changes": 12,
        "segment-memberships": 12,
        "channel-suppressions": 12,
        "segment-catalog": 1,
        "dead-letters": 12,
        "audit": 1,
        "streamseg-contacts-changelog": 12,
        "streamseg-outcomes": 1,
        "streamseg-progress": 1,
    }


def test_the_prefix_is_on_every_name_and_on_the_workers_group() -> None:
    settings = Settings(topic_prefix="eu.", application_id="seg")
    assert all(topic.name.startswith("eu.") for topic in required_topics(settings))
    assert worker_id(settings) == "eu.seg"
    assert changelog_topic(settings) == "eu.seg-contacts-changelog"


def test_a_record_to_be_refused_for_its_size_fits_into_input_and_dead_letters() -> None:
    settings = Settings(max_record_bytes=1 << 20)
    found = by_name(settings)
    largest_input = int(found["behavior-events"].config["max.message.bytes"])
    assert largest_input > 5 * settings.max_record_bytes // 2
    assert int(found["dead-letters"].config["max.message.bytes"]) > largest_input


def test_a_record_from_far_ahead_does_not_get_to_move_a_clock() -> None:
    found = by_name(Settings())
    ahead = {name: topic.config.get("message.timestamp.after.max.ms") for name, topic in found.items()}
    assert {name for name, limit in ahead.items() if limit == "3600000"} == {
        "contact-updates",
        "behavior-events",
    }


@pytest.mark.parametrize(("copies", "written"), [(1, "1"), (2, "1"), (3, "2")])
def test_one_broker_may_be_away_without_stopping_writes(copies: int, written: str) -> None:
    for topic in required_topics(Settings(replication_factor=copies)):
        assert topic.replication_factor == copies
        assert topic.config["min.insync.replicas"] == written


@pytest.mark.parametrize("prefix", ["a b", "订单", "x" * 240, "a/"])
def test_a_prefix_that_kafka_refuses_is_refused_by_name(prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="STREAMSEG_TOPIC_PREFIX"):
        required_topics(Settings(topic_prefix=prefix))


@pytest.mark.parametrize("command", ["create", "check"])
def test_no_broker_is_told_in_one_line(command: str) -> None:
    result = CliRunner().invoke(topics, [command, "--bootstrap", "127.0.0.1:1", "--timeout", "1"])
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert "127.0.0.1:1" in line


@pytest.mark.parametrize("command", ["create", "check"])
def test_a_setting_that_is_wrong_is_named(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMSEG_PARTITIONS", "0")
    result = CliRunner().invoke(topics, [command])
    assert result.exit_code == 1
    assert "STREAMSEG_PARTITIONS" in result.stderr
    assert "Traceback" not in result.output


def test_every_option_is_explained() -> None:
    for command in ("create", "check"):
        help_text = CliRunner().invoke(topics, [command, "--help"]).stdout
        for word in ("--bootstrap", "--json", "--timeout", "Example"):
            assert word in help_text
