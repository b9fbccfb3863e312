"""The dashboards are those that the script makes, and ask for metrics that there are."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.deploy.promql import known_metrics, metrics_of

GRAFANA = Path(__file__).parents[2] / "deploy" / "grafana"
NAMES = ("users.json", "developers.json")


def script() -> ModuleType:
    specification = importlib.util.spec_from_file_location("generate", GRAFANA / "generate.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def panels(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((GRAFANA / name).read_text(encoding="utf-8"))["panels"]
    return found


def queries(name: str) -> Iterator[str]:
    for panel in panels(name):
        for target in panel.get("targets", ()):
            yield target["expr"].replace("$__rate_interval", "1m")


def test_the_files_are_what_the_script_makes() -> None:
    made = script().dashboards()
    assert sorted(path.name for path in GRAFANA.glob("*.json")) == sorted(made) == sorted(NAMES)
    for name, text in made.items():
        assert (GRAFANA / name).read_text(encoding="utf-8") == text, "run `make pages`"


@pytest.mark.parametrize("name", NAMES)
def test_every_query_is_one_and_asks_for_metrics_that_there_are(name: str) -> None:
    asked = [metrics_of(query) for query in queries(name)]
    assert len(asked) > 15
    assert set().union(*asked) <= known_metrics()


@pytest.mark.parametrize("name", NAMES)
def test_every_query_is_of_one_installation(name: str) -> None:
    for query in queries(name):
        assert query.count('job="$job"') == query.count("streamseg_") + query.count("process_") + query.count(
            "python_gc_"
        ) + query.count("up{"), query


@pytest.mark.parametrize("name", NAMES)
def test_no_panel_lies_on_another(name: str) -> None:
    places = [panel["gridPos"] for panel in panels(name)]
    for one, other in combinations(places, 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)


def test_every_metric_of_ours_is_on_a_dashboard() -> None:
    shown = {metric for name in NAMES for query in queries(name) for metric in metrics_of(query)}
    ends = ("_bucket", "_sum", "_count")
    missing = {
        metric.removesuffix(next((end for end in ends if metric.endswith(end)), ""))
        for metric in known_metrics() - shown
        if metric.startswith("streamseg_")
    }
    assert missing - {metric.removesuffix("_bucket") for metric in shown} == {
        # A number that only grows, moments, and what alerts or the log are for.
        "streamseg_api_tokens_unreadable",
        "streamseg_audit_failures_total",
        "streamseg_certificate_end_seconds",
        "streamseg_definitions_generation",
        "streamseg_last_rebalance_seconds",
        "streamseg_api_refusals_total",
        "streamseg_capped_total",
        "streamseg_cold_starts_total",
        "streamseg_recovered_records_total",
        "streamseg_sweeping_partitions",
        "streamseg_unclear_answers_total",
    }
