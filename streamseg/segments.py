"""Compiled segments: formulas over the conditions that hold for a contact."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from schemas.definitions import FORMULA, SegmentDefinition
from streamseg.conditions.base import Condition


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """One condition as it stands in a definition: the shared condition it became, perhaps turned round.

    source  the condition as written
    """

    condition_id: int
    negated: bool
    source: Any

    def holds(self, true: Collection[int]) -> bool:
        return (self.condition_id in true) != self.negated


@dataclass(frozen=True, slots=True, eq=False)
class Cluster:
    """Conditions joined by AND (`every`) or OR; as sets, so that a test is one set operation."""

    every: bool
    literals: tuple[Literal, ...]
    positive: frozenset[int]
    negative: frozenset[int]

    @classmethod
    def of(cls, every: bool, literals: tuple[Literal, ...]) -> Cluster:
        return cls(
            every,
            literals,
            frozenset(literal.condition_id for literal in literals if not literal.negated),
            frozenset(literal.condition_id for literal in literals if literal.negated),
        )

    def holds(self, true: set[int]) -> bool:
        if self.every:
            return self.positive <= true and self.negative.isdisjoint(true)
        return not self.positive.isdisjoint(true) or not self.negative <= true


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Clusters joined by AND, taken in (`include`) or left out."""

    name: str | None
    include: bool
    clusters: tuple[Cluster, ...]

    def holds(self, true: set[int]) -> bool:
        for cluster in self.clusters:  # noqa: SIM110 - the hot path: a generator costs as much as the tests
            if not cluster.holds(true):
                return False
        return True


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """A segment in force.

    parts       a standard segment is one included part
    conditions  the shared conditions it is made of
    references  ids of the segments whose membership it asks for
    member_id   the id under which its own membership stands among a contact's true conditions
    introduced  the generation in which this version came into force
    born        the generation in which the segment came into being; -1 where that was before the start
    """

    segment_id: str
    version: int
    parts: tuple[Part, ...]
    conditions: tuple[Condition, ...]
    references: frozenset[str]
    member_id: int
    introduced: int
    born: int
    definition: SegmentDefinition | None = None
    source: bytes | None = None

    def holds(self, true: set[int]) -> bool:
        """Membership: in at least one included part and in no excluded one."""
        included = False
        for part in self.parts:
            if part.holds(true):
                if not part.include:
                    return False
                included = True
        return included

    def asks_the_same(self, other: Segment) -> bool:
        """Whether it is the same version of the same segment: at most its name, group and shares differ."""
        return self.version == other.version and _formula(self) == _formula(other)

    @property
    def static(self) -> bool:
        """Whether it is a list kept by hand."""
        return self.definition is not None and self.definition.type == "static"


def _formula(segment: Segment) -> str | None:
    """What a definition asks for, with nothing around it. As JSON: in Python true equals 1."""
    definition = segment.definition
    return None if definition is None else definition.model_dump_json(include=set(FORMULA))
