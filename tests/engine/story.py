"""Short replays and their changes, written so that a test reads like a timeline.

All times are local in Asia/Shanghai: `05-01` is midnight of 1 May 2026, `05-01 08:00`,
`05-01 08:00:00.001`, and with another year `2027-01-01 08:00`. A change reads
`05-01 08:00 s entered (contact_update)`, with the contact before the segment unless it is c1.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

Line = dict[str, Any]
Condition = dict[str, Any]


@dataclass(frozen=True)
class Replayed:
    """Replays lines. Other arguments are settings, and `refused`: the numbers of the lines refused."""

    raw: Callable[..., list[Line]]
    """The changes as on the wire."""

    def __call__(self, *lines: Line, **more: Any) -> list[str]:
        """The changes as a story writes them."""
        return [told(change) for change in self.raw(*lines, **more)]


ZONE = ZoneInfo("Asia/Shanghai")
_TIME = re.compile(r"(?:(\d{4})-)?(\d\d-\d\d)(?: (\d\d:\d\d)(:\d\d(?:\.\d+)?)?)?")
_event_numbers = count(1)


def when(text: str) -> str:
    """The time as RFC 3339 with the offset of Shanghai."""
    match = _TIME.fullmatch(text)
    assert match is not None, text
    year, day, minute, rest = match.groups()
    return f"{year or 2026}-{day}T{minute or '00:00'}{rest or ':00'}+08:00"


def said(at: str) -> str:
    """An `effective_at` as a story writes it."""
    if at > "9999-12-31T16":
        # There is no such local time.
        return at
    moment = datetime.fromisoformat(at).astimezone(ZONE)
    text = f"{moment:%m-%d}" if moment.year == 2026 else f"{moment:%Y-%m-%d}"
    if (moment.hour, moment.minute, moment.second, moment.microsecond) != (0, 0, 0, 0):
        text += f" {moment:%H:%M}"
    if (moment.second, moment.microsecond) != (0, 0):
        text += f":{moment:%S}.{moment.microsecond // 1000:03d}"
    return text


def all_of(*conditions: Condition) -> Line:
    return {"match": "all", "conditions": list(conditions)}


def any_of(*conditions: Condition) -> Line:
    return {"match": "any", "conditions": list(conditions)}


def definition(at: str, segment_id: str, body: Line | None) -> Line:
    """A record of segment-definitions; no body deletes the segment."""
    value = None if body is None else {"segment_id": segment_id, "name": segment_id, **body}
    return {"topic": "segment-definitions", "timestamp": when(at), "key": segment_id, "value": value}


def segment(*conditions: Condition, of: str = "s", at: str = "01-01", **more: Any) -> Line:
    """The definition of a standard segment (`s` unless said otherwise) in which all conditions hold."""
    return definition(at, of, {"type": "standard", "clusters": [all_of(*conditions)], **more})


def static(of: str, at: str = "01-01") -> Line:
    return definition(at, of, {"type": "static"})


def update(
    at: str, attributes: Line | None = None, *, of: str = "c1", stated: str | None = None, **more: Any
) -> Line:
    """A contact update read at `at`, stated (`updated_at`) then unless said otherwise."""
    value = {"contact_id": of, **more}
    if attributes is not None:
        value["attributes"] = attributes
    if stated is not None:
        value["updated_at"] = when(stated)
    return {"topic": "contact-updates", "timestamp": when(at), "key": of, "value": value}


def event(
    at: str,
    name: str,
    properties: Line | None = None,
    *,
    of: str = "c1",
    occurred: str | None = None,
    id_: str | None = None,
) -> Line:
    """A behaviour event read at `at`, which occurred then unless said otherwise."""
    value: Line = {
        "event_id": id_ or f"e{next(_event_numbers)}",
        "contact_id": of,
        "event": name,
        "occurred_at": when(occurred or at),
    }
    if properties is not None:
        value["properties"] = properties
    return {"topic": "behavior-events", "timestamp": when(at), "key": of, "value": value}


def tick(at: str) -> Line:
    return {"tick": when(at)}


def told(change: Line) -> str:
    contact = "" if change["contact_id"] == "c1" else f"{change['contact_id']} "
    reason = change["reason"]["kind"]
    return f"{said(change['effective_at'])} {contact}{change['segment_id']} {change['change']} ({reason})"


def ms(at: str) -> int:
    """Epoch milliseconds of a story's time."""
    return (datetime.fromisoformat(when(at)) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
