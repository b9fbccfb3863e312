"""Measures how long it takes from a record to the acknowledgement of the outputs that it causes."""

from __future__ import annotations

from collections.abc import Callable


class ChangeLatency:
    """The latency of one partition. It is observed only while the partition has been read to its end: during
    a catch-up outputs are late for another reason.

    The consumer learns that it has reached the end of a topic a moment after the last records. So this may be
    known only after the outputs were acknowledged. A latency is observed when both have happened, in either
    order."""

    def __init__(self, observe: Callable[[float], object]) -> None:
        """`observe` gets the latency (s) of the earliest record whose outputs were sent together."""
        self._observe = observe
        self._earliest_ms: int | None = None
        self._at_end = False
        self._took_ms: int | None = None
        """The latency of the outputs that were acknowledged last, while the end was not known yet."""

    def caused_outputs(self, record_ms: int) -> None:
        """Take note that a record with this timestamp (epoch ms) has caused outputs."""
        self._earliest_ms = record_ms if self._earliest_ms is None else min(record_ms, self._earliest_ms)

    def at_end(self) -> None:
        """Take note that the partition has been read to its end."""
        self._at_end = self._earliest_ms is not None
        if self._took_ms is not None:
            self._observe(self._took_ms / 1000)
            self._took_ms = None

    def acknowledged(self, now_ms: int) -> None:
        """Take note that all outputs have been acknowledged by now (epoch ms)."""
        if self._earliest_ms is None:
            return
        took_ms = max(0, now_ms - self._earliest_ms)
        if self._at_end:
            self._observe(took_ms / 1000)
        self._took_ms = None if self._at_end else took_ms
        self._earliest_ms, self._at_end = None, False
