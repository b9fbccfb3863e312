"""One partition's state in RocksDB, with a write-back overlay in front of it."""

from __future__ import annotations

import heapq
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from functools import partial
from itertools import chain, groupby, islice, takewhile
from pathlib import Path
from typing import Any, NamedTuple, cast

import orjson
from rocksdict import (
    BlockBasedIndexType,
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    Options,
    Rdict,
    WriteBatch,
    WriteOptions,
)

from streamseg.contact.attributes import Attributes
from streamseg.contact.contact import Contact
from streamseg.contact.state_version import EARLIEST_VERSION, STATE_VERSION
from streamseg.errors import ConfigurationError, StateVersionError
from streamseg.records.derived import DerivedEvents, origin_of
from streamseg.records.inputs import Event, Order
from streamseg.store import layout
from streamseg.store.due import DueQueue

CLOCK = "clock_ms"
_SAID = "outputs_said"

KeyValue = tuple[bytes, bytes | None]

# Faust's own RocksDB stores keep the changelog offset under this key; so do we, in the same write.
_OFFSET_KEY = b"__faust\0offset__"


class Figures(NamedTuple):
    """How a database stands.

    disk_bytes                what its tables take on disk
    keys                      about how many keys it has, of whatever kind
    compaction_pending_bytes  about how much is still to be compacted
    write_stalled             whether it slows down or stops writes, since it cannot keep up
    """

    disk_bytes: int
    keys: int
    compaction_pending_bytes: int
    write_stalled: bool


class RocksStore:
    """`streamseg.store.protocol.Store` over one RocksDB database.

    Writes stay in memory until `commit` writes them all at once, together with the changelog offset that
    holds them; reads see them before. What `changes` returns is what a changelog needs, in writing order;
    between `changes` and `commit` nothing may be written, so that both hold the same bytes.
    """

    def __init__(self, path: Path, *, contact_cache: int = 10_000, block_cache: Cache | None = None) -> None:
        """Open or create the database at `path`, a folder of its own.

        `contact_cache` bounds how many unchanged contacts stay decoded; `block_cache` may be shared by
        the stores of one process. Raises StateVersionError where another release wrote the state, and
        ConfigurationError where another process has it open.
        """
        path.mkdir(parents=True, exist_ok=True)
        self._contact_cache = contact_cache
        self._db = _open(path, block_cache or Cache(32 << 20))
        try:
            self._check_version()
        except StateVersionError:
            self._db.close()
            raise
        self._clean: OrderedDict[str, Contact] = OrderedDict()
        self._dirty: dict[str, Contact] = {}
        # Of the dirty ones, those whose attributes changed.
        self._restated: set[str] = set()
        # The due time each cached contact is filed under, and for dirty ones the one on disk, if known.
        self._filed: dict[str, int | None] = {}
        self._filed_on_disk: dict[str, int | None] = {}
        self._due = DueQueue(self._filed_due, self._read_due)
        # contact id -> what was derived from records, of which nothing was dropped since
        self._derived: dict[str, list[DerivedEvents]] = {}
        # contact id -> the place of an event -> the event to add, or None to drop it
        self._history: dict[str, dict[Order, Event | None]] = {}
        self._found: dict[str, dict[str, tuple[int, int] | None]] = {}
        # contact id -> segment id -> since when it is a member, or None where it no longer is
        self._members: dict[str, dict[str, tuple[int, int] | None]] = {}
        self._counts: Counter[str] | None = None
        self._meta: dict[str, Any] = {}
        self._dirty_meta: set[str] = set()
        self._changes: list[KeyValue] | None = None
        # Whose they are: None, everybody's, and the notes of the partition.
        self._changed: list[str] | None = None
        # The number of the outputs that `changes` was given last, until they are committed.
        self._saying: int | None = None
        # Whether the changelog knows how far everything is said, too.
        self._said_told = False
        self._in_bulk = False
        self.clock_ms: int = self.number(CLOCK) or 0

    # -- contacts ---------------------------------------------------------------------------------------

    def contact(self, contact_id: str) -> Contact | None:
        """The contact's state, or None if this partition has never kept any."""
        contact = self._dirty.get(contact_id)
        if contact is not None:
            return contact
        contact = self._clean.get(contact_id)
        if contact is not None:
            self._clean.move_to_end(contact_id)
            return contact
        data = self._db.get(layout.contact_key(contact_id))
        if data is None:
            return None
        contact = Contact.from_bytes(contact_id, data, self._written_attributes(contact_id))
        self._filed[contact_id] = contact.due_ms
        self._clean[contact_id] = contact
        if len(self._clean) > self._contact_cache:
            evicted, _ = self._clean.popitem(last=False)
            del self._filed[evicted]
        return contact

    def _written_attributes(self, contact_id: str) -> Attributes:
        return Attributes(partial(self._db.get, layout.attributes_key(contact_id)))

    def put(self, contact: Contact) -> None:
        """Keep the contact's state and file it under its `due_ms` (None: never due)."""
        self._refuse_while_committing()
        contact_id = contact.contact_id
        if contact_id not in self._dirty:
            self._clean.pop(contact_id, None)
            if contact_id in self._filed:
                self._filed_on_disk[contact_id] = self._filed[contact_id]
        self._dirty[contact_id] = contact
        if contact.attributes.restated:
            self._restated.add(contact_id)
            contact.attributes.restated = False
        if contact_id not in self._filed or self._filed[contact_id] != contact.due_ms:
            self._filed[contact_id] = contact.due_ms
            self._due.file(contact_id, contact.due_ms)

    def contact_ids(self, after: str | None = None) -> Iterator[str]:
        """All kept contact ids in ascending UTF-8 order, those greater than `after`."""
        unwritten = sorted(cid for cid in self._dirty if after is None or cid > after)
        start = layout.CONTACT if after is None else layout.contact_key(after) + b"\0"
        written = (key[1:].decode() for key, _ in self._items(layout.CONTACT, start))
        for contact_id, _ in groupby(heapq.merge(unwritten, written)):
            yield contact_id

    # -- due index --------------------------------------------------------------------------------------

    def next_due(self) -> tuple[int, str] | None:
        """The least (`due_ms`, `contact_id`) of all contacts, or None. Cost: O(log contacts)."""
        return self._due.head()

    def is_filed(self, contact_id: str, due_ms: int) -> bool:
        """Whether `next_due` will come to the contact at `due_ms`."""
        if contact_id in self._dirty:
            return self._filed.get(contact_id) == due_ms
        return self._db.get(layout.DUE + layout.due_entry(due_ms, contact_id)) is not None

    def _filed_due(self, contact_id: str) -> int | None:
        if contact_id in self._filed:
            return self._filed[contact_id]
        # Read as a whole: who is due is wanted next.
        contact = self.contact(contact_id)
        return None if contact is None else contact.due_ms

    def _read_due(self, after: bytes, count: int) -> list[bytes]:
        start = layout.DUE + after + b"\0" if after else layout.DUE
        return [key[1:] for key, _ in islice(self._items(layout.DUE, start), count)]

    # -- history ----------------------------------------------------------------------------------------

    def find_event(self, contact_id: str, event_id: str) -> tuple[int, int] | None:
        """(`occurred_ms`, `offset`) of the kept event with this id, no derived one, or None if none is."""
        unwritten = self._found.get(contact_id)
        if unwritten is not None and event_id in unwritten:
            return unwritten[event_id]
        data = self._db.get(layout.event_id_key(contact_id, event_id))
        return None if data is None else layout.read_event_id(data)

    def add_event(self, contact_id: str, event: Event) -> None:
        """Keep an event, no derived one, whose id is not kept yet."""
        self._refuse_while_committing()
        history = self._history.get(contact_id)
        if history is None:
            history = self._history[contact_id] = {}
            self._found[contact_id] = {}
        history[event.order] = event
        self._found[contact_id][event.event_id] = (event.occurred_ms, event.offset)

    def add_derived(self, contact_id: str, derived: DerivedEvents) -> None:
        """Keep what is derived from one record, which stays as it is from now on."""
        self._refuse_while_committing()
        self._derived.setdefault(contact_id, []).append(derived)

    def drop_event(self, contact_id: str, order: Order) -> None:
        """Forget one kept event."""
        self._refuse_while_committing()
        self._take_apart(contact_id)
        self._history[contact_id][order] = None
        found = self._found.setdefault(contact_id, {})
        _, event_id, derived = order
        if not derived:
            found[event_id] = None

    def events(self, contact_id: str, since_ms: int | None = None) -> Iterator[Event]:
        """The contact's kept events by (`occurred_ms`, `event_id`), ascending, as of the call; those since
        then, if given: what lies before is not read, nor what deleting it left behind."""
        if contact_id in self._derived:
            self._take_apart(contact_id)
        history = self._history.get(contact_id, {})
        if since_ms is None:
            return self._events(contact_id, layout.history_prefix(contact_id), history.copy())
        unwritten = {order: event for order, event in history.items() if order[0] >= since_ms}
        return self._events(contact_id, layout.history_key(contact_id, since_ms, ""), unwritten)

    def _take_apart(self, contact_id: str) -> None:
        """Note each of the derived events by itself."""
        history = self._history.setdefault(contact_id, {})
        self._found.setdefault(contact_id, {})
        for derived in self._derived.pop(contact_id, ()):
            history.update((event.order, event) for event in derived.all_events())

    def _events(self, contact_id: str, start: bytes, unwritten: dict[Order, Event | None]) -> Iterator[Event]:
        prefix = layout.history_prefix(contact_id)
        written = (
            event
            for key, value in self._items(prefix, start)
            for event in layout.read_events(prefix, key, value)
        )
        if not unwritten:
            yield from written
            return
        added = sorted((event for event in unwritten.values() if event is not None), key=_order)
        kept = (event for event in written if event.order not in unwritten)
        yield from heapq.merge(kept, added, key=_order)

    # -- members ----------------------------------------------------------------------------------------

    def set_member(self, segment_id: str, contact_id: str, entry: tuple[int, int] | None) -> None:
        """Note that the contact is a member since (`sequence`, `entered_ms`), or None: no longer."""
        self._refuse_while_committing()
        unwritten = self._members.setdefault(contact_id, {})
        if segment_id in unwritten:
            was_member = unwritten[segment_id] is not None
        else:
            # Asked, not assumed: what is applied again after a crash may be on disk already.
            was_member = self._db.get(layout.member_key(segment_id, contact_id)) is not None
        unwritten[segment_id] = entry
        self._counted()[segment_id] += (entry is not None) - was_member

    def member(self, segment_id: str, contact_id: str) -> tuple[int, int] | None:
        """What `set_member` noted last: (`sequence`, `entered_ms`), or None."""
        unwritten = self._members.get(contact_id, {})
        if segment_id in unwritten:
            return unwritten[segment_id]
        data = self._db.get(layout.member_key(segment_id, contact_id))
        if data is None:
            return None
        sequence, entered_ms = orjson.loads(data)
        return sequence, entered_ms

    def members(self, segment_id: str, after: str | None = None) -> Iterator[tuple[str, int, int]]:
        """(contact id, `sequence`, `entered_ms`) of a segment's members by contact id, those after one."""
        prefix = layout.member_prefix(segment_id)
        start = prefix if after is None else prefix + after.encode() + b"\0"
        unwritten = {
            contact_id: segments[segment_id]
            for contact_id, segments in self._members.items()
            if segment_id in segments and (after is None or contact_id > after)
        }
        written = (
            (key[len(prefix) :].decode(), *orjson.loads(value)) for key, value in self._items(prefix, start)
        )
        added = sorted((contact_id, *entry) for contact_id, entry in unwritten.items() if entry is not None)
        yield from heapq.merge((one for one in written if one[0] not in unwritten), added)

    def member_counts(self) -> dict[str, int]:
        """Segment id -> how many members it has. Cost: the first time, one look at every membership."""
        return dict(self._counted())

    def _counted(self) -> Counter[str]:
        if self._counts is None:
            keys = (key for key, _ in self._items(layout.MEMBER, layout.MEMBER))
            self._counts = Counter(layout.member_segment(key) for key in keys)
        return self._counts

    # -- notes of the partition -------------------------------------------------------------------------

    def number(self, name: str) -> int | None:
        """A number kept for the partition under a name, or None."""
        number: int | None = self.note(name)
        return number

    def set_number(self, name: str, value: int) -> None:
        """Keep a number for the partition, such as how far a source was read."""
        self.set_note(name, value)

    def note(self, name: str) -> Any:
        """The JSON value kept for the partition under a name, or None."""
        if name not in self._meta:
            data = self._db.get(layout.meta_key(name))
            if data is None:
                return None
            self._meta[name] = orjson.loads(data)
        return self._meta[name]

    def set_note(self, name: str, value: Any) -> None:
        """Keep a JSON value for the partition, such as how far a sweep is; not to be changed afterwards."""
        self._refuse_while_committing()
        if self.note(name) != value:
            self._meta[name] = value
            self._dirty_meta.add(name)

    # -- durability -------------------------------------------------------------------------------------

    @property
    def unwritten(self) -> int:
        """How many contacts wait for a `commit`, at least: nearly all whose events do have changed too."""
        return max(len(self._dirty), len(self._history), len(self._derived))

    @property
    def changelog_offset(self) -> int | None:
        """The changelog offset up to which this database holds the changelog, or None."""
        data = self._db.get(_OFFSET_KEY)
        return None if data is None else int(data)

    def changes(self, outputs: Mapping[str, bytes] | None = None) -> list[list[KeyValue]]:
        """Everything unwritten as changelog records (a value of None deletes), the clock last.

        One group a contact: its events, its state and what is to be said of it (`outputs`, by contact id)
        belong together, so a group must be written to the changelog as a whole or not at all, and the
        groups in this order. The last one holds the notes of the partition.

        Holds the store still until `commit`. Cost: one serialization per changed contact and event.
        """
        self._refuse_while_committing()
        # Noted here only: it moves with each record.
        if self.clock_ms != (self.number(CLOCK) or 0):
            self.set_number(CLOCK, self.clock_ms)
        names = sorted(self._dirty_meta, key=lambda name: (name == CLOCK, name))
        notes: list[KeyValue] = [(layout.meta_key(name), orjson.dumps(self._meta[name])) for name in names]
        self._changed = None
        return self._grouped(self._touched(), notes, outputs or {})

    def changes_of(self, outputs: Mapping[str, bytes]) -> list[list[KeyValue]]:
        """As `changes`, but only of the contacts that something is to be said of, and no notes: what a
        `changes` that was cut off would leave. The others stay unwritten after the `commit`."""
        self._refuse_while_committing()
        self._changed = list(outputs)
        return self._grouped(self._changed, [], outputs)

    def _grouped(
        self, contact_ids: Iterable[str], notes: list[KeyValue], outputs: Mapping[str, bytes]
    ) -> list[list[KeyValue]]:
        contacts = {contact_id: self._of_contact(contact_id) for contact_id in contact_ids}
        self._changes = [*chain.from_iterable(contacts.values()), *notes]
        said = self.number(_SAID) or 0
        groups: list[list[KeyValue]] = []
        if outputs:
            self._saying = said + 1
        if outputs or (said and not self._said_told):
            # First of all how far everything is said: what follows is not, and takes the places of what is.
            groups.append([(layout.meta_key(_SAID), orjson.dumps(said))])
            self._said_told = True
        unsaid = dict(outputs)
        for contact_id, records in contacts.items():
            groups.append([*self._unsaid(unsaid, contact_id, len(groups), said + 1), *records])
        for contact_id in list(unsaid):
            groups.append(self._unsaid(unsaid, contact_id, len(groups), said + 1))
        if notes:
            groups.append(notes)
        return groups

    def _touched(self) -> Iterator[str]:
        beside = self._history.keys() | self._derived.keys() | self._members.keys()
        yield from beside - self._dirty.keys()
        yield from self._dirty

    def _of_contact(self, contact_id: str) -> list[KeyValue]:
        """What changed of a contact, its state last, which says what was applied."""
        records = self._beside_state(contact_id)
        contact = self._dirty.get(contact_id)
        if contact is not None:
            if contact_id in self._restated:
                records.append((layout.attributes_key(contact_id), contact.attributes.to_bytes()))
            records.append((layout.contact_key(contact_id), contact.to_bytes()))
        return records

    @staticmethod
    def _unsaid(unsaid: dict[str, bytes], contact_id: str, place: int, number: int) -> list[KeyValue]:
        """What is to be said of a contact as a record. Its key is a place that the next checkpoint takes
        again, so that no more is kept of it in a compacted changelog than the largest checkpoint had."""
        kept = unsaid.pop(contact_id, None)
        return [] if kept is None else [(layout.output_key(place), layout.output_value(number, kept))]

    def _beside_state(self, contact_id: str) -> list[KeyValue]:
        """What else of a contact changed."""
        records = self._history_changes(contact_id)
        for segment_id, entry in self._members.get(contact_id, {}).items():
            value = None if entry is None else orjson.dumps(entry)
            records.append((layout.member_key(segment_id, contact_id), value))
        return records

    def _history_changes(self, contact_id: str) -> list[KeyValue]:
        """Drops before adds: an id dropped and added anew at another time stays in the id index."""
        dropped: list[KeyValue] = []
        added: list[KeyValue] = []
        for derived in self._derived.get(contact_id, ()):
            # Whole, whatever an earlier life of this record left of it on disk.
            key = layout.derived_key(contact_id, derived.occurred_ms, derived.origin)
            added.append((key, layout.derived_value(derived)))
        parts: dict[bytes, dict[Order, Event | None]] = {}
        for order, event in self._history.get(contact_id, {}).items():
            if order[2]:
                key = layout.derived_key(contact_id, order[0], origin_of(order[1]))
                parts.setdefault(key, {})[order] = event
                continue
            key = layout.history_key(contact_id, order[0], order[1])
            if event is None:
                dropped.append((key, None))
            else:
                added.append((key, layout.event_value(event)))
        for key, changes in parts.items():
            left = self._derived_left(contact_id, key, changes)
            if left:
                added.append((key, layout.derived_value(DerivedEvents.gather(left))))
            else:
                dropped.append((key, None))
        return dropped + added

    def _derived_left(self, contact_id: str, key: bytes, changes: dict[Order, Event | None]) -> list[Event]:
        """What is to be kept of the events derived from one record."""
        written = self._db.get(key)
        kept: dict[Order, Event | None] = {}
        if written is not None:
            prefix = layout.history_prefix(contact_id)
            kept = {event.order: event for event in layout.read_events(prefix, key, written)}
        return [event for event in (kept | changes).values() if event is not None]

    def commit(self, changelog_offset: int | None = None) -> None:
        """Write what `changes` or `changes_of` returned, by itself everything unwritten, in one atomic batch,
        with the changelog offset that holds it.

        What they were given as outputs has been said by now."""
        if self._changes is None:
            self.changes()
        batch = WriteBatch(raw_mode=True)
        _write(batch, self._changes or ())
        written, stale = self._written()
        entries = []
        for entry in stale:
            batch.delete(layout.DUE + entry)
        for contact_id in written:
            due_ms = self._filed[contact_id]
            old_ms = self._filed_on_disk.get(contact_id)
            if old_ms is not None and old_ms != due_ms:
                batch.delete(layout.DUE + layout.due_entry(old_ms, contact_id))
            if due_ms is not None:
                entry = layout.due_entry(due_ms, contact_id)
                entries.append(entry)
                batch.put(layout.DUE + entry, b"")
        if changelog_offset is not None:
            batch.put(_OFFSET_KEY, str(changelog_offset).encode())
        said = self._saying
        if said is not None:
            batch.put(layout.meta_key(_SAID), orjson.dumps(said))
        if len(batch):
            self._db.write(batch)
        self._due.written(entries, stale, all_of_it=self._changed is None)
        self._settle()
        if said is not None:
            self._note_said(said)

    def _written(self) -> tuple[Set[str], list[bytes]]:
        """The contacts whose state is to be written, and the due entries that no longer stand then."""
        dirty, stale = self._dirty.keys(), list(self._due.stale)
        if self._changed is None:
            return dirty, stale
        written = dirty & set(self._changed)

        # Of a contact that stays unwritten, the index has to keep what its state on disk says.
        def is_settled(entry: bytes) -> bool:
            _, contact_id = layout.read_due_entry(entry)
            return contact_id in written or contact_id not in dirty

        return written, list(filter(is_settled, stale))

    def apply_changelog(self, records: Sequence[KeyValue], offset: int, strays: Iterable[bytes] = ()) -> None:
        """Write changelog records up to `offset` straight to disk, with the indexes that follow from them,
        and note the keys of others (`strays`) that are in the changelog up to there and do not count.

        Only between commits: nothing may be unwritten.
        """
        if self._dirty or self._history or self._derived or self._members or self._dirty_meta:
            raise RuntimeError("a changelog cannot be applied under unwritten changes")
        batch = WriteBatch(raw_mode=True)
        # Events in their order: one that was dropped and added anew shares its entry in the index.
        _write(batch, [(key, value) for key, value in records if key[0] == _HISTORY])
        latest = {key: value for key, value in records if key[0] != _HISTORY}
        _write(batch, latest.items())
        put = batch.put
        for key, value in latest.items():
            if key[0] == _CONTACT and value is not None:
                due_key = layout.due_key_of(key, value)
                if due_key is not None:
                    # An older entry of this contact may stay; the queue sees through it and drops it.
                    put(due_key, b"")
        for key in strays:
            batch.put(layout.STRAY + key, b"")
        batch.put(_OFFSET_KEY, str(offset).encode())
        if self._in_bulk:
            self._db.write(batch, _UNLOGGED)
        else:
            self._db.write(batch)
        self._clean.clear()
        self._filed.clear()
        self._meta.clear()
        self._counts = None
        self._due.reset()
        self.clock_ms = self.number(CLOCK) or 0

    @contextmanager
    def in_bulk(self) -> Iterator[None]:
        """While much of a changelog is applied: not twice to the disk, and sorted once at the end. What the
        process dies of meanwhile leaves an older state, whose changelog offset says so.

        The end, also by an exception, makes durable what was applied. Cost: a flush."""
        self._db.set_options({"disable_auto_compactions": "true"})
        self._in_bulk = True
        try:
            yield
        finally:
            self._in_bulk = False
            self._db.flush()
            self._db.set_options({"disable_auto_compactions": "false"})

    # -- outputs ----------------------------------------------------------------------------------------

    def outputs_kept(self) -> list[bytes]:
        """What a changelog that was applied held as outputs and may not have been said, in their order."""
        said = self.number(_SAID) or 0
        kept = sorted((number, place, output) for place, number, output in self._outputs() if number > said)
        return [output for _, _, output in kept]

    def outputs_said(self) -> None:
        """What `outputs_kept` tells was said: forget it here, and let the next changelog begin with that."""
        said = self.number(_SAID) or 0
        kept = [(place, number) for place, number, _ in self._outputs()]
        if not kept:
            return
        said = max(said, *(number for _, number in kept))
        batch = WriteBatch(raw_mode=True)
        for place, _ in kept:
            batch.delete(layout.output_key(place))
        batch.put(layout.meta_key(_SAID), orjson.dumps(said))
        self._db.write(batch)
        self._note_said(said)

    def _outputs(self) -> Iterator[tuple[int, int, bytes]]:
        return (layout.read_output(*item) for item in self._items(layout.OUTPUT, layout.OUTPUT))

    def _note_said(self, number: int) -> None:
        self._saying = None
        self._meta[_SAID] = number
        self._said_told = False

    # -- records of the changelog that do not count ------------------------------------------------------

    def strays(self) -> list[KeyValue]:
        """Each noted key of a changelog record that does not count, and what is on disk under it."""
        keys = [key[1:] for key, _ in self._items(layout.STRAY, layout.STRAY)]
        return [(key, self._db.get(key)) for key in keys]

    def forget_strays(self) -> None:
        """All that `strays` returns was written to the changelog again."""
        batch = WriteBatch(raw_mode=True)
        for key, _ in self._items(layout.STRAY, layout.STRAY):
            batch.delete(key)
        self._db.write(batch)

    def figures(self) -> Figures:
        """How the database stands. Cost: a few figures that RocksDB has at hand."""
        ask = self._db.property_int_value
        held_back = ask("rocksdb.is-write-stopped") or ask("rocksdb.actual-delayed-write-rate")
        return Figures(
            disk_bytes=ask("rocksdb.total-sst-files-size") or 0,
            keys=ask("rocksdb.estimate-num-keys") or 0,
            compaction_pending_bytes=ask("rocksdb.estimate-pending-compaction-bytes") or 0,
            write_stalled=bool(held_back),
        )

    def close(self) -> None:
        """Close the database; what is unwritten is lost."""
        self._db.close()

    def _items(self, prefix: bytes, start: bytes) -> Iterator[tuple[bytes, bytes]]:
        """What is on disk under keys that begin with `prefix`, from `start` on, as of the first one read."""
        # Not by an upper bound of ReadOptions: rocksdict's iterators do not keep that alive.
        items = cast(Iterator[tuple[bytes, bytes]], self._db.items(from_key=start))
        return takewhile(lambda item: item[0].startswith(prefix), items)

    def _settle(self) -> None:
        if self._changed is None:
            for contact_id in self._restated:
                # Four times as long as their bytes, and seldom asked for.
                self._dirty[contact_id].attributes = self._written_attributes(contact_id)
            self._clean.update(self._dirty)
            self._dirty = {}
            self._restated = set()
            self._filed_on_disk = {}
            self._history = {}
            self._derived = {}
            self._found = {}
            self._members = {}
            self._dirty_meta = set()
        else:
            self._settle_contacts(self._changed)
        while len(self._clean) > self._contact_cache:
            evicted, _ = self._clean.popitem(last=False)
            del self._filed[evicted]
        self._changes = self._changed = None

    def _settle_contacts(self, contact_ids: list[str]) -> None:
        for contact_id in contact_ids:
            contact = self._dirty.pop(contact_id, None)
            if contact is not None:
                self._clean[contact_id] = contact
                if contact_id in self._restated:
                    contact.attributes = self._written_attributes(contact_id)
                    self._restated.discard(contact_id)
            for unwritten in (
                self._filed_on_disk,
                self._history,
                self._derived,
                self._found,
                self._members,
            ):
                unwritten.pop(contact_id, None)

    def _refuse_while_committing(self) -> None:
        if self._changes is not None:
            raise RuntimeError("the store is being committed: changes() was called, commit() was not")

    def _check_version(self) -> None:
        data = self._db.get(layout.FORMAT_KEY)
        found = 0 if data is None else orjson.loads(data)
        if found == STATE_VERSION:
            return
        empty = data is None and next(self._db.keys(), None) is None
        if not empty and not EARLIEST_VERSION <= found <= STATE_VERSION:
            raise StateVersionError(found, STATE_VERSION)
        self._db.put(layout.FORMAT_KEY, orjson.dumps(STATE_VERSION))


def _without_log() -> WriteOptions:
    options = WriteOptions()
    options.disable_wal = True  # type: ignore[method-assign, assignment]  # the stub has it as a method
    return options


_UNLOGGED = _without_log()


_HISTORY, _CONTACT = layout.HISTORY[0], layout.CONTACT[0]


def _write(batch: WriteBatch, records: Iterable[KeyValue]) -> None:
    """Changelog records, and the event-id index where they are events."""
    put, delete = batch.put, batch.delete
    for key, value in records:
        if value is None:
            delete(key)
        else:
            put(key, value)
        if key[0] == _HISTORY:
            entry = layout.event_id_entry(key, value)
            if entry is not None:
                index_key, index_value = entry
                if index_value is None:
                    delete(index_key)
                else:
                    put(index_key, index_value)


def _open(path: Path, block_cache: Cache) -> Rdict:
    try:
        return Rdict(str(path), _options(block_cache))
    except Exception as error:  # rocksdict raises a bare Exception for whatever RocksDB reports
        if "LOCK" in str(error):
            raise ConfigurationError(
                f"the state in {path} is in use by another process; give each worker a data folder of its own"
            ) from error
        raise


def _order(event: Event) -> Order:
    return event.order


def _options(block_cache: Cache) -> Options:
    """Small tables and caches: a worker holds one database for each of its partitions.

    Index and filters are cut into blocks of their own, of which the cache holds those in use. As wholes,
    megabytes each, they drive each other out of it once a partition has some 100,000 contacts, and every
    look-up reads one anew: 200,000 took 3.5 times as long to fill and 5.8 times as long to sweep.
    """
    table = BlockBasedOptions()
    table.set_block_cache(block_cache)
    table.set_bloom_filter(10, False)
    table.set_index_type(BlockBasedIndexType.two_level_index_search())
    table.set_partition_filters(True)
    table.set_cache_index_and_filter_blocks(True)
    table.set_pin_top_level_index_and_filter(True)
    table.set_pin_l0_filter_and_index_blocks_in_cache(True)
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_block_based_table_factory(table)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_write_buffer_size(16 << 20)
    # Most look-ups are for event ids that are not there.
    options.set_memtable_whole_key_filtering(True)
    options.set_memtable_prefix_bloom_ratio(0.05)
    options.set_max_write_buffer_number(3)
    options.set_max_open_files(512)
    options.set_keep_log_file_num(2)
    return options
