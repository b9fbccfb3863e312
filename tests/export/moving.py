"""State that is spread over some partitions, and goes by its changelogs through an export to others."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from agents.export.notes import moved_notes, next_numbers
from agents.kafka.partitioner import place
from agents.partitions.checkpoint import counted_name, offset_name
from schemas.topics import SOURCES
from streamseg.contact.contact import Contact
from streamseg.contact.kept_changes import KeptChange
from streamseg.export.contact_line import contact_records, read_line
from streamseg.export.gathering import Gathering
from streamseg.export.growth_lines import growth_lines, growth_records
from streamseg.export.partition_lines import Counted, partition_lines
from streamseg.records.derived import DerivedEvents
from streamseg.records.inputs import Event, Order
from streamseg.store.caches import Caches
from streamseg.store.database import KeyValue
from streamseg.store.growth import Counts, add
from streamseg.store.rocksdb import CLOCK, RocksStore


class Spread:
    """A store over some partitions, each with its changelog; a contact is in the partition of its key."""

    def __init__(self, folder: Path, partitions: int) -> None:
        self.stores = [RocksStore(folder / str(number), caches=Caches(1)) for number in range(partitions)]
        self.changelogs: list[list[KeyValue]] = [[] for _ in range(partitions)]
        self._clock_ms = 0

    @property
    def written_layout(self) -> int:
        return self.stores[0].written_layout

    @property
    def clock_ms(self) -> int:
        return self._clock_ms

    @clock_ms.setter
    def clock_ms(self, now_ms: int) -> None:
        self._clock_ms = now_ms
        for store in self.stores:
            store.clock_ms = now_ms

    def of(self, contact_id: str) -> RocksStore:
        return self.stores[place(contact_id.encode(), len(self.stores))]

    def contact(self, contact_id: str) -> Contact | None:
        return self.of(contact_id).contact(contact_id)

    def put(self, contact: Contact) -> None:
        self.of(contact.contact_id).put(contact)

    def contact_ids(self, after: str | None = None, prefix: str = "") -> Iterator[str]:
        return heapq.merge(*(store.contact_ids(after, prefix) for store in self.stores))

    def next_due(self) -> tuple[int, str] | None:
        found = [due for due in (store.next_due() for store in self.stores) if due is not None]
        return min(found, default=None)

    def is_filed(self, contact_id: str, due_ms: int) -> bool:
        return self.of(contact_id).is_filed(contact_id, due_ms)

    def set_member(self, segment_id: str, contact_id: str, entry: tuple[int, int] | None) -> None:
        self.of(contact_id).set_member(segment_id, contact_id, entry)

    def member(self, segment_id: str, contact_id: str) -> tuple[int, int] | None:
        return self.of(contact_id).member(segment_id, contact_id)

    def members(
        self, segment_id: str, after: str | None = None, prefix: str = ""
    ) -> Iterator[tuple[str, int, int]]:
        return heapq.merge(*(store.members(segment_id, after, prefix) for store in self.stores))

    def member_counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for store in self.stores:
            for segment_id, count in store.member_counts().items():
                counts[segment_id] = counts.get(segment_id, 0) + count
        return counts

    def find_event(self, contact_id: str, event_id: str) -> tuple[int, int] | None:
        return self.of(contact_id).find_event(contact_id, event_id)

    def add_event(self, contact_id: str, event: Event) -> None:
        self.of(contact_id).add_event(contact_id, event)

    def add_derived(self, contact_id: str, derived: DerivedEvents) -> None:
        self.of(contact_id).add_derived(contact_id, derived)

    def events(self, contact_id: str, since_ms: int | None = None) -> Iterator[Event]:
        return self.of(contact_id).events(contact_id, since_ms)

    def drop_event(self, contact_id: str, order: Order) -> None:
        self.of(contact_id).drop_event(contact_id, order)

    def keep_change(self, contact_id: str, change: KeptChange) -> None:
        self.of(contact_id).keep_change(contact_id, change)

    def drop_change(self, contact_id: str, change: KeptChange) -> None:
        self.of(contact_id).drop_change(contact_id, change)

    def kept_changes(self, contact_id: str, since_ms: int | None = None) -> Iterator[KeptChange]:
        return self.of(contact_id).kept_changes(contact_id, since_ms)

    def set_floor(self, segment_id: str, contact_id: str, dropped_ms: int | None) -> None:
        self.of(contact_id).set_floor(segment_id, contact_id, dropped_ms)

    def segment_changes(
        self, segment_id: str, after: str | None = None, prefix: str = ""
    ) -> Iterator[tuple[str, KeptChange]]:
        return heapq.merge(*(store.segment_changes(segment_id, after, prefix) for store in self.stores))

    def floors(self, segment_id: str, after: str | None = None) -> Iterator[tuple[str, int]]:
        return heapq.merge(*(store.floors(segment_id, after) for store in self.stores))

    def expire_growth(self, before_ms: int) -> None:
        for store in self.stores:
            store.expire_growth(before_ms)

    def growth(self, segment_id: str, born: int, since_ms: int) -> Iterator[tuple[int, Counts]]:
        sums: dict[int, Counts] = {}
        for store in self.stores:
            for quarter_ms, counts in store.growth(segment_id, born, since_ms):
                add(sums.setdefault(quarter_ms, []), counts)
        return iter(sorted(sums.items()))

    def growth_since_ms(self) -> int | None:
        found = (store.growth_since_ms() for store in self.stores)
        return max((at_ms for at_ms in found if at_ms is not None), default=None)

    def unkept_ms(self) -> int | None:
        found = (store.unkept_ms() for store in self.stores)
        return max((at_ms for at_ms in found if at_ms is not None), default=None)

    def save(self) -> None:
        """A checkpoint of each partition, in its changelog and on its disk."""
        for store, changelog in zip(self.stores, self.changelogs, strict=True):
            pending = store.changes()
            changelog += [record for group in pending.groups for record in group]
            store.commit(pending)

    def applied(self, offset: int) -> None:
        """Note that the source topics were applied up to and with this offset."""
        for store in self.stores:
            for topic in SOURCES:
                store.set_number(offset_name(topic), offset + 1)

    def close(self) -> None:
        for store in self.stores:
            store.close()


class Lines(NamedTuple):
    """The lines of each partition, those of the growth, the notes, and what was counted."""

    contacts: list[list[bytes]]
    growth: list[list[bytes]]
    notes: dict[int, dict[str, Any]]
    counted: Counted


def lines_of(spread: Spread, folder: Path) -> Lines:
    """What an export writes."""
    gathering, counted = Gathering(folder), Counted()
    try:
        for number, changelog in enumerate(spread.changelogs):
            # In two parts, as batches come.
            half = len(changelog) // 2
            gathering.apply(number, changelog[:half])
            gathering.apply(number, changelog[half:])
        lines = [
            list(partition_lines(gathering, number, counted)) for number in range(len(spread.changelogs))
        ]
        growth = [list(growth_lines(gathering.growth(number))) for number in range(len(spread.changelogs))]
        return Lines(lines, growth, gathering.notes, counted)
    finally:
        gathering.close()


def moved(spread: Spread, folder: Path, partitions: int | None) -> tuple[Spread, dict[str, int]]:
    """The state after an export and an import into so many partitions with new topics, or, with None, with
    the same topics; and how many records are counted before the first one of each topic."""
    lines, growth, notes, counted = lines_of(spread, folder / "gathering")
    numbers = {topic: max(counted.numbers[topic], number) for topic, number in next_numbers(notes).items()}
    count = len(lines) if partitions is None else partitions
    made = moved_notes(notes, count, () if partitions is None else SOURCES, numbers)
    other = Spread(folder / "moved", count)
    for line in (line for of_partition in lines for line in of_partition):
        contact = read_line(line)
        number = place(contact["contact_id"].encode(), count)
        other.changelogs[number] += contact_records(contact)
    for number, changelog in enumerate(other.changelogs):
        changelog += growth_records(growth[number::count])
    for number, (store, changelog) in enumerate(zip(other.stores, other.changelogs, strict=True)):
        store.apply_changelog(changelog, len(changelog))
        for name, value in made[number].items():
            store.set_note(name, value)
        store.clock_ms = made[number].get(CLOCK) or 0
        store.save()
        # The next export begins with all of it.
        changelog += [(b"m" + name.encode(), _json(value)) for name, value in made[number].items()]
    other._clock_ms = max(store.clock_ms for store in other.stores)
    bases = {topic: other.stores[0].number(counted_name(topic)) or 0 for topic in SOURCES}
    return other, bases


def _json(value: Any) -> bytes:
    return orjson.dumps(value)


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="streamseg-export-") as name:
        yield Path(name)
