"""The record of ended sequences, which keeps change ids unique.

A change id is made of segment, contact, time and sequence. After a contact was erased or a segment deleted,
the sequence starts at 1 again. If changes before and after this have the same time, their ids could be equal.
So a contact keeps, for each segment, the sequences that it used at the time at which they last ended. Equal
ones are kept once, with a count. They are forgotten as soon as the contact's clock is later.
"""

from __future__ import annotations

from streamseg.contact.contact import Contact
from streamseg.contact.rows import GivenSequences


def note_end(contact: Contact, segment_id: str, first: int, last: int, now_ms: int) -> None:
    """Keep that the sequences `first` to `last` of a segment were used at `now_ms` and have ended."""
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
    """Return how many earlier changes of the segment had this sequence at `now_ms`."""
    if contact.ended_ms != now_ms:
        return 0
    given = contact.body.ended.get(segment_id, ())
    return sum(one.times for one in given if one.first <= sequence <= one.last)


def forget_ends(contact: Contact, now_ms: int) -> bool:
    """Forget the sequences that ended before `now_ms`. Return whether there were any."""
    if contact.ended_ms is None or contact.ended_ms >= now_ms:
        return False
    contact.ended_ms = None
    contact.body.ended = {}
    return True
