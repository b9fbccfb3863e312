"""Which dead letters are about a contact."""

from __future__ import annotations

import pytest

from agents.kafka.dead_letters import concerns
from streamseg.records.inputs import Record


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        (b"c1", b"\xff", True),
        (b"c1", None, True),
        (None, b'{"contact_id": "c1"}', True),
        (b"other", b'{"contact_id": "c1", "deleted": 5}', True),
        (None, b'{"contact_id": "c1", broken', True),
        (None, "{'contact_id': \"联系人\" broken".encode(), False),
        (b"c11", b'{"contact_id": "c11"}', False),
        (None, b'{"contact_id": "c11", broken', False),
        (b"c2", b'{"contact_id": "c2", "referrer": "c1"}', False),
        (None, b'["c1"]', False),
        (None, None, False),
    ],
)
def test_by_key_and_value(key: bytes | None, value: bytes | None, expected: bool) -> None:
    assert concerns(Record("dead-letters", 0, 0, 0, key, value), "c1") is expected


@pytest.mark.parametrize("value", ['"联系人" broken'.encode(), rb'"\u8054\u7cfb\u4eba" broken'])
def test_an_id_beyond_ascii_is_found_in_both_forms(value: bytes) -> None:
    assert concerns(Record("dead-letters", 0, 0, 0, None, value), "联系人")
