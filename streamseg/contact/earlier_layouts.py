"""Contacts in earlier layouts: how they are raised to the latest one, and lowered to layout 6.

Layout 6 lacks the last two fields of the head and the last one of the body: no membership changes were kept,
so `unkept_ms` of such a contact is its clock. Before layout 6 the head was an orjson list, with its length
before it as 2 bytes. Layout 4 kept births that depended on the time at which a worker had started. A birth of
layout 4 that says nothing is read as unknown, and the contact is read as evaluated with no plan, so that it
gets the known birth. Layout 4 also kept less about opt-outs.
"""

from __future__ import annotations

from typing import Any, Final

from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES
from streamseg.contact.attributes import Attributes
from streamseg.contact.body import Body
from streamseg.contact.head import BODY_AT, CLOCK_AT, UNKEPT_AT, number_at, number_bytes
from streamseg.contact.rows import GLOBAL, Statements
from streamseg.contact.state_version import EARLIEST_VERSION, EARLIEST_WRITTEN, STATE_VERSION
from streamseg.errors import StateVersionError
from streamseg.json_text import loads_own

_LAYOUT_4: Final = 4
_LAYOUT_6: Final = 6
_BODY_AT_6: Final = BODY_AT - 16
_LISTED_HEAD_AT: Final = 11
_LISTED_HEAD_FIELDS: Final = 12


def raised(data: bytes, attributes: Attributes) -> bytes:
    """Return the bytes of a contact of layout 4 to 6 in the latest layout. Raises StateVersionError for any
    other layout."""
    version = data[0]
    if not EARLIEST_VERSION <= version < STATE_VERSION:
        raise StateVersionError(version, STATE_VERSION)
    if version == _LAYOUT_6:
        clock = data[CLOCK_AT : CLOCK_AT + 8]
        front = (bytes((STATE_VERSION,)), data[1:_BODY_AT_6])
        return b"".join((*front, clock, number_bytes(None), data[_BODY_AT_6:]))
    head = _listed_head(data)
    known_since_ms, erased_ms, clock_ms, plan, event_count, oldest_event_ms, offsets, *more = head
    flip_ms, prune_ms, ended_ms, forgotten_ms, opt_outs_since_ms = more
    body = data[_listed_head_end(data) :]
    if version == _LAYOUT_4:
        body = _raised_from_layout_4(body, attributes)
        opt_outs_since_ms = erased_ms
    numbers = (
        known_since_ms,
        erased_ms,
        clock_ms,
        plan,
        event_count,
        oldest_event_ms,
        offsets.get(BEHAVIOR_EVENTS, -1),
        offsets.get(CONTACT_UPDATES, -1),
        flip_ms,
        prune_ms,
        ended_ms,
        forgotten_ms,
        opt_outs_since_ms,
        clock_ms,
        None,
    )
    return b"".join((bytes((STATE_VERSION,)), data[1:9], *map(number_bytes, numbers), body))


def lowered(head: bytes, body: Body, layout: int) -> bytes:
    """Return the bytes of a contact in a layout before the latest one; `head` is that of the latest one.
    Raises StateVersionError for a layout that is not written."""
    if not EARLIEST_WRITTEN <= layout < STATE_VERSION:
        raise StateVersionError(layout, EARLIEST_WRITTEN)
    return b"".join((bytes((layout,)), head[1:_BODY_AT_6], body.to_bytes(layout)))


def unkept_in(data: bytes) -> int | None:
    """Return `unkept_ms` of the contact with these bytes, without reading the rest of them."""
    version = data[0]
    if version >= _LAYOUT_6:
        return number_at(data, UNKEPT_AT if version == STATE_VERSION else CLOCK_AT)
    clock_ms: int = _listed_head(data)[2]
    return clock_ms


def _listed_head_end(data: bytes) -> int:
    return _LISTED_HEAD_AT + int.from_bytes(data[9:_LISTED_HEAD_AT], "big")


def _listed_head(data: bytes) -> list[Any]:
    """Return the fields of the head of layout 4 or 5. Raises StateVersionError for an earlier layout."""
    version = data[0]
    if version < EARLIEST_VERSION:
        raise StateVersionError(version, STATE_VERSION)
    head: list[Any] = loads_own(data[_LISTED_HEAD_AT : _listed_head_end(data)])
    if version == _LAYOUT_4:
        # Instead of the plan there were two offsets up to which definitions had been applied.
        head[3:5] = (-1,)
    return head + [None] * (_LISTED_HEAD_FIELDS - len(head))


def _raised_from_layout_4(data: bytes, attributes: Attributes) -> bytes:
    body = Body.from_bytes(data)
    body.forget_unknown_births()
    _restate_opt_outs(body, attributes)
    return body.to_bytes()


def _restate_opt_outs(body: Body, attributes: Attributes) -> None:
    """Make the statements of layout 5 from the global register of layout 4.

    Layout 4 kept only the time of the last unsubscribing form, and treated every value true of `subscribed`
    as a resubscription. But only a change from false to true is one. Layout 4 does not tell whether there was
    such a change, so the form's opt-out stays in force."""
    unsubscribes = body.unsubscribes
    form_no_ms = unsubscribes.statements.form_no_ms
    unsubscribes.lists.pop(GLOBAL, None)
    stated = attributes.get("subscribed")
    attribute_no_ms = stated[1] if stated is not None and stated[0] is False else None
    if form_no_ms is not None or attribute_no_ms is not None:
        unsubscribes.keep_statements(
            Statements(
                form_no_ms=form_no_ms, attribute_no_ms=attribute_no_ms, was_no=attribute_no_ms is not None
            )
        )
