"""The layout of one partition's state in the key-value store: prefixes and order of keys, and values.

    key                                        value
    c <contact id>                             the contact's bytes (streamseg.contact.contact)
    a <contact id>                             the contact's attributes (streamseg.contact.attributes)
    h <contact id> <occurred ms> <event id>    <offset>, then orjson [name, properties, recorded ms]
    h <contact id> <occurred ms> <origin> FF   the events derived from one record: <offset>, then orjson
                                               [recorded ms, rows], see streamseg.records.derived; of a
                                               first update <offset>, 01 (02: with the unsubscribing),
                                               <recorded ms>, then orjson of its attributes
    i <contact id> <event id>                  <occurred ms> <offset>         follows from the first kind of h
    s <segment id> <contact id>                orjson [sequence, entered ms]
    k <contact id> <effective ms> <number> <segment id>   a kept membership change: orjson
                                               [sequence, version, kind of the reason, its reference,
                                               birth of the segment]
    t <segment id> <contact id> <effective ms> <number>   the same value        follows from k
    f <segment id> <contact id>                <effective ms> of the latest change that the cap dropped
    g <segment id> <birth> <quarter ms>        orjson, see streamseg.store.growth: the numbers of changes in
                                               that quarter of an hour
    d <due ms> <contact id>                    empty                          follows from c
    m <name>                                   orjson
    o <place>                                  <number>, then the outputs that are to be sent for one contact
    x <key>                                    empty: a changelog record under <key> does not count

Ids are UTF-8, so the order of bytes is the order of code points, and no id contains the byte FF. An id in the
middle of a key is escaped so that no id is the beginning of another. Times, offsets and births are 8 bytes
big-endian with the sign bit flipped, so the order of bytes is their order. A first update derives an event
from each attribute. Kept as one value, these events take a tenth of the records to write and restore.

Records of c, a, h, s, k, f, g, m and o go to the changelog. i, t and d are rebuilt from them, and x is only
in this database. So are `m format` and `m unkept`, which is the greatest `unkept_ms` of all contacts and
follows from c. A record of g is a sum over contacts; in the changelog each contact that adds to it has the
new sum among its own records. The number in o counts the checkpoints that had outputs. Records of o are
written to this database only when a changelog is applied.
"""

from __future__ import annotations

from collections.abc import Iterable

from streamseg.contact.first_values import FirstValues
from streamseg.contact.head import due_in
from streamseg.contact.kept_changes import KeptChange
from streamseg.json_text import dumps_own, loads_own
from streamseg.records.derived import DerivedEvents
from streamseg.records.inputs import Event
from streamseg.times import time_bytes, time_ms

CONTACT = b"c"
ATTRIBUTES = b"a"
HISTORY = b"h"
EVENT_ID = b"i"
MEMBER = b"s"
CHANGE = b"k"
SEGMENT_CHANGE = b"t"
FLOOR = b"f"
GROWTH = b"g"
DUE = b"d"
META = b"m"
OUTPUT = b"o"
STRAY = b"x"

FORMAT_KEY = META + b"format"
"""The key under which a folder keeps the version of its layout; see streamseg.contact.state_version."""

UNKEPT_KEY = META + b"unkept"
"""The key under which a folder keeps the greatest `unkept_ms` of its contacts, as `time_bytes`."""

_DERIVED = b"\xff"
# The first byte after the offset, if the events are those of a first update. Otherwise it begins a JSON text.
_FIRST, _FIRST_UNSUBSCRIBED = b"\x01", b"\x02"


def contact_of(key: bytes) -> str | None:
    """Return the contact to which a record of the changelog belongs; None for the records of the partition
    (`m`, `g`, `o`). Raises ValueError for a key that no changelog has."""
    kind = key[:1]
    if kind in (CONTACT, ATTRIBUTES):
        return key[1:].decode()
    if kind in (HISTORY, CHANGE):
        return _first_id(key)
    if kind in (MEMBER, FLOOR):
        return key[key.index(b"\0\0", 1) + 2 :].decode()
    if kind in (META, GROWTH, OUTPUT):
        return None
    raise ValueError(f"no record of a changelog has a key of the kind {kind!r}")


def contact_key(contact_id: str) -> bytes:
    return CONTACT + contact_id.encode()


def attributes_key(contact_id: str) -> bytes:
    return ATTRIBUTES + contact_id.encode()


def history_prefix(contact_id: str) -> bytes:
    """Return the bytes with which the keys of all kept events of this contact begin, and no other key."""
    return HISTORY + _delimited(contact_id)


def history_key(contact_id: str, occurred_ms: int, event_id: str) -> bytes:
    return HISTORY + _delimited(contact_id) + time_bytes(occurred_ms) + event_id.encode()


def event_id_key(contact_id: str, event_id: str) -> bytes:
    return EVENT_ID + _delimited(contact_id) + event_id.encode()


def member_prefix(segment_id: str) -> bytes:
    """Return the bytes with which the keys of all members of this segment begin, and no other key."""
    return MEMBER + _delimited(segment_id)


def member_key(segment_id: str, contact_id: str) -> bytes:
    return MEMBER + _delimited(segment_id) + contact_id.encode()


def member_segment(key: bytes) -> str:
    """Return the segment id in a member key."""
    return _first_id(key)


def change_prefix(contact_id: str) -> bytes:
    """Return the bytes with which the keys of all kept changes of this contact begin, and no other key."""
    return CHANGE + _delimited(contact_id)


def change_key(prefix: bytes, change: KeptChange) -> bytes:
    """Return the key of a kept change; `prefix` is the contact's `change_prefix`."""
    effective_ms, number, segment_id, *_ = change
    return b"".join((prefix, time_bytes(effective_ms), number.to_bytes(8, "big"), segment_id.encode()))


def change_value(change: KeptChange) -> bytes:
    return dumps_own([change.sequence, change.version, change.kind, change.ref, change.born])


def read_change(prefix: bytes, key: bytes, value: bytes) -> KeptChange:
    """Return the change in a record that begins with the contact's `change_prefix`."""
    at = len(prefix)
    sequence, version, kind, ref, born = loads_own(value)
    effective_ms, number = time_ms(key[at : at + 8]), int.from_bytes(key[at + 8 : at + 16], "big")
    return KeptChange(effective_ms, number, key[at + 16 :].decode(), sequence, version, kind, ref, born)


def segment_change_key(change_key: bytes) -> bytes:
    """Return the key in the index by segment that follows from the key of a kept change."""
    at = change_key.index(b"\0\0", 1) + 2
    return b"".join((SEGMENT_CHANGE, _escaped(change_key[at + 16 :]), change_key[1 : at + 16]))


def segment_change_prefix(segment_id: str) -> bytes:
    """Return the bytes with which all entries of this segment in the index begin, and no other key."""
    return SEGMENT_CHANGE + _delimited(segment_id)


def segment_changes_of(segment_id: str, id_prefix: str) -> bytes:
    """Return the bytes with which the entries in this segment of all contacts whose ids begin with a text
    begin, and no other key."""
    # Without the end of the id.
    return SEGMENT_CHANGE + _delimited(segment_id) + _delimited(id_prefix)[:-2]


def segment_change_start(segment_id: str, contact_id: str) -> bytes:
    """Return the bytes with which the entries of this contact in this segment begin."""
    return SEGMENT_CHANGE + _delimited(segment_id) + _delimited(contact_id)


def read_segment_change(segment_id: str, prefix: bytes, key: bytes, value: bytes) -> tuple[str, KeptChange]:
    """Return the contact id and the change in an entry of the index; `prefix` is the segment's."""
    at = len(key) - 16
    sequence, version, kind, ref, born = loads_own(value)
    effective_ms, number = time_ms(key[at : at + 8]), int.from_bytes(key[at + 8 :], "big")
    change = KeptChange(effective_ms, number, segment_id, sequence, version, kind, ref, born)
    return _plain(key[len(prefix) : at - 2]), change


def floor_prefix(segment_id: str) -> bytes:
    return FLOOR + _delimited(segment_id)


def floor_key(segment_id: str, contact_id: str) -> bytes:
    return FLOOR + _delimited(segment_id) + contact_id.encode()


def growth_prefix(segment_id: str, born: int) -> bytes:
    """Return the bytes with which the keys of all sums of this segment begin, and no other key: a segment of
    the same id with another birth has others."""
    return GROWTH + _delimited(segment_id) + time_bytes(born)


def growth_key(segment_id: str, born: int, quarter_ms: int) -> bytes:
    return growth_prefix(segment_id, born) + time_bytes(quarter_ms)


def read_growth_key(key: bytes) -> tuple[str, int, int]:
    """Return the segment id, its birth and the quarter (epoch ms) in a key of GROWTH."""
    return _plain(key[1:-18]), time_ms(key[-16:-8]), time_ms(key[-8:])


def due_entry(due_ms: int, contact_id: str) -> bytes:
    """Return an entry of the due index; entries sort by (`due_ms`, `contact_id`). The key is DUE + entry."""
    return time_bytes(due_ms) + contact_id.encode()


def read_due_entry(entry: bytes) -> tuple[int, str]:
    """Return `due_ms` and `contact_id` of an entry that `due_entry` made."""
    return time_ms(entry[:8]), entry[8:].decode()


def due_key_of(key: bytes, value: bytes) -> bytes | None:
    """Return the key in the due index that follows from a contact's record, or None if it is never due."""
    due = due_in(value)
    return None if due is None else DUE + due + key[1:]


def meta_key(name: str) -> bytes:
    return META + name.encode()


def output_key(place: int) -> bytes:
    return OUTPUT + place.to_bytes(4, "big")


def output_value(number: int, output: bytes) -> bytes:
    return number.to_bytes(8, "big") + output


def read_output(key: bytes, value: bytes) -> tuple[int, int, bytes]:
    """Return the place and the number in the key and value of an `o` record, and the outputs in it."""
    return int.from_bytes(key[1:], "big"), int.from_bytes(value[:8], "big"), value[8:]


def event_value(event: Event) -> bytes:
    return time_bytes(event.offset) + dumps_own([event.name, event.properties, event.recorded_ms])


def derived_key(contact_id: str, occurred_ms: int, origin: str) -> bytes:
    """Return the key of the events derived from one record; `origin` is the text with which their ids
    begin."""
    return history_key(contact_id, occurred_ms, origin) + _DERIVED


def derived_value(derived: DerivedEvents) -> bytes:
    """Return the value that holds the events derived from one record."""
    offset, first = time_bytes(derived.offset), derived.first
    if first is None:
        return offset + dumps_own([derived.recorded_ms, derived.rows])
    kind = _FIRST_UNSUBSCRIBED if derived.unsubscribed else _FIRST
    return b"".join((offset, kind, time_bytes(derived.recorded_ms), first.to_bytes()))


def read_events(prefix: bytes, key: bytes, value: bytes) -> list[Event]:
    """Return the kept events under a history key, in their order. `prefix` is the contact's
    `history_prefix`, with which the key begins."""
    kept = read_history(prefix, key, value)
    return [kept] if isinstance(kept, Event) else kept.all_events()


def read_history(prefix: bytes, key: bytes, value: bytes) -> Event | DerivedEvents:
    """Return what is kept under a history key: a behaviour event, or the events derived from one record.
    `prefix` is the contact's `history_prefix`."""
    at = len(prefix) + 8
    occurred_ms, offset = time_ms(key[at - 8 : at]), time_ms(value[:8])
    if key.endswith(_DERIVED):
        return _read_derived(key[at:-1].decode(), occurred_ms, offset, value)
    name, properties, recorded_ms = loads_own(value[8:])
    return Event(key[at:].decode(), name, occurred_ms, properties, False, offset, recorded_ms)


def _read_derived(origin: str, occurred_ms: int, offset: int, value: bytes) -> DerivedEvents:
    kind = value[8:9]
    if kind in (_FIRST, _FIRST_UNSUBSCRIBED):
        derived = DerivedEvents(origin, occurred_ms, offset, time_ms(value[9:17]))
        derived.set_first(FirstValues.from_bytes(value[17:]), unsubscribed=kind == _FIRST_UNSUBSCRIBED)
        return derived
    recorded_ms, rows = loads_own(value[8:])
    derived = DerivedEvents(origin, occurred_ms, offset, recorded_ms)
    derived.rows = rows
    return derived


def event_id_entries(history: Iterable[tuple[bytes, bytes | None]]) -> list[tuple[bytes, bytes | None]]:
    """Return the keys and values in the event-id index that follow from history records, in their order. A
    value of None deletes the key."""
    entries: list[tuple[bytes, bytes | None]] = []
    for key, value in history:
        # Derived events are not in the index.
        if not key.endswith(_DERIVED):
            at = key.index(b"\0\0", 1) + 2
            time = key[at : at + 8]
            entry = None if value is None else time + value[:8]
            entries.append((EVENT_ID + key[1:at] + key[at + 8 :], entry))
    return entries


def read_event_id(data: bytes) -> tuple[int, int]:
    """Return `occurred_ms` and `offset` in a value of the event-id index."""
    return time_ms(data[:8]), time_ms(data[8:])


def _first_id(key: bytes) -> str:
    """Return the escaped id after the prefix of a key."""
    return _plain(key[1 : key.index(b"\0\0", 1)])


def _delimited(contact_id: str) -> bytes:
    return _escaped(contact_id.encode())


def _escaped(raw: bytes) -> bytes:
    # NUL becomes NUL FF, and NUL NUL ends the id: no escaped id is the beginning of another.
    return (raw.replace(b"\0", b"\0\xff") if b"\0" in raw else raw) + b"\0\0"


def _plain(escaped: bytes) -> str:
    """Return the id of which `_escaped` made these bytes, without the end."""
    return escaped.replace(b"\0\xff", b"\0").decode()
