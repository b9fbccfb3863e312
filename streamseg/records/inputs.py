"""The inputs of the engine: the records that were read and the events that it keeps, as slotted values.

Do not change their fields. They are not frozen, because it takes three times as long to make a frozen one.
"""

from __future__ import annotations

from typing import Any

from schemas.topics import CONTACT_UPDATES

_FROM_UPDATES = f"{CONTACT_UPDATES}/"
_OTHERS = 2
Headers = tuple[tuple[str, bytes], ...]

Order = tuple[int, str, bool]
"""`occurred_ms`, `event_id` and whether the event is derived."""


class Record:
    """One record as it was read from a topic (name without prefix). `timestamp_ms` is in epoch milliseconds.
    `headers` are those of the record on its topic, in their order.

    number  the place of the record among all records of its topic from which the partition's state was made.
            This is the offset, unless the state was imported for new topics: then it goes on from the numbers
            of the old ones
    """

    __slots__ = ("headers", "key", "number", "offset", "partition", "timestamp_ms", "topic", "value")

    def __init__(
        self,
        topic: str,
        partition: int,
        offset: int,
        timestamp_ms: int,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        number: int | None = None,
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.number: int = offset if number is None else number
        self.timestamp_ms = timestamp_ms
        self.key = key
        self.value = value
        self.headers = headers

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and self._values() == other._values()

    __hash__ = None  # type: ignore[assignment]  # a value, of which no set is needed

    def _values(self) -> tuple[Any, ...]:
        return (
            self.topic,
            self.partition,
            self.offset,
            self.timestamp_ms,
            self.key,
            self.value,
            self.headers,
            self.number,
        )

    def numbered(self, number: int) -> Record:
        """Return the same record with another number."""
        return Record(
            self.topic,
            self.partition,
            self.offset,
            self.timestamp_ms,
            self.key,
            self.value,
            self.headers,
            number,
        )

    def copy(
        self, *, offset: int | None = None, timestamp_ms: int | None = None, value: bytes | None = None
    ) -> Record:
        """Return a copy of the record, with the values that are given instead of its own. Its number is its
        offset."""
        return Record(
            self.topic,
            self.partition,
            self.offset if offset is None else offset,
            self.timestamp_ms if timestamp_ms is None else timestamp_ms,
            self.key,
            self.value if value is None else value,
            self.headers,
        )

    @property
    def position(self) -> str:
        """The text `topic/partition/offset`, with which operators find this record with their Kafka tools."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class Event:
    """An occurrence of a behaviour event or of a derived event. `occurred_ms` is in epoch milliseconds.

    derived      whether the engine derived the event from a record; patterns with a prefix never match it
    offset       the number of the record that the event came with. When a record is applied again after a
                 crash, this tells its own event from a repeat.
    recorded_ms  the timestamp of that record, epoch ms. After an erasure it tells since when the contact is
                 known.
    """

    __slots__ = ("derived", "event_id", "name", "occurred_ms", "offset", "properties", "recorded_ms")

    def __init__(
        self,
        event_id: str,
        name: str,
        occurred_ms: int,
        properties: dict[str, Any],
        derived: bool = False,
        offset: int = -1,
        recorded_ms: int = 0,
    ) -> None:
        self.event_id = event_id
        self.name = name
        self.occurred_ms = occurred_ms
        self.properties = properties
        self.derived = derived
        self.offset = offset
        self.recorded_ms = recorded_ms

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Event) and self._values() == other._values()

    __hash__ = None  # type: ignore[assignment]  # a value, of which no set is needed

    def _values(self) -> tuple[Any, ...]:
        return (
            self.event_id,
            self.name,
            self.occurred_ms,
            self.properties,
            self.derived,
            self.offset,
            self.recorded_ms,
        )

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
