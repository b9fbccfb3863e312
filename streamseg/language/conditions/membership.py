"""Conditions on static lists and on stable samples of contacts, and the ids of memberships."""

from __future__ import annotations

import hashlib

from streamseg.contact.contact import Contact
from streamseg.language.answer import NO, YES, Answer
from streamseg.language.conditions.base import Condition, condition_id


def member_id(segment_id: str) -> int:
    """Return the id that a contact's true conditions contain while the contact is a member of a segment. So a
    reference to a segment is tested like any other condition."""
    return condition_id("member", segment_id)


class ListCondition(Condition):
    """The condition that the contact was put into a static segment."""

    __slots__ = ("segment_id",)

    def __init__(self, segment_id: str) -> None:
        super().__init__(("list", segment_id), false_for_unknown=True)
        self.segment_id = segment_id

    @property
    def frequency(self) -> int:
        return 5

    @property
    def follows_definitions(self) -> bool:
        # The row of a list is dropped when its segment is deleted.
        return True

    def answer(self, contact: Contact, now_ms: int) -> Answer:
        entry = contact.body.lists.get(self.segment_id)
        return YES if entry is not None and entry.is_in else NO


class SampleCondition(Condition):
    """The condition that the contact is in a stable pseudo-random share of all contacts. The share follows
    from the SHA-256 hash of salt, NUL and contact id."""

    __slots__ = ("salt", "share")

    def __init__(self, share: float, salt: str) -> None:
        super().__init__(("sample", share, salt), false_for_unknown=False)
        self.share = share
        self.salt = salt

    def answer(self, contact: Contact, now_ms: int) -> Answer:
        digest = hashlib.sha256(f"{self.salt}\0{contact.contact_id}".encode()).digest()
        # The hash stays an integer: a float has 53 of its 64 bits and would round the largest hashes up to 1.
        return YES if int.from_bytes(digest[:8], "big") < self.share * 2**64 else NO
