"""The notes of one partition: JSON values by name, for instance the offset up to which a source was read."""

from __future__ import annotations

from typing import Any

import orjson

from streamseg.store import layout
from streamseg.store.database import Database, KeyValue


class NoteTable:
    """The notes on disk, and the notes that are not written yet."""

    __slots__ = ("_database", "_unwritten", "_values")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._values: dict[str, Any] = {}
        self._unwritten: set[str] = set()

    def get(self, name: str) -> Any:
        """Return the JSON value kept under a name, or None."""
        if name not in self._values:
            data = self._database.get(layout.meta_key(name))
            if data is None:
                return None
            self._values[name] = orjson.loads(data)
        return self._values[name]

    def set(self, name: str, value: Any) -> None:
        """Keep a JSON value. The caller must not change the value afterwards."""
        if self.get(name) != value:
            self._values[name] = value
            self._unwritten.add(name)

    def wrote(self, name: str, value: Any) -> None:
        """Take over a value that was written to disk without `records`."""
        self._values[name] = value

    def __len__(self) -> int:
        """Return how many notes are not written yet."""
        return len(self._unwritten)

    def records(self, *, last: str) -> list[KeyValue]:
        """Return the unwritten notes as changelog records, sorted by name, with the note `last` at the
        end."""
        names = sorted(self._unwritten, key=lambda name: (name == last, name))
        return [(layout.meta_key(name), orjson.dumps(self._values[name])) for name in names]

    def settle(self) -> None:
        """Drop the list of unwritten notes, because they are on disk now."""
        self._unwritten.clear()

    def forget_read(self) -> None:
        """Forget all that was read, because the disk was changed without this table."""
        self._values.clear()
