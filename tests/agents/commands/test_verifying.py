"""The memberships that workers keep and those on the topic are compared while both continue to change."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from agents.commands.verify import Comparison
from agents.kafka.memberships_reader import Membership
from streamseg.cli.session import Session

CONTACTS = 20


class World:
    """A worker and the topic, while contacts enter: between any two looks, and if `enter_meanwhile`, also
    during each look at the state."""

    def __init__(self) -> None:
        self.kept: dict[bytes, Membership] = {}
        self.memberships: dict[bytes, Membership] = {}
        self.lost: bytes | None = None
        """The key of a membership that never reaches the topic."""
        self.enter_meanwhile = True
        self.miscounted = 0
        """By how many the number of members is wrong."""
        self._number = 0
        for _ in range(CONTACTS):
            self.enter()

    def enter(self) -> Membership:
        self._number += 1
        one = Membership("buyers", f"c{self._number}", 1, "2026-11-30T08:00:00.000Z")
        self.kept[one.key] = one
        return one

    def pause(self) -> None:
        self.enter()

    def read_on(self) -> None:
        self.memberships = {key: one for key, one in self.kept.items() if key != self.lost}
        # Others enter after the end up to which the topic is read, and before the next question.
        self.enter()

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        asked, changes_before = body.get("contacts"), len(self.kept)
        found = [one for one in self.kept.values() if asked is None or one.contact_id in asked]
        if self.enter_meanwhile:
            self.enter()
        return {
            "contacts": len(found),
            "differences": [],
            "memberships": [one._asdict() for one in found],
            "member_counts": {"buyers": len(self.kept) + self.miscounted},
            "changes_before": changes_before,
            "changes": len(self.kept),
            "partitions": 1,
            "next_cursor": None,
        }

    def compared(self) -> list[dict[str, Any]]:
        comparison = Comparison(cast(Session, SimpleNamespace(api=self)), (), ())
        comparison.compare_state()
        comparison.compare_topic(self, self.pause)
        return comparison.differences


@pytest.fixture
def world() -> World:
    return World()


def test_what_has_entered_since_the_state_was_asked_is_no_difference(world: World) -> None:
    assert world.compared() == []


def test_a_membership_that_never_reaches_the_topic_is_reported(world: World) -> None:
    world.lost = b"buyers|c3"
    assert [(one["contact_id"], one["found"]) for one in world.compared()] == [("c3", "no member")]


def test_a_number_of_members_is_compared_only_if_nothing_changed_meanwhile(world: World) -> None:
    world.miscounted = 2
    assert world.compared() == []
    world.enter_meanwhile = False
    (difference,) = world.compared()
    assert (difference["kept"], difference["segment_id"]) == ("count", "buyers")
