"""Compares engine and reference for so many seconds: `python -m tests.oracle.fuzz --seconds N --seed S`.

Prints how many examples ran. A disagreement is shrunk and printed as a replay file, with the settings
and both lists of changes, ready to become a test; the exit status is then 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.oracle.comparison import Outcome, as_ndjson, by_engine, by_engine_on_disk, by_reference
from tests.strategies.streams import Scenario, any_scenarios

BATCH = 200
ON_DISK = 5
"""Every which example runs over the store of a worker."""


class Disagreement(AssertionError):  # noqa: N818 - what was found, not what went wrong
    def __init__(self, scenario: Scenario, engine: Outcome | str, reference: Outcome) -> None:
        super().__init__("engine and reference disagree")
        self.scenario, self.engine, self.reference = scenario, engine, reference


def compare(scenario: Scenario, engine: Callable[..., Outcome] = by_engine) -> None:
    """Raises Disagreement where the two differ; an engine that raises gives its error as its outcome."""
    expected = by_reference(scenario.lines, scenario.settings, scenario.until_ms)
    outcome: Outcome | str
    try:
        outcome = engine(scenario.lines, scenario.settings, scenario.until_ms)
    except Exception as error:
        outcome = f"{type(error).__name__}: {error}"
    if outcome != expected:
        raise Disagreement(scenario, outcome, expected)


def run(seconds: float, first_seed: int) -> tuple[int, Disagreement | None]:
    """How many examples ran, and the first disagreement, shrunk."""
    count = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:

        @seed(first_seed + count)
        @settings(
            max_examples=BATCH,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        )
        @given(any_scenarios)
        def examine(scenario: Scenario) -> None:
            nonlocal count
            count += 1
            compare(scenario, by_engine if count % ON_DISK else by_engine_on_disk)

        try:
            examine()
        except Disagreement as found:
            return count, found
    return count, None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    count, found = run(arguments.seconds, arguments.seed)
    print(f"{count} examples")
    if found is None:
        return 0
    scenario = found.scenario
    print(as_ndjson(scenario.lines))
    print("settings:", scenario.settings.model_dump_json(exclude_defaults=True))
    print("until_ms:", scenario.until_ms)
    print("reference:", found.reference)
    print("engine:   ", found.engine)
    return 1


if __name__ == "__main__":
    sys.exit(main())
