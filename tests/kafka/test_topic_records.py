"""Topics are read to their ends, and then from there on once more."""

from __future__ import annotations

import pytest

from agents.kafka.topic_records import Place, TopicRecords
from schemas.topics import SEGMENT_MEMBERSHIPS
from streamseg.settings import Settings
from tests.kafka.live import Topics


@pytest.fixture
def topics(kafka_settings: Settings) -> Topics:
    topics = Topics(kafka_settings)
    topics.create()
    return topics


def write(topics: Topics, numbers: range) -> set[bytes]:
    """Write one record for each number to every partition, and return their values."""
    for number in numbers:
        for partition in range(topics.settings.partitions):
            topics.write(SEGMENT_MEMBERSHIPS, str(number), b"%d" % number, partition=partition)
    topics.flush()
    return {b"%d" % number for number in numbers}


def test_a_reader_goes_on_in_the_partitions_that_it_has_read_before(
    topics: Topics, kafka_settings: Settings
) -> None:
    with TopicRecords(kafka_settings, client="test", timeout_seconds=10) as reader:
        places = reader.partitions(SEGMENT_MEMBERSHIPS)
        ends: dict[Place, int] = {}
        for numbers in (range(3), range(3, 5), range(5, 6)):
            written = write(topics, numbers)
            reader.begin(places, offsets=ends)
            for place in places:
                assert {record.value for record in reader.records(place)} == written
            ends = reader.ends
