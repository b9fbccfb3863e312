"""The search for the segments to evaluate after the answer of a condition changed.

A thousand segments may test for 500 points, each together with a page, a campaign or a city of its own. When
a contact reaches 500 points, only the few segments matter whose page it has seen. So each segment has
*guards*: conditions of which at least one holds for every member. If none of them holds, the segment does
not have to be evaluated. (Guards are the access predicates of Fabret et al., "Filtering Algorithms and
Implementation for Very Fast Publish/Subscribe Systems", SIGMOD 2001.)
"""

from __future__ import annotations

from collections.abc import Iterator

from streamseg.language.conditions.base import Condition
from streamseg.language.segments import Cluster, Part, Segment


class GuardIndex:
    """The segments whose formula contains one condition, by their guards."""

    __slots__ = ("_always", "_guarded")

    def __init__(self) -> None:
        self._always: list[Segment] = []
        self._guarded: dict[int, list[Segment]] = {}

    def add(self, condition_id: int, segment: Segment, guards: frozenset[int]) -> None:
        """Add a segment with its guards. Without guards it has to be evaluated in any case."""
        if not guards or condition_id in guards:
            self._always.append(segment)
            return
        for guard in guards:
            self._guarded.setdefault(guard, []).append(segment)

    def find(self, true: set[int]) -> Iterator[Segment]:
        """Yield the segments to evaluate after the condition changed; some are yielded more than once. `true`
        holds the ids of the conditions that hold for the contact. Cost: the lesser number of guards and of
        conditions that hold, and the number of segments found."""
        yield from self._always
        guarded = self._guarded
        if len(guarded) <= len(true):
            for guard, segments in guarded.items():
                if guard in true:
                    yield from segments
        else:
            for guard in true:
                yield from guarded.get(guard, ())


def guards_of(segment: Segment) -> frozenset[int]:
    """Return the ids of conditions of which at least one holds for every member: few conditions, of kinds
    that rarely hold. Return no ids if a contact can be a member when no condition holds."""
    conditions = {condition.id: condition for condition in segment.conditions}
    guards: set[int] = set()
    for part in segment.parts:
        if part.include:
            found = _guards_of_part(part, conditions)
            if not found:
                return frozenset()
            guards |= found
    return frozenset(guards)


def _guards_of_part(part: Part, conditions: dict[int, Condition]) -> frozenset[int]:
    found = [guards for cluster in part.clusters for guards in _guards_of_cluster(cluster, conditions)]
    return min(found, key=lambda guards: _frequency(guards, conditions), default=frozenset())


def _guards_of_cluster(cluster: Cluster, conditions: dict[int, Condition]) -> Iterator[frozenset[int]]:
    """Yield each set of conditions of which at least one must hold for the cluster to hold. References to
    segments are never guards, because memberships change during a step."""
    if cluster.every:
        yield from (frozenset((one,)) for one in cluster.positive if one in conditions)
    elif not cluster.negative and cluster.positive <= conditions.keys():
        yield cluster.positive


def _frequency(guards: frozenset[int], conditions: dict[int, Condition]) -> tuple[int, list[int]]:
    """Return a rough measure of how often one of the guards holds; then their ids, for a stable order."""
    return sum(conditions[guard].frequency for guard in guards), sorted(guards)
