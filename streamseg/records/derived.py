"""The events that the engine itself derives: from a contact update, once per real change, and from a form
that says no.

An id is `<topic>/<partition>/<offset>/<name>/<subject>`: it begins with the position of the record, so that
it is the same whenever the record is applied, and the offset is padded, so that the order of texts is that of
the records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from schemas.topics import BEHAVIOR_EVENTS
from streamseg.records.inputs import Event, Record

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

Row = Sequence[Any]
"""One of them in short: subject, value of each other property ..."""


class DerivedEvents:
    """What one record gives rise to, in force from `occurred_ms` (epoch ms).

    They come, are kept and go together, twenty for a first update, and few definitions ask for any: so they
    are rows until someone does.

    origin       what their ids begin with
    offset, recorded_ms   the record's
    rows         by name, a row each, in no order
    """

    __slots__ = ("occurred_ms", "offset", "origin", "recorded_ms", "rows")

    def __init__(self, origin: str, occurred_ms: int, offset: int, recorded_ms: int) -> None:
        self.origin = origin
        self.occurred_ms = occurred_ms
        self.offset = offset
        self.recorded_ms = recorded_ms
        self.rows: dict[str, list[Row]] = {}

    @classmethod
    def of(cls, record: Record, occurred_ms: int) -> DerivedEvents:
        """None yet of a record."""
        origin = f"{record.topic}/{record.partition}/{record.offset:020d}/"
        return cls(origin, occurred_ms, record.offset, record.timestamp_ms)

    @classmethod
    def gather(cls, events: Iterable[Event]) -> DerivedEvents:
        """Those of one record, not none, as they were before they were events."""
        first, *others = events
        derived = cls(origin_of(first.event_id), first.occurred_ms, first.offset, first.recorded_ms)
        for event in (first, *others):
            _, names = _PROPERTIES[event.name]
            subject = event.event_id.split("/", 4)[4]
            derived.add(event.name, (subject, *(event.properties[name] for name in names)))
        return derived

    def __len__(self) -> int:
        return sum(map(len, self.rows.values()))

    def add(self, name: str, row: Row) -> None:
        """One more; the subject tells it from the others of its name."""
        rows = self.rows.get(name)
        if rows is None:
            rows = self.rows[name] = []
        rows.append(row)

    def events(self, name: str) -> Iterator[Event]:
        """Those of one name, in the order of a contact's events."""
        named, others = _PROPERTIES[name]
        for subject, *values in sorted(self.rows.get(name, ()), key=_subject):
            properties: dict[str, Any] = {} if named is None else {named: subject}
            properties.update(zip(others, values, strict=True))
            event_id = f"{self.origin}{name}/{subject}"
            yield Event(event_id, name, self.occurred_ms, properties, True, self.offset, self.recorded_ms)

    def all_events(self) -> list[Event]:
        """All of them, in the order of a contact's events."""
        return [event for name in sorted(self.rows) for event in self.events(name)]


def outlives_erasure(event: Event) -> bool:
    """Whether an event later than an erasure is still there after it: what is derived goes and stays with the
    record that it comes from, and the updates go."""
    return not event.derived or event.event_id.startswith(f"{BEHAVIOR_EVENTS}/")


def origin_of(event_id: str) -> str:
    """What the ids of all events derived from one record, and of no others that are derived, begin with."""
    topic, partition, offset, _ = event_id.split("/", 3)
    return f"{topic}/{partition}/{offset}/"


def _subject(row: Row) -> str:
    subject: str = row[0]
    return subject
