"""Keeps the outputs of a partition since the last checkpoint, as the records to be sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import orjson

from agents.partitions.recent_changes import RecentChanges
from streamseg.records.outputs import DeadLetter, MembershipChange, Suppression


class _Outputs:
    """The outputs about one contact: its changes in order; of memberships and suppressions the latest by
    key."""

    __slots__ = ("changes", "memberships", "suppressions")

    def __init__(self) -> None:
        self.changes: list[bytes] = []
        self.memberships: dict[str, bytes | None] = {}
        self.suppressions: dict[str, bytes | None] = {}


class OutputBuffer:
    """Collects the outputs that a `streamseg.engine.partition.Partition` emits.

    changes       the records of `membership-changes`: (contact_id, value), in the order of their making
    dead_letters  the refused records
    output_count  the number of outputs without the dead letters
    recent        the last changes that were acknowledged
    """

    __slots__ = ("_contacts", "_on_dead_letter", "changes", "dead_letters", "output_count", "recent")

    def __init__(self, on_dead_letter: Callable[[str], None] | None = None) -> None:
        """`on_dead_letter` is called with the code of each dead letter."""
        self._on_dead_letter = on_dead_letter
        self._contacts: dict[str, _Outputs] = {}
        self.output_count = 0
        self.changes: list[tuple[bytes, bytes]] = []
        self.dead_letters: list[DeadLetter] = []
        self.recent = RecentChanges()

    def __len__(self) -> int:
        """Return the number of outputs, dead letters included. Cost: O(1)."""
        return self.output_count + len(self.dead_letters)

    def _of(self, contact_id: str) -> _Outputs:
        self.output_count += 1
        outputs = self._contacts.get(contact_id)
        if outputs is None:
            outputs = self._contacts[contact_id] = _Outputs()
        return outputs

    # -- the emitter ------------------------------------------------------------------------------------

    def change(self, change: MembershipChange) -> None:
        value = orjson.dumps(change.wire())
        self.changes.append((change.contact_id.encode(), value))
        outputs = self._of(change.contact_id)
        outputs.changes.append(value)
        outputs.memberships[_membership_key(change)] = _value(change.membership())

    def membership(self, change: MembershipChange) -> None:
        self._of(change.contact_id).memberships[_membership_key(change)] = _value(change.membership())

    def suppression(self, suppression: Suppression) -> None:
        key = f"{suppression.contact_id}|{suppression.channel}"
        self._of(suppression.contact_id).suppressions[key] = _value(suppression.wire())

    def dead_letter(self, letter: DeadLetter) -> None:
        self.dead_letters.append(letter)
        if self._on_dead_letter is not None:
            self._on_dead_letter(letter.code)

    # -- what is to be sent -----------------------------------------------------------------------------

    def memberships(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Return the records of `segment-memberships`: `segment|contact` and the latest value, None once the
        membership has ended."""
        for outputs in self._contacts.values():
            for key, value in outputs.memberships.items():
                yield key.encode(), value

    def suppressions(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Return the records of `channel-suppressions`: `contact|channel` and the latest value, None once the
        suppression has ended."""
        for outputs in self._contacts.values():
            for key, value in outputs.suppressions.items():
                yield key.encode(), value

    def clear(self) -> None:
        """Drop everything, since all of it was acknowledged. The last changes stay in `recent`."""
        self.recent.add(self.changes)
        self._contacts.clear()
        self.output_count = 0
        self.changes.clear()
        self.dead_letters.clear()

    # -- outputs are kept until they were sent ----------------------------------------------------------

    def by_contact(self) -> dict[str, bytes]:
        """Return the outputs about each contact, without dead letters, in the form that `restore` reads."""
        return {
            contact_id: orjson.dumps(
                [
                    contact_id,
                    [orjson.Fragment(value) for value in outputs.changes],
                    _fragments(outputs.memberships),
                    _fragments(outputs.suppressions),
                ]
            )
            for contact_id, outputs in self._contacts.items()
        }

    def restore(self, kept: bytes) -> None:
        """Add the outputs of one contact that `by_contact` returned: the same bytes under the same keys."""
        contact_id, changes, memberships, suppressions = orjson.loads(kept)
        outputs = self._of(contact_id)
        key = contact_id.encode()
        for change in changes:
            value = orjson.dumps(change)
            self.changes.append((key, value))
            outputs.changes.append(value)
        outputs.memberships.update((key, _value(body)) for key, body in memberships.items())
        outputs.suppressions.update((key, _value(body)) for key, body in suppressions.items())


def _membership_key(change: MembershipChange) -> str:
    return f"{change.segment_id}|{change.contact_id}"


def _value(body: dict[str, object] | None) -> bytes | None:
    return None if body is None else orjson.dumps(body)


def _fragments(values: dict[str, bytes | None]) -> dict[str, orjson.Fragment | None]:
    return {key: None if value is None else orjson.Fragment(value) for key, value in values.items()}
