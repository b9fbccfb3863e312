"""What the compacted output topics hold of contacts: their memberships and suppressions.

Most of it follows from the state, but not all: since when a channel is suppressed, and with which version of
the segment a membership was announced. So an export holds the published values that fit to the state, and an
import into empty topics writes them again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson
from rocksdict import Cache

from schemas.topics import CHANNEL_SUPPRESSIONS, SEGMENT_MEMBERSHIPS
from streamseg.contact.rows import Membership
from streamseg.json_text import Json
from streamseg.records.outputs import Cause, MembershipChange, Reason, Suppression
from streamseg.store import layout
from streamseg.store.database import Database, new_batch

_KINDS = {SEGMENT_MEMBERSHIPS: b"1", CHANNEL_SUPPRESSIONS: b"2"}
_PUBLISHED = b"p"
_CACHE_BYTES = 32 << 20

Output = tuple[str, bytes, bytes]
"""Topic (name without prefix), key and value."""


class Published:
    """The latest values of the two topics, by contact, in a database of its own on disk."""

    def __init__(self, folder: Path) -> None:
        """Open an empty database in `folder`, which must not exist yet."""
        self._database = Database(folder, Cache(_CACHE_BYTES))

    def close(self) -> None:
        self._database.close()

    def apply(self, topic: str, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Take records of a topic, in their order: key and value."""
        batch = new_batch()
        for key, value in records:
            contact, subject = _parts(topic, key)
            place = _prefix(contact) + _KINDS[topic] + subject
            if value is None:
                batch.delete(place)
            else:
                batch.put(place, value)
        self._database.write(batch)

    def take(self, contact_id: str) -> dict[tuple[str, bytes], bytes]:
        """Return what was published of a contact, (topic, key) -> value, and forget it."""
        prefix = _prefix(contact_id.encode())
        found = list(self._database.items(prefix, prefix))
        if not found:
            return {}
        batch = new_batch()
        for place, _ in found:
            batch.delete(place)
        self._database.write(batch)
        return {_key(contact_id.encode(), place[len(prefix) :]): value for place, value in found}

    def left(self) -> Iterator[tuple[str, bytes]]:
        """Yield topic and key of what was not taken."""
        for place, _ in self._database.items(_PUBLISHED, _PUBLISHED):
            contact = layout.contact_of(layout.HISTORY + place[1:])
            if contact is not None:
                prefix = _prefix(contact.encode())
                yield _key(contact.encode(), place[len(prefix) :])

    def of(self, contact_id: str, contact: Json) -> Json:
        """Return the member `published` of a contact's line: the values that fit to the line."""
        prefix = _prefix(contact_id.encode())
        memberships: Json = {}
        suppressions: Json = {}
        for place, value in self._database.items(prefix, prefix):
            kind, subject = place[len(prefix) : len(prefix) + 1], place[len(prefix) + 1 :].decode()
            published = orjson.loads(value)
            if kind == _KINDS[CHANNEL_SUPPRESSIONS]:
                if subject in contact.get("body", {}).get("suppressed", ()):
                    suppressions[subject] = published
            elif contact.get("segments", {}).get(subject, [None])[0] == published["sequence"]:
                memberships[subject] = published
        if not memberships and not suppressions:
            return {}
        return {"published": {"memberships": memberships, "suppressions": suppressions}}


def published_outputs(contact: Json) -> Iterator[Output]:
    """Yield what the two topics are to hold of a contact: what its line says was published, and what follows
    from its state where the line says nothing."""
    contact_id: str = contact["contact_id"]
    published: Json = contact.get("published", {})
    body: Json = contact.get("body", {})
    for segment_id, (sequence, entered_ms) in contact.get("segments", {}).items():
        value: Json | None = published.get("memberships", {}).get(segment_id)
        if value is None:
            row = Membership(*body["members"][segment_id])
            value = MembershipChange(
                segment_id, row.version, contact_id, sequence, entered_ms, Reason(Cause.TIME), row.next_ms
            ).membership()
        yield SEGMENT_MEMBERSHIPS, f"{segment_id}|{contact_id}".encode(), orjson.dumps(value)
    for channel in body.get("suppressed", ()):
        value = published.get("suppressions", {}).get(channel)
        if value is None:
            value = Suppression(contact_id, channel, True, contact["head"]["clock_ms"]).wire()
        yield CHANNEL_SUPPRESSIONS, f"{contact_id}|{channel}".encode(), orjson.dumps(value)


def _parts(topic: str, key: bytes) -> tuple[bytes, bytes]:
    """Return the contact id in a key and the other part of it. No segment id and no channel has a `|`."""
    if topic == SEGMENT_MEMBERSHIPS:
        segment, _, contact = key.partition(b"|")
        return contact, segment
    contact, _, channel = key.rpartition(b"|")
    return contact, channel


def _key(contact: bytes, rest: bytes) -> tuple[str, bytes]:
    """Return the topic and the key there; `rest` is what follows the contact id in a key of the database."""
    if rest[:1] == _KINDS[SEGMENT_MEMBERSHIPS]:
        return SEGMENT_MEMBERSHIPS, rest[1:] + b"|" + contact
    return CHANNEL_SUPPRESSIONS, contact + b"|" + rest[1:]


def _prefix(contact: bytes) -> bytes:
    return _PUBLISHED + layout.history_prefix(contact.decode())[1:]
