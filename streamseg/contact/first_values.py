"""The values of a contact's first update, which are kept together and not one by one."""

from __future__ import annotations

from typing import Any

from streamseg.json_text import dumps_own, loads_own


class FirstValues:
    """The attributes that a contact got all at once: name -> value. Nobody may change `values`.

    The contact's attributes and the events derived from the update hold the same object, so the JSON text is
    made once."""

    __slots__ = ("_text", "values")

    def __init__(self, values: dict[str, Any], text: bytes | None = None) -> None:
        self.values = values
        self._text = text

    @classmethod
    def from_bytes(cls, text: bytes) -> FirstValues:
        """Return the values in the bytes that `to_bytes` made."""
        return cls(loads_own(text), text)

    def to_bytes(self) -> bytes:
        """Return the values as an orjson object."""
        text = self._text
        if text is None:
            text = self._text = dumps_own(self.values)
        return text
