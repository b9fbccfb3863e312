"""Section 3, samples: a share of the contacts by the hash of salt and id."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from tests.engine.cases import case, refused
from tests.engine.story import (
    Replayed,
    event,
    segment,
    tick,
    update,
)

# The first 8 bytes of SHA-256(salt + NUL + contact) over 2^64, worked out with sha256sum to six places.
SHARES = {("x", "c1"): 0.528117, ("x", "c2"): 0.345139, ("盐", "李雷"): 0.620873}


@pytest.mark.parametrize(("salt", "contact_id"), list(SHARES))
def test_a_contact_is_in_every_sample_above_its_own_number(
    changes_of: Replayed, salt: str, contact_id: str
) -> None:
    share = SHARES[salt, contact_id]
    lines = [
        segment({"sample": share + 1e-6, "salt": salt}, of="above"),
        segment({"sample": share - 1e-6, "salt": salt}, of="below"),
        segment({"sample": share - 1e-6, "salt": salt, "not": True}, of="rest"),
        event("05-01", "open", of=contact_id),
    ]
    assert [change["segment_id"] for change in changes_of.raw(*lines)] == ["above", "rest"]


def test_the_salt_is_the_segments_id_unless_given(changes_of: Replayed) -> None:
    contacts = [f"c{number}" for number in range(60)]
    lines = [
        segment({"sample": 0.5}, of="x"),
        segment({"sample": 0.5, "salt": "x"}, of="y"),
        segment({"sample": 0.5}, of="z"),
        *(update("05-01", of=contact_id) for contact_id in contacts),
    ]
    drawn: dict[str, set[str]] = {"x": set(), "y": set(), "z": set()}
    for change in changes_of.raw(*lines):
        drawn[change["segment_id"]].add(change["contact_id"])
    by_hand = {
        contact_id
        for contact_id in contacts
        if int.from_bytes(sha256(b"x\0" + contact_id.encode()).digest()[:8], "big") < 2**63
    }
    assert drawn["x"] == drawn["y"] == by_hand
    assert drawn["z"] != drawn["x"]


def test_a_sample_moves_with_nothing_that_happens(changes_of: Replayed) -> None:
    lines = [
        segment({"sample": 1}),
        update("05-01", {"a": 1}),
        event("05-02", "buy"),
        update("05-03", {"a": 2}),
        tick("2027-05-01"),
    ]
    assert changes_of(*lines) == ["05-01 s entered (contact_update)"]


@pytest.mark.parametrize(
    ("condition", "path"),
    [
        case("nobody", {"sample": 0}, "sample"),
        case("less than nobody", {"sample": -0.1}, "sample"),
        case("more than everybody", {"sample": 1.01}, "sample"),
        case("a share in text", {"sample": "0.5"}, "sample"),
        case("a boolean", {"sample": True}, "sample"),
        case("a salt that is no text", {"sample": 0.5, "salt": 5}, "salt"),
    ],
)
def test_a_share_is_above_0_and_at_most_1(condition: dict[str, Any], path: str) -> None:
    assert refused(condition) == ("invalid_schema", path)
