"""Gathers the records of changelogs by contact, in a database of its own on disk.

A changelog has the records of a contact at many places, and a partition may be larger than the memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from rocksdict import Cache

from streamseg.store import layout
from streamseg.store.database import Database, KeyValue, new_batch, put_records
from streamseg.store.kept_outputs import SENT_KEY, Unsent, in_order

_GATHERED = b"g"
_SUMS = b"s"
_CACHE_BYTES = 32 << 20


class Gathered(NamedTuple):
    """The latest records of one contact in one partition: key -> value, in the order of keys."""

    contact_id: str
    records: list[tuple[bytes, bytes]]


class Gathering:
    """The latest values in the changelogs of some partitions.

    notes  partition -> name -> the value of a note
    """

    def __init__(self, folder: Path) -> None:
        """Open an empty database in `folder`, which must not exist yet."""
        self._database = Database(folder, Cache(_CACHE_BYTES))
        self.notes: dict[int, dict[str, Any]] = {}
        self._outputs: dict[int, dict[bytes, bytes | None]] = {}
        self._unsent: dict[int, Unsent] = {}

    def close(self) -> None:
        self._database.close()

    def in_bulk(self) -> AbstractContextManager[None]:
        """Write faster while changelogs are read; see `Database.in_bulk`."""
        return self._database.in_bulk()

    def apply(self, partition: int, records: Iterable[KeyValue]) -> None:
        """Take changelog records of a partition, in their order."""
        notes = self.notes.setdefault(partition, {})
        outputs = self._outputs.setdefault(partition, {})
        unsent = self._unsent.setdefault(partition, Unsent())
        gathered: dict[bytes, bytes | None] = {}
        prefix = _prefix(partition)
        for key, value in records:
            contact_id = layout.contact_of(key)
            if contact_id is not None:
                gathered[prefix + _delimited(contact_id) + key] = value
            elif key[:1] == layout.GROWTH:
                gathered[_sums(partition) + key] = value
            elif key[:1] == layout.OUTPUT:
                outputs[key] = value
                unsent.note(key, value)
            else:
                if key == SENT_KEY:
                    for sent in unsent.sent(value):
                        del outputs[sent]
                name = key[1:].decode()
                notes.pop(name, None)
                if value is not None:
                    notes[name] = orjson.loads(value)
        batch = new_batch()
        put_records(batch, list(gathered.items()))
        self._database.write(batch)

    def contacts(self, partition: int) -> Iterator[Gathered]:
        """Yield each contact of a partition, in the order of their ids."""
        prefix = _prefix(partition)
        start = len(prefix)

        def own(item: tuple[bytes, bytes]) -> bytes:
            """Return the part of a key that is the same for all records of a contact."""
            return item[0][: item[0].index(b"\0\0", start) + 2]

        for head, items in groupby(self._database.items(prefix, prefix), own):
            records = [(key[len(head) :], value) for key, value in items]
            yield Gathered(str(layout.contact_of(records[0][0])), records)

    def growth(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """Yield the sums of a partition: how many contacts entered and left segments, by key."""
        prefix = _sums(partition)
        return ((key[len(prefix) :], value) for key, value in self._database.items(prefix, prefix))

    def unsent(self, partition: int) -> list[bytes]:
        """Return the outputs of a partition that may not have been sent, in their order."""
        kept = self._outputs.get(partition, {})
        return in_order((key, value) for key, value in kept.items() if value is not None)


def _sums(partition: int) -> bytes:
    return _SUMS + partition.to_bytes(4, "big")


def _prefix(partition: int) -> bytes:
    return _GATHERED + partition.to_bytes(4, "big")


def _delimited(contact_id: str) -> bytes:
    return layout.history_prefix(contact_id)[1:]
