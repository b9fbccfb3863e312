"""The outputs of the engine: membership changes, suppressions and dead letters, as slotted values."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol

import orjson

from streamseg.errors import RejectedError, UnforeseenError
from streamseg.records.inputs import Record
from streamseg.records.trace import trace_headers, trace_of
from streamseg.times import format_ms


class Cause(StrEnum):
    """The cause of a membership change: the contract's `reason.kind`."""

    CONTACT_UPDATE = "contact_update"
    BEHAVIOR_EVENT = "behavior_event"
    TIME = "time"
    DEFINITION = "definition"
    UNSUBSCRIBE_WINDOW = "unsubscribe_window"
    DELETION = "deletion"


class Reason:
    """A cause and its reference: an event id, a record's position, `segment@version`, or None.

    trace  the `traceparent` of the record that is the cause (streamseg.records.trace); None: it has none, or
           no record is the cause

    Do not change its fields. It is not frozen, for the same reason as inputs."""

    __slots__ = ("kind", "ref", "trace")

    def __init__(self, kind: Cause, ref: str | None = None, trace: bytes | None = None) -> None:
        self.kind = kind
        self.ref = ref
        self.trace = trace

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reason) and self._values() == other._values()

    __hash__ = None  # type: ignore[assignment]  # a value, of which no set is needed

    def _values(self) -> tuple[Any, ...]:
        return (self.kind, self.ref, self.trace)


class MembershipChange:
    """A contact entered (odd `sequence`) or exited (even) a segment at `effective_ms` of stream time.

    next_change_ms  when time alone will end the membership, if nothing else happens; None: never or unknown
    given_before    how many earlier changes of the contact in the segment had this sequence at this instant,
                    because the sequence started again in between

    Do not change its fields once it is emitted."""

    __slots__ = (
        "contact_id",
        "effective_ms",
        "given_before",
        "next_change_ms",
        "reason",
        "segment_id",
        "segment_version",
        "sequence",
    )

    def __init__(
        self,
        segment_id: str,
        segment_version: int,
        contact_id: str,
        sequence: int,
        effective_ms: int,
        reason: Reason,
        next_change_ms: int | None = None,
        given_before: int = 0,
    ) -> None:
        self.segment_id = segment_id
        self.segment_version = segment_version
        self.contact_id = contact_id
        self.sequence = sequence
        self.effective_ms = effective_ms
        self.reason = reason
        self.next_change_ms = next_change_ms
        self.given_before = given_before

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MembershipChange) and self._values() == other._values()

    __hash__ = None  # type: ignore[assignment]  # a value, of which no set is needed

    def _values(self) -> tuple[Any, ...]:
        return (
            self.segment_id,
            self.segment_version,
            self.contact_id,
            self.sequence,
            self.effective_ms,
            self.reason,
            self.next_change_ms,
            self.given_before,
        )

    @property
    def entered(self) -> bool:
        return self.sequence % 2 == 1

    @property
    def change_id(self) -> str:
        """The deterministic id: a change that is repeated after a crash has the same one, and no other change
        has it.

        No segment id has a `|` in it, and only the fifth part begins with `#`."""
        four = f"{self.segment_id}|{self.contact_id}|{self.effective_ms}|{self.sequence}"
        return f"{four}|#{self.given_before + 1}" if self.given_before else four

    def wire(self) -> dict[str, Any]:
        """Return the value on `membership-changes`."""
        return {
            "change_id": self.change_id,
            "segment_id": self.segment_id,
            "segment_version": self.segment_version,
            "contact_id": self.contact_id,
            "change": "entered" if self.entered else "exited",
            "sequence": self.sequence,
            "effective_at": format_ms(self.effective_ms),
            "reason": {"kind": self.reason.kind.value, "ref": self.reason.ref},
        }

    def membership(self) -> dict[str, Any] | None:
        """Return the value on `segment-memberships`; None is the tombstone after an exit."""
        if not self.entered:
            return None
        value = {
            "segment_id": self.segment_id,
            "segment_version": self.segment_version,
            "contact_id": self.contact_id,
            "entered_at": format_ms(self.effective_ms),
            "sequence": self.sequence,
        }
        if self.next_change_ms is not None:
            value["next_change_at"] = format_ms(self.next_change_ms)
        return value


class Suppression:
    """A flag that nothing may be sent to a contact on `channel` (`email` or `sms`), or the end of it.

    trace  the `traceparent` of the record that caused it, or None"""

    __slots__ = ("channel", "contact_id", "effective_ms", "suppressed", "trace")

    def __init__(
        self,
        contact_id: str,
        channel: str,
        suppressed: bool,
        effective_ms: int,
        trace: bytes | None = None,
    ) -> None:
        self.contact_id = contact_id
        self.channel = channel
        self.suppressed = suppressed
        self.effective_ms = effective_ms
        self.trace = trace

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Suppression) and self._values() == other._values()

    __hash__ = None  # type: ignore[assignment]  # a value, of which no set is needed

    def _values(self) -> tuple[Any, ...]:
        return (self.contact_id, self.channel, self.suppressed, self.effective_ms, self.trace)

    def wire(self) -> dict[str, Any] | None:
        """Return the value on `channel-suppressions`; None is the tombstone when sending is allowed again."""
        if not self.suppressed:
            return None
        return {
            "contact_id": self.contact_id,
            "channel": self.channel,
            "suppressed": True,
            "since": format_ms(self.effective_ms),
        }


_PATHS_BYTES = 1 << 20
"""How many bytes the paths in a record's header may have: header and record must fit into the topic."""


class DeadLetter:
    """A record that was refused, or of which values were left out: its unchanged bytes and the reason.

    paths  the paths of all values that were left out, if the rest of the record was applied; otherwise None
    fault  the exception with which the program failed, to be logged; None if the record is wrong
    """

    __slots__ = ("code", "fault", "message", "path", "paths", "record")

    def __init__(
        self,
        record: Record,
        code: str,
        message: str,
        path: str,
        fault: Exception | None = None,
        paths: tuple[str, ...] | None = None,
    ) -> None:
        self.record = record
        self.code = code
        self.message = message
        self.path = path
        self.fault = fault
        self.paths = paths

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeadLetter) and self._values() == other._values()

    __hash__ = None  # type: ignore[assignment]  # a value, of which no set is needed

    def _values(self) -> tuple[Any, ...]:
        return (self.record, self.code, self.message, self.path, self.fault, self.paths)

    @classmethod
    def of(cls, record: Record, error: RejectedError) -> DeadLetter:
        """Return the dead letter of a refused record."""
        fault = error.fault if isinstance(error, UnforeseenError) else None
        return cls(record, error.code.value, error.message, error.path, fault)

    @property
    def applied(self) -> str:
        """Whether the record was applied: `no` or `partly`."""
        return "no" if self.paths is None else "partly"

    def headers(self) -> list[tuple[str, bytes]]:
        """Return the Kafka headers of the record on `dead-letters`."""
        headers = [
            ("error.code", self.code.encode()),
            ("error.message", self.message.encode()),
            ("error.path", self.path.encode()),
            ("record.applied", self.applied.encode()),
            ("source.topic", self.record.topic.encode()),
            ("source.partition", str(self.record.partition).encode()),
            ("source.offset", str(self.record.offset).encode()),
        ]
        if self.paths is not None:
            headers.append(("error.paths", orjson.dumps(_fitting(self.paths))))
        trace = trace_of(self.record.headers)
        if trace is not None:
            headers += trace_headers(trace)
        return headers


def _fitting(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Return the paths, or as many of the first ones as fit into a header."""
    left = _PATHS_BYTES
    for index, path in enumerate(paths):
        left -= len(path.encode()) + 3
        if left < 0:
            return paths[:index]
    return paths


class Emitter(Protocol):
    """The receiver of a partition's outputs. The caller of the engine implements it and sends the outputs."""

    def change(self, change: MembershipChange) -> None: ...

    def membership(self, change: MembershipChange) -> None:
        """The membership of `change` still exists, but its `next_change_ms` differs from the one emitted."""

    def suppression(self, suppression: Suppression) -> None: ...

    def dead_letter(self, letter: DeadLetter) -> None: ...
