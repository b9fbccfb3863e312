"""Keeps the outputs of a partition since the last checkpoint, as the records to be sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson

from agents.kafka.batch_producer import Message
from agents.partitions.recent_changes import RecentChanges
from streamseg.records.outputs import DeadLetter, MembershipChange, Suppression
from streamseg.records.trace import trace_headers, trace_of


class _Outputs:
    """The outputs about one contact: its changes in order; of memberships and suppressions the latest by
    key."""

    __slots__ = ("changes", "memberships", "suppressions")

    def __init__(self) -> None:
        self.changes: list[Message] = []
        self.memberships: dict[str, Message] = {}
        self.suppressions: dict[str, Message] = {}

    def to_bytes(self, contact_id: str) -> bytes:
        """Return the outputs in the form that `OutputBuffer.restore` reads. The traces are there only if one
        of the outputs has a trace."""
        kept: list[Any] = [
            contact_id,
            [_fragment(message) for message in self.changes],
            {key: _fragment(message) for key, message in self.memberships.items()},
            {key: _fragment(message) for key, message in self.suppressions.items()},
        ]
        if any(
            message.headers
            for messages in (self.changes, self.memberships.values(), self.suppressions.values())
            for message in messages
        ):
            kept += [
                [_trace(message) for message in self.changes],
                {key: _trace(message) for key, message in self.memberships.items()},
                {key: _trace(message) for key, message in self.suppressions.items()},
            ]
        return orjson.dumps(kept)


class OutputBuffer:
    """Collects the outputs that a `streamseg.engine.partition.Partition` emits.

    changes       the records of `membership-changes`, in the order of their making
    dead_letters  the refused records
    output_count  the number of outputs without the dead letters
    recent        the last changes that were acknowledged
    """

    __slots__ = ("_contacts", "_on_dead_letter", "changes", "dead_letters", "output_count", "recent")

    def __init__(self, on_dead_letter: Callable[[DeadLetter], None] | None = None) -> None:
        """`on_dead_letter` is called with each dead letter."""
        self._on_dead_letter = on_dead_letter
        self._contacts: dict[str, _Outputs] = {}
        self.output_count = 0
        self.changes: list[Message] = []
        self.dead_letters: list[DeadLetter] = []
        self.recent = RecentChanges()

    def __len__(self) -> int:
        """Return the number of outputs, dead letters included. Cost: O(1)."""
        return self.output_count + len(self.dead_letters)

    def holds(self, contact_id: str) -> bool:
        """Return whether there are outputs about a contact, dead letters apart."""
        return contact_id in self._contacts

    def _of(self, contact_id: str) -> _Outputs:
        self.output_count += 1
        outputs = self._contacts.get(contact_id)
        if outputs is None:
            outputs = self._contacts[contact_id] = _Outputs()
        return outputs

    # -- the emitter ------------------------------------------------------------------------------------

    def change(self, change: MembershipChange) -> None:
        message = _message(change.contact_id, change.wire(), change.reason.trace)
        self.changes.append(message)
        outputs = self._of(change.contact_id)
        outputs.changes.append(message)
        _set_membership(outputs, change)

    def membership(self, change: MembershipChange) -> None:
        _set_membership(self._of(change.contact_id), change)

    def suppression(self, suppression: Suppression) -> None:
        key = f"{suppression.contact_id}|{suppression.channel}"
        message = _message(key, suppression.wire(), suppression.trace)
        self._of(suppression.contact_id).suppressions[key] = message

    def dead_letter(self, letter: DeadLetter) -> None:
        self.dead_letters.append(letter)
        if self._on_dead_letter is not None:
            self._on_dead_letter(letter)

    # -- what is to be sent -----------------------------------------------------------------------------

    def memberships(self) -> Iterator[Message]:
        """Yield the records of `segment-memberships`: `segment|contact` and the latest value, None once the
        membership has ended."""
        for outputs in self._contacts.values():
            yield from outputs.memberships.values()

    def suppressions(self) -> Iterator[Message]:
        """Yield the records of `channel-suppressions`: `contact|channel` and the latest value, None once the
        suppression has ended."""
        for outputs in self._contacts.values():
            yield from outputs.suppressions.values()

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
        return {contact_id: outputs.to_bytes(contact_id) for contact_id, outputs in self._contacts.items()}

    def restore(self, kept: bytes) -> None:
        """Add the outputs of one contact that `by_contact` returned: the same bytes and headers under the
        same keys."""
        contact_id, changes, memberships, suppressions, *traces = orjson.loads(kept)
        changes_traces, memberships_traces, suppressions_traces = traces or ([None] * len(changes), {}, {})
        outputs = self._of(contact_id)
        for change, trace in zip(changes, changes_traces, strict=True):
            message = _restored(contact_id, change, trace)
            self.changes.append(message)
            outputs.changes.append(message)
        outputs.memberships.update(
            (key, _restored(key, body, memberships_traces.get(key))) for key, body in memberships.items()
        )
        outputs.suppressions.update(
            (key, _restored(key, body, suppressions_traces.get(key))) for key, body in suppressions.items()
        )


def _set_membership(outputs: _Outputs, change: MembershipChange) -> None:
    key = f"{change.segment_id}|{change.contact_id}"
    outputs.memberships[key] = _message(key, change.membership(), change.reason.trace)


def _message(key: str, body: dict[str, Any] | None, trace: bytes | None) -> Message:
    value = None if body is None else orjson.dumps(body)
    return Message(key.encode(), value, None if trace is None else trace_headers(trace))


def _restored(key: str, body: dict[str, Any] | None, trace: str | None) -> Message:
    return _message(key, body, None if trace is None else trace.encode())


def _fragment(message: Message) -> orjson.Fragment | None:
    return None if message.value is None else orjson.Fragment(message.value)


def _trace(message: Message) -> str | None:
    trace = trace_of(tuple(message.headers or ()))
    return None if trace is None else trace.decode()
