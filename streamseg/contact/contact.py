"""The state of one contact, without its attributes and events, and its bytes.

The bytes are the head (`streamseg.contact.head`), then the body (`streamseg.contact.body`). The head is
needed by every input. The body is needed only by inputs that touch a condition. The attributes are kept
separately: they are most of a contact's bytes, and events do not change them.

This is version 7 of the layout. Versions 4 to 6 are read too, and version 6 is also written, for a state that
has it (`streamseg.contact.earlier_layouts`). Any other version raises StateVersionError.
"""

from __future__ import annotations

from typing import Any

from streamseg.contact.attributes import Attributes
from streamseg.contact.body import Body
from streamseg.contact.earlier_layouts import lowered, raised
from streamseg.contact.head import BODY_AT, NEVER, SIGN, UNSET, pack_head, unpack_head
from streamseg.contact.state_version import STATE_VERSION
from streamseg.times import MIN_MS


class Contact:
    """The data that is kept of one contact between inputs. Times are epoch milliseconds.

    plan         identity of the plan with which the contact was last evaluated; -1: no known plan
    event_offset, update_offset   the number of the last record of each source topic that was applied, so that
                 a record that is read again changes nothing; -1: none
    flip_ms      when the first of its conditions may change without input: the least of the body's `due`
    ended_ms     the time of the body's `ended`, or None
    prune_ms     when events and membership changes that are no longer kept are to be removed
    forgotten_ms when the latest event occurred that was counted and is no longer kept
    opt_outs_since_ms   unsubscribe events later than this count, also if they are in an erased past; None:
                 all of them count
    unkept_ms    membership changes up to this time may be missing among the kept ones, because of an earlier
                 layout or because of the retention; None: none is missing
    oldest_change_ms   the time of the oldest kept membership change; None: none is kept
    due_ms       when the contact has to be evaluated without input: the lesser of flip_ms and prune_ms; of an
                 erased contact the instant after ended_ms
    attributes   see streamseg.contact.attributes
    capped       how many events and occurrences in summaries were dropped at a cap and not counted in metrics
                 yet; not in the bytes
    kept_body    `body`, or its bytes until `body` is first used
    """

    __slots__ = (
        "attributes",
        "capped",
        "clock_ms",
        "contact_id",
        "due_ms",
        "ended_ms",
        "erased_ms",
        "event_count",
        "event_offset",
        "flip_ms",
        "forgotten_ms",
        "kept_body",
        "known_since_ms",
        "oldest_change_ms",
        "oldest_event_ms",
        "opt_outs_since_ms",
        "plan",
        "prune_ms",
        "unkept_ms",
        "update_offset",
    )

    def __init__(
        self,
        contact_id: str,
        due_ms: int | None = None,
        attributes: Attributes | None = None,
        capped: int = 0,
        kept_body: Body | bytes | None = None,
        known_since_ms: int | None = None,
        erased_ms: int | None = None,
        clock_ms: int = MIN_MS,
        plan: int = -1,
        event_count: int = 0,
        oldest_event_ms: int | None = None,
        event_offset: int = -1,
        update_offset: int = -1,
        flip_ms: int | None = None,
        prune_ms: int | None = None,
        ended_ms: int | None = None,
        forgotten_ms: int | None = None,
        opt_outs_since_ms: int | None = None,
        unkept_ms: int | None = None,
        oldest_change_ms: int | None = None,
    ) -> None:
        self.contact_id = contact_id
        self.due_ms = due_ms
        self.attributes: Attributes = Attributes() if attributes is None else attributes
        self.capped = capped
        self.kept_body: Body | bytes = Body() if kept_body is None else kept_body
        self.known_since_ms = known_since_ms
        self.erased_ms = erased_ms
        self.clock_ms = clock_ms
        self.plan = plan
        self.event_count = event_count
        self.oldest_event_ms = oldest_event_ms
        self.event_offset = event_offset
        self.update_offset = update_offset
        self.flip_ms = flip_ms
        self.prune_ms = prune_ms
        self.ended_ms = ended_ms
        self.forgotten_ms = forgotten_ms
        self.opt_outs_since_ms = opt_outs_since_ms
        self.unkept_ms = unkept_ms
        self.oldest_change_ms = oldest_change_ms

    @property
    def body(self) -> Body:
        """The part that only inputs which touch a condition need. It is decoded when it is first used."""
        body = self.kept_body
        if isinstance(body, bytes):
            body = self.kept_body = Body.from_bytes(body)
        return body

    def __eq__(self, other: object) -> bool:
        """Return whether both are the same contact with the same state, decoded or in bytes."""
        return isinstance(other, Contact) and self._values() == other._values()

    __hash__ = None  # type: ignore[assignment]  # its content changes

    def _values(self) -> tuple[Any, ...]:
        return (
            self.contact_id,
            self.due_ms,
            self.attributes,
            self.capped,
            self.body,
            self.known_since_ms,
            self.erased_ms,
            self.clock_ms,
            self.plan,
            self.event_count,
            self.oldest_event_ms,
            self.event_offset,
            self.update_offset,
            self.flip_ms,
            self.prune_ms,
            self.ended_ms,
            self.forgotten_ms,
            self.opt_outs_since_ms,
            self.unkept_ms,
            self.oldest_change_ms,
        )

    def reset(self) -> None:
        """Forget the contact's attributes and body, and everything about its events. The sequences in `ended`
        and `past` are kept, and so are the id, the clock, the offsets, the plan and the time of the erasure;
        and whether `never_set` is known."""
        self.known_since_ms = None
        self.event_count = 0
        self.oldest_event_ms = None
        self.forgotten_ms = None
        self.attributes = Attributes()
        self.attributes.restated = True
        before = self.body
        body = self.kept_body = Body(ended=before.ended, past=before.past)
        if before.never_set is None:
            body.never_set = None

    def to_bytes(self, layout: int = STATE_VERSION) -> bytes:
        """Return the bytes in the layout above, or in an earlier one that this release writes. From now on
        `kept_body` holds bytes until `body` is used again: after most writes the next input of the contact
        does not need the body.

        Raises StateVersionError for a layout that is not written."""
        if layout != STATE_VERSION:
            body = self.body
            return lowered(self.to_bytes()[:BODY_AT], body, layout)
        kept = self.kept_body
        due_ms, known_ms, erased_ms, oldest_ms = (
            self.due_ms,
            self.known_since_ms,
            self.erased_ms,
            self.oldest_event_ms,
        )
        flip_ms, prune_ms, ended_ms, forgotten_ms, since_ms, unkept_ms, change_ms = (
            self.flip_ms,
            self.prune_ms,
            self.ended_ms,
            self.forgotten_ms,
            self.opt_outs_since_ms,
            self.unkept_ms,
            self.oldest_change_ms,
        )
        head = pack_head(
            STATE_VERSION,
            NEVER if due_ms is None else due_ms + SIGN,
            UNSET if known_ms is None else known_ms,
            UNSET if erased_ms is None else erased_ms,
            self.clock_ms,
            self.plan,
            self.event_count,
            UNSET if oldest_ms is None else oldest_ms,
            self.event_offset,
            self.update_offset,
            UNSET if flip_ms is None else flip_ms,
            UNSET if prune_ms is None else prune_ms,
            UNSET if ended_ms is None else ended_ms,
            UNSET if forgotten_ms is None else forgotten_ms,
            UNSET if since_ms is None else since_ms,
            UNSET if unkept_ms is None else unkept_ms,
            UNSET if change_ms is None else change_ms,
        )
        if isinstance(kept, bytes):
            return head + kept
        data = head + kept.to_bytes()
        # A copy is kept, since the buffer of the body's own bytes is several times as long as its content.
        self.kept_body = data[BODY_AT:]
        return data

    @classmethod
    def from_bytes(cls, contact_id: str, data: bytes, attributes: Attributes) -> Contact:
        """Return the contact whose bytes `to_bytes` made. Raises StateVersionError for a layout that is not
        read."""
        if data[0] != STATE_VERSION:
            data = raised(data, attributes)
        (
            _,
            due,
            known_ms,
            erased_ms,
            clock_ms,
            plan,
            event_count,
            oldest_ms,
            event_offset,
            update_offset,
            flip_ms,
            prune_ms,
            ended_ms,
            forgotten_ms,
            since_ms,
            unkept_ms,
            change_ms,
        ) = unpack_head(data)
        return cls(
            contact_id,
            None if due == NEVER else due - SIGN,
            attributes,
            0,
            data[BODY_AT:],
            None if known_ms == UNSET else known_ms,
            None if erased_ms == UNSET else erased_ms,
            clock_ms,
            plan,
            event_count,
            None if oldest_ms == UNSET else oldest_ms,
            event_offset,
            update_offset,
            None if flip_ms == UNSET else flip_ms,
            None if prune_ms == UNSET else prune_ms,
            None if ended_ms == UNSET else ended_ms,
            None if forgotten_ms == UNSET else forgotten_ms,
            None if since_ms == UNSET else since_ms,
            None if unkept_ms == UNSET else unkept_ms,
            None if change_ms == UNSET else change_ms,
        )

    def copy(self) -> Contact:
        """Return a copy that shares nothing with this contact."""
        return self.from_bytes(self.contact_id, self.to_bytes(), self.attributes.copy())
