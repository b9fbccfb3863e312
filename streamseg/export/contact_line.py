"""All changelog records of one contact as one JSON line, and back.

The line holds what the records say, not their bytes: a contact of an earlier layout is exported as this
release reads it. `PARTS` has an entry for each kind of record of a contact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from streamseg.contact.attributes import Attributes
from streamseg.contact.body import Body
from streamseg.contact.contact import Contact
from streamseg.contact.kept_changes import KeptChange
from streamseg.errors import MoveCode, StateMoveError
from streamseg.export.event_rows import event_records, event_rows
from streamseg.json_text import Json, dumps_own, loads_own
from streamseg.store import layout
from streamseg.store.database import KeyValue
from streamseg.times import format_ms, parse_timestamp_ms, time_bytes, time_ms, time_zone

Records = dict[bytes, bytes]
"""The records of one contact and one kind: key -> value."""

HEAD: Final = (
    "due_ms",
    "known_since_ms",
    "erased_ms",
    "clock_ms",
    "plan",
    "event_count",
    "oldest_event_ms",
    "event_offset",
    "update_offset",
    "flip_ms",
    "prune_ms",
    "ended_ms",
    "forgotten_ms",
    "opt_outs_since_ms",
    "unkept_ms",
    "oldest_change_ms",
)
"""The fields of a contact's head, in a line under the names that `Contact` has for them."""

BODY: Final = (
    "lists",
    "true",
    "flips",
    "summaries",
    "due",
    "members",
    "unsubscribes",
    "suppressed",
    "ended",
    "past",
    "never_set",
)
"""The fields of a contact's body, in the order of its bytes, with the JSON that the bytes have for each."""

_FIRST: Final = b"\x01"
_UTC = time_zone("UTC")


def contact_json(contact_id: str, records: Iterable[tuple[bytes, bytes]]) -> Json:
    """Return the JSON object of a contact's line. `records` are the latest values under all keys of the
    contact in the changelog.

    Raises StateVersionError for records of a layout that is not read."""
    by_kind: dict[bytes, Records] = {kind: {} for kind in PARTS}
    for key, value in records:
        by_kind[key[:1]][key] = value
    line: Json = {"contact_id": contact_id}
    for kind, part in PARTS.items():
        if by_kind[kind]:
            line.update(part.read(contact_id, by_kind))
    return line


def line_of(contact: Json) -> bytes:
    """Return a line with its line feed. It begins with a blank if it holds integers beyond 64 bits."""
    return dumps_own(contact) + b"\n"


def read_line(line: bytes) -> Json:
    """Return the JSON object in a line. Raises StateMoveError if it is none, or has no contact id."""
    try:
        # The numbers in the names of derived events look like integers beyond 64 bits to `loads`.
        body = loads_own(line)
    except ValueError as error:
        raise _unreadable("a line is not JSON") from error
    if not isinstance(body, dict) or not isinstance(body.get("contact_id"), str):
        raise _unreadable("a line is not an object with a contact_id")
    return body


def contact_records(line: Json) -> list[KeyValue]:
    """Return the changelog records of a line's contact, in the order of a group of them: the contact's own
    record comes last, because it holds up to where input was applied. Members of the line that are not of
    this release are refused with StateMoveError."""
    contact_id: str = line["contact_id"]
    known = {name for part in PARTS.values() for name in part.names}
    unknown = sorted(line.keys() - known - {"contact_id", "unsent", "published"})
    if unknown:
        raise _unreadable(f"a line has {unknown[0]!r}, which this release does not know")
    records: list[KeyValue] = []
    try:
        for part in PARTS.values():
            if part.names & line.keys():
                records += part.write(contact_id, line)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        # The text of the error may hold values of the contact.
        raise _unreadable(f"a line has members of another form ({type(error).__name__})") from error
    return records


def _unreadable(problem: str) -> StateMoveError:
    return StateMoveError(
        MoveCode.EXPORT_UNREADABLE,
        f"{problem}; import it with the release that wrote it, or use another export",
    )


class Part(NamedTuple):
    """How the records of one kind are written in a line.

    names  the members of the line that hold them
    read   contact id, records by kind -> these members
    write  contact id, line -> the records
    """

    names: frozenset[str]
    read: Callable[[str, dict[bytes, Records]], Json]
    write: Callable[[str, Json], list[KeyValue]]


def _history(contact_id: str, by_kind: dict[bytes, Records]) -> Json:
    return {"events": event_rows(contact_id, sorted(by_kind[layout.HISTORY].items()))}


def _history_records(contact_id: str, line: Json) -> list[KeyValue]:
    return list(event_records(contact_id, line["events"]))


def _members(_: str, by_kind: dict[bytes, Records]) -> Json:
    entries = sorted(by_kind[layout.MEMBER].items())
    return {"segments": {layout.member_segment(key): loads_own(value) for key, value in entries}}


def _member_records(contact_id: str, line: Json) -> list[KeyValue]:
    return [
        (layout.member_key(segment_id, contact_id), dumps_own(entry))
        for segment_id, entry in line["segments"].items()
    ]


def _attributes(_: str, by_kind: dict[bytes, Records]) -> Json:
    (data,) = by_kind[layout.ATTRIBUTES].values()
    if data.startswith(_FIRST):
        return {"first_attributes": loads_own(data[9:]), "first_attributes_ms": time_ms(data[1:9])}
    return {"attributes": loads_own(data)}


def _attribute_records(contact_id: str, line: Json) -> list[KeyValue]:
    if "attributes" in line:
        data = dumps_own(line["attributes"])
    else:
        data = _FIRST + time_bytes(line["first_attributes_ms"]) + dumps_own(line["first_attributes"])
    return [(layout.attributes_key(contact_id), data)]


def _changes(contact_id: str, by_kind: dict[bytes, Records]) -> Json:
    prefix = layout.change_prefix(contact_id)
    changes = (layout.read_change(prefix, *one) for one in sorted(by_kind[layout.CHANGE].items()))
    return {
        "changes": [
            {
                "number": change.number,
                "segment_id": change.segment_id,
                "segment_version": change.version,
                "segment_born": change.born,
                "sequence": change.sequence,
                "effective_at": format_ms(change.effective_ms),
                "reason": {"kind": change.kind, "ref": change.ref},
            }
            for change in changes
        ]
    }


def _change_records(contact_id: str, line: Json) -> list[KeyValue]:
    prefix = layout.change_prefix(contact_id)
    changes = (
        KeptChange(
            parse_timestamp_ms(row["effective_at"], _UTC),
            row["number"],
            row["segment_id"],
            row["sequence"],
            row["segment_version"],
            row["reason"]["kind"],
            row["reason"]["ref"],
            row["segment_born"],
        )
        for row in line["changes"]
    )
    return [(layout.change_key(prefix, change), layout.change_value(change)) for change in changes]


def _floors(_: str, by_kind: dict[bytes, Records]) -> Json:
    floors = sorted(by_kind[layout.FLOOR].items())
    return {"changes_dropped_ms": {layout.member_segment(key): time_ms(value) for key, value in floors}}


def _floor_records(contact_id: str, line: Json) -> list[KeyValue]:
    return [
        (layout.floor_key(segment_id, contact_id), time_bytes(at_ms))
        for segment_id, at_ms in line["changes_dropped_ms"].items()
    ]


def _contact(contact_id: str, by_kind: dict[bytes, Records]) -> Json:
    (data,) = by_kind[layout.CONTACT].values()
    stated = next(iter(by_kind[layout.ATTRIBUTES].values()), None)
    contact = Contact.from_bytes(contact_id, data, Attributes(lambda: stated))
    kept = contact.kept_body
    body = loads_own(kept if isinstance(kept, bytes) else kept.to_bytes())
    if len(body) < len(BODY):
        body = loads_own(Body.from_bytes(dumps_own(body)).to_bytes())
    head = {name: getattr(contact, name) for name in HEAD}
    return {"head": head, "body": dict(zip(BODY, body, strict=True))}


def _contact_record(contact_id: str, line: Json) -> list[KeyValue]:
    head: dict[str, Any] = line["head"]
    body: Json = line["body"]
    if head.keys() != set(HEAD) or body.keys() != set(BODY):
        raise _unreadable("a head or a body has other fields than in this release")
    contact = Contact(contact_id, kept_body=dumps_own([body[name] for name in BODY]), **head)
    return [(layout.contact_key(contact_id), contact.to_bytes())]


PARTS: Final[dict[bytes, Part]] = {
    layout.HISTORY: Part(frozenset({"events"}), _history, _history_records),
    layout.MEMBER: Part(frozenset({"segments"}), _members, _member_records),
    layout.CHANGE: Part(frozenset({"changes"}), _changes, _change_records),
    layout.FLOOR: Part(frozenset({"changes_dropped_ms"}), _floors, _floor_records),
    layout.ATTRIBUTES: Part(
        frozenset({"attributes", "first_attributes", "first_attributes_ms"}), _attributes, _attribute_records
    ),
    layout.CONTACT: Part(frozenset({"head", "body"}), _contact, _contact_record),
}
"""Kind of record -> its part of the line, in the order of a group of records."""
