"""How change ids stay apart where sequences start anew at 1 in the very instant in which they ended.

A change id is made of segment, contact, instant and sequence. Once the contact was erased, or the segment
deleted, the sequence starts anew; where that happens in the instant of earlier changes, and later ones follow
in it, the four could be the same. So a contact keeps which sequences it has given out in the instant in which
they last ended, by segment, equal ones once. An instant later that is forgotten.
"""

from __future__ import annotations

from streamseg.contact.contact import Contact
from streamseg.contact.rows import GivenSequences


def note_end(contact: Contact, segment_id: str, first: int, last: int, now_ms: int) -> None:
    """The changes `first` to `last` of a segment were given out at `now_ms`, and its sequence starts anew."""
    if contact.ended_ms != now_ms:
        contact.ended_ms = now_ms
        contact.body.ended = {}
    given = contact.body.ended.setdefault(segment_id, [])
    for index, one in enumerate(given):
        if (one.first, one.last) == (first, last):
            given[index] = one._replace(times=one.times + 1)
            return
    given.append(GivenSequences(first, last, 1))


def given_before(contact: Contact, segment_id: str, sequence: int, now_ms: int) -> int:
    """How many changes of the segment had this sequence at `now_ms` already."""
    if contact.ended_ms != now_ms:
        return 0
    given = contact.body.ended.get(segment_id, ())
    return sum(one.times for one in given if one.first <= sequence <= one.last)


def forget_ends(contact: Contact, now_ms: int) -> bool:
    """Forget what ended before `now_ms`; whether there was anything."""
    if contact.ended_ms is None or contact.ended_ms >= now_ms:
        return False
    contact.ended_ms = None
    contact.body.ended = {}
    return True
