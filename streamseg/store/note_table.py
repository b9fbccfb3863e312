"""The notes of one partition: JSON values by name, such as how far a source was read."""

from __future__ import annotations

from typing import Any

import orjson

from streamseg.store import layout
from streamseg.store.database import Database, KeyValue


class NoteTable:
    """Notes on disk, and those that are not written yet."""

    __slots__ = ("_database", "_unwritten", "_values")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._values: dict[str, Any] = {}
        self._unwritten: set[str] = set()

    def get(self, name: str) -> Any:
        """The JSON value kept under a name, or None."""
        if name not in self._values:
            data = self._database.get(layout.meta_key(name))
            if data is None:
                return None
            self._values[name] = orjson.loads(data)
        return self._values[name]

    def set(self, name: str, value: Any) -> None:
        """Keep a JSON value, which is not to be changed afterwards."""
        if self.get(name) != value:
            self._values[name] = value
            self._unwritten.add(name)

    def wrote(self, name: str, value: Any) -> None:
        """A note was written to disk by other means than `records`."""
        self._values[name] = value

    def __len__(self) -> int:
        """How many are not written yet."""
        return len(self._unwritten)

    def records(self, *, last: str) -> list[KeyValue]:
        """Those that are not written yet, as changelog records by name, the one named `last` at the end."""
        names = sorted(self._unwritten, key=lambda name: (name == last, name))
        return [(layout.meta_key(name), orjson.dumps(self._values[name])) for name in names]

    def settle(self) -> None:
        """What `records` gave is on disk."""
        self._unwritten.clear()

    def forget_read(self) -> None:
        """The disk was changed by other means."""
        self._values.clear()
