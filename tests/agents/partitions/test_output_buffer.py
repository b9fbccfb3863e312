"""The stored form of an output buffer gives the same outputs again."""

from __future__ import annotations

from collections.abc import Iterable

import orjson
import pytest

from agents.kafka.batch_producer import Message
from agents.partitions.output_buffer import OutputBuffer
from streamseg.records.outputs import Cause, MembershipChange, Reason, Suppression

TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def said(trace: bytes | None = None) -> OutputBuffer:
    buffer = OutputBuffer()
    for contact_id in ("联系人|1", "c2"):
        for sequence in (1, 2, 3):
            reason = Reason(Cause.TIME)
            buffer.change(MembershipChange("s", 1, contact_id, sequence, 1_000 * sequence, reason, 9_000))
        because = Reason(Cause.BEHAVIOR_EVENT, "e-1", trace)
        buffer.change(MembershipChange("gone", 1, contact_id, 2, 1_000, because))
    buffer.suppression(Suppression("c2", "email", True, 1_000, trace))
    buffer.suppression(Suppression("c3", "sms", False, 1_000))
    return buffer


@pytest.mark.parametrize("trace", [None, TRACE])
def test_restored_it_says_the_same_bytes_and_headers_in_the_same_order(trace: bytes | None) -> None:
    before, after = said(trace), OutputBuffer()
    for kept in before.by_contact().values():
        after.restore(kept)
    assert after.changes == before.changes
    assert len(before.changes) == 8
    assert list(after.memberships()) == list(before.memberships())
    assert values(before.memberships())[b"gone|c2"] is None
    assert list(after.suppressions()) == list(before.suppressions())
    assert values(before.suppressions())[b"c3|sms"] is None
    assert after.by_contact() == before.by_contact()


def values(messages: Iterable[Message]) -> dict[bytes | None, bytes | None]:
    return {message.key: message.value for message in messages}


def test_what_a_traced_record_caused_has_its_header_and_nothing_else_has() -> None:
    buffer, headers = said(TRACE), [("traceparent", TRACE)]
    assert [message.headers for message in buffer.changes] == [None, None, None, headers] * 2
    assert {message.key: message.headers for message in buffer.memberships()} == {
        b"s|c2": None,
        b"gone|c2": headers,
        "s|联系人|1".encode(): None,
        "gone|联系人|1".encode(): headers,
    }
    assert {message.key: message.headers for message in buffer.suppressions()} == {
        b"c2|email": headers,
        b"c3|sms": None,
    }


def test_outputs_without_a_trace_are_kept_in_the_form_of_earlier_releases() -> None:
    assert {len(orjson.loads(kept)) for kept in said().by_contact().values()} == {4}


def test_cleared_it_has_nothing_to_say() -> None:
    buffer = said()
    buffer.clear()
    assert not buffer
    assert buffer.changes == []
    assert list(buffer.memberships()) == list(buffer.suppressions()) == []
    assert buffer.by_contact() == {}
