"""Refused logins, certificates and rights give different errors, on a broker that requires all three."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from agents.kafka.broker_probe import BrokerProbe
from agents.kafka.broker_trouble import Kind, Trouble
from agents.kafka.rights import Operation, Resource, Right
from agents.kafka.topics import required_topics, worker_id
from streamseg.settings import Settings
from tests.kafka.guarded import Guarded
from tests.kafka.live import Topics


@pytest.fixture(scope="module")
def settings(guarded: Guarded) -> Settings:
    settings = Settings(
        bootstrap_servers=guarded.inside, topic_prefix=f"t{uuid.uuid4().hex[:8]}-", partitions=2
    )
    Topics(settings).create()
    return settings


def found(broker: Guarded, settings: Settings, user: str = "ann", **changes: Any) -> Trouble | None:
    """What a worker with this login finds."""
    return BrokerProbe(broker.settings(settings, user, **changes), timeout=20.0).look(thorough=True)


def test_whoever_may_do_everything_finds_no_trouble(guarded: Guarded, settings: Settings) -> None:
    assert found(guarded, settings) is None


def test_a_refused_login_is_told_with_its_name_and_not_its_password(
    guarded: Guarded, settings: Settings
) -> None:
    trouble = found(guarded, settings, sasl_password="wr0ng")  # noqa: S106
    assert trouble is not None
    assert trouble.kind is Kind.LOGIN
    assert "'ann'" in trouble.words
    assert "wr0ng" not in trouble.words


def test_a_certificate_that_is_not_accepted_is_told(guarded: Guarded, settings: Settings) -> None:
    trouble = found(guarded, settings, ssl_ca_file=guarded.other_authority)
    assert trouble is not None
    assert trouble.kind is Kind.CERTIFICATE
    assert "STREAMSEG_SSL_CA_FILE" in trouble.words


def test_kinds_of_missing_rights_are_told_one_after_the_other(guarded: Guarded, settings: Settings) -> None:
    def told() -> str:
        trouble = found(guarded, settings, "ben")
        assert trouble is not None
        assert trouble.kind is Kind.RIGHT
        assert "'ben'" in trouble.words
        return trouble.words

    def on_topics(operation: Operation) -> list[Right]:
        return [Right(operation, Resource.TOPIC, topic.name) for topic in required_topics(settings)]

    prefix = settings.topic_prefix
    words = told()
    assert f"READ and WRITE on the topic {prefix}contact-updates" in words
    assert f", READ on the topic {prefix}behavior-events" in words
    guarded.grant("ben", *on_topics(Operation.READ))
    words = told()
    assert f"WRITE on the topic {prefix}membership-changes" in words
    assert "READ" not in words
    guarded.grant("ben", *on_topics(Operation.WRITE))
    assert f"READ on the group {worker_id(settings)}" in told()
    # Whoever may see the group may not join it yet.
    guarded.grant("ben", Right(Operation.DESCRIBE, Resource.GROUP, worker_id(settings)))
    assert f"READ on the group {worker_id(settings)}" in told()
