"""How one partition's state lies in the key-value store: key prefixes, orderings, values.

    key                                        value
    c <contact id>                             the contact's bytes (streamseg.contact)
    a <contact id>                             its attributes, likewise
    h <contact id> <occurred ms> <event id>    orjson [name, properties, derived, offset, recorded ms]
    i <contact id> <event id>                  <occurred ms> <offset>         derived from h
    s <segment id> <contact id>                orjson [sequence, entered ms]
    d <due ms> <contact id>                    empty                          derived from c
    m <name>                                   orjson
    o <place>                                  <number> and what is to be said of one contact

Ids are UTF-8, so that byte order is the order of code points. An id that more follows is escaped to be
free of prefixes. Times are 8 bytes big-endian with the sign bit flipped, so that byte order is time order.
What goes to a changelog is c, a, h, s, m and o; i and d are rebuilt from those. Of o, the number counts the
checkpoints that had any; they come back from a changelog and are not written here otherwise.
"""

from __future__ import annotations

import orjson

from streamseg.inputs import Event

LAYOUT_VERSION = 2

CONTACT = b"c"
ATTRIBUTES = b"a"
HISTORY = b"h"
EVENT_ID = b"i"
MEMBER = b"s"
DUE = b"d"
META = b"m"
OUTPUT = b"o"

FORMAT_KEY = META + b"format"

_SIGN = 1 << 63


def time_bytes(at_ms: int) -> bytes:
    """8 bytes that sort as the time does."""
    return (at_ms + _SIGN).to_bytes(8, "big")


def time_ms(data: bytes) -> int:
    """Epoch ms of `time_bytes`."""
    return int.from_bytes(data, "big") - _SIGN


def contact_key(contact_id: str) -> bytes:
    return CONTACT + contact_id.encode()


def attributes_key(contact_id: str) -> bytes:
    return ATTRIBUTES + contact_id.encode()


def history_prefix(contact_id: str) -> bytes:
    """What the keys of all kept events of this contact, and no others, begin with."""
    return HISTORY + _delimited(contact_id)


def history_key(contact_id: str, occurred_ms: int, event_id: str) -> bytes:
    return HISTORY + _delimited(contact_id) + time_bytes(occurred_ms) + event_id.encode()


def event_id_key(contact_id: str, event_id: str) -> bytes:
    return EVENT_ID + _delimited(contact_id) + event_id.encode()


def member_prefix(segment_id: str) -> bytes:
    """What the keys of all members of this segment, and of no other, begin with."""
    return MEMBER + _delimited(segment_id)


def member_key(segment_id: str, contact_id: str) -> bytes:
    return MEMBER + _delimited(segment_id) + contact_id.encode()


def member_segment(key: bytes) -> str:
    """The segment id in a member key."""
    escaped = key[1 : key.index(b"\0\0", 1)]
    return escaped.replace(b"\0\xff", b"\0").decode()


def due_entry(due_ms: int, contact_id: str) -> bytes:
    """A place in the due index: sorts by (`due_ms`, `contact_id`). With DUE before it, a key."""
    return time_bytes(due_ms) + contact_id.encode()


def read_due_entry(entry: bytes) -> tuple[int, str]:
    """`due_ms` and `contact_id` of `due_entry`."""
    return time_ms(entry[:8]), entry[8:].decode()


def meta_key(name: str) -> bytes:
    return META + name.encode()


def output_key(place: int) -> bytes:
    return OUTPUT + place.to_bytes(4, "big")


def output_value(number: int, output: bytes) -> bytes:
    return number.to_bytes(8, "big") + output


def read_output(key: bytes, value: bytes) -> tuple[int, int, bytes]:
    """Place, number and what is to be said, of `output_key` and `output_value`."""
    return int.from_bytes(key[1:], "big"), int.from_bytes(value[:8], "big"), value[8:]


def event_value(event: Event) -> bytes:
    return orjson.dumps([event.name, event.properties, event.derived, event.offset, event.recorded_ms])


def read_event(prefix: bytes, key: bytes, value: bytes) -> Event:
    """The kept event under a history key that begins with the contact's `history_prefix`."""
    at = len(prefix)
    name, properties, derived, offset, recorded_ms = orjson.loads(value)
    return Event(
        event_id=key[at + 8 :].decode(),
        name=name,
        occurred_ms=time_ms(key[at : at + 8]),
        properties=properties,
        derived=derived,
        offset=offset,
        recorded_ms=recorded_ms,
    )


def event_id_key_of(key: bytes) -> bytes:
    """The event-id key that belongs to a history key."""
    at = key.index(b"\0\0", 1) + 2
    return EVENT_ID + key[1:at] + key[at + 8 :]


def event_id_value(key: bytes, value: bytes) -> bytes:
    """What the event-id index holds for a history record: its time and offset."""
    at = key.index(b"\0\0", 1) + 2
    return key[at : at + 8] + time_bytes(orjson.loads(value)[3])


def read_event_id(data: bytes) -> tuple[int, int]:
    """`occurred_ms` and `offset` of `event_id_value`."""
    return time_ms(data[:8]), time_ms(data[8:])


def _delimited(contact_id: str) -> bytes:
    # NUL becomes NUL FF, and NUL NUL ends the id: no escaped id is the beginning of another.
    return contact_id.encode().replace(b"\0", b"\0\xff") + b"\0\0"
