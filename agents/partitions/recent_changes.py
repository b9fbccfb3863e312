"""The last membership changes that a partition has sent, for callers that watch them."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Final, NamedTuple

from agents.kafka.batch_producer import Message

KEPT_CHANGES: Final = 1_000
"""How many changes of a partition are kept. They are kept in memory only."""


class Position(NamedTuple):
    """A place in the changes of one partition.

    run    identifies the time at work in which the changes were sent; another worker, or the same one after
           the partition has come back, begins another run
    sent   the number of changes sent before in this run
    """

    run: str
    sent: int


class SentChanges(NamedTuple):
    """Changes that were sent after a position.

    position  the position after them
    values    their values as on `membership-changes`, in their order
    skipped   how many others were sent before these; None: unknown, because the position is of another run
    """

    position: Position
    values: list[bytes]
    skipped: int | None


class RecentChanges:
    """The last changes that were acknowledged in one run."""

    __slots__ = ("_count", "_kept", "_run")

    def __init__(self) -> None:
        self._run = secrets.token_hex(8)
        self._count = 0
        self._kept: deque[Message] = deque(maxlen=KEPT_CHANGES)

    def add(self, changes: Sequence[Message]) -> None:
        """Add changes, as records, that were acknowledged."""
        self._count += len(changes)
        self._kept.extend(changes)

    def last(self, most: int) -> SentChanges:
        """Return the last changes, `most` at most."""
        kept = min(most, len(self._kept))
        return SentChanges(self._position, self._values(kept), 0)

    def since(self, position: Position, most: int) -> SentChanges:
        """Return the changes after a position; the last `most` of them, if there are more."""
        if position.run != self._run:
            return self.last(most)._replace(skipped=None)
        new = self._count - position.sent
        kept = min(most, len(self._kept), new)
        return SentChanges(self._position, self._values(kept), new - kept)

    @property
    def _position(self) -> Position:
        return Position(self._run, self._count)

    def _values(self, number: int) -> list[bytes]:
        kept = islice(self._kept, len(self._kept) - number, None)
        return [message.value for message in kept if message.value is not None]
