"""Two definitions with different meanings never have the same sentence."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from schemas import definitions as wire
from schemas.definitions import FORMULA, SegmentDefinition
from schemas.durations import duration_ms
from schemas.operands import OPERATORS, Anniversary, Calendar, Period
from schemas.property_conditions import (
    ElementGroup,
    ElementPropertyCondition,
    ElementsCondition,
    InnerElementsCondition,
    PropertyCondition,
    Where,
)
from streamseg.catalogue.labels import Language
from streamseg.wording.definitions import definition
from streamseg.wording.order import WRITTEN_ORDER, in_written_order
from tests.engine.cases import case
from tests.engine.story import all_of, any_of
from tests.strategies.conditions import definitions_without_id
from tests.strategies.values import written

Json = dict[str, Any]
START = 1_777_593_600_000
slow_machine = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
LANGUAGES: tuple[Language, ...] = ("zh", "en")
DURATION = re.compile(r"[+-]?P[0-9WDTHMS.]+")


def read(body: Json) -> SegmentDefinition:
    return SegmentDefinition.model_validate({"segment_id": "s", "name": "s", **body})


def canonical(one: SegmentDefinition) -> str:
    """What a definition asks for, as JSON: defaults filled in, lengths in milliseconds, and of a single
    condition no word on how it is joined."""
    return json.dumps(_plain(one.model_dump(mode="json", include=set(FORMULA))), sort_keys=True)


def _plain(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        if len(value.get("conditions") or ()) == 1:
            value = {**value, "match": "all"}
        return {name: _plain(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, key) for item in value]
    if isinstance(value, str) and key not in ("property", "attribute", "event") and DURATION.fullmatch(value):
        try:
            return ["ms", duration_ms(value)]
        except ValueError:
            return value
    return value


# Texts that look like what a sentence says of itself, or like another type.
CONFUSING = st.sampled_from(
    [
        *(
            "1",
            "1.0",
            "true",
            "false",
            "null",
            "是",
            "否",
            "不限",
            "现在",
            "有值",
            "set",
            "not set",
            "not",
            "cn",
        ),
        *(
            "且",
            "或",
            "and",
            "cn 且 cn",
            "cn and cn",
            "cn、cn",
            "cn, cn",
            "[cn]",
            "“cn”",
            '"cn"',
            "cn”",
            'cn"',
        ),
        *(
            "cn（不区分大小写）",
            "cn (case ignored)",
            "7 天内",
            "P7D",
            "2026-05-01",
            "所在地",
            "location",
            "\\",
            '\\"',
        ),
        *(
            "cn ",
            " cn",
            "cn\n",
            "cn\\n",
            "cn\u200b",
            "ｃｎ",
            "cn）",
            "cn)",
            "盐",
            "buy*",
            "*",
            "email_open",
            "邮件打开",
        ),
        *("a.b", "a\\.b", "cn（已持续至少 1 天）", "中国、法国", "中国", "CN"),
    ]
)
OPERATOR_NAMES = st.sampled_from(sorted(OPERATORS))
NUMBERS = st.sampled_from([0, 1, 1.0, -1, 2.5, 10**20, True, False])


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of everything in a JSON value that is no object and no list."""
    if isinstance(value, (dict, list)):
        for step, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*path, step))
    else:
        yield path


def replaced(body: Json, path: tuple[Any, ...], new: Any) -> Json:
    changed = copy.deepcopy(body)
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = new
    return changed


def accepted(body: Json) -> SegmentDefinition | None:
    try:
        return read(body)
    except ValidationError:
        return None


bodies = definitions_without_id.map(lambda body: written(body, START))


@st.composite
def neighbours(draw: st.DrawFn) -> list[SegmentDefinition]:
    """A definition, and others that differ from it in one place."""
    body = draw(bodies)
    found = [read(body)]
    for _ in range(draw(st.integers(1, 12))):
        path = draw(st.sampled_from(list(leaves(body))))
        news = OPERATOR_NAMES if path[-1] == "operator" else st.one_of(CONFUSING, CONFUSING, NUMBERS)
        other = accepted(replaced(body, path, draw(news)))
        if other is not None:
            found.append(other)
    return found


@slow_machine
@given(neighbours())
def test_definitions_that_differ_in_one_place_read_differently(several: list[SegmentDefinition]) -> None:
    assert_told_apart(several)


@slow_machine
@given(st.lists(bodies.map(read), min_size=4, max_size=12))
def test_definitions_that_differ_read_differently(several: list[SegmentDefinition]) -> None:
    assert_told_apart(several)


def assert_told_apart(several: list[SegmentDefinition]) -> None:
    for language in LANGUAGES:
        asked: dict[str, str] = {}
        for one in several:
            assert asked.setdefault(definition(one, language), canonical(one)) == canonical(one)


# --- every field ------------------------------------------------------------------------------------

BUY = {"event": "buy"}
WHERE = all_of({"property": "n", "operator": "is_set"})
OTHER_WHERE = all_of({"property": "m", "operator": "is_set"})
SUM = {"function": "sum", "property": "n", "operator": "gt", "value": 1}
TEST = {"attribute": "a", "operator": "eq", "value": "x"}
SEQUENCE = {"sequence": [BUY, {"event": "open"}], "within": "P1D"}
MONTH = {"unit": "month", "from": -2, "to": -1}


def standard(*conditions: Json) -> Json:
    return {"type": "standard", "clusters": [all_of(*conditions)]}


def advanced(part: Json) -> Json:
    parts = [{"name": "x", "relation": "include", "clusters": [all_of(TEST)]}, part]
    return {"type": "advanced", "parts": parts}


def in_where(**test: Any) -> Json:
    return standard({**BUY, "where": all_of({"property": "n", "operator": "eq", "value": "x", **test})})


def over(window: Json) -> Json:
    return standard({**BUY, "window": window})


def judging(operator: str, value: Any) -> Json:
    return standard({"attribute": "a", "operator": operator, "value": value})


def in_elements(group: Json = WHERE, /, **more: Any) -> Json:
    return standard({"attribute": "a", "elements": group, **more})


def in_element(**test: Any) -> Json:
    return in_elements(all_of({"property": "n", "operator": "eq", "value": "x", **test}))


def listed(**more: Any) -> Json:
    return standard({**BUY, "where": all_of({"elements": "l", **WHERE, **more})})


def nested(**more: Any) -> Json:
    return in_elements(all_of({"elements": "l", **WHERE, **more}))


def summed(**more: Any) -> Json:
    return standard({**BUY, "aggregate": {**SUM, **more}})


TWICE = {"conditions": WHERE["conditions"] * 2}
ONE = {"operator": "eq", "value": 1}
PART = {"name": "y", "relation": "include", "clusters": [all_of(BUY)]}
SELECTED = {**BUY, "select": "last"}
# model and field -> two definitions that differ in that field alone
DIFFERING: dict[tuple[type[BaseModel], str], tuple[Json, Json]] = {
    (SegmentDefinition, "type"): ({"type": "static"}, standard(TEST)),
    (SegmentDefinition, "clusters"): (standard(TEST), standard(BUY)),
    (SegmentDefinition, "parts"): (advanced(PART), advanced({**PART, "clusters": [all_of(TEST)]})),
    (SegmentDefinition, "timezone"): (standard(TEST), {**standard(TEST), "timezone": "UTC"}),
    (wire.Part, "name"): (advanced(PART), advanced({**PART, "name": None})),
    (wire.Part, "relation"): (advanced(PART), advanced({**PART, "relation": "exclude"})),
    (wire.Part, "clusters"): (advanced(PART), advanced({**PART, "clusters": [all_of(TEST), all_of(BUY)]})),
    (wire.Cluster, "match"): (standard(TEST, BUY), {"type": "standard", "clusters": [any_of(TEST, BUY)]}),
    (wire.Cluster, "conditions"): (standard(TEST, BUY), standard(TEST)),
    (wire.AttributeCondition, "attribute"): (standard(TEST), standard({**TEST, "attribute": "b"})),
    (wire.AttributeCondition, "operator"): (standard(TEST), standard({**TEST, "operator": "ne"})),
    (wire.AttributeCondition, "value"): (standard(TEST), standard({**TEST, "value": "y"})),
    (wire.AttributeCondition, "ignore_case"): (standard(TEST), standard({**TEST, "ignore_case": True})),
    (wire.AttributeCondition, "not_"): (standard(TEST), standard({**TEST, "not": True})),
    (wire.AttributeCondition, "held"): (standard(TEST), standard({**TEST, "held": {"at_least": "P1D"}})),
    (wire.Held, "at_least"): (
        standard({**TEST, "held": {"at_least": "P1D"}}),
        standard({**TEST, "held": {"at_least": "P2D"}}),
    ),
    (wire.Held, "less_than"): (
        standard({**TEST, "held": {"at_least": "P1D"}}),
        standard({**TEST, "held": {"less_than": "P1D"}}),
    ),
    (PropertyCondition, "property"): (in_where(), in_where(property="m")),
    (PropertyCondition, "operator"): (in_where(), in_where(operator="ne")),
    (PropertyCondition, "value"): (in_where(), in_where(value="y")),
    (PropertyCondition, "ignore_case"): (in_where(), in_where(ignore_case=True)),
    (PropertyCondition, "not_"): (in_where(), in_where(**{"not": True})),
    (Where, "match"): (
        standard({**BUY, "where": {**WHERE, "conditions": WHERE["conditions"] * 2}}),
        standard({**BUY, "where": any_of(*WHERE["conditions"] * 2)}),
    ),
    (Where, "conditions"): (
        standard({**BUY, "where": WHERE}),
        standard({**BUY, "where": {**WHERE, "conditions": WHERE["conditions"] * 2}}),
    ),
    (wire.EventCondition, "event"): (standard(BUY), standard({"event": "open"})),
    (wire.EventCondition, "where"): (standard(BUY), standard({**BUY, "where": WHERE})),
    (wire.EventCondition, "count"): (
        standard(BUY),
        standard({**BUY, "count": {"operator": "ge", "value": 2}}),
    ),
    (wire.EventCondition, "window"): (standard(BUY), over({"last": "P1D"})),
    (wire.EventCondition, "select"): (standard(SELECTED), standard({**BUY, "select": "first"})),
    (wire.EventCondition, "has"): (standard(SELECTED), standard({**SELECTED, "has": WHERE})),
    (wire.EventCondition, "aggregate"): (standard(BUY), standard({**BUY, "aggregate": SUM})),
    (wire.EventCondition, "not_"): (standard(BUY), standard({**BUY, "not": True})),
    (wire.Count, "operator"): (
        standard({**BUY, "count": {"operator": "ge", "value": 2}}),
        standard({**BUY, "count": {"operator": "gt", "value": 2}}),
    ),
    (wire.Count, "value"): (
        standard({**BUY, "count": {"operator": "eq", "value": 0}}),
        standard({**BUY, "count": {"operator": "eq", "value": 1}}),
    ),
    **{
        (wire.Aggregate, name): (
            standard({**BUY, "aggregate": SUM}),
            standard({**BUY, "aggregate": {**SUM, name: other}}),
        )
        for name, other in (("function", "avg"), ("property", "m"), ("operator", "lt"), ("value", 2))
    },
    (wire.LastWindow, "last"): (over({"last": "P1D"}), over({"last": "P2D"})),
    (wire.BetweenWindow, "between"): (over({"between": [None, 1]}), over({"between": [1, None]})),
    (wire.OffsetWindow, "from_"): (
        over({"from": "-P3D", "to": "-P1D"}),
        over({"from": "-P2D", "to": "-P1D"}),
    ),
    (wire.OffsetWindow, "to"): (over({"from": "-P3D", "to": "-P1D"}), over({"from": "-P3D", "to": "PT0S"})),
    (wire.PeriodWindow, "period"): (over({"period": MONTH}), over({"last": "P1D"})),
    (Period, "unit"): (over({"period": MONTH}), over({"period": {**MONTH, "unit": "week"}})),
    (Period, "from_"): (over({"period": MONTH}), over({"period": {**MONTH, "from": -1}})),
    (Period, "to"): (over({"period": MONTH}), over({"period": {**MONTH, "to": 0}})),
    (Calendar, "unit"): (
        judging("calendar", {"unit": "month", "values": [1]}),
        judging("calendar", {"unit": "day", "values": [1]}),
    ),
    (Calendar, "values"): (
        judging("calendar", {"unit": "weekday", "values": [1]}),
        judging("calendar", {"unit": "weekday", "values": [1, 2]}),
    ),
    (Anniversary, "in_next"): (
        judging("anniversary", {"in_next": "P1D"}),
        judging("anniversary", {"in_next": "P2D"}),
    ),
    (wire.SegmentCondition, "segment"): (standard({"segment": "x"}), standard({"segment": "y"})),
    (wire.SegmentCondition, "member"): (
        standard({"segment": "x"}),
        standard({"segment": "x", "member": False}),
    ),
    (wire.SegmentCondition, "not_"): (standard({"segment": "x"}), standard({"segment": "x", "not": True})),
    (wire.SequenceStep, "event"): (
        standard(SEQUENCE),
        standard({**SEQUENCE, "sequence": [BUY, {"event": "click"}]}),
    ),
    (wire.SequenceStep, "where"): (
        standard(SEQUENCE),
        standard({**SEQUENCE, "sequence": [BUY, {"event": "open", "where": WHERE}]}),
    ),
    (wire.AbsentStep, "absent"): (
        standard(SEQUENCE),
        standard({**SEQUENCE, "sequence": [BUY, {"absent": {"event": "open"}}]}),
    ),
    (wire.SequenceCondition, "sequence"): (standard(SEQUENCE), standard({**SEQUENCE, "sequence": [BUY]})),
    (wire.SequenceCondition, "within"): (standard(SEQUENCE), standard({**SEQUENCE, "within": "P2D"})),
    (wire.SequenceCondition, "window"): (
        standard(SEQUENCE),
        standard({**SEQUENCE, "window": {"last": "P1D"}}),
    ),
    (wire.SequenceCondition, "not_"): (standard(SEQUENCE), standard({**SEQUENCE, "not": True})),
    (wire.SampleCondition, "sample"): (standard({"sample": 0.5}), standard({"sample": 0.25})),
    (wire.SampleCondition, "salt"): (standard({"sample": 0.5}), standard({"sample": 0.5, "salt": ""})),
    (wire.AttributeCondition, "normalize"): (standard(TEST), standard({**TEST, "normalize": True})),
    (wire.AttributeCondition, "as_"): (
        standard({**TEST, **ONE}),
        standard({**TEST, **ONE, "as": "number"}),
    ),
    (PropertyCondition, "normalize"): (in_where(), in_where(normalize=True)),
    (PropertyCondition, "as_"): (in_where(value=1), in_where(value=1, **{"as": "number"})),
    (wire.AttributeElementsCondition, "attribute"): (in_elements(), in_elements(attribute="b")),
    (wire.AttributeElementsCondition, "elements"): (in_elements(), in_elements(OTHER_WHERE)),
    (wire.AttributeElementsCondition, "held"): (in_elements(), in_elements(held={"at_least": "P1D"})),
    (wire.AttributeElementsCondition, "not_"): (in_elements(), in_elements(**{"not": True})),
    (ElementGroup, "match"): (
        in_elements({**WHERE, **TWICE}),
        in_elements(any_of(*TWICE["conditions"])),
    ),
    (ElementGroup, "conditions"): (in_elements(), in_elements({**WHERE, **TWICE})),
    (ElementPropertyCondition, "property"): (in_element(), in_element(property="")),
    (ElementPropertyCondition, "operator"): (in_element(), in_element(operator="ne")),
    (ElementPropertyCondition, "value"): (in_element(), in_element(value="y")),
    (ElementPropertyCondition, "ignore_case"): (in_element(), in_element(ignore_case=True)),
    (ElementPropertyCondition, "normalize"): (in_element(), in_element(normalize=True)),
    (ElementPropertyCondition, "as_"): (in_element(value=1), in_element(value=1, **{"as": "number"})),
    (ElementPropertyCondition, "not_"): (in_element(), in_element(**{"not": True})),
    (ElementsCondition, "elements"): (listed(), listed(elements="m")),
    (ElementsCondition, "match"): (listed(**TWICE), listed(**TWICE, match="any")),
    (ElementsCondition, "conditions"): (listed(), listed(**TWICE)),
    (ElementsCondition, "not_"): (listed(), listed(**{"not": True})),
    (InnerElementsCondition, "elements"): (nested(), nested(elements="")),
    (InnerElementsCondition, "match"): (nested(**TWICE), nested(**TWICE, match="any")),
    (InnerElementsCondition, "conditions"): (nested(), nested(**TWICE)),
    (InnerElementsCondition, "not_"): (nested(), nested(**{"not": True})),
    (wire.Aggregate, "elements"): (summed(), summed(elements="l")),
    (wire.Aggregate, "where"): (summed(elements="l"), summed(elements="l", where=OTHER_WHERE)),
    (wire.Aggregate, "as_"): (summed(), summed(**{"as": "number"})),
    (Period, "week_start"): (
        over({"period": {**MONTH, "unit": "week"}}),
        over({"period": {**MONTH, "unit": "week", "week_start": 7}}),
    ),
    (wire.SequenceCondition, "step_within"): (
        standard(SEQUENCE),
        standard({**SEQUENCE, "step_within": "PT1H"}),
    ),
    (wire.SampleCondition, "not_"): (standard({"sample": 0.5}), standard({"sample": 0.5, "not": True})),
}


def models() -> list[type[BaseModel]]:
    """Every model that a definition is made of, those of operands too."""
    found: list[type[BaseModel]] = []
    waiting: list[Any] = [SegmentDefinition, Period, Calendar, Anniversary]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            if kind not in found:
                found.append(kind)
                waiting += [field.annotation for field in kind.model_fields.values()]
        else:
            waiting += get_args(kind)
    return found


FIELDS = [
    (model, name)
    for model in models()
    for name in model.model_fields
    if model is not SegmentDefinition or name in FORMULA
]


@pytest.mark.parametrize(
    ("model", "name"), [case(f"{model.__name__}.{name}", model, name) for model, name in FIELDS]
)
def test_every_field_of_a_definition_is_said(model: type[BaseModel], name: str) -> None:
    one, other = (read(body) for body in DIFFERING[model, name])
    for language in LANGUAGES:
        assert definition(one, language) != definition(other, language)


def test_every_key_has_its_place_in_the_written_order() -> None:
    keys = {field.alias or name for model in models() for name, field in model.model_fields.items()}
    assert set(WRITTEN_ORDER) == keys
    assert len(WRITTEN_ORDER) == len(keys)


def test_json_is_ordered_as_a_person_writes_it() -> None:
    written_so = {
        "segment_id": "s",
        "name": "s",
        "type": "standard",
        "group": "default",
        "version": 3,
        "clusters": [
            {
                "match": "all",
                "conditions": [
                    {"attribute": "a", "operator": "eq", "value": "x", "ignore_case": True, "not": True},
                    {
                        "event": "b",
                        "where": WHERE,
                        "count": {"operator": "ge", "value": 1},
                        "window": {"last": "P1D"},
                    },
                    {"event": "b", "aggregate": SUM},
                ],
            }
        ],
    }
    shuffled = json.loads(json.dumps(written_so, sort_keys=True))
    assert json.dumps(in_written_order({**shuffled, "x": 1})) == json.dumps({**written_so, "x": 1})
