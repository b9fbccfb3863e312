"""One partition's state in RocksDB, and its unwritten changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from operator import itemgetter
from pathlib import Path
from typing import Any

from streamseg.contact.contact import Contact
from streamseg.contact.kept_changes import KeptChange
from streamseg.contact.state_version import FIRST_WITH_CHANGES, layout_to_write
from streamseg.records.derived import DerivedEvents
from streamseg.records.inputs import Event, Order
from streamseg.store import layout
from streamseg.store.caches import Caches
from streamseg.store.change_table import ChangeTable
from streamseg.store.contact_table import ContactTable
from streamseg.store.database import CacheUse, Database, Figures, KeyValue, new_batch, put_records
from streamseg.store.event_table import EventTable
from streamseg.store.growth import Counts
from streamseg.store.growth_table import GrowthTable
from streamseg.store.kept_outputs import KeptOutputs
from streamseg.store.member_table import MemberTable
from streamseg.store.note_table import NoteTable
from streamseg.store.pending import PendingCheckpoint

CLOCK = "clock_ms"
IMPORTING = "importing"
"""The note of a partition to which an import writes, until it is complete."""

GROWTH_SINCE = "growth_since_ms"

_HISTORY, _CONTACT, _CHANGE = layout.HISTORY[0], layout.CONTACT[0], layout.CHANGE[0]
_OF_OUTPUTS = (layout.OUTPUT[0], layout.META[0])
_key = itemgetter(0)


class RocksStore:
    """`streamseg.store.protocol.Store` over one RocksDB database.

    Each kind of data has a table, which merges the data on disk with the unwritten changes. Writes stay in
    memory until `commit` writes them in one batch, together with the offset of their last changelog record.
    Reads see them before that. `streamseg.store.pending` has the steps of a checkpoint.
    """

    def __init__(self, path: Path, *, caches: Caches | None = None, layout_asked: int | None = None) -> None:
        """Open or create the database at `path`, a folder of its own.

        `caches` may be shared by the stores of one process; None: this store has its own, of 64 MiB.
        `layout_asked` is `Settings.layout`. Raises StateVersionError if this release cannot read the version
        of the state, and ConfigurationError if another process has it open.
        """
        self._caches = Caches(64 << 20) if caches is None else caches
        self._database = Database(path, self._caches.blocks)
        self._caches.join()
        self._contacts = ContactTable(self._database, self._caches)
        self._events = EventTable(self._database)
        self._members = MemberTable(self._database)
        self._changes = ChangeTable(self._database)
        self._growth = GrowthTable(self._database)
        self._notes = NoteTable(self._database)
        self._outputs = KeptOutputs(self._database, self._notes)
        self._pending: PendingCheckpoint | None = None
        self._layout_asked = layout_asked
        # Of the contacts that are written from now on; None: not decided since the disk was last changed.
        self._written_layout: int | None = None
        self.clock_ms: int = self.number(CLOCK) or 0

    def is_empty(self) -> bool:
        """Return whether nothing was ever written: no contact, and no note of the partition."""
        notes = (key for key, _ in self._database.items(layout.META, layout.META))
        written = next((key for key in notes if key != layout.FORMAT_KEY), None)
        return written is None and next(self._contacts.ids(), None) is None

    # -- layout -----------------------------------------------------------------------------------------

    @property
    def written_layout(self) -> int:
        """The layout in which contacts are written; see `streamseg.contact.state_version`. Cost, when the
        state is raised by it: all contacts are read once.

        Raises ConfigurationError if the operator asks for an earlier layout than the state has."""
        version = self._written_layout
        if version is None:
            version = layout_to_write(self._database.kept_layout, self._layout_asked)
            self._raise_to(version)
            self._written_layout = version
        return version

    def _raise_to(self, version: int) -> None:
        if self._database.raise_to(version):
            self._contacts.read_unkept()

    # -- contacts ---------------------------------------------------------------------------------------

    def contact(self, contact_id: str) -> Contact | None:
        """Return the contact's state, or None if this partition has never kept any."""
        return self._contacts.get(contact_id)

    def put(self, contact: Contact) -> None:
        """Keep the contact's state and file it under its `due_ms` (None: never due)."""
        self._refuse_while_held()
        self._contacts.put(contact)

    def contact_ids(self, after: str | None = None, prefix: str = "") -> Iterator[str]:
        """Yield all kept contact ids that are greater than `after` and begin with `prefix`, in ascending
        UTF-8 order."""
        return self._contacts.ids(after, prefix)

    def next_due(self) -> tuple[int, str] | None:
        """Return the least (`due_ms`, `contact_id`) of all contacts, or None. Cost: O(log contacts)."""
        return self._contacts.next_due()

    def is_filed(self, contact_id: str, due_ms: int) -> bool:
        """Return whether the due index holds the contact at `due_ms`, so that `next_due` will return it."""
        return self._contacts.is_filed(contact_id, due_ms)

    # -- events -----------------------------------------------------------------------------------------

    def find_event(self, contact_id: str, event_id: str) -> tuple[int, int] | None:
        """Return (`occurred_ms`, `offset`) of the kept behaviour event with this id, or None."""
        return self._events.find(contact_id, event_id)

    def add_event(self, contact_id: str, event: Event) -> None:
        """Keep a behaviour event (not a derived one) whose id is not kept yet."""
        self._refuse_while_held()
        self._events.add(contact_id, event)

    def add_derived(self, contact_id: str, derived: DerivedEvents) -> None:
        """Keep the events derived from one record. The caller must not change `derived` afterwards."""
        self._refuse_while_held()
        self._events.add_derived(contact_id, derived)

    def drop_event(self, contact_id: str, order: Order) -> None:
        """Forget one kept event."""
        self._refuse_while_held()
        self._events.drop(contact_id, order)

    def events(self, contact_id: str, since_ms: int | None = None) -> Iterator[Event]:
        """Yield the contact's kept events as of the call, ascending by (`occurred_ms`, `event_id`).

        With `since_ms`, only events from that time on are read: neither earlier events nor the traces that
        their deletion left on disk are read."""
        return self._events.of_contact(contact_id, since_ms)

    # -- members ----------------------------------------------------------------------------------------

    def set_member(self, segment_id: str, contact_id: str, entry: tuple[int, int] | None) -> None:
        """Set the contact's entry (`sequence`, `entered_ms`) in a segment; None: it is not a member any
        more."""
        self._refuse_while_held()
        self._members.set(segment_id, contact_id, entry)

    def member(self, segment_id: str, contact_id: str) -> tuple[int, int] | None:
        """Return the entry that `set_member` was given last: (`sequence`, `entered_ms`), or None."""
        return self._members.get(segment_id, contact_id)

    def members(
        self, segment_id: str, after: str | None = None, prefix: str = ""
    ) -> Iterator[tuple[str, int, int]]:
        """Yield (contact id, `sequence`, `entered_ms`) of the segment's members whose ids are greater than
        `after` and begin with `prefix`, ascending by contact id."""
        return self._members.of_segment(segment_id, after, prefix)

    def member_counts(self) -> dict[str, int]:
        """Return segment id -> number of members. Cost: the first call reads the key of every membership."""
        return dict(self._members.counts())

    # -- membership changes -----------------------------------------------------------------------------

    def keep_change(self, contact_id: str, change: KeptChange) -> None:
        """Keep a change, and count it in the growth of its segment."""
        self._refuse_while_held()
        self._changes.add(contact_id, change)
        self._growth.add(contact_id, change)

    def drop_change(self, contact_id: str, change: KeptChange) -> None:
        """Forget a kept change. It stays counted."""
        self._refuse_while_held()
        self._changes.drop(contact_id, change)

    def kept_changes(self, contact_id: str, since_ms: int | None = None) -> Iterator[KeptChange]:
        """Yield the contact's kept changes, ascending. With `since_ms`, only changes from that time on are
        read."""
        return self._changes.of_contact(contact_id, since_ms)

    def segment_changes(
        self, segment_id: str, after: str | None = None, prefix: str = ""
    ) -> Iterator[tuple[str, KeptChange]]:
        """Yield contact ids that are greater than `after` and begin with `prefix`, and their kept changes in
        this segment, ascending by contact id and then by change."""
        return self._changes.of_segment(segment_id, after, prefix)

    def set_floor(self, segment_id: str, contact_id: str, dropped_ms: int | None) -> None:
        """Keep the time of the latest change of a contact in a segment that was dropped because of the cap;
        None: forget it."""
        self._refuse_while_held()
        self._changes.set_floor(segment_id, contact_id, dropped_ms)

    def floors(self, segment_id: str, after: str | None = None) -> Iterator[tuple[str, int]]:
        """Yield contact ids greater than `after`, and the time of the latest change in this segment that was
        dropped because of the cap, ascending by contact id."""
        return self._changes.floors(segment_id, after)

    def growth(self, segment_id: str, born: int, since_ms: int) -> Iterator[tuple[int, Counts]]:
        """Yield quarters of an hour (their first instant, epoch ms) in which contacts entered or left the
        segment, and how many did, ascending, from the quarter on in which `since_ms` lies. What
        `expire_growth` has forgotten is left out, also where its deletion is still to come."""
        kept_ms = self.growth_since_ms()
        first_ms = since_ms if kept_ms is None else max(since_ms, kept_ms)
        return self._growth.of_segment(segment_id, born, first_ms)

    def expire_growth(self, before_ms: int) -> None:
        """Forget how many contacts entered and left segments up to `before_ms`. Cost: one look-up a
        segment."""
        self._refuse_while_held()
        if self._growth.expire(before_ms):
            self.set_number(GROWTH_SINCE, before_ms)

    def growth_since_ms(self) -> int | None:
        """Return the time (epoch ms) up to which `expire_growth` has forgotten changes, or None."""
        return self.number(GROWTH_SINCE)

    def unkept_ms(self) -> int | None:
        """Return the greatest `unkept_ms` of all contacts, or None: later changes than that are all kept,
        unless the cap dropped them, and counted."""
        if self.written_layout < FIRST_WITH_CHANGES:
            return self.clock_ms
        return self._contacts.unkept_ms()

    # -- notes of the partition -------------------------------------------------------------------------

    def number(self, name: str) -> int | None:
        """Return the number kept for the partition under a name, or None."""
        number: int | None = self._notes.get(name)
        return number

    def set_number(self, name: str, value: int) -> None:
        """Keep a number for the partition, for instance the offset up to which a source was read."""
        self.set_note(name, value)

    def note(self, name: str) -> Any:
        """Return the JSON value kept for the partition under a name, or None."""
        return self._notes.get(name)

    def set_note(self, name: str, value: Any) -> None:
        """Keep a JSON value for the partition, for instance the progress of a sweep. The caller must not
        change the value afterwards."""
        self._refuse_while_held()
        self._notes.set(name, value)

    # -- durability -------------------------------------------------------------------------------------

    @property
    def unwritten(self) -> int:
        """A lower bound of the number of contacts with unwritten changes. It is close: nearly every contact
        with unwritten events also has an unwritten state."""
        return max(len(self._contacts.changed()), self._events.count())

    @property
    def changelog_offset(self) -> int | None:
        """The changelog offset up to which this database holds the changelog, or None."""
        return self._database.changelog_offset

    def changes(self, outputs: Mapping[str, bytes] | None = None) -> PendingCheckpoint:
        """Begin a checkpoint of everything unwritten, the clock last, with the outputs that are to be sent
        (by contact id). The store is held until `commit`.

        Cost: one serialization per changed contact and event."""
        self._refuse_while_held()
        # The clock moves with each record, so it becomes a note only here.
        if self.clock_ms != (self.number(CLOCK) or 0):
            self.set_number(CLOCK, self.clock_ms)
        contacts, beside = self._contacts.changed(), self._events.changed() | self._members.changed()
        beside |= self._changes.changed() | self._growth.changed()
        contact_ids = [*(beside - contacts), *contacts]
        notes = [*self._growth.deletions(), *self._notes.records(last=CLOCK)]
        return self._begin(contact_ids, notes, outputs or {}, everything=True)

    def changes_of(self, outputs: Mapping[str, bytes]) -> PendingCheckpoint:
        """Begin a checkpoint of only the contacts that have outputs, without notes. A checkpoint of `changes`
        that was interrupted leaves the same kind of state. The other contacts stay unwritten after
        `commit`."""
        self._refuse_while_held()
        return self._begin(list(outputs), [], outputs, everything=False)

    def _begin(
        self,
        contact_ids: Sequence[str],
        notes: list[KeyValue],
        outputs: Mapping[str, bytes],
        *,
        everything: bool,
    ) -> PendingCheckpoint:
        with_members, with_changes = self._members.changed(), self._changes.changed()
        with_growth = self._growth.changed()
        version = self.written_layout
        contacts: dict[str, list[KeyValue]] = {}
        history: list[KeyValue] = []
        index: list[KeyValue] = []
        entries: list[KeyValue] = []
        changes: list[KeyValue] = []
        change_index: list[KeyValue] = []
        sums: dict[bytes, bytes] = {}
        attributes: list[KeyValue] = []
        states: list[KeyValue] = []
        # In the order of contacts, because RocksDB takes keys that ascend in less than half the time.
        for contact_id in sorted(contact_ids):
            group = contacts[contact_id] = self._events.records(contact_id, index)
            history += group
            if contact_id in with_members:
                own = self._members.records(contact_id)
                entries += own
                group += own
            if contact_id in with_changes:
                own = self._changes.records(contact_id, change_index)
                changes += own
                group += own
            if contact_id in with_growth:
                group += self._growth.records(contact_id, sums)
            restated, state = self._contacts.records(contact_id, version)
            if restated is not None:
                attributes.append(restated)
                group.append(restated)
            if state is not None:
                # It comes last, because it holds the offsets up to which input was applied.
                states.append(state)
                group.append(state)
        growth: list[KeyValue] = list(sums.items())
        writes = [history, index, entries, changes, change_index, growth, attributes, states, notes]
        self._pending = self._outputs.checkpoint(contacts, notes, outputs, writes, everything=everything)
        return self._pending

    def commit(self, pending: PendingCheckpoint, changelog_offset: int | None = None) -> None:
        """End a checkpoint: write it in one atomic batch, together with the offset of its last changelog
        record (None: it has none). The caller must have sent its outputs before."""
        if pending is not self._pending:
            raise RuntimeError("only the checkpoint that was begun last can be committed, once")
        batch = new_batch()
        for records in pending.writes:
            put_records(batch, records)
        due = self._contacts.write_due(batch, pending.contact_ids)
        self._outputs.write_number(batch, pending)
        self._database.write(batch, changelog_offset)
        self._contacts.settle(pending.contact_ids, due)
        self._events.settle(pending.contact_ids)
        self._members.settle(pending.contact_ids)
        self._changes.settle(pending.contact_ids)
        self._growth.settle(pending.contact_ids)
        if pending.contact_ids is None:
            self._notes.settle()
        self._outputs.settle(pending)
        self._pending = None

    def save(self) -> None:
        """Write everything unwritten to disk, in a run without a changelog."""
        self.commit(self.changes())

    def apply_changelog(self, records: Sequence[KeyValue], offset: int, strays: Iterable[bytes] = ()) -> None:
        """Write changelog records up to `offset` directly to disk, with the index entries that follow from
        them. `strays` are the keys of changelog records up to `offset` that do not count; they are noted.

        Raises RuntimeError if the store has unwritten changes, and StateVersionError if this release does not
        know the layout of a record.
        """
        if self.unwritten or self._members.changed() or self._changes.changed() or len(self._notes):
            raise RuntimeError("a changelog cannot be applied under unwritten changes")
        history: list[KeyValue] = []
        outputs: list[KeyValue] = []
        latest: dict[bytes, bytes | None] = {}
        for record in records:
            kind = record[0][0]
            if kind == _HISTORY:
                history.append(record)
            else:
                latest[record[0]] = record[1]
                if kind in _OF_OUTPUTS:
                    outputs.append(record)
        latest |= self._outputs.applied(outputs)
        # Records of events are written in their order: an event that was dropped and added again at another
        # time has the same entry in the event-id index.
        written = history + layout.event_id_entries(history)
        states: list[bytes] = []
        for key, value in latest.items():
            written.append((key, value))
            kind = key[0]
            if kind == _CONTACT and value is not None:
                states.append(value)
                due_key = layout.due_key_of(key, value)
                if due_key is not None:
                    # An older entry of this contact may stay; the queue finds that it is outdated and drops
                    # it.
                    written.append((due_key, b""))
            elif kind == _CHANGE:
                written.append((layout.segment_change_key(key), value))
        written.sort(key=_key)
        batch = new_batch()
        put_records(batch, written)
        self._written_layout = None
        self._raise_to(max((data[0] for data in states), default=0))
        self._contacts.note_unkept(states)
        self._contacts.write_unkept(batch)
        for key in strays:
            batch.put(layout.STRAY + key, b"")
        self._database.write(batch, offset)
        for table in (self._contacts, self._members, self._growth, self._notes):
            table.forget_read()
        self.clock_ms = self.number(CLOCK) or 0

    def in_bulk(self) -> AbstractContextManager[None]:
        """Write faster while much of a changelog is applied; see `Database.in_bulk`."""
        return self._database.in_bulk()

    # -- outputs ----------------------------------------------------------------------------------------

    def unsent_outputs(self) -> list[bytes]:
        """Return the outputs of the applied changelog that may not have been sent, in their order."""
        return self._outputs.unsent()

    def forget_outputs(self) -> None:
        """Forget the outputs that `unsent_outputs` returned, because all of them were sent. The next
        changelog records begin with the number up to which outputs were sent."""
        self._outputs.forget()

    # -- records of the changelog that do not count -----------------------------------------------------

    def strays(self) -> list[KeyValue]:
        """Return each noted key of a changelog record that does not count, and the value on disk under it."""
        keys = [key[1:] for key, _ in self._database.items(layout.STRAY, layout.STRAY)]
        return [(key, self._database.get(key)) for key in keys]

    def forget_strays(self) -> None:
        """Forget the keys that `strays` returns, because their values were written to the changelog again."""
        batch = new_batch()
        for key, _ in self._database.items(layout.STRAY, layout.STRAY):
            batch.delete(key)
        self._database.write(batch)

    def figures(self) -> Figures:
        """Return the size and the condition of the database. Cost: O(1), RocksDB keeps these figures."""
        return self._database.figures()

    def take_cache_use(self) -> CacheUse:
        """Return how the block cache was used since the last call."""
        return self._database.take_cache_use()

    @property
    def compacted_ms(self) -> int | None:
        """The time (epoch ms) of the last compaction of all data, or of `note_compacted`; None: unknown."""
        return self._database.compacted_ms

    def note_compacted(self, now_ms: int) -> None:
        """Keep a time (epoch ms) as that of the last compaction, for a new database."""
        self._database.note_compacted(now_ms)

    def compact(self, now_ms: int) -> None:
        """Remove all bytes of replaced and deleted values from the disk; see `Database.compact`. Another
        thread may call this."""
        self._database.compact(now_ms)

    def close(self) -> None:
        """Close the database and let go of what was read; unwritten changes are lost."""
        self._contacts.close()
        self._database.close()
        self._caches.leave()

    def _refuse_while_held(self) -> None:
        if self._pending is not None:
            raise RuntimeError("the store is being committed: changes() was called, commit() was not")
