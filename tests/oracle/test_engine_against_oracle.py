"""Over random definitions and streams the engine gives exactly the changes that the reference gives."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from tests.oracle.comparison import as_ndjson, by_engine, by_engine_on_disk, by_reference
from tests.strategies.streams import Scenario, any_scenarios


@settings(max_examples=2_500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_scenarios)
def test_the_engine_gives_the_changes_of_the_reference_in_order(scenario: Scenario) -> None:
    expected = by_reference(scenario.lines, scenario.settings, scenario.until_ms)
    found = by_engine(scenario.lines, scenario.settings, scenario.until_ms)
    assert found == expected, as_ndjson(scenario.lines)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_scenarios)
def test_so_it_does_over_the_store_of_a_worker(scenario: Scenario) -> None:
    expected = by_reference(scenario.lines, scenario.settings, scenario.until_ms)
    found = by_engine_on_disk(scenario.lines, scenario.settings, scenario.until_ms)
    assert found == expected, as_ndjson(scenario.lines)
