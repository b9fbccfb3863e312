"""How many conditions a definition may have."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from streamseg.errors import Code, RejectedError
from streamseg.language.condition_count import check_condition_count
from streamseg.replay import Replay
from streamseg.settings import Settings

Json = dict[str, Any]


def a_test(number: int = 0) -> Json:
    return {"attribute": f"a{number}", "operator": "is_set"}


def a_property(name: str = "p") -> Json:
    return {"property": name, "operator": "is_set"}


def clusters(*conditions: Json) -> Json:
    return {"clusters": [{"match": "all", "conditions": list(conditions)}]}


WHERE = {"match": "all", "conditions": [a_property("p"), a_property("q")]}


@pytest.mark.parametrize(
    ("definition", "count", "last"),
    [
        (clusters(a_test(), a_test()), 2, "clusters[0].conditions[1]"),
        ({"clusters": [clusters(a_test())["clusters"][0]] * 3}, 3, "clusters[2].conditions[0]"),
        (clusters({"event": "e", "where": WHERE}), 3, "clusters[0].conditions[0].where.conditions[1]"),
        (
            clusters({"event": "e", "select": "last", "has": WHERE}),
            3,
            "clusters[0].conditions[0].has.conditions[1]",
        ),
        (
            clusters(
                {"sequence": [{"event": "e", "where": WHERE}, {"absent": {"event": "f", "where": WHERE}}]}
            ),
            7,
            "clusters[0].conditions[0].sequence[1].absent.where.conditions[1]",
        ),
        (
            clusters({"attribute": "lines", "elements": WHERE}),
            3,
            "clusters[0].conditions[0].elements.conditions[1]",
        ),
        (
            clusters(
                {
                    "event": "e",
                    "where": {
                        "match": "all",
                        "conditions": [{"elements": "lines", "match": "any", "conditions": [a_property()]}],
                    },
                }
            ),
            3,
            "clusters[0].conditions[0].where.conditions[0].conditions[0]",
        ),
        (
            {"parts": [{"relation": "include", **clusters(a_test())}] * 2},
            2,
            "parts[1].clusters[0].conditions[0]",
        ),
    ],
)
def test_each_counts_at_whatever_depth(definition: Json, count: int, last: str) -> None:
    check_condition_count(definition, count)
    with pytest.raises(RejectedError) as refused:
        check_condition_count(definition, count - 1)
    assert (refused.value.code, refused.value.path) == (Code.INVALID_SCHEMA, last)


@pytest.mark.parametrize(
    ("definition", "path"),
    [
        ({"clusters": [1] * 9}, "clusters[6]"),
        ({"parts": [{}] * 9}, "parts[6]"),
        ({"clusters": [{"conditions": [None] * 3}]}, "clusters[0].conditions[2]"),
    ],
)
def test_what_is_of_no_shape_is_counted_too(definition: Json, path: str) -> None:
    with pytest.raises(RejectedError) as refused:
        check_condition_count(definition, 2)
    assert refused.value.path == path


def test_a_long_list_of_values_is_one_condition_and_no_json_is_none() -> None:
    check_condition_count(clusters({"attribute": "a", "operator": "in", "value": list(range(9_000))}), 1)
    nothing: list[Any] = [None, [], "clusters", 1, {"clusters": None}, {"clusters": {"conditions": [1, 2]}}]
    for one in nothing:
        check_condition_count(one, 1)


def test_nesting_as_deep_as_json_can_be_read_is_counted() -> None:
    inner: Json = a_property()
    for _ in range(300):
        inner = {"elements": "", "match": "all", "conditions": [inner]}
    check_condition_count(clusters(inner), 301)
    with pytest.raises(RejectedError):
        check_condition_count(clusters(inner), 300)


@pytest.mark.parametrize(("count", "refused"), [(1_000, False), (1_001, True)])
def test_a_replay_refuses_a_definition_with_more(count: int, refused: bool) -> None:
    letters: list[Any] = []
    run = Replay(settings=Settings(), on_dead_letter=lambda _, letter: letters.append(letter))
    definition = {
        "segment_id": "s",
        "type": "standard",
        "name": "n",
        **clusters(*(a_test(number) for number in range(count))),
    }
    line = {
        "topic": "segment-definitions",
        "timestamp": "2026-05-01T00:00:00Z",
        "key": "s",
        "value": definition,
    }
    run.line(orjson.dumps(line))
    run.settle_definitions()
    assert ("s" in run.partition.plan.segments) is not refused
    assert [(letter.code, letter.path) for letter in letters] == (
        [("invalid_schema", "clusters[0].conditions[1000]")] if refused else []
    )
