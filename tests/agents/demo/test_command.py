"""What the demonstration sends is found by the worker's API."""

from __future__ import annotations

from agents.demo.command import producer_for
from agents.demo.embedded import PARTITIONS, EmbeddedBroker
from agents.kafka.partitioner import place
from schemas.topics import CONTACT_UPDATES
from streamseg.settings import Settings


def test_contacts_are_in_the_partition_in_which_workers_look_for_them() -> None:
    placed: dict[bytes | None, int | None] = {}
    with EmbeddedBroker() as broker:
        broker.create_topics(Settings(bootstrap_servers=broker.bootstrap, partitions=PARTITIONS))
        producer = producer_for(broker.bootstrap)
        keys = [f"c{number:05d}".encode() for number in range(50)]
        for key in keys:
            producer.produce(
                CONTACT_UPDATES,
                b"{}",
                key,
                on_delivery=lambda _, sent: placed.update({sent.key(): sent.partition()}),
            )
        assert producer.flush(60) == 0
    assert placed == {key: place(key, PARTITIONS) for key in keys}
