"""What an explanation says was reached is what the condition answers, whatever comes in."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamseg.catalogue.labels import Language
from streamseg.engine.explain import explain_all
from streamseg.replay import Replay
from streamseg.wording.explanations import with_words
from tests.strategies.streams import Scenario, any_scenarios, close_scenarios

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
LANGUAGES: tuple[Language, ...] = ("zh", "en")


def answer(found: dict[str, Any]) -> bool | None:
    """What follows from what was reached; None where it does not say all."""
    condition, reached = found["condition"], found["reached"]
    match reached["what"]:
        case "count":
            wanted = condition.get("count", {"operator": "ge", "value": 1})
            return COMPARE[wanted["operator"]](reached["value"], wanted["value"])
        case "selected":
            return reached["value"] is not None and "why" not in reached
        case "steps":
            if "window" in condition or "absent" in condition["sequence"][-1]:
                return None
            return bool(reached["value"] == reached["of"])
        case "sum" | "distinct" | "min" | "max":
            wanted = condition["aggregate"]
            if wanted["operator"] not in COMPARE or isinstance(reached["value"], str):
                return None
            if reached["value"] is None:
                return False
            return COMPARE[wanted["operator"]](reached["value"], wanted["value"])
    return None


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.one_of(close_scenarios(), close_scenarios(), any_scenarios))
def test_what_was_reached_is_what_the_condition_answers(scenario: Scenario) -> None:
    run = Replay(settings=scenario.settings)
    for line in scenario.lines:
        run.line(line)
    run.settle_definitions()
    run.run_to(scenario.until_ms)
    forgets = scenario.settings.history_retention_ms < 100 * 86_400_000
    for explanation in explain_all(run.contacts(), run.partition.plan, run.partition.clock_ms):
        for language in LANGUAGES:
            assert with_words(explanation, language)["words"]
        for found in _conditions(explanation):
            if "reached" in found and not forgets:
                says = answer(found)
                assert says is None or (says != found["condition"].get("not", False)) == found["holds"]


def _conditions(explanation: dict[str, Any]) -> list[dict[str, Any]]:
    clusters = [cluster for part in explanation["parts"] for cluster in part["clusters"]]
    return [condition for cluster in clusters for condition in cluster["conditions"]]
