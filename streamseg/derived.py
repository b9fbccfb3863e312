"""The events that the engine itself derives from a contact update, once per real change.

An id is `<topic>/<partition>/<offset>/<name>/<subject>`: it begins with the position of the record, so that
it is the same whenever the record is applied, and the offset is padded, so that the order of texts is that of
the records.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from streamseg.inputs import Event, Record

ATTRIBUTE_CHANGED = "attribute_changed"
TAG_ADDED = "tag_added"
TAG_REMOVED = "tag_removed"
GLOBAL_UNSUBSCRIBE = "global_unsubscribe"

# Of each, the property that names the subject, and the others.
_PROPERTIES: dict[str, tuple[str | None, tuple[str, ...]]] = {
    ATTRIBUTE_CHANGED: ("attribute", ("old", "new")),
    TAG_ADDED: ("tag", ()),
    TAG_REMOVED: ("tag", ()),
    GLOBAL_UNSUBSCRIBE: (None, ()),
}

Rows = dict[str, list[list[Any]]]
"""Events that are derived from one record, by name: a list of [subject, value of each other property ...]."""


class DerivedEvents:
    """What one record gives rise to, in force from `occurred_ms` (epoch ms)."""

    __slots__ = ("_occurred_ms", "_offset", "_origin", "_recorded_ms", "events")

    def __init__(self, origin: str, occurred_ms: int, offset: int, recorded_ms: int) -> None:
        """`origin` is what their ids begin with; `offset` and `recorded_ms` are the record's."""
        self._origin = origin
        self._occurred_ms = occurred_ms
        self._offset = offset
        self._recorded_ms = recorded_ms
        self.events: list[Event] = []

    @classmethod
    def of(cls, record: Record, occurred_ms: int) -> DerivedEvents:
        """None yet of a record."""
        origin = f"{record.topic}/{record.partition}/{record.offset:020d}/"
        return cls(origin, occurred_ms, record.offset, record.timestamp_ms)

    def add(self, name: str, subject: str, *values: Any) -> None:
        """One more; `subject` tells it from the others of its name, `values` are its other properties."""
        named, others = _PROPERTIES[name]
        properties: dict[str, Any] = {} if named is None else {named: subject}
        if others:
            properties.update(zip(others, values, strict=True))
        event_id = f"{self._origin}{name}/{subject}"
        self.events.append(
            Event(event_id, name, self._occurred_ms, properties, True, self._offset, self._recorded_ms)
        )

    def in_order(self) -> list[Event]:
        """All of them, in the order of a contact's events."""
        self.events.sort(key=_event_id)
        return self.events


def rows_of(events: Iterable[Event]) -> Rows:
    """Events derived from one record, ordered, in short: names and properties' names are not repeated."""
    return {name: [_row(event) for event in alike] for name, alike in groupby(events, _name)}


def _row(event: Event) -> list[Any]:
    _, others = _PROPERTIES[event.name]
    subject = event.event_id.split("/", 4)[4]
    return [subject, *(event.properties[name] for name in others)]


def origin_of(event_id: str) -> str:
    """What the ids of all events derived from one record, and of no others that are derived, begin with."""
    topic, partition, offset, _ = event_id.split("/", 3)
    return f"{topic}/{partition}/{offset}/"


def _name(event: Event) -> str:
    return event.name


def _event_id(event: Event) -> str:
    return event.event_id
