"""Compiled segments. Their formulas are evaluated from the conditions that hold for a contact."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from schemas.definitions import SegmentDefinition
from streamseg.language.conditions.base import Condition, stable_id
from streamseg.language.formula import formula


class Literal:
    """One condition of a definition: the shared condition that it became, negated or not.

    source  the condition as written; None in a segment that has no written conditions
    """

    __slots__ = ("condition_id", "negated", "source")

    def __init__(self, condition_id: int, negated: bool, source: Any) -> None:
        self.condition_id = condition_id
        self.negated = negated
        self.source = source

    def holds(self, true: Collection[int]) -> bool:
        return (self.condition_id in true) != self.negated


class Cluster:
    """Conditions joined by AND (`every`) or OR. They are kept as sets, so that a test needs few set
    operations."""

    __slots__ = ("every", "literals", "negative", "positive")

    def __init__(
        self, every: bool, literals: tuple[Literal, ...], positive: frozenset[int], negative: frozenset[int]
    ) -> None:
        self.every = every
        self.literals = literals
        self.positive = positive
        self.negative = negative

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


class Part:
    """Clusters joined by AND. The part includes contacts (`include`) or excludes them."""

    __slots__ = ("clusters", "include", "name")

    def __init__(self, name: str | None, include: bool, clusters: tuple[Cluster, ...]) -> None:
        self.name = name
        self.include = include
        self.clusters = clusters

    def holds(self, true: set[int]) -> bool:
        for cluster in self.clusters:  # noqa: SIM110 - the hot path: a generator costs as much as the tests
            if not cluster.holds(true):
                return False
        return True


class Segment:
    """A compiled segment.

    parts       its parts; a standard segment has one part, which includes
    conditions  the shared conditions in its formula
    references  ids of the segments whose membership its formula tests
    member_id   the id that a contact's true conditions contain while the contact is a member
    introduced  offset of the record with which its formula came into force; -1: it is built in
    born        offset of the tombstone that ended the last segment of this id; -1: none is known. A contact's
                row with a smaller birth belongs to a segment that was deleted.
    """

    __slots__ = (
        "born",
        "conditions",
        "definition",
        "introduced",
        "member_id",
        "parts",
        "references",
        "segment_id",
        "source",
        "version",
    )

    def __init__(
        self,
        segment_id: str,
        version: int,
        parts: tuple[Part, ...],
        conditions: tuple[Condition, ...],
        references: frozenset[str],
        member_id: int,
        introduced: int,
        born: int,
        definition: SegmentDefinition | None = None,
        source: bytes | None = None,
    ) -> None:
        self.segment_id = segment_id
        self.version = version
        self.parts = parts
        self.conditions = conditions
        self.references = references
        self.member_id = member_id
        self.introduced = introduced
        self.born = born
        self.definition = definition
        self.source = source

    def holds(self, true: set[int]) -> bool:
        """Return whether the formula holds: at least one including part holds and no excluding part does."""
        included = False
        for part in self.parts:
            if part.holds(true):
                if not part.include:
                    return False
                included = True
        return included

    def is_same_version(self, other: Segment) -> bool:
        """Return whether both have the same version and formula. Name, group and shares may differ."""
        return self.definition is not None and other.is_version_of(self.definition, self.version)

    def is_version_of(self, definition: SegmentDefinition, version: int | None) -> bool:
        """Return whether the segment has this version and the formula of a definition."""
        own = self.definition
        return self.version == version and own is not None and formula(own) == formula(definition)

    def written_as(
        self, definition: SegmentDefinition, source: bytes | None, *, introduced: int, born: int
    ) -> Segment:
        """Return the same compiled segment with another text of its definition: its formula is the same."""
        return Segment(
            self.segment_id,
            self.version,
            self.parts,
            self.conditions,
            self.references,
            self.member_id,
            introduced,
            born,
            definition,
            source,
        )

    def named(self, segment_id: str, member_id: int) -> Segment:
        """Return the same compiled segment under another id."""
        return Segment(
            segment_id,
            self.version,
            self.parts,
            self.conditions,
            self.references,
            member_id,
            self.introduced,
            self.born,
            self.definition,
            self.source,
        )

    @property
    def as_written(self) -> bytes | None:
        """The definition as JSON with its version; None for a built-in segment."""
        if self.source is None or self.definition is None or self.definition.version is not None:
            return self.source
        # The version is put into the text, because long numbers would be rounded in Python values.
        return b'%b,"version":%d}' % (self.source.rstrip()[:-1], self.version)

    @property
    def identity(self) -> int:
        """A number that is equal for segments with the same id, formula, version and birth. A contact that
        was evaluated with one of them does not have to be evaluated with the other."""
        compiled = [
            [part.include, [[one.every, sorted(one.positive), sorted(one.negative)] for one in part.clusters]]
            for part in self.parts
        ]
        return stable_id("segment", self.segment_id, self.version, self.born, compiled)

    @property
    def static(self) -> bool:
        """Whether it is a static segment."""
        return self.definition is not None and self.definition.type == "static"
