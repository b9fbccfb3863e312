"""The attributes of one contact, with the time of each value."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Sequence
from typing import Any

from streamseg.json_text import dumps_own, loads_own

Entry = Sequence[Any]
"""The value of an attribute and its `updated_ms` (epoch ms)."""


class Attributes:
    """A mapping of attribute name -> value and `updated_ms` (epoch ms). A removed value stays as null, so
    that an older update cannot bring it back.

    Attributes are most of a contact's bytes, and most events need none of them. So the bytes are read and
    decoded when an attribute is first used.

    restated  whether an attribute was set since the store last took the attributes
    """

    __slots__ = ("_entries", "_read", "restated")

    def __init__(self, read: Callable[[], bytes | None] = lambda: None) -> None:
        """`read` returns the bytes that `to_bytes` made, or None for no attributes; it is called once at
        most."""
        self._read = read
        self._entries: dict[str, Entry] | None = None
        self.restated = False

    def _all(self) -> dict[str, Entry]:
        entries = self._entries
        if entries is None:
            data = self._read()
            entries = self._entries = {} if data is None else loads_own(data)
        return entries

    def get(self, name: str) -> Entry | None:
        """Return the value and time of an attribute, or None if it was never set."""
        entries = self._entries
        return (self._all() if entries is None else entries).get(name)

    def items(self) -> ItemsView[str, Entry]:
        """Return the name, value and time of all attributes."""
        return self._all().items()

    def set(self, name: str, value: Any, updated_ms: int) -> None:
        """Set the value of an attribute, and the time since which it has that value."""
        entries = self._entries
        (self._all() if entries is None else entries)[name] = (value, updated_ms)
        self.restated = True

    def to_bytes(self) -> bytes | None:
        """Return the attributes as an orjson object; None if there are none."""
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
