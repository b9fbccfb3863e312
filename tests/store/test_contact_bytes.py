"""A contact's bytes, field by field: what is written in them and what is read out of them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from streamseg.contact.attributes import Attributes
from streamseg.contact.body import Body
from streamseg.contact.contact import Contact
from streamseg.contact.rows import (
    ChannelRegister,
    GivenSequences,
    ListEntry,
    Membership,
    OptOut,
    Past,
    Statements,
)
from streamseg.times import MIN_MS
from tests.field_names import field_names

BODY: dict[str, Any] = {
    "lists": {"static": [True, 11, None]},
    "true": [5],
    "flips": [[5, 12]],
    "summaries": [[6, [1, "x"]]],
    "due": [[5, 13]],
    "members": {"once": [1, 14, 15, 2, None], "often": [4, 14, None, 3, 16, 2]},
    "unsubscribes": {"sms": [[[17, "e1"], [18, "e2"]], 16], "global": [19, 20, 21, 22, True]},
    "suppressed": ["sms"],
    "ended": {"old": [[1, 2, 3]]},
    "past": [7, 2, 26, {"often": 27}],
    "never_set": ["email", "tags"],
}
"""The fields of `full_body` as they lie in the bytes."""

HEAD: dict[str, Any] = {
    "known_since_ms": 1,
    "erased_ms": 2,
    "clock_ms": 3,
    "plan": 4,
    "event_count": 5,
    "oldest_event_ms": 6,
    "event_offset": 25,
    "update_offset": 7,
    "flip_ms": 8,
    "prune_ms": 9,
    "ended_ms": 10,
    "forgotten_ms": 23,
    "opt_outs_since_ms": 24,
    "unkept_ms": 28,
    "oldest_change_ms": 29,
}


def full_body() -> Body:
    body = Body(
        true={5},
        flips={5: 12},
        summaries={6: [1, "x"]},
        due={5: 13},
        suppressed=["sms"],
        ended={"old": [GivenSequences(1, 2, 3)]},
        past=Past(7, 2, 26, {"often": 27}),
    )
    body.never_set = {"tags", "email"}
    body.lists["static"] = ListEntry(is_in=True, updated_ms=11, born=None)
    body.members["once"] = Membership(1, 14, next_ms=15, version=2, born=None)
    body.members["often"] = Membership(4, 14, next_ms=None, version=3, born=16, at_once=2)
    body.unsubscribes.keep_channel("sms", ChannelRegister([OptOut(17, "e1"), OptOut(18, "e2")], 16))
    body.unsubscribes.keep_statements(Statements(19, 20, 21, 22, was_no=True))
    return body


def test_every_field_lies_in_its_place() -> None:
    assert {*BODY} == field_names(Body)
    contact = Contact("c", due_ms=8, kept_body=full_body(), **HEAD)
    head = b"".join(value.to_bytes(8, "big") for value in HEAD.values())
    front = b"\x07" + (8 | 1 << 63).to_bytes(8, "big")
    assert contact.to_bytes() == front + head + orjson.dumps([*BODY.values()])
    again = Contact.from_bytes("c", contact.to_bytes(), Attributes())
    assert again == Contact("c", due_ms=8, kept_body=full_body(), **HEAD)
    assert again.to_bytes() == contact.to_bytes()


@pytest.mark.parametrize("name", HEAD)
def test_no_field_of_the_head_is_read_as_another(name: str) -> None:
    contact = Contact("c", **{name: HEAD[name]})
    assert Contact.from_bytes("c", contact.to_bytes(), Attributes()) == contact


def test_an_empty_head_has_the_least_number_for_each_time() -> None:
    data = Contact("c").to_bytes()
    none, numbers = -(2**63), {"clock_ms": MIN_MS, "plan": -1, "event_count": 0, "event_offset": -1}
    expected = [numbers.get(name, -1 if name == "update_offset" else none) for name in HEAD]
    assert data[1:9] == b"\xff" * 8
    assert data[9 : 9 + 8 * len(HEAD)] == b"".join(
        value.to_bytes(8, "big", signed=True) for value in expected
    )
    assert Contact.from_bytes("c", data, Attributes()) == Contact("c")


def test_rows_are_read_as_they_were_kept() -> None:
    body = Body.from_bytes(full_body().to_bytes())
    assert body.lists["static"] == ListEntry(is_in=True, updated_ms=11, born=None)
    assert body.members["once"] == Membership(1, 14, next_ms=15, version=2, born=None, at_once=1)
    assert body.members.get("often") == Membership(4, 14, next_ms=None, version=3, born=16, at_once=2)
    assert body.members.get("never") is None
    assert body.unsubscribes.channel("sms") == ChannelRegister([OptOut(17, "e1"), OptOut(18, "e2")], 16)
    assert body.unsubscribes.channel("email") == ChannelRegister()
    assert body.unsubscribes.statements == Statements(19, 20, 21, 22, was_no=True)


@pytest.mark.parametrize(
    ("past", "listed"), [(Past(), []), (Past(2, 1), [2, 1, None]), (Past(2, 1, 3), [2, 1, 3])]
)
def test_only_what_is_known_of_the_past_is_written(past: Past, listed: list[Any]) -> None:
    data = Body(past=past).to_bytes()
    assert orjson.loads(data)[9] == listed
    assert Body.from_bytes(data).past == past


def test_a_copy_of_the_registers_is_changed_by_itself() -> None:
    body = full_body()
    copy = body.unsubscribes.copy()
    copy.keep_channel("sms", ChannelRegister())
    copy.keep_statements(Statements())
    assert body == full_body()
