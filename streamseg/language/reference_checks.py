"""What segments refer to: unknown ids and circles are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from schemas.paths import condition_path, join_path
from streamseg.errors import Code, RejectedError
from streamseg.language.conditions.membership import member_id
from streamseg.language.segments import Segment


class Referring(Protocol):
    """A segment, as far as the check of references is concerned."""

    @property
    def references(self) -> frozenset[str]: ...


def check_references(segment: Segment, others: Mapping[str, Referring]) -> None:
    """Whether a segment refers to known segments only and not, through them, to itself.

    Raises RejectedError with the path of the reference at fault."""
    unknown = sorted(segment.references - others.keys() - {segment.segment_id})
    if unknown:
        raise unknown_reference(unknown[0], segment)
    segment_id = segment.segment_id
    # Nothing that nobody refers to lies in a circle: most definitions that come need no walk.
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
    """Where in its definition a segment refers to another."""
    wanted = member_id(reference)
    for part_index, part in enumerate(segment.parts):
        place = part_index if segment.definition and segment.definition.parts else None
        for cluster_index, cluster in enumerate(part.clusters):
            for index, literal in enumerate(cluster.literals):
                if literal.condition_id == wanted:
                    return join_path(condition_path(place, cluster_index, index), "segment")
    return ""


def find_cycle(segments: Mapping[str, Referring], start: str | None = None) -> list[str]:
    """The ids of one circle of references, in order, or nothing; through `start`, if given."""
    done: set[str] = set()
    for root in [start] if start is not None else sorted(segments):
        # An ordered set: in a long chain a list would be looked through again and again.
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
