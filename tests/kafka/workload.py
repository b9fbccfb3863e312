"""A reproducible stream of past updates and events of many contacts, and segments that these move."""

from __future__ import annotations

import random
import time
from typing import Any

import orjson

from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES
from streamseg.records.inputs import Record
from tests.kafka.live import Topics

DEFINITIONS: list[dict[str, Any]] = [
    {
        "segment_id": "recent-scan",
        "clusters": [{"match": "all", "conditions": [{"event": "wechat_scan", "window": {"last": "PT30S"}}]}],
    },
    {
        "segment_id": "keen",
        "clusters": [
            {
                "match": "all",
                "conditions": [
                    {"attribute": "location", "operator": "eq", "value": "中国"},
                    {
                        "event": "email_*",
                        "count": {"operator": "ge", "value": 2},
                        "window": {"last": "PT2M"},
                    },
                ],
            }
        ],
    },
    {
        "segment_id": "silent",
        "clusters": [
            {
                "match": "any",
                "conditions": [
                    {
                        "event": "email_open",
                        "count": {"operator": "lt", "value": 1},
                        "window": {"last": "PT1M"},
                    }
                ],
            }
        ],
    },
    {
        "segment_id": "keen-or-vip",
        "type": "advanced",
        "parts": [
            {
                "name": "keen",
                "relation": "include",
                "clusters": [{"match": "all", "conditions": [{"segment": "keen", "member": True}]}],
            },
            {
                "name": "blocked",
                "relation": "exclude",
                "clusters": [
                    {
                        "match": "all",
                        "conditions": [{"attribute": "tags", "operator": "in", "value": ["blocked"]}],
                    }
                ],
            },
        ],
    },
]


def stream(count: int, *, contacts: int, minutes: int = 20, seed: int = 1) -> list[Record]:
    """`count` records, evenly spread over so many minutes that ended five minutes ago."""
    seeded = random.Random(seed)
    end_ms = time.time_ns() // 1_000_000 - 5 * 60_000
    start_ms = end_ms - minutes * 60_000
    offsets = {BEHAVIOR_EVENTS: 0, CONTACT_UPDATES: 0}
    records = []
    for index in range(count):
        at_ms = start_ms + (end_ms - start_ms) * index // count
        contact_id = f"联系人-{seeded.randrange(contacts)}"
        body: dict[str, Any]
        if seeded.random() < 0.7:
            topic = BEHAVIOR_EVENTS
            body = {
                "event_id": f"e{index if seeded.random() > 0.02 else index - 7}",
                "contact_id": contact_id,
                "event": seeded.choice(["wechat_scan", "email_open", "email_click", "form_submit"]),
                "occurred_at": at_ms - seeded.choice([0, 0, 0, 20_000]),
            }
        else:
            topic = CONTACT_UPDATES
            body = {
                "contact_id": contact_id,
                "attributes": {"location": seeded.choice(["中国", "美国"])},
                "tags": {seeded.choice(["add", "remove"]): ["blocked"]},
            }
        key = contact_id.encode()
        records.append(Record(topic, 0, offsets[topic], at_ms, key, orjson.dumps(body)))
        offsets[topic] += 1
    return records


def write(topics: Topics, records: list[Record]) -> None:
    """All of them, each with its own timestamp."""
    for record in records:
        topics.write(record.topic, record.key, record.value, at_ms=record.timestamp_ms)
    topics.flush()
