"""A producer checks whether it may still write: before it makes a request, and right before it writes it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from faust.types import TP

from agents.demo.embedded import EmbeddedBroker
from agents.kafka.compatibility import before_sending
from agents.worker.stall_guard import StoodStillError

TOPIC = "outputs"


class StandsStill:
    """Allows so many checks and then no more: the process stood still since."""

    def __init__(self, allowed: int) -> None:
        self.left = allowed
        self.about: list[set[TP]] = []

    def __call__(self, tps: Collection[TP]) -> None:
        self.about.append(set(tps))
        self.left -= 1
        if self.left < 0:
            raise StoodStillError("stood still")


async def _sent(bootstrap: str, check: StandsStill, values: list[bytes]) -> int:
    """Send values one after the other until an error. Return how many arrived."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    before_sending(producer, check)
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(TOPIC, value, partition=0)
    except StoodStillError:
        assert check.left < 0
    finally:
        await producer.stop()
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    ends: dict[TopicPartition, int] = await consumer.end_offsets([TopicPartition(TOPIC, 0)])
    await consumer.stop()
    return ends[TopicPartition(TOPIC, 0)]


@pytest.mark.parametrize(("allowed", "arrived"), [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2)])
def test_nothing_is_written_once_a_check_has_failed(allowed: int, arrived: int) -> None:
    check = StandsStill(allowed)
    with EmbeddedBroker() as broker:
        assert asyncio.run(_sent(broker.bootstrap, check, [b"one", b"two"])) == arrived
    assert all(about == {TP(TOPIC, 0)} for about in check.about)
