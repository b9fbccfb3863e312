"""What the engine is fed: records as read, and the events it keeps, as slotted values.

Not to be changed once made. Not frozen either: that makes each one take three times as long to make.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schemas.topics import CONTACT_UPDATES

_FROM_UPDATES = f"{CONTACT_UPDATES}/"
_OTHERS = 2
Headers = tuple[tuple[str, bytes], ...]

Order = tuple[int, str, bool]
"""`occurred_ms`, `event_id` and whether the event is derived."""


@dataclass(slots=True)
class Record:
    """One record as it was read from a topic (name without prefix). `timestamp_ms` is in epoch milliseconds.
    Only records of `segment-definitions` have headers."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    @property
    def position(self) -> str:
        """The text `topic/partition/offset`, with which operators find this record with their Kafka tools."""
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(slots=True)
class Event:
    """An occurrence of a behaviour event, `occurred_ms` in epoch milliseconds.

    `derived` events came out of a contact update; prefix patterns never match them. `offset` and
    `recorded_ms` are those of the record it came with: a record which is applied again after a crash knows
    its own event, and what is left of a contact after an erasure knows since when the contact is known.
    """

    event_id: str
    name: str
    occurred_ms: int
    properties: dict[str, Any]
    derived: bool = False
    offset: int = -1
    recorded_ms: int = 0

    @property
    def place(self) -> tuple[int, int, int]:
        """Where it stands in a sequence: by time, then those derived from updates, those derived from forms,
        then behaviour events, then by offset. Those derived from one record stand at one place."""
        rank = _OTHERS if not self.derived else int(not self.event_id.startswith(_FROM_UPDATES))
        return (self.occurred_ms, rank, self.offset)

    @property
    def order(self) -> Order:
        """The place in the total order of one contact's events; no two have the same."""
        return (self.occurred_ms, self.event_id, self.derived)
