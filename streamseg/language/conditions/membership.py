"""Conditions on the contact alone: static lists and stable samples."""

from __future__ import annotations

import hashlib

from streamseg.contact.contact import Contact
from streamseg.language.answer import NO, YES, Answer
from streamseg.language.conditions.base import Condition, condition_id


def member_id(segment_id: str) -> int:
    """The id under which membership of a segment stands among a contact's true conditions, so that a
    reference is tested like any other condition."""
    return condition_id("member", segment_id)


class ListCondition(Condition):
    """The contact was put into a static segment by hand."""

    __slots__ = ("segment_id",)

    def __init__(self, segment_id: str) -> None:
        super().__init__(("list", segment_id), inert=True)
        self.segment_id = segment_id

    @property
    def frequency(self) -> int:
        return 5

    @property
    def follows_definitions(self) -> bool:
        # What is kept of a list goes with the segment that was deleted.
        return True

    def answer(self, contact: Contact, now_ms: int) -> Answer:
        entry = contact.body.lists.get(self.segment_id)
        return YES if entry is not None and entry.is_in else NO


class SampleCondition(Condition):
    """A stable pseudo-random share of all contacts, by SHA-256 of salt, NUL and contact id."""

    __slots__ = ("salt", "share")

    def __init__(self, share: float, salt: str) -> None:
        super().__init__(("sample", share, salt), inert=False)
        self.share = share
        self.salt = salt

    def answer(self, contact: Contact, now_ms: int) -> Answer:
        digest = hashlib.sha256(f"{self.salt}\0{contact.contact_id}".encode()).digest()
        # Compared as integers: a float holds 53 bits of the 64 and would round the largest up to 1.
        return YES if int.from_bytes(digest[:8], "big") < self.share * 2**64 else NO
