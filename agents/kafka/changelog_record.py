"""Which records of a changelog count.

A worker that stood still, or was cut off, may have sent records that arrive after its partition went to
another worker, and after that one has read the changelog: no look at a clock before the sending can rule that
out. So each record says in a header at which offset its writer expects it to be, knowing everything before
it. A record that is at another offset was written by somebody who did not know what is before it, and does
not count: neither for whoever restores the state, nor for its writer, who sees at which offset it was
acknowledged. If two write at the same time, the one that comes first goes on, and the other begins anew.

Records without the header were written by earlier releases and count.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

HEADER = "at"
_BYTES = 8


class Written(NamedTuple):
    """The offsets of the first and the last of some acknowledged records, and how many they are."""

    first: int
    last: int
    records: int


def expected_at(offset: int) -> tuple[str, bytes]:
    """The header of a record that is to be at this offset."""
    return HEADER, offset.to_bytes(_BYTES, "big")


def counts(headers: Iterable[tuple[str, str | bytes | None]] | None, offset: int) -> bool:
    """Whether a record with these headers, found at this offset, counts."""
    for name, value in headers or ():
        if name == HEADER:
            return value == offset.to_bytes(_BYTES, "big")
    return True
