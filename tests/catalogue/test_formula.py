"""Definitions that are written differently and have the same conditions, or not: engine and catalogue share
one rule."""

from __future__ import annotations

import pytest
from hypothesis import given

from schemas.definitions import SegmentDefinition
from streamseg.catalogue.formula import formula_digest, same_conditions
from streamseg.json_text import dumps
from streamseg.language.compiler import compile_segment
from streamseg.settings import Settings
from tests.catalogue.catalogues import ANN, NOW, Desk, Json, advanced, standard
from tests.strategies.conditions import definition_of, definitions_without_id
from tests.strategies.values import written as moments_written

EVENT = {"event": "buy"}
EQUAL = {"attribute": "location", "operator": "eq", "value": "中国"}
TODAY = {"attribute": "imported_at", "operator": "calendar", "value": {"unit": "day", "values": [1]}}
SAME = [
    (EVENT, {**EVENT, "not": False}),
    (EVENT, {**EVENT, "select": "any", "count": None, "window": None, "where": None}),
    (EQUAL, {**EQUAL, "ignore_case": False, "normalize": False, "as": None, "held": None}),
    (EQUAL, dict(reversed(EQUAL.items()))),
    (TODAY, {**TODAY, "value": {"values": [1], "unit": "day"}}),
    ({"attribute": "x", "operator": "is_set"}, {"attribute": "x", "operator": "is_set", "value": None}),
    ({"segment": "t"}, {"segment": "t", "member": True}),
    ({"sample": 1}, {"sample": 1.0, "salt": None}),
]
OTHER = [
    (EVENT, {**EVENT, "not": True}),
    ({**EQUAL, "attribute": "x", "value": 1}, {**EQUAL, "attribute": "x", "value": True}),
    ({**EQUAL, "attribute": "x", "value": 0}, {**EQUAL, "attribute": "x", "value": False}),
    ({"segment": "t"}, {"segment": "t", "member": False}),
]


def same_to_the_engine(one: Json, other: Json) -> bool:
    first, second = (
        compile_segment(
            SegmentDefinition.model_validate(body),
            source=dumps(body),
            version=1,
            introduced=introduced,
            born=-1,
            settings=Settings(),
        )
        for introduced, body in enumerate((one, other))
    )
    return first.is_same_version(second)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_may_be_left_out_may_be_written_too(one: Json, other: Json) -> None:
    short, long = standard("s", one), standard("s", other, timezone=None, group="default")
    assert same_to_the_engine(short, long)
    assert same_conditions(short, long)
    assert formula_digest(short) == formula_digest(long)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_what_asks_for_something_else_is_not_the_same(one: Json, other: Json) -> None:
    assert not same_to_the_engine(standard("s", one), standard("s", other))
    assert not same_conditions(standard("s", one), standard("s", other))
    assert formula_digest(standard("s", one)) != formula_digest(standard("s", other))


@given(definitions_without_id)
def test_a_definition_is_the_same_with_all_its_defaults_written(body: Json) -> None:
    definition = definition_of("s", moments_written(body, NOW))
    whole = SegmentDefinition.model_validate(definition).model_dump(mode="json")
    assert same_conditions(definition, whole)
    assert same_to_the_engine(definition, whole)


def test_an_edit_that_only_writes_a_default_leaves_the_memberships_standing() -> None:
    desk = Desk()
    desk.create(ANN, advanced("s", EVENT))
    desk.ask(ANN, "calculate", segment_id="s")
    desk.finish("s")
    desk.ask(ANN, "update", definition=advanced("s", {**EVENT, "not": False}))
    row = desk.entry("s").row
    assert (row.status, row.version, row.live_version) == ("completed", 2, 2)
