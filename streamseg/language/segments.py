"""Compiled segments: formulas over the conditions that hold for a contact."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from schemas.definitions import SegmentDefinition
from streamseg.language.conditions.base import Condition, stable_id
from streamseg.language.formula import formula


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
    introduced  offset of the record by which this version came into force; -1: it is built in
    born        offset of the tombstone that ended the last segment of this id; -1: none is known. What is
                kept of a contact under a lesser one is about a segment that was deleted
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
        return self.definition is not None and other.is_version_of(self.definition, self.version)

    def is_version_of(self, definition: SegmentDefinition, version: int | None) -> bool:
        """Whether it is that version of what a definition asks for."""
        own = self.definition
        return self.version == version and own is not None and formula(own) == formula(definition)

    @property
    def as_written(self) -> bytes | None:
        """The definition as JSON with its version; None of a built-in segment."""
        if self.source is None or self.definition is None or self.definition.version is not None:
            return self.source
        # Not by way of Python values, in which long numbers would be rounded.
        return b'%b,"version":%d}' % (self.source.rstrip()[:-1], self.version)

    @property
    def identity(self) -> int:
        """The same for the same formula, version and birth: what a contact that was brought up to one of two
        such segments was brought up to the other as well."""
        compiled = [
            [part.include, [[one.every, sorted(one.positive), sorted(one.negative)] for one in part.clusters]]
            for part in self.parts
        ]
        return stable_id("segment", self.segment_id, self.version, self.born, compiled)

    @property
    def static(self) -> bool:
        """Whether it is a list kept by hand."""
        return self.definition is not None and self.definition.type == "static"
