"""Records come to stand at the offsets that they had, whatever was between them."""

from __future__ import annotations

import pytest

from agents.export.exact_topic import ExactTopic
from agents.export.topic_lines import Kept
from agents.kafka.topics import topic_name
from streamseg.settings import Settings
from tests.kafka.live import Topics

DEFINITIONS = "segment-definitions"
_AT_MS = 1_777_593_600_000
_HEADERS = (("h", b"1"),)


@pytest.mark.parametrize("offsets", [[0, 1, 2], [1, 3, 4, 6, 9], [2, 5, 20], []], ids=str)
def test_records_stand_at_their_offsets(kafka_settings: Settings, offsets: list[int]) -> None:
    topics = Topics(kafka_settings)
    topics.create()
    records = [
        Kept(
            offset,
            1_777_593_600_000 + offset,
            f"s{offset}".encode(),
            None if offset == 3 else b"{}",
            (("h", b"1"),),
        )
        for offset in offsets
    ]
    end = (offsets[-1] if offsets else 0) + 2
    name = topic_name(kafka_settings, DEFINITIONS)
    with ExactTopic(kafka_settings, name) as topic:
        topic.write(records[:2], records[1].offset + 1 if records else 0)
    # What an interrupted import has written is not written again.
    with ExactTopic(kafka_settings, name) as topic:
        topic.write(records, end)
        assert topic.end() == end
    found = [
        Kept(one.offset(), one.timestamp()[1], one.key(), one.value(), tuple(one.headers()))
        for one in topics.read(DEFINITIONS)
    ]
    assert [one for one in found if one.offset in offsets] == records
    # One offset alone before the first record has the same record once more, until compaction removes it.
    assert all(one == records[0]._replace(offset=0) for one in found if one.offset not in offsets)
