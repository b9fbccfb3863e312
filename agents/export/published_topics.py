"""What the topics of memberships and suppressions say, read into a `Published`."""

from __future__ import annotations

from itertools import islice

from agents.kafka.topic_records import TopicRecords
from streamseg.export.published import Published

_BATCH = 5_000


def read_published(reader: TopicRecords, published: Published, topic: str) -> None:
    """Apply a compacted topic, up to the end that it has now. Raises ConfigurationError if the brokers refuse
    or do not answer."""
    places = reader.partitions(topic)
    reader.begin(places)
    for place in places:
        records = ((one.key, one.value) for one in reader.records(place) if one.key is not None)
        while batch := list(islice(records, _BATCH)):
            published.apply(topic, batch)
