"""The attributes of one contact, with the time of each value, and their bytes.

The bytes are one of two forms:

- an orjson object, name -> [value, `updated_ms`];
- if all attributes are those of the first update: a byte 01, its `updated_ms` as 8 bytes, and an orjson
  object, name -> value. Most contacts get many attributes at once, and this form is made in much less time.
"""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Sequence
from typing import Any

from streamseg.contact.first_values import FirstValues
from streamseg.json_text import dumps_own, loads_own
from streamseg.times import time_bytes, time_ms

Entry = Sequence[Any]
"""The value of an attribute and its `updated_ms` (epoch ms)."""

_FIRST = b"\x01"
_VALUES_AT = 9


class Attributes:
    """A mapping of attribute name -> value and `updated_ms` (epoch ms). A removed value stays as null, so
    that an older update cannot bring it back.

    Attributes are most of a contact's bytes, and most events need none of them. So the bytes are read and
    decoded when an attribute is first used.

    restated  whether an attribute was set since the store last took the attributes
    """

    __slots__ = ("_entries", "_first", "_first_ms", "_read", "restated")

    def __init__(self, read: Callable[[], bytes | None] = lambda: None) -> None:
        """`read` returns the bytes that `to_bytes` made, or None for no attributes; it is called once at
        most."""
        self._read = read
        self._entries: dict[str, Entry] | None = None
        # All attributes and their time, as long as they are those of the first update. If this and `_entries`
        # are None, the bytes were not decoded yet.
        self._first: FirstValues | None = None
        self._first_ms = 0
        self.restated = False

    def _decode(self) -> None:
        data = self._read()
        if data is None:
            self._entries = {}
        elif data.startswith(_FIRST):
            self._first = FirstValues.from_bytes(data[_VALUES_AT:])
            self._first_ms = time_ms(data[1:_VALUES_AT])
        else:
            self._entries = loads_own(data)

    def _all(self) -> dict[str, Entry]:
        if self._entries is None and self._first is None:
            self._decode()
        if self._first is not None:
            first_ms = self._first_ms
            self._entries = {name: (value, first_ms) for name, value in self._first.values.items()}
            self._first = None
        return self._entries or {}

    def get(self, name: str) -> Entry | None:
        """Return the value and time of an attribute, or None if it was never set."""
        entries = self._entries
        if entries is not None:
            return entries.get(name)
        if self._first is None:
            self._decode()
            return self.get(name)
        values = self._first.values
        return (values[name], self._first_ms) if name in values else None

    def is_empty(self) -> bool:
        """Return whether no attribute was ever set."""
        if self._entries is None and self._first is None:
            self._decode()
        return not self._entries and self._first is None

    def set_first(self, first: FirstValues, updated_ms: int) -> None:
        """Set all values of the first update; no attribute was set before."""
        self._entries, self._first, self._first_ms = None, first, updated_ms
        self.restated = True

    def items(self) -> ItemsView[str, Entry]:
        """Return the name, value and time of all attributes."""
        return self._all().items()

    def set(self, name: str, value: Any, updated_ms: int) -> None:
        """Set the value of an attribute, and the time since which it has that value."""
        if self._entries is None:
            self._entries = self._all()
        self._entries[name] = (value, updated_ms)
        self.restated = True

    def to_bytes(self) -> bytes | None:
        """Return the bytes; None if there are no attributes."""
        if self._entries is None and self._first is None:
            self._decode()
        if self._first is not None:
            return _FIRST + time_bytes(self._first_ms) + self._first.to_bytes()
        entries = self._all()
        return dumps_own(entries) if entries else None

    def copy(self) -> Attributes:
        """Return a copy that shares nothing with this object."""
        data = self.to_bytes()
        return Attributes(lambda: data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Attributes) and self._listed() == other._listed()

    def _listed(self) -> dict[str, list[Any]]:
        return {name: list(entry) for name, entry in self._all().items()}

    __hash__ = None  # type: ignore[assignment]  # its content changes
