"""A contact that is written out and read back between two records goes on as if nothing had happened."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamseg.engine.partition import Partition
from streamseg.replay import Replay
from streamseg.store.memory import MemoryStore
from tests.oracle.comparison import as_ndjson, by_engine, in_short
from tests.strategies.streams import Scenario, any_scenarios


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_scenarios, st.sets(st.integers(0, 20), min_size=1))
def test_a_restart_between_records_changes_nothing(scenario: Scenario, restarts: set[int]) -> None:
    uninterrupted = by_engine(scenario.lines, scenario.settings, scenario.until_ms)
    assert _with_restarts(scenario, restarts) == uninterrupted.changes, as_ndjson(scenario.lines)


def _with_restarts(scenario: Scenario, restarts: set[int]) -> list[str]:
    """The changes of a replay in which all contacts go through their bytes after the given lines, and a
    new partition goes on with what is in the store."""
    store = MemoryStore()
    run = Replay(settings=scenario.settings, store=store)
    for number, line in enumerate(scenario.lines):
        run.line(line)
        if number in restarts:
            run.settle_definitions()
            for contact_id in list(store.contact_ids()):
                contact = store.contact(contact_id)
                assert contact is not None
                store.put(contact.copy())
            run.partition = Partition(
                store=store, plan=run.definitions.plan, settings=scenario.settings, emitter=run
            )
    run.settle_definitions()
    run.run_to(scenario.until_ms)
    return [in_short(change.wire()) for change in run.changes]
