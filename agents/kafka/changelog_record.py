"""The rule that decides which records of a changelog count.

A worker that was paused or cut off may have sent records that arrive late: after its partition went to
another worker, and after that worker has read the changelog. No check of a clock before sending can prevent
this. So each record has a header with the offset at which its writer, knowing everything before, expects it.
A record at any other offset was written without knowledge of a record before it, and does not count. A worker
that restores the state ignores it, and its writer notices it by the acknowledged offset. If two workers write
at the same time, the one whose record comes first continues, and the other starts again.

Records without the header were written by earlier releases and count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

HEADER = "at"

Headers = Sequence[tuple[str, str | bytes | None]]
"""The headers of a record: name and value of each."""

_BYTES = 8


class Written(NamedTuple):
    """The offsets of the first and the last of some acknowledged records, and their number."""

    first: int
    last: int
    records: int


def expected_at(offset: int) -> tuple[str, bytes]:
    """Return the header of a record that is expected at this offset."""
    return HEADER, offset.to_bytes(_BYTES, "big")


def counts(headers: Headers | None, offset: int) -> bool:
    """Return whether a record with these headers, found at this offset, counts."""
    expected = expected_at(offset)
    # Called for each record of a recovery, nearly always with the header alone.
    if not headers or headers[0] == expected:
        return True
    return next((stated == expected for stated in headers if stated[0] == HEADER), True)
