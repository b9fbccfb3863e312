"""The checks of references between segments: unknown ids and cycles are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from schemas.paths import condition_path, join_path
from streamseg.errors import Code, RejectedError
from streamseg.language.conditions.membership import member_id
from streamseg.language.segments import Segment


class Referring(Protocol):
    """The part of a segment that the checks of references need."""

    @property
    def references(self) -> frozenset[str]: ...


def check_references(segment: Segment, others: Mapping[str, Referring]) -> None:
    """Check that a segment refers only to known segments and not, directly or through them, to itself.

    Raises RejectedError with the path of the wrong reference."""
    unknown = sorted(segment.references - others.keys() - {segment.segment_id})
    if unknown:
        raise unknown_reference(unknown[0], segment)
    segment_id = segment.segment_id
    # A segment to which no segment refers is in no cycle. So most new definitions need no search.
    if segment.references and any(segment_id in one.references for one in (segment, *others.values())):
        cycle = find_cycle({**others, segment_id: segment}, start=segment_id)
        if cycle:
            raise reference_cycle(cycle, segment)


def unknown_reference(reference: str, segment: Segment) -> RejectedError:
    return RejectedError(
        Code.UNKNOWN_REFERENCE,
        f"there is no segment {reference}; define it first",
        _reference_path(segment, reference),
    )


def reference_cycle(cycle: list[str], segment: Segment) -> RejectedError:
    following = cycle[(cycle.index(segment.segment_id) + 1) % len(cycle)]
    return RejectedError(
        Code.REFERENCE_CYCLE,
        f"segments refer to each other in a circle: {' -> '.join([*cycle, cycle[0]])}",
        _reference_path(segment, following),
    )


def _reference_path(segment: Segment, reference: str) -> str:
    """Return the path in a segment's definition at which it refers to another segment."""
    wanted = member_id(reference)
    for part_index, part in enumerate(segment.parts):
        place = part_index if segment.definition and segment.definition.parts else None
        for cluster_index, cluster in enumerate(part.clusters):
            for index, literal in enumerate(cluster.literals):
                if literal.condition_id == wanted:
                    return join_path(condition_path(place, cluster_index, index), "segment")
    return ""


def find_cycle(segments: Mapping[str, Referring], start: str | None = None) -> list[str]:
    """Return the ids of one cycle of references in their order, or an empty list. With `start`, only a cycle
    through that segment is searched."""
    done: set[str] = set()
    for root in [start] if start is not None else sorted(segments):
        # The dict is an ordered set. In a long chain a list would be searched again at every step.
        path = {root: None}
        stack: list[tuple[str, list[str]]] = [(root, sorted(segments[root].references))]
        while stack:
            node, following = stack[-1]
            if not following:
                stack.pop()
                del path[node]
                done.add(node)
                continue
            target = following.pop()
            if target in path:
                if start is None or target == start:
                    ids = list(path)
                    return ids[ids.index(target) :]
                continue
            if target in segments and target not in done:
                stack.append((target, sorted(segments[target].references)))
                path[target] = None
    return []
