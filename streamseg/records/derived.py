"""The events that the engine derives itself: from a contact update, one for each real change, and from a form
that unsubscribes.

The id of a derived event is `<topic>/<partition>/<number>/<name>/<subject>`. It begins with the place of the
record, so the id is the same whenever the record is applied. The number is padded with zeros, so ids sort in
the order of the records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from schemas.topics import BEHAVIOR_EVENTS
from streamseg.contact.first_values import FirstValues
from streamseg.records.inputs import Event, Record

ATTRIBUTE_CHANGED = "attribute_changed"
TAG_ADDED = "tag_added"
TAG_REMOVED = "tag_removed"
GLOBAL_UNSUBSCRIBE = "global_unsubscribe"

# Event name -> the property that names the subject (None: no property does), and the other properties.
_PROPERTIES: dict[str, tuple[str | None, tuple[str, ...]]] = {
    ATTRIBUTE_CHANGED: ("attribute", ("old", "new")),
    TAG_ADDED: ("tag", ()),
    TAG_REMOVED: ("tag", ()),
    GLOBAL_UNSUBSCRIBE: (None, ()),
}

Row = Sequence[Any]
"""A derived event in short: its subject, then the value of each other property."""


class DerivedEvents:
    """The events that are derived from one record; all occurred at `occurred_ms` (epoch ms).

    They are added, kept and dropped together. A first update gives twenty of them, and few definitions test
    any. So they stay rows until `events` is called, and the rows of a first update are not even made before.

    origin       the text with which the ids of these events begin
    offset       the number of the record
    recorded_ms  the timestamp of the record, epoch ms
    first        the values of a first update from which all events follow; None: there are `rows`
    unsubscribed whether one event more follows from `first`: the unsubscribing
    """

    __slots__ = ("_rows", "first", "occurred_ms", "offset", "origin", "recorded_ms", "unsubscribed")

    def __init__(self, origin: str, occurred_ms: int, offset: int, recorded_ms: int) -> None:
        self.origin = origin
        self.occurred_ms = occurred_ms
        self.offset = offset
        self.recorded_ms = recorded_ms
        self._rows: dict[str, list[Row]] = {}
        self.first: FirstValues | None = None
        self.unsubscribed = False

    def set_first(self, first: FirstValues, *, unsubscribed: bool) -> None:
        """Make it hold what a first update changed: each value that is not null, and the unsubscribing."""
        self.first = first
        self.unsubscribed = unsubscribed

    @property
    def rows(self) -> dict[str, list[Row]]:
        """Event name -> one row for each event, in no order."""
        if self.first is not None:
            rows: list[Row] = [
                (name, None, value) for name, value in self.first.values.items() if value is not None
            ]
            self._rows = {ATTRIBUTE_CHANGED: rows} if rows else {}
            if self.unsubscribed:
                self._rows[GLOBAL_UNSUBSCRIBE] = [("subscribed",)]
            self.first = None
        return self._rows

    @rows.setter
    def rows(self, rows: dict[str, list[Row]]) -> None:
        self._rows = rows

    @property
    def names(self) -> list[str]:
        """The names of the events, sorted."""
        if self.first is None:
            return sorted(self._rows)
        return [ATTRIBUTE_CHANGED, GLOBAL_UNSUBSCRIBE] if self.unsubscribed else [ATTRIBUTE_CHANGED]

    @classmethod
    def of(cls, record: Record, occurred_ms: int) -> DerivedEvents:
        """Return an empty collection for a record."""
        origin = f"{record.topic}/{record.partition}/{record.number:020d}/"
        return cls(origin, occurred_ms, record.number, record.timestamp_ms)

    @classmethod
    def gather(cls, events: Iterable[Event]) -> DerivedEvents:
        """Return the collection that holds these events: at least one, all derived from one record."""
        first, *others = events
        derived = cls(origin_of(first.event_id), first.occurred_ms, first.offset, first.recorded_ms)
        for event in (first, *others):
            _, names = _PROPERTIES[event.name]
            subject = event.event_id.split("/", 4)[4]
            derived.add(event.name, (subject, *(event.properties[name] for name in names)))
        return derived

    def __len__(self) -> int:
        if self.first is not None:
            values = list(self.first.values.values())
            return len(values) - values.count(None) + self.unsubscribed
        return sum(map(len, self._rows.values()))

    def add(self, name: str, row: Row) -> None:
        """Add one event. Its subject differs from the subjects of the other events of this name."""
        kept = self.rows
        rows = kept.get(name)
        if rows is None:
            rows = kept[name] = []
        rows.append(row)

    def events(self, name: str) -> Iterator[Event]:
        """Yield the events of one name, in the order of a contact's events."""
        named, others = _PROPERTIES[name]
        for subject, *values in sorted(self.rows.get(name, ()), key=_subject):
            properties: dict[str, Any] = {} if named is None else {named: subject}
            properties.update(zip(others, values, strict=True))
            event_id = f"{self.origin}{name}/{subject}"
            yield Event(event_id, name, self.occurred_ms, properties, True, self.offset, self.recorded_ms)

    def all_events(self) -> list[Event]:
        """Return all events, in the order of a contact's events."""
        return [event for name in sorted(self.rows) for event in self.events(name)]


def outlives_erasure(event: Event) -> bool:
    """Return whether an event that is later than an erasure is kept after it. A derived event is kept if its
    record is: behaviour events are, contact updates are not."""
    return not event.derived or event.event_id.startswith(f"{BEHAVIOR_EVENTS}/")


def origin_of(event_id: str) -> str:
    """Return the text with which the ids of all events derived from the same record begin. No other derived
    event has an id that begins with it."""
    topic, partition, offset, _ = event_id.split("/", 3)
    return f"{topic}/{partition}/{offset}/"


def _subject(row: Row) -> str:
    subject: str = row[0]
    return subject
