"""The published schemas against those of the last release, which are in `tests/schemas/released/`.

Inputs: what was valid stays valid. Outputs: they only gain fields. `DECIDED` holds every exception, each with
its reason. At a release, copy `schemas/json/` to `tests/schemas/released/` and empty `DECIDED`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import generate
from schemas.topics import (
    AUDIT,
    BEHAVIOR_EVENTS,
    CHANNEL_SUPPRESSIONS,
    CONTACT_UPDATES,
    MEMBERSHIP_CHANGES,
    SEGMENT_CATALOG,
    SEGMENT_COMMANDS,
    SEGMENT_DEFINITIONS,
    SEGMENT_MEMBERSHIPS,
)
from tests.schemas.compatibility import Comparison, Patterns, Schema

RELEASED = Path(__file__).parent / "released"

INPUTS: Final = (CONTACT_UPDATES, BEHAVIOR_EVENTS, SEGMENT_COMMANDS, SEGMENT_DEFINITIONS)
OUTPUTS: Final = (MEMBERSHIP_CHANGES, SEGMENT_MEMBERSHIPS, CHANNEL_SUPPRESSIONS, SEGMENT_CATALOG, AUDIT)

KNOWN: Final = sorted(path.stem for path in RELEASED.glob("*.json"))
"""The topics of the last release."""

# Topic -> a pattern of the differences that were decided, and the reason.
DECIDED: Final[dict[str, tuple[str, str]]] = {
    CONTACT_UPDATES: (
        r"\.updated_at: minimum was -62135510400000, is 100000000000",
        "so small a number is in seconds, and would be a time in 1970",
    ),
    BEHAVIOR_EVENTS: (
        r"\.occurred_at: minimum was -62135510400000, is 100000000000",
        "so small a number is in seconds, and would be a time in 1970",
    ),
    SEGMENT_COMMANDS: (
        r"\.definition\..*\.(attribute|property): not cannot be compared",
        "a path with an index, like items[0], never found anything; `elements` tests the items of a list",
    ),
    SEGMENT_DEFINITIONS: (
        r"\..*\.(attribute|property): not cannot be compared",
        "a path with an index, like items[0], never found anything; `elements` tests the items of a list",
    ),
    SEGMENT_CATALOG: (
        r"\.command_offset: (is required|minimum was -1, is 0)",
        "earlier versions and deleted segments are records under keys of their own; an operator's row has -1",
    ),
}


def published(topic: str) -> Schema:
    return generate.json_schema(topic)


def released(topic: str) -> Schema:
    schema: Schema = json.loads((RELEASED / f"{topic}.json").read_text(encoding="utf-8"))
    return schema


def compared(topic: str, new: Schema, old: Schema) -> Comparison:
    """What is broken: for an input, `new` must take what `old` took; for an output, the other way round."""
    return Comparison(new, old) if topic in INPUTS else Comparison(old, new, gains_fields=True)


def undecided(topic: str, comparison: Comparison) -> list[str]:
    decided, _ = DECIDED.get(topic, (r"(?!)", ""))
    return [text for text in comparison.differences if not re.fullmatch(decided, text)]


def test_every_topic_is_an_input_or_an_output() -> None:
    assert sorted((*INPUTS, *OUTPUTS)) == sorted(generate.TOPIC_VALUES) == sorted(generate.VERSIONS)
    assert set(KNOWN) <= generate.TOPIC_VALUES.keys()
    # Programs of the last release know nothing of a new topic.
    assert {version_of(published(topic)) for topic in generate.TOPIC_VALUES.keys() - set(KNOWN)} <= {(1, 0)}


@pytest.mark.parametrize("topic", KNOWN)
def test_only_what_was_decided_breaks_programs_of_the_last_release(topic: str) -> None:
    comparison = compared(topic, published(topic), released(topic))
    assert undecided(topic, comparison) == []
    assert bool(comparison.differences) == (topic in DECIDED), "DECIDED holds what is not so any more"


@pytest.mark.parametrize("topic", KNOWN)
def test_the_version_says_whether_the_schema_changed_and_whether_it_breaks_anything(topic: str) -> None:
    major, minor = version_of(released(topic))
    if without_id(published(topic)) == without_id(released(topic)):
        wanted = (major, minor)
    elif compared(topic, published(topic), released(topic)).differences:
        wanted = (major + 1, 0)
    else:
        wanted = (major, minor + 1)
    assert version_of(published(topic)) == wanted


def version_of(schema: Schema) -> tuple[int, int]:
    found = re.search(r":(\d+)\.(\d+)$", schema["$id"])
    return (int(found[1]), int(found[2])) if found else (1, 0)


def without_id(schema: Schema) -> Schema:
    return {name: value for name, value in schema.items() if name != "$id"}


def differing_patterns() -> list[Patterns]:
    found: dict[tuple[str, str], Patterns] = {}
    for topic in KNOWN:
        for patterns in compared(topic, published(topic), released(topic)).patterns:
            found[patterns.wide, patterns.narrow] = patterns
    return list(found.values())


@pytest.mark.parametrize("patterns", differing_patterns(), ids=lambda patterns: patterns.path)
def test_a_changed_pattern_matches_what_the_earlier_one_matched(patterns: Patterns) -> None:
    @settings(max_examples=300, deadline=None)
    @given(st.from_regex(patterns.narrow, fullmatch=True))
    def matches(text: str) -> None:
        assert re.search(patterns.wide, text)

    matches()


INPUT: Final[Schema] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "kind": {"enum": ["a", "b"], "type": "string"},
        "share": {"type": "number", "minimum": 0},
        "tags": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]},
        "inner": {"$ref": "#/$defs/Inner"},
    },
    "required": ["name"],
    "allOf": [
        {
            "if": {"properties": {"kind": {"enum": ["a"]}}, "required": ["kind"]},
            "then": {"properties": {"share": {"type": "number", "maximum": 5}}},
        }
    ],
    "$defs": {
        "Inner": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"inner": {"$ref": "#/$defs/Inner"}, "at": {"type": "integer"}},
        }
    },
}


def changed(*steps: str, to: Any) -> Schema:
    """INPUT with another value at a place, or without it (None)."""
    schema: Schema = json.loads(json.dumps(INPUT))
    at: Any = schema
    for step in steps[:-1]:
        at = at[int(step)] if isinstance(at, list) else at[step]
    if to is None:
        del at[steps[-1]]
    else:
        at[steps[-1]] = to
    return schema


BREAKS = {
    "a field is gone": changed("properties", "tags", to=None),
    "a field is required": changed("required", to=["name", "share"]),
    "a type is gone": changed("properties", "tags", to={"type": "array", "items": {"type": "string"}}),
    "another type": changed("properties", "name", to={"type": "integer"}),
    "only integers": changed("properties", "share", "type", to="integer"),
    "a higher bound": changed("properties", "share", "minimum", to=1),
    "a new bound": changed("properties", "share", "maximum", to=10),
    "a longer text": changed("properties", "name", "minLength", to=2),
    "a value is gone": changed("properties", "kind", "enum", to=["a"]),
    "a pattern": changed("properties", "name", "pattern", to="^x"),
    "an unknown keyword": changed("properties", "name", "format", to="email"),
    "items": changed("properties", "tags", "anyOf", "0", "items", "type", to="null"),
    "inside a definition that contains itself": changed("$defs", "Inner", "properties", "at", to=None),
    "a rule is narrower": changed("allOf", "0", "then", "properties", "share", "maximum", to=4),
    "a rule for another value": changed("allOf", "0", "if", "properties", "kind", "enum", to=["a", "b"]),
}
KEEPS = {
    "a new field": changed("properties", "new", to={"type": "string"}),
    "nothing is required": changed("required", to=[]),
    "a lower bound": changed("properties", "share", "minimum", to=-1),
    "no bound": changed("properties", "share", "minimum", to=None),
    "a new value": changed("properties", "kind", "enum", to=["a", "b", "c"]),
    "any text": changed("properties", "kind", to={"type": "string"}),
    "another type too": changed("properties", "name", "type", to=["string", "null"]),
    "a wider rule": changed("allOf", "0", "then", "properties", "share", "maximum", to=6),
    "no rule": changed("allOf", to=[]),
    "words": changed("description", to="other words"),
}


@pytest.mark.parametrize("case", BREAKS)
def test_the_comparison_finds_what_an_input_does_not_take_any_more(case: str) -> None:
    assert Comparison(BREAKS[case], INPUT).differences


@pytest.mark.parametrize("case", KEEPS)
def test_the_comparison_finds_nothing_where_an_input_takes_more(case: str) -> None:
    assert Comparison(KEEPS[case], INPUT).differences == []


def test_an_output_gains_fields_and_no_values() -> None:
    new_field, new_value = KEEPS["a new field"], KEEPS["a new value"]
    assert Comparison(INPUT, new_field, gains_fields=True).differences == []
    assert Comparison(INPUT, new_field).differences == [".new: is not a field any more"]
    assert Comparison(INPUT, new_value, gains_fields=True).differences == [".kind: not ['c'] any more"]
    assert Comparison(INPUT, KEEPS["nothing is required"], gains_fields=True).differences == [
        ".name: is required"
    ]


def test_patterns_that_differ_are_named() -> None:
    schema = changed("properties", "name", "pattern", to="^x")
    other = changed("properties", "name", "pattern", to="^y")
    comparison = Comparison(schema, other)
    assert comparison.differences == []
    assert comparison.patterns == [Patterns(".name", "^x", "^y")]
