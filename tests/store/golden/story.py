"""The records that the kept state came from, and those that follow."""

from __future__ import annotations

from typing import Any

import orjson

from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES
from streamseg.records.inputs import Record

START_MS = 1_777_593_600_000  # 2026-05-01 08:00 in Shanghai
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
CUT_MS = START_MS + 3 * DAY_MS + HOUR_MS
END_MS = START_MS + 60 * DAY_MS


def _conditions(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"type": "standard", "clusters": [{"match": "all", "conditions": list(conditions)}]}


def _scans(days: int, operator: str, value: int) -> dict[str, Any]:
    return {
        "event": "scan",
        "count": {"operator": operator, "value": value},
        "window": {"last": f"P{days}D"},
    }


_CHINA = {"attribute": "location", "operator": "eq", "value": "中国"}
_BODIES: list[tuple[str, dict[str, Any]]] = [
    ("china", _conditions(_CHINA)),
    ("fair", {"type": "static"}),
    ("recent", _conditions(_scans(7, "ge", 1))),
    ("often", _conditions(_scans(30, "ge", 2))),
    (
        "both",
        _conditions({"segment": "china", "member": True}, {"segment": "recent", "member": True}),
    ),
    ("settled", _conditions({**_CHINA, "held": {"at_least": "P10D"}})),
    # From here on while the worker ran.
    ("buyers", _conditions({"attribute": "order_count", "operator": "ge", "value": 1})),
    ("list", {"type": "static"}),
    ("china", {**_conditions(_CHINA), "name": "renamed"}),
    ("silent", _conditions(_scans(10, "lt", 1))),
]
READ_AT_START = 6


def definitions() -> list[Record]:
    """All definitions, in the order of the topic."""
    return [
        Record(
            "segment-definitions",
            0,
            offset,
            START_MS,
            segment_id.encode(),
            orjson.dumps({"segment_id": segment_id, "name": segment_id, "version": 1, **body}),
        )
        for offset, (segment_id, body) in enumerate(_BODIES)
    ]


def compacted() -> list[Record]:
    """What compaction leaves of them: the last record of each segment."""
    return list({record.key: record for record in definitions()}.values())


def _update(hours: float, contact_id: str, **fields: Any) -> tuple[float, str, str, dict[str, Any]]:
    return hours, CONTACT_UPDATES, contact_id, {"contact_id": contact_id, **fields}


def _event(hours: float, contact_id: str, name: str, **more: Any) -> tuple[float, str, str, dict[str, Any]]:
    body = {"event_id": f"{contact_id} {name} {hours}", "contact_id": contact_id, "event": name}
    occurred_ms = START_MS + round(hours * HOUR_MS)
    return hours, BEHAVIOR_EVENTS, contact_id, {**body, "occurred_at": occurred_ms, **more}


_BEFORE = [
    _update(0, "c1", attributes={"location": "中国", "order_count": 2}, lists={"add": ["fair"]}),
    _event(1, "c1", "scan"),
    _event(2, "c1", "scan"),
    _update(3, "c2", attributes={"location": "美国"}, tags={"add": ["vip"]}),
    _event(4, "c2", "email_unsubscribe"),
    _event(5, "c3", "sms_unsubscribe"),
    _update(6, "c4", attributes={"location": "中国"}, lists={"add": ["fair"]}),
    _update(7, "c4", deleted=True),
    _update(8, "c5", attributes={"subscribed": False}),
    _event(9, "c6", "form_submit", properties={"subscribed": False}),
    _event(10, "c7", "scan", properties={"order": {"amount": 12.5}}),
    _update(30, "c8", attributes={"order_count": 1}, lists={"add": ["fair"]}),
    _update(31, "c8", lists={"remove": ["fair"]}),
    # The definitions that came while it ran were read before this.
    _update(50, "c1", lists={"add": ["list"]}),
    _update(51, "c9", attributes={"order_count": 5}, lists={"add": ["list", "fair"]}),
    _event(52, "c9", "scan"),
    _event(72, "c2", "email_unsubscribe"),
    _event(72.5, "c3", "sms_unsubscribe"),
]
LIVE_AT = 13

_AFTER = [
    _event(74, "c1", "scan"),
    _event(74, "c1", "scan", event_id="c1 scan 1"),
    _update(75, "c1", lists={"remove": ["list"]}),
    _update(76, "c4", attributes={"location": "中国"}),
    _update(77, "c5", attributes={"subscribed": True}),
    _event(78, "c3", "sms_resubscribe"),
    _update(79, "c9", attributes={"order_count": 0}, tags={"set": ["a"]}),
    _update(80, "c8", lists={"add": ["fair"]}),
    _event(500, "c7", "scan"),
    _update(501, "c2", attributes={"location": "中国"}),
    _update(502, "c9", deleted=True),
]


def before() -> list[Record]:
    """The input that the kept state came from."""
    return _records(_BEFORE, 0)


def after() -> list[Record]:
    """The input that follows it."""
    return _records(_AFTER, len(_BEFORE))


def _records(rows: list[tuple[float, str, str, dict[str, Any]]], first: int) -> list[Record]:
    return [
        Record(topic, 0, first + index, START_MS + round(hours * HOUR_MS), key.encode(), orjson.dumps(body))
        for index, (hours, topic, key, body) in enumerate(rows)
    ]
