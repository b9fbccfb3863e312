"""How long it takes from a record to the outputs that it brings about."""

from __future__ import annotations

from collections.abc import Callable


class ChangeLatency:
    """Of one partition, as long as that is read to its end: what is caught up on is late for another reason.

    Whether it is may be known only after the outputs were sent, since the consumer hears of the end of a
    topic a moment after its last records. So a time is told once both have happened, in whichever order."""

    def __init__(self, tell: Callable[[float], object]) -> None:
        """`tell` is given the time (s) of the earliest record of those whose outputs were sent together."""
        self._tell = tell
        self._earliest_ms: int | None = None
        self._at_end = False
        self._said_ms: int | None = None

    def brought_about(self, record_ms: int) -> None:
        """There are outputs of a record with this timestamp (epoch ms)."""
        self._earliest_ms = record_ms if self._earliest_ms is None else min(record_ms, self._earliest_ms)

    def at_end(self) -> None:
        """The partition is read to its end."""
        self._at_end = self._earliest_ms is not None
        if self._said_ms is not None:
            self._tell(self._said_ms / 1000)
            self._said_ms = None

    def said(self, now_ms: int) -> None:
        """All outputs were acknowledged."""
        if self._earliest_ms is None:
            return
        took_ms = max(0, now_ms - self._earliest_ms)
        if self._at_end:
            self._tell(took_ms / 1000)
        self._said_ms = None if self._at_end else took_ms
        self._earliest_ms, self._at_end = None, False
