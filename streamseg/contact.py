"""One contact's hot state and its bytes.

Layout, version 3: one version byte, the due time as 8 bytes big-endian (all ones: never due), then an
orjson list of the fields below in a fixed order. The due time stands in front so that the due index can
be rebuilt from the bytes alone. The attributes are apart, as an orjson object: they are most of what is
kept of a contact, and events leave them alone. Unknown versions are refused by name, never guessed at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from streamseg.attributes import Attributes
from streamseg.errors import StateVersionError

STATE_VERSION = 3
NEVER = (1 << 64) - 1


@dataclass(slots=True)
class Contact:
    """What is kept of one contact between inputs. Times are epoch milliseconds.

    generation   that of the definitions up to which its conditions are filled
    judged       that of the definitions whose formulas its memberships follow
    attributes   see streamseg.attributes
    lists        static segment id -> [is in it, updated_ms, the segment's birth]
    true         ids of the conditions that hold now, and of the segments it is a member of
    flips        condition id -> when it last flipped
    summaries    condition id -> what that condition needs to answer at any later time
    due          condition id -> when it may flip without input
    members      segment id -> [sequence, effective_ms of the last change, when it next ends by itself or
                 null, the segment's version and birth]; odd sequence = member
    unsubscribes channel -> what streamseg.unsubscribe keeps of it
    suppressed   the channels whose do-not-send flag is out
    offsets      source topic -> last offset applied, so that a re-read record changes nothing
    capped       occurrences dropped from summaries at the cap since last asked; not kept
    """

    contact_id: str
    known_since_ms: int | None = None
    erased_ms: int | None = None
    clock_ms: int = 0
    generation: int = -1
    judged: int = -1
    attributes: Attributes = field(default_factory=Attributes)
    lists: dict[str, list[Any]] = field(default_factory=dict)
    true: set[int] = field(default_factory=set)
    flips: dict[int, int] = field(default_factory=dict)
    summaries: dict[int, Any] = field(default_factory=dict)
    due: dict[int, int] = field(default_factory=dict)
    members: dict[str, list[Any]] = field(default_factory=dict)
    unsubscribes: dict[str, list[Any]] = field(default_factory=dict)
    suppressed: list[str] = field(default_factory=list)
    event_count: int = 0
    oldest_event_ms: int | None = None
    offsets: dict[str, int] = field(default_factory=dict)
    due_ms: int | None = None
    capped: int = 0

    def reset(self) -> None:
        """Forget everything but the id, the clock and the offsets applied."""
        self.known_since_ms = None
        self.attributes = Attributes()
        self.attributes.restated = True
        self.lists = {}
        self.true = set()
        self.flips = {}
        self.summaries = {}
        self.due = {}
        self.members = {}
        self.unsubscribes = {}
        self.suppressed = []
        self.event_count = 0
        self.oldest_event_ms = None

    def to_bytes(self) -> bytes:
        """The versioned layout above, without the attributes."""
        head = bytes((STATE_VERSION,)) + (NEVER if self.due_ms is None else self.due_ms).to_bytes(8, "big")
        return head + orjson.dumps(
            [
                self.known_since_ms,
                self.erased_ms,
                self.clock_ms,
                self.generation,
                self.lists,
                list(self.true),
                list(self.summaries.items()),
                list(self.due.items()),
                self.members,
                self.unsubscribes,
                self.suppressed,
                self.event_count,
                self.oldest_event_ms,
                self.offsets,
                list(self.flips.items()),
                self.judged,
            ]
        )

    @classmethod
    def from_bytes(cls, contact_id: str, data: bytes, attributes: Attributes) -> Contact:
        """Read back `to_bytes`. Raises StateVersionError on another layout's bytes."""
        if data[0] != STATE_VERSION:
            raise StateVersionError(data[0], STATE_VERSION)
        body = orjson.loads(data[9:])
        return cls(
            contact_id=contact_id,
            known_since_ms=body[0],
            erased_ms=body[1],
            clock_ms=body[2],
            generation=body[3],
            attributes=attributes,
            lists=body[4],
            true=set(body[5]),
            summaries=dict(body[6]),
            due=dict(body[7]),
            members=body[8],
            unsubscribes=body[9],
            suppressed=body[10],
            event_count=body[11],
            oldest_event_ms=body[12],
            offsets=body[13],
            flips=dict(body[14]),
            judged=body[15],
            due_ms=due_in(data),
        )

    def copy(self) -> Contact:
        """Another one with the same state, which shares nothing with this."""
        return self.from_bytes(self.contact_id, self.to_bytes(), self.attributes.copy())


def due_in(data: bytes) -> int | None:
    """The due time (epoch ms) in a contact's bytes, without reading the rest; None if never due."""
    due = int.from_bytes(data[1:9], "big")
    return None if due == NEVER else due
