"""What is known of one contact's attributes."""

from __future__ import annotations

from collections.abc import Callable, ItemsView
from typing import Any

import orjson

Entry = list[Any]
"""[value, updated_ms]"""


class Attributes:
    """Name -> [value, updated_ms] (epoch ms); a removed value stays as null, so that stale ones lose.

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
        if self._entries is None:
            data = self._read()
            self._entries = {} if data is None else orjson.loads(data)
        return self._entries

    def get(self, name: str) -> Entry | None:
        """What is stated of an attribute, or None."""
        return self._all().get(name)

    def items(self) -> ItemsView[str, Entry]:
        """All that is stated."""
        return self._all().items()

    def set(self, name: str, value: Any, updated_ms: int) -> None:
        """State a value and since when it is so."""
        self._all()[name] = [value, updated_ms]
        self.restated = True

    def to_bytes(self) -> bytes | None:
        """An orjson object; None where nothing is stated."""
        entries = self._all()
        return orjson.dumps(entries) if entries else None

    def copy(self) -> Attributes:
        """The same, shared with nothing."""
        data = self.to_bytes()
        return Attributes(lambda: data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Attributes) and self._all() == other._all()

    __hash__ = None  # type: ignore[assignment]  # what it holds changes
