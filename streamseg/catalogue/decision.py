"""The records that a command or a calculation writes."""

from __future__ import annotations

from dataclasses import dataclass

from streamseg.json_text import Json


@dataclass(frozen=True, slots=True)
class Decision:
    """Records to write, all of them or none, in one Kafka transaction. None is a tombstone.

    definitions  (segment_id, value) for `segment-definitions`, in an order in which each can be checked
    rows         (key, value) for `segment-catalog`
    """

    definitions: tuple[tuple[str, Json | None], ...] = ()
    rows: tuple[tuple[str, Json | None], ...] = ()

    def __bool__(self) -> bool:
        """Return False if there is nothing to write."""
        return bool(self.definitions or self.rows)


NOTHING = Decision()
