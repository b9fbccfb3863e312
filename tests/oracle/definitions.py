"""The definitions in force, which records of `segment-definitions` are refused, how old a condition is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

BUILT_IN = ("email-unsubscribed", "global-unsubscribed", "mobile-unsubscribed")

Definition = dict[str, Any]


@dataclass(frozen=True)
class Age:
    """When a condition came into force: the count of acceptances and the clock of that moment."""

    index: int
    clock: int


@dataclass
class Definitions:
    """What is in force by segment id; built-in segments have no definition."""

    in_force: dict[str, Definition] = field(default_factory=dict)
    ages: dict[str, Age] = field(default_factory=dict)
    list_keys: dict[str, tuple[str, int]] = field(default_factory=dict)

    def refuses(self, segment_id: str, definition: Definition | None) -> bool:
        """Whether the contract refuses the record (references, cycles, built-ins, segments in use)."""
        if segment_id in BUILT_IN:
            return True
        after = {**self.in_force}
        if definition is None:
            after.pop(segment_id, None)
        else:
            after[segment_id] = definition
        referred = {id_: set(references(body)) for id_, body in after.items()}
        if any(target not in after and target not in BUILT_IN for ids in referred.values() for target in ids):
            return True
        reach = {segment_id}
        for _ in after:
            reach |= {target for id_ in reach for target in referred.get(id_, ())}
        return any(segment_id in referred.get(id_, ()) for id_ in reach)

    def take(self, segment_id: str, definition: Definition | None, index: int, clock: int) -> None:
        """Put an accepted definition in force, or take it out of force."""
        before = self.in_force.pop(segment_id, None)
        if definition is not None:
            version = definition.get("version") or (before["version"] + 1 if before else 1)
            self.in_force[segment_id] = {**definition, "version": version}
        if definition is None:
            self.list_keys.pop(segment_id, None)
        elif definition["type"] == "static":
            # The entries stay while the segment is of another type.
            self.list_keys.setdefault(segment_id, (segment_id, index))
        keys = {
            condition_key(condition, body)
            for body in self.in_force.values()
            for condition in conditions(body)
        }
        self.ages = {key: self.ages.get(key, Age(index, clock)) for key in keys}

    def lists(self) -> set[str]:
        """The ids of the static segments in force."""
        return {segment_id for segment_id, one in self.in_force.items() if one["type"] == "static"}

    def age_of(self, condition: dict[str, Any], definition: Definition) -> Age:
        return self.ages[condition_key(condition, definition)]


def clusters(definition: Definition) -> Iterator[dict[str, Any]]:
    """All clusters of a definition, those of its parts included."""
    yield from definition.get("clusters", ())
    for part in definition.get("parts", ()):
        yield from part["clusters"]


def conditions(definition: Definition) -> Iterator[dict[str, Any]]:
    for cluster in clusters(definition):
        yield from cluster["conditions"]


def references(definition: Definition) -> Iterator[str]:
    for condition in conditions(definition):
        if "segment" in condition:
            yield condition["segment"]


def condition_key(condition: dict[str, Any], definition: Definition) -> str:
    """Equal for conditions that say the same or the opposite of each other: such a condition goes on where
    it was already in force."""
    said = {key: value for key, value in condition.items() if key != "not"}
    if "event" in said and "aggregate" not in said and said.get("select", "any") == "any":
        said["count"] = _counted(said.get("count") or {"operator": "ge", "value": 1})
    if "sample" in said:
        said.setdefault("salt", definition["segment_id"])
    return json.dumps([said, definition.get("timezone")], sort_keys=True)


def _counted(count: dict[str, Any]) -> list[Any]:
    """The number at which an answer changes, and whether it takes exactly that many; a comparison and its
    complement are alike in both."""
    operator, value = count["operator"], count["value"]
    if operator in ("gt", "le"):
        return [value + 1, False]
    if operator in ("eq", "ne") and value > 0:
        return [value, True]
    return [max(value, 1) if operator in ("eq", "ne") else value, False]
