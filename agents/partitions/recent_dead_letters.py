"""The last dead letters of a worker, for administrators: why records were refused, without their bytes."""

from __future__ import annotations

from collections import Counter, deque
from typing import Final, NamedTuple

from streamseg.records.outputs import DeadLetter

_KEPT: Final = 50
_LONGEST: Final = 300


class RefusedRecord(NamedTuple):
    """A record that became a dead letter, and why. `noted_ms` is when, epoch ms; `applied` is `no` or
    `partly`."""

    noted_ms: int
    code: str
    message: str
    path: str
    topic: str
    partition: int
    offset: int
    applied: str


class RecentDeadLetters:
    """The last 50 dead letters since the start of the worker, and the number of all of them by code. A record
    that is read again after a crash counts again."""

    __slots__ = ("_counts", "_latest")

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._latest: deque[RefusedRecord] = deque(maxlen=_KEPT)

    def note(self, letter: DeadLetter, now_ms: int) -> None:
        """Take note of a dead letter at `now_ms`, epoch ms. Of long texts the beginning is kept."""
        self._counts[letter.code] += 1
        record = letter.record
        self._latest.append(
            RefusedRecord(
                now_ms,
                letter.code,
                letter.message[:_LONGEST],
                letter.path[:_LONGEST],
                record.topic,
                record.partition,
                record.offset,
                letter.applied,
            )
        )

    @property
    def counts(self) -> dict[str, int]:
        """Code -> number of dead letters."""
        return dict(self._counts)

    @property
    def latest(self) -> list[RefusedRecord]:
        """The last ones, the latest first."""
        return list(reversed(self._latest))
