"""Over random definitions and streams nothing that is kept differs from what follows from the history."""

from __future__ import annotations

from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from streamseg.engine.verification import Verifier
from streamseg.replay import Replay
from tests.oracle.comparison import as_ndjson
from tests.strategies.streams import Scenario, any_scenarios


@examples(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_scenarios, st.sampled_from((2, 5, 10_000)))
def test_a_partition_that_was_left_alone_has_no_differences(scenario: Scenario, history_cap: int) -> None:
    settings = scenario.settings.model_copy(update={"history_cap": history_cap})
    run = Replay(settings=settings)
    for line in scenario.lines:
        run.line(line)
    run.settle_definitions()
    run.run_to(scenario.until_ms)
    check = Verifier(run.store, run.partition.plan, settings)
    contacts = [run.store.contact(contact_id) for contact_id in run.store.contact_ids()]
    found = [
        difference
        for contact in contacts
        if contact is not None
        for difference in check.differences(
            contact, check.indexes(run.store, contact), run.partition.clock_ms
        )
    ]
    assert not found, as_ndjson(scenario.lines)
