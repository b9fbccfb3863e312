"""The state of one contact, without its attributes and events, and its bytes.

Layout, version 7: the head, then the body. The head is one version byte, the due time as 8 bytes that sort as
the time does (all ones: never due), then each field of the head below as 8 bytes, big-endian. The least
number stands for None. The body is an orjson list of its fields in a fixed order.

The head is needed by every input. The body is needed only by inputs that touch a condition. The due time is
at the front so that the due index can be rebuilt from the bytes alone. The attributes are kept separately:
they are most of a contact's bytes, and events do not change them.

The list of the body may grow at its end. If a field was added after the bytes were written, it takes its
default when they are read. The rows inside the body may grow in the same way. A new field of the head needs a
new version.

Versions 4 to 6 are read too, and version 6 is also written, for a state that has it
(`streamseg.contact.state_version`). Before version 7 no membership changes were kept, so `unkept_ms` of such
a contact is its clock. Before version 6 the head was an orjson list, with its length before it as 2 bytes.
Version 4 kept births that depended on the time at which a worker had started. A birth of
version 4 that says nothing is read as unknown, and the contact is read as evaluated with no plan, so that it
gets the known birth. Version 4 also kept less about opt-outs. Any other version raises StateVersionError.
"""

from __future__ import annotations

from struct import Struct
from typing import Any

from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES
from streamseg.contact.attributes import Attributes
from streamseg.contact.rows import (
    GLOBAL,
    NO_PAST,
    GivenSequences,
    ListEntry,
    Membership,
    Past,
    Rows,
    Statements,
    Unsubscribes,
    given_lists,
    given_rows,
)
from streamseg.contact.state_version import EARLIEST_VERSION, EARLIEST_WRITTEN, STATE_VERSION
from streamseg.errors import StateVersionError
from streamseg.json_text import dumps_own, loads_own
from streamseg.times import time_ms

Summary = Any
"""The data of a contact's past from which a condition can answer at any later time. It is JSON; each kind of
condition has its own form."""

_NEVER_DUE = b"\xff" * 8
_HEAD = Struct(">BQ15q")
_pack_head, _unpack_head, _BODY_AT = _HEAD.pack, _HEAD.unpack_from, _HEAD.size
_HEAD_6 = Struct(">BQ13q")
_NUMBER = Struct(">q")
_CLOCK_AT, _UNKEPT_AT = 25, _BODY_AT - 16
_SIGN, _NEVER, _UNSET = 1 << 63, (1 << 64) - 1, -(1 << 63)
_LISTED_HEAD_AT, _LISTED_HEAD_FIELDS = 11, 12
_LAYOUT_4, _LAYOUT_6 = 4, 6


class Body:
    """The results of a contact's inputs, in the order of the bytes. Times are epoch milliseconds. The rows
    are in streamseg.contact.rows.

    lists        static segment id -> the last change of the contact in this list
    true         ids of the conditions that hold now, and member ids of the segments that the contact is in
    flips        condition id -> when its answer last changed
    summaries    condition id -> see Summary
    due          condition id -> when its answer may change without input
    members      segment id -> the contact's membership of it
    unsubscribes the registers of opt-outs
    suppressed   the channels for which a suppression was emitted and is in force
    ended        segment id -> see streamseg.contact.ended_sequences
    past         which of its membership changes are kept
    """

    __slots__ = (
        "due",
        "ended",
        "flips",
        "lists",
        "members",
        "past",
        "summaries",
        "suppressed",
        "true",
        "unsubscribes",
    )

    def __init__(
        self,
        lists: Rows[ListEntry] | None = None,
        true: set[int] | None = None,
        flips: dict[int, int] | None = None,
        summaries: dict[int, Summary] | None = None,
        due: dict[int, int] | None = None,
        members: Rows[Membership] | None = None,
        unsubscribes: Unsubscribes | None = None,
        suppressed: list[str] | None = None,
        ended: dict[str, list[GivenSequences]] | None = None,
        past: Past = NO_PAST,
    ) -> None:
        self.lists: Rows[ListEntry] = Rows(ListEntry) if lists is None else lists
        self.true: set[int] = set() if true is None else true
        self.flips: dict[int, int] = {} if flips is None else flips
        self.summaries: dict[int, Summary] = {} if summaries is None else summaries
        self.due: dict[int, int] = {} if due is None else due
        self.members: Rows[Membership] = Rows(Membership) if members is None else members
        self.unsubscribes: Unsubscribes = Unsubscribes() if unsubscribes is None else unsubscribes
        self.suppressed: list[str] = [] if suppressed is None else suppressed
        self.ended: dict[str, list[GivenSequences]] = {} if ended is None else ended
        self.past = past

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Body) and self._values() == other._values()

    __hash__ = None  # type: ignore[assignment]  # its content changes

    def _values(self) -> tuple[Any, ...]:
        return (
            self.lists,
            self.true,
            self.flips,
            self.summaries,
            self.due,
            self.members,
            self.unsubscribes,
            self.suppressed,
            self.ended,
            self.past,
        )

    def to_bytes(self, layout: int = STATE_VERSION) -> bytes:
        fields: list[Any] = [
            self.lists.lists,
            list(self.true),
            list(self.flips.items()),
            list(self.summaries.items()),
            list(self.due.items()),
            self.members.lists,
            self.unsubscribes.lists,
            self.suppressed,
            given_lists(self.ended),
        ]
        if layout != _LAYOUT_6:
            fields.append(self.past.listed())
        return dumps_own(fields)

    @classmethod
    def from_bytes(cls, data: bytes) -> Body:
        read = _filled(loads_own(data), _BODY_FIELDS, _EMPTY_BODY)
        lists, true, flips, summaries, due, members, unsubscribes, suppressed, ended, past = read
        return cls(
            lists=Rows(ListEntry, lists),
            true=set(true),
            flips=dict(flips),
            summaries=dict(summaries),
            due=dict(due),
            members=Rows(Membership, members),
            unsubscribes=Unsubscribes(unsubscribes),
            suppressed=suppressed,
            ended=given_rows(ended),
            past=Past(*past) if past else NO_PAST,
        )

    def forget_unknown_births(self) -> None:
        """Replace the births of layout 4 that say nothing by None. In layout 4 a birth is the offset of a
        segment's first record, or -1 if the segment existed before the worker began to read."""
        for segment_id, entry in self.lists.items():
            if entry.born == -1:
                self.lists[segment_id] = entry._replace(born=None)
        for segment_id, membership in self.members.items():
            if membership.born == -1:
                self.members[segment_id] = membership._replace(born=None)


def _filled(read: list[Any], count: int, empty: bytes) -> list[Any]:
    """Return all `count` fields of a list. Fields that the list which was read lacks are taken from
    `empty`."""
    if len(read) < count:
        read += loads_own(empty)[len(read) :]
    return read


_EMPTY_BODY = Body().to_bytes()
_BODY_FIELDS = len(loads_own(_EMPTY_BODY))


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
        clock_ms: int = 0,
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
        and `past` are kept, and so are the id, the clock, the offsets, the plan and the time of the
        erasure."""
        self.known_since_ms = None
        self.event_count = 0
        self.oldest_event_ms = None
        self.forgotten_ms = None
        self.attributes = Attributes()
        self.attributes.restated = True
        self.kept_body = Body(ended=self.body.ended, past=self.body.past)

    def to_bytes(self, layout: int = STATE_VERSION) -> bytes:
        """Return the bytes in the layout above, or in an earlier one that this release writes. From now on
        `kept_body` holds bytes until `body` is used again: after most writes the next input of the contact
        does not need the body.

        Raises StateVersionError for a layout that is not written."""
        if layout != STATE_VERSION:
            return self._to_earlier_layout(layout)
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
        head = _pack_head(
            STATE_VERSION,
            _NEVER if due_ms is None else due_ms + _SIGN,
            _UNSET if known_ms is None else known_ms,
            _UNSET if erased_ms is None else erased_ms,
            self.clock_ms,
            self.plan,
            self.event_count,
            _UNSET if oldest_ms is None else oldest_ms,
            self.event_offset,
            self.update_offset,
            _UNSET if flip_ms is None else flip_ms,
            _UNSET if prune_ms is None else prune_ms,
            _UNSET if ended_ms is None else ended_ms,
            _UNSET if forgotten_ms is None else forgotten_ms,
            _UNSET if since_ms is None else since_ms,
            _UNSET if unkept_ms is None else unkept_ms,
            _UNSET if change_ms is None else change_ms,
        )
        if isinstance(kept, bytes):
            return head + kept
        data = head + kept.to_bytes()
        # A copy is kept, since the buffer of the body's own bytes is several times as long as its content.
        self.kept_body = data[_BODY_AT:]
        return data

    def _to_earlier_layout(self, layout: int) -> bytes:
        if layout < EARLIEST_WRITTEN:
            raise StateVersionError(layout, EARLIEST_WRITTEN)
        # Layout 6 lacks the last two fields of the head and the last one of the body.
        body = self.body.to_bytes(layout)
        head = self.to_bytes()[1 : _HEAD_6.size]
        return b"".join((bytes((layout,)), head, body))

    @classmethod
    def from_bytes(cls, contact_id: str, data: bytes, attributes: Attributes) -> Contact:
        """Return the contact whose bytes `to_bytes` made. Raises StateVersionError for a layout that is not
        read."""
        if data[0] != STATE_VERSION:
            return _from_earlier_layout(contact_id, data, attributes)
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
        ) = _unpack_head(data)
        return cls(
            contact_id,
            None if due == _NEVER else due - _SIGN,
            attributes,
            0,
            data[_BODY_AT:],
            None if known_ms == _UNSET else known_ms,
            None if erased_ms == _UNSET else erased_ms,
            clock_ms,
            plan,
            event_count,
            None if oldest_ms == _UNSET else oldest_ms,
            event_offset,
            update_offset,
            None if flip_ms == _UNSET else flip_ms,
            None if prune_ms == _UNSET else prune_ms,
            None if ended_ms == _UNSET else ended_ms,
            None if forgotten_ms == _UNSET else forgotten_ms,
            None if since_ms == _UNSET else since_ms,
            None if unkept_ms == _UNSET else unkept_ms,
            None if change_ms == _UNSET else change_ms,
        )

    def copy(self) -> Contact:
        """Return a copy that shares nothing with this contact."""
        return self.from_bytes(self.contact_id, self.to_bytes(), self.attributes.copy())


def _from_earlier_layout(contact_id: str, data: bytes, attributes: Attributes) -> Contact:
    """Return a contact of layout 4 to 6. Raises StateVersionError for any other layout."""
    version = data[0]
    if not EARLIEST_VERSION <= version < STATE_VERSION:
        raise StateVersionError(version, STATE_VERSION)
    if version == _LAYOUT_6:
        # Only the last two fields of the head are missing.
        clock = data[_CLOCK_AT : _CLOCK_AT + 8]
        end = _HEAD_6.size
        raised = b"".join((bytes((STATE_VERSION,)), data[1:end], clock, _NUMBER.pack(_UNSET), data[end:]))
        return Contact.from_bytes(contact_id, raised, attributes)
    body_at = _LISTED_HEAD_AT + int.from_bytes(data[9:_LISTED_HEAD_AT], "big")
    head = loads_own(data[_LISTED_HEAD_AT:body_at])
    if version == _LAYOUT_4:
        # Instead of the plan there were two offsets up to which definitions had been applied.
        head[3:5] = (-1,)
    head += [None] * (_LISTED_HEAD_FIELDS - len(head))
    known_since_ms, erased_ms, clock_ms, plan, event_count, oldest_event_ms, offsets, *more = head
    flip_ms, prune_ms, ended_ms, forgotten_ms, opt_outs_since_ms = more
    due = due_in(data)
    contact = Contact(
        contact_id,
        due_ms=None if due is None else time_ms(due),
        attributes=attributes,
        kept_body=data[body_at:],
        known_since_ms=known_since_ms,
        erased_ms=erased_ms,
        clock_ms=clock_ms,
        plan=plan,
        event_count=event_count,
        oldest_event_ms=oldest_event_ms,
        event_offset=offsets.get(BEHAVIOR_EVENTS, -1),
        update_offset=offsets.get(CONTACT_UPDATES, -1),
        flip_ms=flip_ms,
        prune_ms=prune_ms,
        ended_ms=ended_ms,
        forgotten_ms=forgotten_ms,
        opt_outs_since_ms=opt_outs_since_ms,
        unkept_ms=clock_ms,
    )
    if version == _LAYOUT_4:
        _raise_from_layout_4(contact)
    return contact


def _raise_from_layout_4(contact: Contact) -> None:
    contact.body.forget_unknown_births()
    _restate_opt_outs(contact)
    contact.opt_outs_since_ms = contact.erased_ms


def _restate_opt_outs(contact: Contact) -> None:
    """Make the statements of layout 5 from the global register of layout 4.

    Layout 4 kept only the time of the last unsubscribing form, and treated every value true of `subscribed`
    as a resubscription. But only a change from false to true is one. Layout 4 does not tell whether there was
    such a change, so the form's opt-out stays in force."""
    unsubscribes = contact.body.unsubscribes
    form_no_ms = unsubscribes.statements.form_no_ms
    unsubscribes.lists.pop(GLOBAL, None)
    stated = contact.attributes.get("subscribed")
    attribute_no_ms = stated[1] if stated is not None and stated[0] is False else None
    if form_no_ms is not None or attribute_no_ms is not None:
        unsubscribes.keep_statements(
            Statements(
                form_no_ms=form_no_ms, attribute_no_ms=attribute_no_ms, was_no=attribute_no_ms is not None
            )
        )


def due_in(data: bytes) -> bytes | None:
    """Return the due time in a contact's bytes, as 8 bytes that sort as the time; None if it is never due."""
    due = data[1:9]
    return None if due == _NEVER_DUE else due


def unkept_in(data: bytes) -> int | None:
    """Return `unkept_ms` of the contact with these bytes, without reading the rest of them."""
    version = data[0]
    if version >= _LAYOUT_6:
        at = _UNKEPT_AT if version == STATE_VERSION else _CLOCK_AT
        unkept_ms: int = _NUMBER.unpack_from(data, at)[0]
        return None if unkept_ms == _UNSET else unkept_ms
    return _from_earlier_layout("", data, Attributes()).clock_ms
