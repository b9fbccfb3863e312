"""What the engine gives out: membership changes, suppressions and dead letters, as slotted values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import orjson

from streamseg.errors import RejectedError, UnforeseenError
from streamseg.records.inputs import Record
from streamseg.times import format_ms


class Cause(StrEnum):
    """Why a membership changed: the contract's `reason.kind`."""

    CONTACT_UPDATE = "contact_update"
    BEHAVIOR_EVENT = "behavior_event"
    TIME = "time"
    DEFINITION = "definition"
    UNSUBSCRIBE_WINDOW = "unsubscribe_window"
    DELETION = "deletion"


@dataclass(slots=True)
class Reason:
    """A cause and what it refers to: an event id, a record's position, `segment@version`, or nothing.

    Not to be changed once made. Not frozen either, as inputs are not."""

    kind: Cause
    ref: str | None = None


@dataclass(slots=True)
class MembershipChange:
    """A contact entered (odd `sequence`) or exited (even) a segment at `effective_ms` of stream time.

    next_change_ms  when time alone will end the membership, as far as is known now
    given_before    how many changes of the contact in the segment had this sequence at this instant already,
                    since it started anew in between

    Not to be changed once emitted."""

    segment_id: str
    segment_version: int
    contact_id: str
    sequence: int
    effective_ms: int
    reason: Reason
    next_change_ms: int | None = None
    given_before: int = 0

    @property
    def entered(self) -> bool:
        return self.sequence % 2 == 1

    @property
    def change_id(self) -> str:
        """Deterministic: a repeat after a crash is recognisably the same change, and no other has the same.

        No segment id holds a `|`, and `#` begins the fifth part alone."""
        four = f"{self.segment_id}|{self.contact_id}|{self.effective_ms}|{self.sequence}"
        return f"{four}|#{self.given_before + 1}" if self.given_before else four

    def wire(self) -> dict[str, Any]:
        """The value on `membership-changes`."""
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
        """The value on `segment-memberships`; None is the tombstone after an exit."""
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


@dataclass(frozen=True, slots=True)
class Suppression:
    """An immediate do-not-send flag for `channel` (`email` or `sms`), or its end."""

    contact_id: str
    channel: str
    suppressed: bool
    effective_ms: int

    def wire(self) -> dict[str, Any] | None:
        """The value on `channel-suppressions`; None is the tombstone once sending is allowed again."""
        if not self.suppressed:
            return None
        return {
            "contact_id": self.contact_id,
            "channel": self.channel,
            "suppressed": True,
            "since": format_ms(self.effective_ms),
        }


_PATHS_BYTES = 1 << 20
"""What the paths of one record may take in its header: with the record they have to fit into the topic."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that was refused, or of which something was left out, its bytes unchanged, with the why.

    paths  of all that was left out, where the rest of the record was applied; else None
    fault  what we failed at it by, to be logged; None where it is the record that is wrong
    """

    record: Record
    code: str
    message: str
    path: str
    fault: Exception | None = None
    paths: tuple[str, ...] | None = None

    @classmethod
    def of(cls, record: Record, error: RejectedError) -> DeadLetter:
        """That of a record which was refused."""
        fault = error.fault if isinstance(error, UnforeseenError) else None
        return cls(record, error.code.value, error.message, error.path, fault)

    @property
    def applied(self) -> str:
        """What of the record was applied: `no`, or `partly`."""
        return "no" if self.paths is None else "partly"

    def headers(self) -> list[tuple[str, bytes]]:
        """The Kafka headers of the record on `dead-letters`."""
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
        return headers


def _fitting(paths: tuple[str, ...]) -> tuple[str, ...]:
    """The paths, or as many of the first ones as fit into a header."""
    left = _PATHS_BYTES
    for index, path in enumerate(paths):
        left -= len(path.encode()) + 3
        if left < 0:
            return paths[:index]
    return paths


class Emitter(Protocol):
    """Where a partition puts what it has to say; performing it is the caller's business."""

    def change(self, change: MembershipChange) -> None: ...

    def membership(self, change: MembershipChange) -> None:
        """A membership that stands has another `next_change_ms` than when `change` was emitted."""

    def suppression(self, suppression: Suppression) -> None: ...

    def dead_letter(self, letter: DeadLetter) -> None: ...
