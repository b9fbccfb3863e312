"""The inputs of the engine: the records that were read and the events that it keeps, as slotted values.

Do not change their fields. They are not frozen, because it takes three times as long to make a frozen one.
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
    """An occurrence of a behaviour event or of a derived event. `occurred_ms` is in epoch milliseconds.

    derived      whether the engine derived the event from a record; patterns with a prefix never match it
    offset       the offset of the record that the event came with. When a record is applied again after a
                 crash, this tells its own event from a repeat.
    recorded_ms  the timestamp of that record, epoch ms. After an erasure it tells since when the contact is
                 known.
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
        """The place of the event in a sequence. Events are ordered by time, then by kind (derived from an
        update, derived from a form, behaviour event), then by offset. All events derived from one record have
        the same place."""
        rank = _OTHERS if not self.derived else int(not self.event_id.startswith(_FROM_UPDATES))
        return (self.occurred_ms, rank, self.offset)

    @property
    def order(self) -> Order:
        """The place of the event in the total order of one contact's events; no two events have the same."""
        return (self.occurred_ms, self.event_id, self.derived)
