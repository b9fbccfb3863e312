"""aiokafka's consumers and producers, with the options that all of ours share."""

from __future__ import annotations

from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from agents.kafka.connection import aiokafka_options
from agents.kafka.topics import CHANGELOG_SIZE_FACTOR
from streamseg.settings import Settings


def new_consumer(
    settings: Settings, *, client_id: str, fetch_wait_ms: int, **options: Any
) -> AIOKafkaConsumer:
    """Return a consumer, not started, that reads only committed records and commits nothing by itself. The
    broker may delay an empty answer for up to `fetch_wait_ms`."""
    return AIOKafkaConsumer(
        **aiokafka_options(settings),
        client_id=client_id,
        enable_auto_commit=False,
        isolation_level="read_committed",
        fetch_max_wait_ms=fetch_wait_ms,
        **options,
    )


def new_group_member(
    settings: Settings, *, group: str, client_id: str, fetch_wait_ms: int, **options: Any
) -> AIOKafkaConsumer:
    """Return a consumer as `new_consumer` does, which shares the partitions of topics with a group. If
    nothing was committed, it begins with the first record."""
    return new_consumer(
        settings,
        client_id=client_id,
        fetch_wait_ms=fetch_wait_ms,
        group_id=group,
        group_instance_id=settings.instance_id,
        auto_offset_reset="earliest",
        session_timeout_ms=settings.session_timeout_ms,
        heartbeat_interval_ms=settings.session_timeout_ms // 10,
        **options,
    )


def new_producer(settings: Settings, *, client: str, **options: Any) -> AIOKafkaProducer:
    """Return a producer, not started, whose retries neither repeat nor reorder records. It sends records
    without waiting for more."""
    return AIOKafkaProducer(
        **aiokafka_options(settings),
        client_id=f"{settings.application_id}-{client}",
        enable_idempotence=True,
        max_request_size=CHANGELOG_SIZE_FACTOR * settings.max_record_bytes,
        linger_ms=0,
        **options,
    )
