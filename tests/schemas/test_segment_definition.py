"""Valid segment definitions, and the error paths of invalid ones."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from schemas.definitions import (
    AbsentStep,
    AttributeCondition,
    BetweenWindow,
    EventCondition,
    LastWindow,
    OffsetWindow,
    PeriodWindow,
    SampleCondition,
    SegmentCondition,
    SegmentDefinition,
    SequenceCondition,
)

MEMBERS: dict[str, Any] = {
    "segment_id": "cn-members",
    "name": "案例分群",
    "type": "standard",
    "group": "default",
    "version": 3,
    "created_by": "a@x.cn",
    "created_at": "2026-05-01T08:00:00+08:00",
    "updated_by": "a@x.cn",
    "updated_at": 1777593600000,
    "shared_with": [],
    "clusters": [
        {
            "match": "all",
            "conditions": [
                {"attribute": "location", "operator": "eq", "value": "中国"},
                {"attribute": "imported_at", "operator": "within_last", "value": "P7D"},
            ],
        },
        {
            "match": "any",
            "conditions": [
                {
                    "event": "form_submit",
                    "where": {
                        "match": "all",
                        "conditions": [
                            {"property": "form", "operator": "eq", "value": "会员注册"},
                            {"property": "name", "operator": "is_set"},
                            {"property": "email", "operator": "is_set"},
                        ],
                    },
                },
                {
                    "event": "wechat_scan",
                    "where": {
                        "match": "all",
                        "conditions": [{"property": "scene", "operator": "eq", "value": "会员注册二维码"}],
                    },
                },
            ],
        },
    ],
}


def standard(condition: object, **more: object) -> dict[str, Any]:
    """A standard definition of one condition."""
    clusters = [{"match": "all", "conditions": [condition]}]
    return {"segment_id": "s", "name": "n", "type": "standard", "clusters": clusters, **more}


def advanced(*relations: str) -> dict[str, Any]:
    """An advanced definition with one part a relation."""
    clusters = standard({"sample": 0.5})["clusters"]
    parts = [{"name": "部分", "relation": relation, "clusters": clusters} for relation in relations]
    return {"segment_id": "push", "name": "邮件推送", "type": "advanced", "parts": parts}


def condition_of(definition: dict[str, Any]) -> Any:
    clusters = SegmentDefinition.model_validate(definition).clusters
    assert clusters is not None
    return clusters[0].conditions[0]


def test_the_acceptance_example_is_taken_and_written_back_as_it_came() -> None:
    definition = SegmentDefinition.model_validate(MEMBERS)
    assert definition.model_dump(mode="json", exclude_unset=True) == MEMBERS


def test_an_advanced_definition_is_taken_and_written_back_as_it_came() -> None:
    value = advanced("include", "exclude")
    assert SegmentDefinition.model_validate(value).model_dump(mode="json", exclude_unset=True) == value


def test_a_static_definition_has_no_conditions() -> None:
    definition = SegmentDefinition.model_validate({"segment_id": "fair", "name": "展会", "type": "static"})
    assert (definition.clusters, definition.parts, definition.group) == (None, None, "default")


def test_no_value_is_told_from_null_by_the_fields_that_were_set() -> None:
    condition = condition_of(standard({"attribute": "email", "operator": "is_set"}))
    assert "value" not in condition.model_fields_set


@pytest.mark.parametrize(
    ("condition", "kind"),
    [
        ({"attribute": "a.b", "operator": "is_set", "not": True}, AttributeCondition),
        ({"attribute": r"a\.b", "operator": "eq", "value": 1, "held": {"less_than": "P7D"}},
         AttributeCondition),
        ({"event": "page_*", "count": {"operator": "eq", "value": 0}}, EventCondition),
        ({"event": "*", "select": "last", "has": {"match": "any", "conditions": [
            {"property": "p", "operator": "contains", "value": "x", "ignore_case": True}]}}, EventCondition),
        ({"event": "buy", "aggregate": {
            "function": "sum", "property": "order.amount", "operator": "between", "value": [1, None],
        }}, EventCondition),
        ({"segment": "email-unsubscribed", "member": False}, SegmentCondition),
        ({"sequence": [{"event": "form_open"}, {"absent": {"event": "form_submit"}}], "within": "P1D"},
         SequenceCondition),
        ({"sequence": [{"event": "form_open"}], "within": "PT1H", "window": {"last": "P3D"}},
         SequenceCondition),
        ({"sample": 1}, SampleCondition),
        ({"sample": 0.25, "salt": "x"}, SampleCondition),
    ],
)  # fmt: skip
def test_a_condition_is_recognised_by_its_key(condition: dict[str, Any], kind: type[BaseModel]) -> None:
    taken = condition_of(standard(condition))
    assert type(taken) is kind
    assert taken.model_dump(mode="json", exclude_unset=True) == condition


@pytest.mark.parametrize(
    ("window", "kind"),
    [
        ({"last": "P30D"}, LastWindow),
        ({"between": ["2026-05-01T00:00:00Z", None]}, BetweenWindow),
        ({"between": [None, 1777593600000]}, BetweenWindow),
        ({"from": "-P14D", "to": "-P7D"}, OffsetWindow),
        ({"from": "-P14D", "to": "PT0S"}, OffsetWindow),
        ({"period": {"unit": "week", "from": -1, "to": -1}}, PeriodWindow),
    ],
)
def test_a_window_is_recognised_by_its_key(window: dict[str, Any], kind: type[BaseModel]) -> None:
    taken = condition_of(standard({"event": "e", "window": window})).window
    assert type(taken) is kind
    assert taken.model_dump(mode="json", exclude_unset=True) == window


def test_an_absent_step_is_recognised_by_its_key() -> None:
    steps = [{"event": "a"}, {"absent": {"event": "b"}}]
    taken = condition_of(standard({"sequence": steps, "within": "P1D"}))
    assert isinstance(taken.sequence[1], AbsentStep)


CONDITION = "clusters[0].conditions[0]"
ONE_EVENT = {"match": "all", "conditions": [{"property": "p", "operator": "is_set"}]}
SUM = {"function": "sum", "property": "p", "operator": "gt", "value": 1}
ABSENT = {"absent": {"event": "b"}}

REFUSED_CONDITIONS: list[tuple[object, str]] = [
    # recognising
    ("text", ""),
    ({}, ""),
    ({"evnt": "e"}, ""),
    ({"event": "e", "attribute": "a"}, ""),
    # unknown keys and wrong types
    ({"event": "e", "windows": {"last": "P1D"}}, "windows"),
    ({"event": "e", "not_": True}, "not_"),
    ({"event": "e", "not": "true"}, "not"),
    ({"event": 3}, "event"),
    ({"event": ""}, "event"),
    ({"event": "e", "where": []}, "where"),
    ({"event": "e", "where": {"match": "all", "conditions": []}}, "where.conditions"),
    ({"event": "e", "where": {"match": "none", "conditions": ONE_EVENT["conditions"]}}, "where.match"),
    ({"event": "e", "where": {"match": "all", "conditions": [{"property": "a..b", "operator": "is_set"}]}},
     "where.conditions[0].property"),
    # paths
    ({"attribute": "", "operator": "is_set"}, "attribute"),
    ({"attribute": ".a", "operator": "is_set"}, "attribute"),
    ({"attribute": "a.", "operator": "is_set"}, "attribute"),
    ({"attribute": "a..b", "operator": "is_set"}, "attribute"),
    # held
    ({"attribute": "a", "operator": "is_set", "held": {}}, "held"),
    ({"attribute": "a", "operator": "is_set", "held": {"at_least": "P1D", "less_than": "P2D"}}, "held"),
    ({"attribute": "a", "operator": "is_set", "held": {"at_least": "P1M"}}, "held.at_least"),
    ({"attribute": "a", "operator": "within_last", "value": "P1D", "held": {"at_least": "P1D"}}, "held"),
    ({"attribute": "a", "operator": "not_relative_between", "value": ["P1D", "P2D"],
      "held": {"at_least": "P1D"}}, "held"),
    ({"attribute": "a", "operator": "anniversary", "value": {"in_next": "P1D"}, "held": {"at_least": "P1D"}},
     "held"),
    # counting
    ({"event": "e", "count": {"operator": "ge", "value": -1}}, "count.value"),
    ({"event": "e", "count": {"operator": "ge", "value": True}}, "count.value"),
    ({"event": "e", "count": {"operator": "ge", "value": 1.5}}, "count.value"),
    ({"event": "e", "count": {"operator": "ge", "value": "1"}}, "count.value"),
    ({"event": "e", "count": {"operator": "between", "value": 1}}, "count.operator"),
    ({"event": "e", "count": {"value": 1}}, "count.operator"),
    ({"event": "e", "count": 3}, "count"),
    ({"event": "e", "count": {"operator": "ge", "value": 1}, "aggregate": SUM}, "aggregate"),
    ({"event": "e", "aggregate": {**SUM, "function": "median"}}, "aggregate.function"),
    ({"event": "e", "aggregate": {**SUM, "value": "1"}}, "aggregate.value"),
    ({"event": "e", "aggregate": {**SUM, "operator": "between", "value": [2, 1]}}, "aggregate.value[1]"),
    ({"event": "e", "aggregate": {**SUM, "operator": "in", "value": [2]}}, "aggregate.operator"),
    # selecting
    ({"event": "e", "select": "latest"}, "select"),
    ({"event": "e", "has": ONE_EVENT}, "has"),
    ({"event": "e", "select": "last", "count": {"operator": "ge", "value": 1}}, "count"),
    ({"event": "e", "select": "first", "aggregate": SUM}, "aggregate"),
    # windows
    ({"event": "e", "window": {}}, "window"),
    ({"event": "e", "window": {"last": "P1D", "between": [None, 1]}}, "window"),
    ({"event": "e", "window": {"last": "P1D", "unit": "day"}}, "window.unit"),
    ({"event": "e", "window": {"last": "-P1D"}}, "window.last"),
    ({"event": "e", "window": {"last": "P1Y"}}, "window.last"),
    ({"event": "e", "window": {"last": 7}}, "window.last"),
    ({"event": "e", "window": {"between": [None, None]}}, "window.between"),
    ({"event": "e", "window": {"between": ["2026-05-01"]}}, "window.between"),
    ({"event": "e", "window": {"between": ["yesterday", None]}}, "window.between[0]"),
    ({"event": "e", "window": {"between": [None, 1.5]}}, "window.between[1]"),
    ({"event": "e", "window": {"from": "-P1D"}}, "window.to"),
    ({"event": "e", "window": {"from": "-P1D", "to": "-P2D"}}, "window.to"),
    ({"event": "e", "window": {"period": {"unit": "decade", "from": 0, "to": 0}}}, "window.period.unit"),
    ({"event": "e", "window": {"period": {"unit": "day", "from": 0, "to": -1}}}, "window.period.to"),
    ({"event": "e", "window": {"period": {"unit": "day", "from": "0", "to": 0}}}, "window.period.from"),
    # references
    ({"segment": ""}, "segment"),
    ({"segment": "a", "member": 1}, "member"),
    # sequences
    ({"sequence": [], "within": "P1D"}, "sequence"),
    ({"sequence": [{"event": "a"}] * 9, "within": "P1D"}, "sequence"),
    ({"sequence": [{"event": "a"}]}, "within"),
    ({"sequence": [{"event": "a"}], "within": "P1M"}, "within"),
    ({"sequence": [{"event": "a", "count": {"operator": "ge", "value": 1}}], "within": "P1D"},
     "sequence[0].count"),
    ({"sequence": [{"event": "a", "window": {"last": "P1D"}}], "within": "P1D"}, "sequence[0].window"),
    ({"sequence": [{"event": "a"}, {"absent": {"event": "b", "not": True}}], "within": "P1D"},
     "sequence[1].absent.not"),
    ({"sequence": [{"event": "a"}, {"event": "b", **ABSENT}], "within": "P1D"}, "sequence[1]"),
    ({"sequence": [ABSENT], "within": "P1D"}, "sequence[0]"),
    ({"sequence": [{"event": "a"}, ABSENT, {"event": "c"}], "within": "P1D"}, "sequence[1]"),
    # samples
    ({"sample": 0}, "sample"),
    ({"sample": 1.01}, "sample"),
    ({"sample": True}, "sample"),
    ({"sample": "0.5"}, "sample"),
    ({"sample": 0.5, "salt": 1}, "salt"),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "path"), REFUSED_CONDITIONS)
def test_a_wrong_condition_is_refused_where_it_is_wrong(refusal: Any, condition: object, path: str) -> None:
    wanted = f"{CONDITION}.{path}" if path else CONDITION
    found, message = refusal(SegmentDefinition, standard(condition))
    assert found == wanted
    assert message


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (None, ""),
        ([], ""),
        ({**MEMBERS, "statuses": 1}, "statuses"),
        ({**MEMBERS, "segment_id": ""}, "segment_id"),
        ({**MEMBERS, "segment_id": "a|b"}, "segment_id"),
        ({**MEMBERS, "segment_id": 1}, "segment_id"),
        ({**MEMBERS, "segment_id": "x" * 1_001}, "segment_id"),
        ({**MEMBERS, "group": "x" * 1_001}, "group"),
        ({**MEMBERS, "name": None}, "name"),
        ({**MEMBERS, "type": "dynamic"}, "type"),
        ({**MEMBERS, "type": "advanced"}, "clusters"),
        ({**MEMBERS, "type": "static"}, "clusters"),
        ({**MEMBERS, "clusters": None}, "clusters"),
        ({**MEMBERS, "clusters": []}, "clusters"),
        ({**MEMBERS, "clusters": [{"match": "all", "conditions": []}]}, "clusters[0].conditions"),
        ({**MEMBERS, "clusters": [{"match": "some", "conditions": [{"sample": 1}]}]}, "clusters[0].match"),
        ({**MEMBERS, "clusters": [{"conditions": [{"sample": 1}]}]}, "clusters[0].match"),
        ({**MEMBERS, "parts": advanced("include")["parts"]}, "parts"),
        ({**MEMBERS, "version": 0}, "version"),
        ({**MEMBERS, "version": 1.0}, "version"),
        ({**MEMBERS, "version": "3"}, "version"),
        ({**MEMBERS, "created_at": "May"}, "created_at"),
        ({**MEMBERS, "shared_with": ["a", 1]}, "shared_with[1]"),
        ({**MEMBERS, "shared_with": "a"}, "shared_with"),
        ({**MEMBERS, "timezone": 8}, "timezone"),
        ({**MEMBERS, "group": ""}, "group"),
        (advanced(), "parts"),
        (advanced("exclude", "exclude"), "parts"),
        (advanced(*["include"] * 21), "parts"),
        (advanced("include", "besides"), "parts[1].relation"),
        ({**advanced("include"), "type": "standard"}, "clusters"),
        ({**advanced("include"), "parts": [{"relation": "include", "clusters": []}]}, "parts[0].clusters"),
        ({**advanced("include"), "parts": [{"clusters": MEMBERS["clusters"]}]}, "parts[0].relation"),
    ],
)
def test_a_wrong_definition_is_refused_where_it_is_wrong(refusal: Any, value: object, path: str) -> None:
    assert refusal(SegmentDefinition, value)[0] == path


@pytest.mark.parametrize("name", ["segment_id", "name", "type"])
def test_a_definition_needs_its_id_name_and_type(refusal: Any, name: str) -> None:
    value = {key: part for key, part in MEMBERS.items() if key != name}
    assert refusal(SegmentDefinition, value) == (name, "required; give it")


def test_twenty_parts_are_taken() -> None:
    parts = SegmentDefinition.model_validate(advanced(*["include"] * 20)).parts
    assert parts is not None
    assert len(parts) == 20


def test_a_misspelt_key_is_named_rather_than_the_one_it_stands_for(refusal: Any) -> None:
    condition = {"attribute": "a", "oprator": "is_set"}
    assert refusal(SegmentDefinition, standard(condition)) == (
        f"{CONDITION}.oprator",
        "unknown key; remove it or correct its spelling",
    )
