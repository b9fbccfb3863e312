"""A refusal says what to do, in words that whoever wrote the definition can act on."""

from __future__ import annotations

from typing import Any

import pytest

from streamseg.replay import Replay
from streamseg.settings import Settings
from streamseg.wording.details import detail
from tests.engine.cases import case
from tests.engine.story import segment

AGGREGATE = {"function": "max", "property": "n", "operator": "in", "value": [1, 2]}
# a condition, the message, the field below it, and the message in Chinese
REFUSED = [
    case(
        "a pattern that does not compile is told in its own letters",
        {"attribute": "name", "operator": "matches", "value": "([张三"},
        ("the pattern does not compile as RE2: missing ]: [张三", "value"),
        "正则表达式不是有效的 RE2：missing ]: [张三",
    ),
    case(
        "a time that is compared as a number",
        {"attribute": "imported_at", "operator": "gt", "value": "2026-03-01"},
        ("gt compares numbers; for a time use after", "value"),
        "gt 用于比较数字；时间请使用 after",
    ),
    case(
        "likewise of any attribute, bounds included",
        {"attribute": "level", "operator": "le", "value": "2026-03-01T08:00:00Z"},
        ("le compares numbers; for a time use before, which is strict, or between", "value"),
        "le 用于比较数字；时间请使用 before（不含边界）或 between",
    ),
    case(
        "a time that is compared with a number",
        {"attribute": "imported_at", "operator": "gt", "value": 5},
        ("imported_at is a time; gt does not go with that; use after", "operator"),
        "imported_at 是时间，不能使用 gt；请使用 after",
    ),
    case(
        "other text where a number is asked for",
        {"attribute": "level", "operator": "gt", "value": "many"},
        ("must be a number", "value"),
        "必须是数字",
    ),
    case(
        "an operator that no aggregate takes",
        {"event": "order", "aggregate": AGGREGATE},
        ("must be one of eq, ne, gt, ge, lt, le, between, not_between", "aggregate.operator"),
        "必须是以下之一：eq, ne, gt, ge, lt, le, between, not_between",
    ),
    case(
        "an operator that no count takes",
        {"event": "order", "count": {"operator": "between", "value": [1, 3]}},
        ("must be one of eq, ne, gt, ge, lt, le", "count.operator"),
        "必须是以下之一：eq, ne, gt, ge, lt, le",
    ),
]


@pytest.mark.parametrize(("condition", "refusal", "chinese"), REFUSED)
def test_a_refusal_says_what_to_do(condition: dict[str, Any], refusal: tuple[str, str], chinese: str) -> None:
    found: list[tuple[str, str]] = []
    run = Replay(
        settings=Settings(),
        on_dead_letter=lambda _, letter: found.append((letter.message, letter.path)),
    )
    run.line(segment(condition))
    message, field = refusal
    assert found == [(message, f"clusters[0].conditions[0].{field}")]
    assert detail(message, "zh") == chinese
