"""What is known of one contact's attributes."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Sequence
from typing import Any

from streamseg.json_text import dumps_own, loads_own

Entry = Sequence[Any]
"""value, updated_ms"""


class Attributes:
    """Name -> value, updated_ms (epoch ms); a removed value stays as null, so that stale ones lose.

    Most of what is kept of a contact, and most events ask for none: they are read when first asked for.

    restated  whether any was set since the store last took them
    """

    __slots__ = ("_entries", "_read", "restated")

    def __init__(self, read: Callable[[], bytes | None] = lambda: None) -> None:
        """Those that `read` hands out, such as `to_bytes` gave; without it none."""
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
        """What is stated of an attribute, or None."""
        entries = self._entries
        return (self._all() if entries is None else entries).get(name)

    def items(self) -> ItemsView[str, Entry]:
        """All that is stated."""
        return self._all().items()

    def set(self, name: str, value: Any, updated_ms: int) -> None:
        """State a value and since when it is so."""
        entries = self._entries
        (self._all() if entries is None else entries)[name] = (value, updated_ms)
        self.restated = True

    def to_bytes(self) -> bytes | None:
        """An orjson object; None where nothing is stated."""
        entries = self._all()
        return dumps_own(entries) if entries else None

    def copy(self) -> Attributes:
        """The same, shared with nothing."""
        data = self.to_bytes()
        return Attributes(lambda: data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Attributes) and self._listed() == other._listed()

    def _listed(self) -> dict[str, list[Any]]:
        return {name: list(entry) for name, entry in self._all().items()}

    __hash__ = None  # type: ignore[assignment]  # what it holds changes
