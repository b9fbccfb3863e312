"""What a partition has said since the last checkpoint, as the records to be sent."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from streamseg.changes import DeadLetter, MembershipChange, Suppression


class Outbox:
    """Collects what a `streamseg.partition.Partition` emits.

    changes       `membership-changes`: (contact_id, value), each one, in the order in which they came about
    memberships   `segment-memberships`: `segment|contact` -> value or None, only the latest counts
    suppressions  `channel-suppressions`: `contact|channel` -> value or None, likewise
    dead_letters  the refused records
    """

    __slots__ = ("_on_dead_letter", "changes", "dead_letters", "memberships", "suppressions")

    def __init__(self, on_dead_letter: Callable[[str], None] | None = None) -> None:
        """`on_dead_letter` hears the code of each."""
        self._on_dead_letter = on_dead_letter
        self.changes: list[tuple[bytes, bytes]] = []
        self.memberships: dict[bytes, bytes | None] = {}
        self.suppressions: dict[bytes, bytes | None] = {}
        self.dead_letters: list[DeadLetter] = []

    def __len__(self) -> int:
        return len(self.memberships) + len(self.suppressions) + len(self.dead_letters)

    def change(self, change: MembershipChange) -> None:
        self.changes.append((change.contact_id.encode(), orjson.dumps(change.wire())))
        self.membership(change)

    def membership(self, change: MembershipChange) -> None:
        self.memberships[f"{change.segment_id}|{change.contact_id}".encode()] = _value(change.membership())

    def suppression(self, suppression: Suppression) -> None:
        key = f"{suppression.contact_id}|{suppression.channel}".encode()
        self.suppressions[key] = _value(suppression.wire())

    def dead_letter(self, letter: DeadLetter) -> None:
        self.dead_letters.append(letter)
        if self._on_dead_letter is not None:
            self._on_dead_letter(letter.code)

    def clear(self) -> None:
        """All of it was delivered."""
        self.changes.clear()
        self.memberships.clear()
        self.suppressions.clear()
        self.dead_letters.clear()


def _value(body: dict[str, object] | None) -> bytes | None:
    return None if body is None else orjson.dumps(body)
