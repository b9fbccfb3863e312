"""The head of a contact's bytes, in the latest layout.

It is one version byte, the due time as 8 bytes that sort as the time does (all ones: never due), then each
field of the head as 8 bytes, big-endian. The least number stands for None. `Contact.to_bytes` has the fields
in their order.

The due time is at the front so that the due index can be rebuilt from the bytes alone. A new field of the
head needs a new version.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

_HEAD = Struct(">BQ15q")
_NUMBER = Struct(">q")

pack_head, unpack_head = _HEAD.pack, _HEAD.unpack_from
"""Write and read the head: the version, the due time, and its 15 numbers."""

SIGN: Final = 1 << 63
"""What is added to a due time, so that earlier times have lesser bytes."""

NEVER: Final = (1 << 64) - 1
UNSET: Final = -(1 << 63)
BODY_AT: Final = 1 + 8 + 15 * 8
CLOCK_AT: Final = 25
UNKEPT_AT: Final = BODY_AT - 16
_NEVER_DUE: Final = b"\xff" * 8


def due_in(data: bytes) -> bytes | None:
    """Return the due time in a contact's bytes, as 8 bytes that sort as the time; None if it is never due.
    All layouts have it at the same place."""
    due = data[1:9]
    return None if due == _NEVER_DUE else due


def number_at(data: bytes, place: int) -> int | None:
    """Return the number at a place of the head, or None."""
    number: int = _NUMBER.unpack_from(data, place)[0]
    return None if number == UNSET else number


def number_bytes(number: int | None) -> bytes:
    """Return the bytes of a number in the head."""
    return _NUMBER.pack(UNSET if number is None else number)
