"""Shares the partitions out among the workers of the group.

It takes the place of Faust's algorithm, and keeps Faust's protocol, so that a group may consist of workers
with either. Faust's algorithm moves partitions without need if their number is not a multiple of the number
of workers, and it does not know what is on the workers' disks. It also sends every member the whole
assignment in each direction; a broker keeps all of this in one record of `__consumer_offsets`, and the record
of a group of 100 workers was longer than a broker accepts.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, cast

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata
from faust.assignor.client_assignment import ClientAssignment, ClientMetadata
from faust.assignor.partition_assignor import PartitionAssignor


def share_out(
    partitions: int, owned: Mapping[str, Collection[int]], kept: Mapping[str, Collection[int]]
) -> dict[str, list[int]]:
    """Return the partitions of each member, ascending.

    `owned` has all members, each with the partitions that it has had up to now; `kept` the partitions whose
    state a member has on its disk, from earlier. Of two members, one has at most one partition more than the
    other. A member keeps what it has, as far as its share goes. Of the rest, a member first gets what it has
    on its disk. If two members claim a partition, the one whose name comes first has it.
    """
    members = sorted(owned)
    least, more = divmod(partitions, len(members))
    shares: dict[str, list[int]] = {member: [] for member in members}
    free = set(range(partitions))
    had = {member: sorted(free.intersection(owned[member])) for member in members}
    has_kept = {member: sorted(free.intersection(kept.get(member, ()))) for member in members}
    # Those with most partitions have one more than the others, so that fewer partitions move.
    by_number = sorted(members, key=lambda member: (-len(had[member]), -len(has_kept[member]), member))
    limits = {member: least + (place < more) for place, member in enumerate(by_number)}
    for claims in (had, has_kept, dict.fromkeys(members, range(partitions))):
        for member in members:
            wanted = [number for number in claims[member] if number in free]
            taken = wanted[: limits[member] - len(shares[member])]
            shares[member] += taken
            free.difference_update(taken)
    return {member: sorted(numbers) for member, numbers in shares.items()}


class WorkerAssignor(PartitionAssignor):
    """Faust's assignor with `share_out`. A member tells the partitions that it has, and as standbys those
    whose state is on its disk."""

    def __init__(self, app: Any, kept: Callable[[], Collection[int]]) -> None:
        """`kept` returns the partitions whose state is on this worker's disk."""
        super().__init__(app)
        self._kept = kept

    def metadata(self, topics: set[str]) -> ConsumerProtocolMemberMetadata:
        """Return what this member tells the one that shares out."""
        has: dict[str, list[int]] = {}
        for tp in sorted(self.assigned_actives()):
            has.setdefault(tp.topic, []).append(tp.partition)
        kept = sorted(self._kept())
        metadata = ClientMetadata(
            assignment=ClientAssignment(actives=has, standbys=dict.fromkeys(sorted(topics), kept)),
            url=str(self.app.conf.canonical_url),
            changelog_distribution={},
        )
        return ConsumerProtocolMemberMetadata(self.version, list(topics), metadata.dumps())

    def assign(
        self, cluster: ClusterMetadata, member_metadata: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """Return what each member gets, from the metadata of all members. Topics that do not exist yet are
        left out."""
        metadata = {
            member: cast(ClientMetadata, ClientMetadata.loads(metadata.user_data))
            for member, metadata in member_metadata.items()
        }
        subscribed = {topic for metadata in member_metadata.values() for topic in metadata.subscription}
        by_number: dict[int, list[str]] = {}
        for topic in sorted(subscribed):
            partitions = len(cluster.partitions_for_topic(topic) or ())
            if partitions:
                by_number.setdefault(partitions, []).append(topic)
        shares: dict[str, dict[str, list[int]]] = {member: {} for member in metadata}
        groups: dict[str, int] = {}
        # Topics with equally many partitions are shared out alike: a worker has a partition of all of them.
        for group, (partitions, topics) in enumerate(sorted(by_number.items())):
            owned = {member: _numbers(one.assignment.actives, topics) for member, one in metadata.items()}
            kept = {member: _numbers(one.assignment.standbys, topics) for member, one in metadata.items()}
            for member, numbers in share_out(partitions, owned, kept).items():
                shares[member].update(dict.fromkeys(topics, numbers))
            groups.update(dict.fromkeys(topics, group))
        return {
            member: self._assigned(share, metadata[member].url, groups) for member, share in shares.items()
        }

    def _assigned(
        self, share: dict[str, list[int]], url: str, groups: dict[str, int]
    ) -> ConsumerProtocolMemberAssignment:
        answer = ClientMetadata(
            assignment=ClientAssignment(actives=share, standbys={}),
            url=url,
            changelog_distribution={},
            topic_groups=groups,
        )
        # `on_assignment` of Faust's assignor unpacks it.
        return ConsumerProtocolMemberAssignment(
            self.version, sorted(share.items()), zlib.compress(answer.dumps())
        )


def _numbers(assignment: Mapping[str, Collection[int]], topics: Sequence[str]) -> Collection[int]:
    """Return the partitions that a member reports for these topics; they are the same for each topic that is
    not new."""
    return next((assignment[topic] for topic in topics if assignment.get(topic)), ())
