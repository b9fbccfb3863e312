"""Every definition on the page compiles, every operator is on it, and what it says is refused is."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest

from schemas.operands import OPERATORS
from streamseg.errors import RejectedError
from streamseg.plan.definitions import Definitions
from streamseg.records.inputs import Record
from streamseg.settings import Settings
from tests.docs.pages import section, sections
from tests.docs.timelines import segment

PAGE = "segment-language.md"
BLOCKS = [(f"{one.title}, {index}", block) for one in sections(PAGE) for index, block in enumerate(one.json)]
FULL = [block for _, block in BLOCKS if "segment_id" in block]


def as_definition(block: Any) -> dict[str, Any]:
    """A block as it stands on the page, made a whole definition where it is a fragment."""
    if isinstance(block, dict) and "segment_id" in block:
        return block
    fragments = block if isinstance(block, list) else [block]
    clusters = [one if "match" in one else {"match": "all", "conditions": [one]} for one in fragments]
    return {"segment_id": "fragment", "type": "standard", "name": "fragment", "clusters": clusters}


def take(definitions: Definitions, definition: Any, offset: int, key: str | None = None) -> None:
    key = key or definition["segment_id"]
    definitions.take(Record("segment-definitions", 0, offset, 0, key.encode(), orjson.dumps(definition)))


@pytest.fixture
def definitions() -> Definitions:
    """All whole definitions of the page in force, taken in the order of the page."""
    taken = Definitions(Settings())
    for offset, definition in enumerate(FULL):
        take(taken, definition, offset)
    return taken


@pytest.mark.parametrize("block", [block for _, block in BLOCKS], ids=[name for name, _ in BLOCKS])
def test_each_example_compiles(definitions: Definitions, block: Any) -> None:
    definition = as_definition(block)
    take(definitions, definition, 1_000)
    assert definition["segment_id"] in definitions.plan.segments


def test_the_table_has_every_operator() -> None:
    names = {
        name
        for row in section(PAGE, "Operators").rows
        for cell in row[:2]
        for name in re.findall(r"`(\w+)`", cell)
    }
    assert names == OPERATORS


def test_every_operator_has_an_example() -> None:
    used = {
        condition["operator"]
        for one in section(PAGE, "Operators").json
        for condition in (one if isinstance(one, list) else [one])
    }
    assert used == OPERATORS


VIP = {"attribute": "tags", "operator": "contains_any", "value": ["vip"]}


def number(operator: str, value: Any) -> dict[str, Any]:
    return {"attribute": "level", "operator": operator, "value": value}


@pytest.mark.parametrize(
    ("condition", "code", "path"),
    [
        ({**VIP, "Held": {}}, "invalid_schema", "Held"),
        ({**VIP, "value": []}, "invalid_schema", "value"),
        ({**VIP, "operator": "like"}, "invalid_schema", "operator"),
        ({**VIP, "held": {"at_least": "P1D", "less_than": "P7D"}}, "invalid_schema", "held"),
        ({**VIP, "event": "purchase"}, "invalid_schema", ""),
        (number("between", [5, 1]), "invalid_schema", "value[1]"),
        (number("between", [5, None]), "invalid_schema", "value"),
        (number("between", [None, None]), "invalid_schema", "value"),
        (number("between", ["2026-02-01", "2026-01-01"]), "invalid_schema", "value"),
        (number("matches", "(?<=a)b"), "invalid_schema", "value"),
        (number("matches", "a" * 1_001), "invalid_schema", "value"),
        (number("within_last", "P1M"), "invalid_schema", "value"),
        (number("within_last", "P1Y"), "invalid_schema", "value"),
        (number("within_last", "-P1D"), "invalid_schema", "value"),
        (number("anniversary", {"in_next": "PT1H"}), "invalid_schema", "value.in_next"),
        (number("contains", 5), "invalid_schema", "value"),
        ({**number("gt", 5), "ignore_case": True}, "invalid_schema", "ignore_case"),
        ({**number("gt", 5), "attribute": "location"}, "invalid_schema", "operator"),
        ({**number("eq", "5"), "attribute": "member_points"}, "invalid_schema", "value"),
        ({**number("eq", "2026-05-01"), "attribute": "created_at"}, "invalid_schema", "operator"),
        ({**number("eq", 5), "attribute": "a..b"}, "invalid_schema", "attribute"),
        (
            {**number("in_period", {"unit": "day", "from": 0, "to": 0}), "held": {"at_least": "P1D"}},
            "invalid_schema",
            "held",
        ),
        ({**number("not_within_last", "P1D"), "held": {"at_least": "P1D"}}, "invalid_schema", "held"),
        ({"event": "purchase", "window": {"last": "P401D"}}, "invalid_schema", "window.last"),
        ({"event": "purchase", "window": {"from": "-P401D", "to": "-P1D"}}, "invalid_schema", "window.from"),
        ({"event": "purchase", "window": {"from": "-P1D", "to": "-P2D"}}, "invalid_schema", "window.to"),
        (
            {"event": "purchase", "window": {"between": ["2026-02-01", "2026-01-01"]}},
            "invalid_schema",
            "window.between",
        ),
        (
            {"event": "purchase", "select": "last", "count": {"operator": "ge", "value": 1}},
            "invalid_schema",
            "count",
        ),
        (
            {"sequence": [{"absent": {"event": "a"}}, {"event": "b"}], "within": "P1D"},
            "invalid_schema",
            "sequence[0]",
        ),
        ({"sequence": [{"event": "a"}] * 9, "within": "P1D"}, "invalid_schema", "sequence"),
        (
            {"sequence": [{"event": "a", "count": {"operator": "ge", "value": 2}}], "within": "P1D"},
            "invalid_schema",
            "sequence[0].count",
        ),
        ({"sample": 0}, "invalid_schema", "sample"),
        ({"segment": "nowhere"}, "unknown_reference", "segment"),
        ({"segment": "refused"}, "reference_cycle", "segment"),
    ],
)
def test_what_the_page_says_is_refused_is(
    definitions: Definitions, condition: dict[str, Any], code: str, path: str
) -> None:
    with pytest.raises(RejectedError) as refusal:
        take(definitions, segment("refused", condition), 1_000)
    assert refusal.value.code == code
    assert refusal.value.path == ".".join(filter(None, ("clusters[0].conditions[0]", path)))


@pytest.mark.parametrize(
    "condition",
    [
        number("between", [5, 5]),
        number("between", ["2026-01-01", "2026-01-01"]),
        number("between", [None, "2026-01-01"]),
        {"event": "purchase", "window": {"between": ["2026-01-01", "2026-01-01"]}},
        {"event": "purchase", "window": {"from": "-P1D", "to": "-P1D"}},
        {"event": "purchase", "window": {"last": "P400D"}},
    ],
)
def test_bounds_may_be_equal(definitions: Definitions, condition: dict[str, Any]) -> None:
    take(definitions, segment("accepted", condition), 1_000)


@pytest.mark.parametrize(
    ("definition", "code", "path"),
    [
        (segment("a|b", VIP), "invalid_schema", "segment_id"),
        (segment("s", VIP, timezone="Shanghai"), "invalid_schema", "timezone"),
        (segment("s", VIP, color="red"), "invalid_schema", "color"),
        ({"segment_id": "s", "type": "standard", "name": "s", "clusters": []}, "invalid_schema", "clusters"),
        ({"segment_id": "s", "type": "standard", "name": "s"}, "invalid_schema", "clusters"),
        (
            {
                "segment_id": "s",
                "type": "static",
                "name": "s",
                "clusters": [{"match": "all", "conditions": [VIP]}],
            },
            "invalid_schema",
            "clusters",
        ),
        (
            {
                "segment_id": "s",
                "type": "advanced",
                "name": "s",
                "parts": [{"relation": "exclude", "clusters": [{"match": "all", "conditions": [VIP]}]}],
            },
            "invalid_schema",
            "parts",
        ),
        (
            {
                "segment_id": "s",
                "type": "advanced",
                "name": "s",
                "parts": [{"relation": "include", "clusters": [{"match": "all", "conditions": [VIP]}]}] * 21,
            },
            "invalid_schema",
            "parts",
        ),
        (segment("email-unsubscribed", VIP), "not_permitted", "segment_id"),
        (segment("s", {**VIP, "value": ["v" * (1 << 20)]}), "too_large", ""),
    ],
)
def test_definitions_that_are_refused(
    definitions: Definitions, definition: dict[str, Any], code: str, path: str
) -> None:
    with pytest.raises(RejectedError) as refusal:
        take(definitions, definition, 1_000)
    assert (refusal.value.code, refusal.value.path) == (code, path)


def test_a_segment_in_use_or_built_in_cannot_be_deleted(definitions: Definitions) -> None:
    for segment_id, code in (("customers", "in_use"), ("global-unsubscribed", "not_permitted")):
        with pytest.raises(RejectedError) as refusal:
            definitions.take(Record("segment-definitions", 0, 1_000, 0, segment_id.encode(), None))
        assert refusal.value.code == code


def test_a_definition_under_another_key_is_refused(definitions: Definitions) -> None:
    with pytest.raises(RejectedError) as refusal:
        take(definitions, segment("s", VIP), 1_000, key="t")
    assert (refusal.value.code, refusal.value.path) == ("invalid_schema", "segment_id")
