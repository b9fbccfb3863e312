"""A partition goes through its states in order, whatever happens, and writes only while it is at work."""

from __future__ import annotations

from agents.partitions.assignment import Assignment, Claim, State


class Effects:
    """Notes what the state machine asks for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Claim]] = []

    def restore(self, claims: list[Claim]) -> None:
        self.asked += [("restore", claim) for claim in claims]

    def work(self, claim: Claim) -> None:
        self.asked.append(("work", claim))

    def finish(self, claim: Claim) -> None:
        self.asked.append(("finish", claim))

    def abandon(self, claim: Claim) -> None:
        self.asked.append(("abandon", claim))

    def take(self) -> list[tuple[str, Claim]]:
        asked, self.asked = self.asked, []
        return asked


def machine() -> tuple[Assignment, Effects]:
    effects = Effects()
    return Assignment(effects), effects


def test_a_partition_is_restored_then_works_then_finishes_then_is_gone() -> None:
    assignment, effects = machine()
    assert assignment.state(3) is State.GONE
    assert not assignment.ready
    assignment.assign([3])
    [(asked, claim)] = effects.take()
    assert (asked, claim.partition) == ("restore", 3)
    assert assignment.state(3) is State.RESTORING
    assert not assignment.ready
    assert not assignment.may_write(claim)
    assignment.restored(claim)
    assert effects.take() == [("work", claim)]
    assert assignment.state(3) is State.AT_WORK
    assert assignment.ready
    assert assignment.may_write(claim)
    assignment.revoke()
    assert effects.take() == [("finish", claim)]
    assert assignment.state(3) is State.RELEASING
    assert assignment.may_write(claim), "the last checkpoint is still to be made"
    assert not assignment.ready
    assignment.gone(claim)
    assert assignment.state(3) is State.GONE
    assert not assignment.may_write(claim)


def test_a_partition_that_is_revoked_while_it_is_restored_never_writes() -> None:
    assignment, effects = machine()
    assignment.assign([0])
    [(_, claim)] = effects.take()
    assignment.revoke()
    assert effects.take() == [("abandon", claim)]
    assignment.restored(claim)
    assert effects.take() == [], "it came to the end too late"
    assert not assignment.may_write(claim)


def test_what_an_earlier_assignment_restored_does_not_count_for_the_next() -> None:
    assignment, effects = machine()
    assignment.assign([0])
    [(_, first)] = effects.take()
    assignment.revoke()
    assignment.gone(first)
    effects.take()
    assignment.assign([0])
    [(asked, second)] = effects.take()
    assert asked == "restore"
    assert second != first
    assignment.restored(first)
    assert effects.take() == []
    assert assignment.state(0) is State.RESTORING
    assignment.restored(second)
    assert effects.take() == [("work", second)]


def test_a_partition_waits_until_its_earlier_store_is_closed() -> None:
    assignment, effects = machine()
    assignment.assign([0, 1])
    first, _ = (claim for _, claim in effects.take())
    assignment.revoke()
    assignment.gone(Claim(1, first.epoch))
    effects.take()
    assignment.assign([0, 1])
    assert [(asked, claim.partition) for asked, claim in effects.take()] == [("restore", 1)]
    assert assignment.state(0) is State.ASSIGNED
    assignment.gone(first)
    [(asked, second)] = effects.take()
    assert (asked, second.partition) == ("restore", 0)
    assert second.epoch > first.epoch
    assert assignment.state(0) is State.RESTORING


def test_a_waiting_partition_that_is_revoked_is_not_restored() -> None:
    assignment, effects = machine()
    assignment.assign([0])
    [(_, first)] = effects.take()
    assignment.revoke()
    assignment.assign([0])
    assignment.revoke()
    effects.take()
    assignment.gone(first)
    assert effects.take() == []
    assert assignment.state(0) is State.GONE


def test_an_assignment_that_follows_another_without_a_revocation_ends_that() -> None:
    assignment, effects = machine()
    assignment.assign([0])
    [(_, first)] = effects.take()
    assignment.restored(first)
    assignment.assign([0])
    assert effects.take() == [("work", first), ("finish", first)]
    assert assignment.state(0) is State.ASSIGNED


def test_a_partition_whose_group_went_on_writes_nothing_more_and_waits_for_the_next_assignment() -> None:
    assignment, effects = machine()
    assignment.assign([0])
    [(_, claim)] = effects.take()
    assignment.restored(claim)
    effects.take()
    assignment.lost(claim)
    assert effects.take() == [("abandon", claim)]
    assert not assignment.may_write(claim)
    assignment.gone(claim)
    assert effects.take() == []
    assert not assignment.ready
    assignment.revoke()
    assignment.assign([0])
    assert [asked for asked, _ in effects.take()] == ["restore"]


def test_each_partition_goes_to_work_by_itself_and_ready_means_all_of_them() -> None:
    assignment, effects = machine()
    assignment.assign([])
    assert assignment.ready, "there is nothing to be done"
    assignment.assign([0, 1])
    claims = [claim for _, claim in effects.take()]
    assignment.restored(claims[1])
    assert assignment.may_write(claims[1])
    assert not assignment.may_write(claims[0])
    assert not assignment.ready
    assignment.restored(claims[0])
    assert assignment.ready


def test_a_worker_that_stops_takes_nothing_more() -> None:
    """Until it has let the group go, that may give it what others leave."""
    assignment, effects = machine()
    assignment.assign([0])
    [(_, claim)] = effects.take()
    assignment.restored(claim)
    effects.take()
    assignment.end()
    assert effects.take() == [("finish", claim)]
    assignment.assign([0, 1])
    assignment.gone(claim)
    assignment.assign([0, 1])
    assert effects.take() == []
    assert assignment.state(0) is assignment.state(1) is State.GONE
    assert assignment.assigned is None
