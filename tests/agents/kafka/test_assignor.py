"""How the partitions are shared out among workers, and what the workers send each other for it."""

from __future__ import annotations

from collections.abc import Collection
from types import SimpleNamespace
from typing import cast

from aiokafka.cluster import ClusterMetadata
from faust.assignor.partition_assignor import PartitionAssignor
from hypothesis import given
from hypothesis import strategies as st

from agents.kafka.assignor import WorkerAssignor, share_out
from schemas.topics import SOURCES
from tests.agents.kafka.group_member import member_app

_ACCEPTED_BYTES = 1_000_000
"""A broker accepts a record of a group that is a little longer than this, if nothing else is set."""

Shares = dict[str, list[int]]


def _names(count: int) -> list[str]:
    return [f"worker-{number}" for number in range(count)]


def _anew(shares: Shares) -> Shares:
    return share_out(sum(map(len, shares.values())), shares, {})


def _moved(before: Shares, after: Shares) -> int:
    """How many partitions a worker gave away, of those workers that are still there."""
    return sum(len(set(before[name]) - set(after[name])) for name in before.keys() & after.keys())


_claims = st.dictionaries(
    st.sampled_from(_names(8)), st.sets(st.integers(0, 40), max_size=20), min_size=1, max_size=8
)


@given(partitions=st.integers(1, 32), owned=_claims, kept=_claims)
def test_each_partition_has_one_owner_and_the_shares_are_equal(
    partitions: int, owned: dict[str, set[int]], kept: dict[str, set[int]]
) -> None:
    shares = share_out(partitions, owned, kept)
    assert shares.keys() == owned.keys()
    assert sorted(number for numbers in shares.values() for number in numbers) == list(range(partitions))
    sizes = {len(numbers) for numbers in shares.values()}
    assert max(sizes) - min(sizes) <= 1
    assert shares == share_out(partitions, dict(reversed(owned.items())), kept)


@given(partitions=st.integers(1, 64), workers=st.integers(1, 12), other=st.integers(1, 12))
def test_no_partition_moves_without_need(partitions: int, workers: int, other: int) -> None:
    shares = share_out(partitions, {name: [] for name in _names(workers)}, {})
    assert _anew(shares) == shares
    changed = share_out(partitions, {name: shares.get(name, []) for name in _names(other)}, {})
    # Those who join get their shares, and nobody who stays gives away more than that.
    joined = sum(len(changed[name]) for name in _names(other)[workers:])
    assert _moved(shares, changed) == joined
    assert _anew(changed) == changed


@given(partitions=st.integers(1, 64), workers=st.integers(1, 12))
def test_workers_that_all_begin_anew_get_what_is_on_their_disks(partitions: int, workers: int) -> None:
    shares = share_out(partitions, {name: [] for name in _names(workers)}, {})
    assert share_out(partitions, {name: [] for name in shares}, shares) == shares


def test_a_worker_that_has_a_partition_comes_before_one_that_has_it_on_disk() -> None:
    kept = {"old": [0, 1, 2, 3]}
    assert share_out(4, {"now": [0, 1, 2, 3], "old": []}, kept) == {"now": [0, 1], "old": [2, 3]}
    assert share_out(2, {"now": [1], "old": [], "third": []}, {"old": [0, 1]})["old"] == [0]


class Group:
    """A group whose members exchange what a coordinator would pass on."""

    def __init__(self, partitions: int) -> None:
        self.members: dict[str, PartitionAssignor] = {}
        self.sent = 0
        numbers = set(range(partitions))
        self._cluster = cast(ClusterMetadata, SimpleNamespace(partitions_for_topic=lambda _: numbers))

    def join(self, name: str, kept: Collection[int] = ()) -> None:
        self.members[name] = WorkerAssignor(member_app(name), lambda: kept)

    def join_with_stock_assignor(self, name: str) -> None:
        self.members[name] = PartitionAssignor(member_app(name))

    def rebalance(self, leader: str | None = None) -> Shares:
        """Let one member share out; return the partitions of each member, which all topics have alike."""
        told = {name: member.metadata(set(SOURCES)) for name, member in self.members.items()}
        leading = self.members[leader or min(self.members)]
        assigned = leading.assign(self._cluster, told)
        self.sent = sum(len(one.encode()) for one in (*told.values(), *assigned.values()))
        shares = {}
        for name, assignment in assigned.items():
            self.members[name].on_assignment(assignment)
            found = dict(assignment.assignment)
            shares[name] = sorted(found[SOURCES[0]])
            assert all(sorted(numbers) == shares[name] for numbers in found.values())
        return shares


def test_members_remember_their_partitions_from_one_rebalance_to_the_next() -> None:
    group = Group(8)
    for name in "abc":
        group.join(name)
    before = group.rebalance()
    assert group.rebalance(leader="b") == before
    group.join("d")
    after = group.rebalance(leader="c")
    assert sum(len(set(before[name]) - set(after[name])) for name in "abc") == len(after["d"]) == 2


def test_a_group_that_begins_anew_finds_the_state_on_its_disks() -> None:
    group = Group(6)
    disks = {"a": [1, 4], "b": [0, 5], "c": [2, 3]}
    for name, kept in disks.items():
        group.join(name, kept)
    assert group.rebalance() == disks


def test_a_group_may_have_workers_with_the_assignor_of_faust() -> None:
    group = Group(6)
    group.join_with_stock_assignor("a")
    group.join("b", kept=[0, 1, 2, 3, 4, 5])
    group.join("c")
    for leader in ("a", "b", "a", "c"):
        shares = group.rebalance(leader)
        assert sorted(number for numbers in shares.values() for number in numbers) == list(range(6))
        assert {len(numbers) for numbers in shares.values()} == {2}


def test_a_broker_accepts_the_record_of_a_large_group() -> None:
    group = Group(1_000)
    for name in _names(100):
        group.join(name, kept=range(0, 1_000, 20))
    group.rebalance()
    group.rebalance()
    assert group.sent < _ACCEPTED_BYTES / 4
