"""Which segments a flipped condition can turn round: those that nothing else rules out already.

A thousand segments may ask for 500 points, each together with a page, a campaign or a city of its own. A
contact that gets there is in question for the few whose page it has seen. So each segment stands behind
*guards*: conditions of which one must hold for any member. Where none of them holds, the segment need not be
asked. (The access predicates of Fabret et al., "Filtering Algorithms and Implementation for Very Fast
Publish/Subscribe Systems", SIGMOD 2001.)
"""

from __future__ import annotations

from collections.abc import Iterator

from streamseg.language.conditions.base import Condition
from streamseg.language.segments import Cluster, Part, Segment


class Audience:
    """The segments whose formula asks for one condition."""

    __slots__ = ("_always", "_guarded")

    def __init__(self) -> None:
        self._always: list[Segment] = []
        self._guarded: dict[int, list[Segment]] = {}

    def add(self, condition_id: int, segment: Segment, guards: frozenset[int]) -> None:
        """`guards`: of the segment, none if it has to be asked in any case."""
        if not guards or condition_id in guards:
            self._always.append(segment)
            return
        for guard in guards:
            self._guarded.setdefault(guard, []).append(segment)

    def find(self, true: set[int]) -> Iterator[Segment]:
        """The segments to ask when the condition has flipped, of a contact for whom these conditions hold;
        some more than once. Cost: the lesser of guards and conditions that hold, besides those found."""
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
    """Ids of conditions of which one must hold for any member, as few and as seldom true as can be told from
    their kinds; none where a contact may be a member with no condition true."""
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
    """Each set of conditions of which one must hold for the cluster to hold. Memberships are no guards: they
    flip in the course of a step."""
    if cluster.every:
        yield from (frozenset((one,)) for one in cluster.positive if one in conditions)
    elif not cluster.negative and cluster.positive <= conditions.keys():
        yield cluster.positive


def _frequency(guards: frozenset[int], conditions: dict[int, Condition]) -> tuple[int, list[int]]:
    """How often one of them holds, as a rough order; by ids where that is equal."""
    return sum(conditions[guard].frequency for guard in guards), sorted(guards)
