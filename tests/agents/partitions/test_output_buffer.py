"""The stored form of an output buffer gives the same outputs again."""

from __future__ import annotations

from agents.partitions.output_buffer import OutputBuffer
from streamseg.records.outputs import Cause, MembershipChange, Reason, Suppression


def said() -> OutputBuffer:
    buffer = OutputBuffer()
    for contact_id in ("联系人|1", "c2"):
        for sequence in (1, 2, 3):
            reason = Reason(Cause.TIME)
            buffer.change(MembershipChange("s", 1, contact_id, sequence, 1_000 * sequence, reason, 9_000))
        buffer.change(MembershipChange("gone", 1, contact_id, 2, 1_000, Reason(Cause.BEHAVIOR_EVENT, "e-1")))
    buffer.suppression(Suppression("c2", "email", True, 1_000))
    buffer.suppression(Suppression("c3", "sms", False, 1_000))
    return buffer


def test_restored_it_says_the_same_bytes_in_the_same_order() -> None:
    before, after = said(), OutputBuffer()
    for kept in before.by_contact().values():
        after.restore(kept)
    assert after.changes == before.changes
    assert len(before.changes) == 8
    assert list(after.memberships()) == list(before.memberships())
    assert dict(before.memberships())[b"gone|c2"] is None
    assert list(after.suppressions()) == list(before.suppressions())
    assert dict(before.suppressions())[b"c3|sms"] is None
    assert after.by_contact() == before.by_contact()


def test_cleared_it_has_nothing_to_say() -> None:
    buffer = said()
    buffer.clear()
    assert not buffer
    assert buffer.changes == []
    assert list(buffer.memberships()) == list(buffer.suppressions()) == []
    assert buffer.by_contact() == {}
