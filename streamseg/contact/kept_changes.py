"""A membership change as it is kept with its contact, and how long the kept changes reach back."""

from __future__ import annotations

from typing import NamedTuple


class KeptChange(NamedTuple):
    """A contact entered (odd `sequence`) or exited (even) a segment. Changes sort by time, then in the order
    of their making.

    effective_ms  stream time of the change, epoch ms
    number        the contact's changes are numbered from 0 in the order of their making
    version       the version of the segment's definition
    kind, ref     the reason, see streamseg.records.outputs
    born          the birth of the segment: a segment of the same id that was deleted has a smaller one
    """

    effective_ms: int
    number: int
    segment_id: str
    sequence: int
    version: int
    kind: str
    ref: str | None
    born: int

    @property
    def entered(self) -> bool:
        return self.sequence % 2 == 1
