"""Short replay files for one contact, written as a timeline in Asia/Shanghai.

Instants are `2026-05-01 10:00`, with seconds where they matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from streamseg.records.outputs import DeadLetter, MembershipChange, Suppression
from streamseg.replay import Replay
from streamseg.settings import Settings
from streamseg.times import parse_timestamp_ms, to_local

ZONE = ZoneInfo("Asia/Shanghai")
LONG_AGO = "2020-01-01 00:00"

_event_ids = count(1)


def instant(text: str) -> int:
    """Epoch ms of a time of a timeline."""
    return parse_timestamp_ms(text if text.count(":") == 2 else f"{text}:00", ZONE)


def clock_text(at_ms: int) -> str:
    """The other way round; milliseconds are left out."""
    return f"{to_local(at_ms, ZONE):%Y-%m-%d %H:%M}"


def event(
    at: str, name: str, /, *, occurred: str | None = None, event_id: str | None = None, **properties: Any
) -> dict[str, Any]:
    """A record of a behaviour event of `c1` that arrives at `at`, and `occurred` then if not before."""
    value = {
        "event_id": event_id or f"e-{next(_event_ids)}",
        "contact_id": "c1",
        "event": name,
        "occurred_at": instant(occurred or at),
        "properties": properties,
    }
    return {"topic": "behavior-events", "timestamp": instant(at), "key": "c1", "value": value}


def update(at: str, /, *, since: str | None = None, contact_id: str = "c1", **value: Any) -> dict[str, Any]:
    """A record of a contact update that arrives at `at`, with `updated_at` `since`."""
    body = {"contact_id": contact_id, **value}
    if since is not None:
        body["updated_at"] = instant(since)
    return {"topic": "contact-updates", "timestamp": instant(at), "key": contact_id, "value": body}


def attributes(at: str, /, *, since: str | None = None, **values: Any) -> dict[str, Any]:
    """A contact update that sets attributes."""
    return update(at, since=since, attributes=values)


def tags(at: str, /, *, since: str | None = None, **changes: list[str]) -> dict[str, Any]:
    """A contact update that changes tags: `add`, `remove` or `set`."""
    return update(at, since=since, tags=changes)


def define(at: str, definition: dict[str, Any]) -> dict[str, Any]:
    """A record that defines a segment."""
    key = definition["segment_id"]
    return {"topic": "segment-definitions", "timestamp": instant(at), "key": key, "value": definition}


def drop(at: str, segment_id: str) -> dict[str, Any]:
    """A record that deletes a segment."""
    return {"topic": "segment-definitions", "timestamp": instant(at), "key": segment_id, "value": None}


def where(*conditions: dict[str, Any]) -> dict[str, Any]:
    """Conditions that all have to hold."""
    return {"match": "all", "conditions": list(conditions)}


def segment(segment_id: str, *conditions: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A standard segment of one cluster whose conditions all have to hold."""
    clusters = [where(*conditions)]
    return {"segment_id": segment_id, "type": "standard", "name": segment_id, "clusters": clusters, **fields}


@dataclass
class Outcome:
    """What came of a replay."""

    run: Replay
    changes: list[MembershipChange]
    suppressions: list[Suppression]
    dead_letters: list[DeadLetter]

    def of(self, segment_id: str) -> list[tuple[str, str]]:
        """The changes of one segment as (time, enters or leaves)."""
        return [
            (clock_text(change.effective_ms), "enters" if change.entered else "leaves")
            for change in self.changes
            if change.segment_id == segment_id
        ]

    def kinds(self, segment_id: str) -> list[str]:
        """The reasons of one segment's changes."""
        return [change.reason.kind.value for change in self.changes if change.segment_id == segment_id]


def replayed(
    lines: list[dict[str, Any]], until: str | None = None, settings: Settings | None = None
) -> Outcome:
    """Replay the lines in order; dicts with a segment_id stand for definitions of long ago."""
    letters: list[DeadLetter] = []
    suppressions: list[Suppression] = []
    run = Replay(
        settings=settings or Settings(),
        on_dead_letter=lambda _, letter: letters.append(letter),
        on_suppression=suppressions.append,
    )
    for line in lines:
        run.line(define(LONG_AGO, line) if "segment_id" in line else line)
    run.settle_definitions()
    if until is not None:
        run.run_to(instant(until))
    return Outcome(run, list(run.changes), suppressions, letters)
