"""Any interleaving of the two input topics that keeps each topic's own order per contact ends in the
same memberships: the engine's do, and so do the reference's, or the rules themselves would be at fault."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from streamseg.replay import Replay
from tests.oracle.comparison import Json, as_ndjson
from tests.oracle.replay import replay as reference_replay
from tests.strategies.streams import Interleavings, interleavings


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(interleavings())
def test_the_reference_ends_in_the_same_memberships(both: Interleavings) -> None:
    one, other = (
        reference_replay(both.definitions + records, both.settings, both.until_ms).members()
        for records in (both.one, both.other)
    )
    assert one == other, as_ndjson(both.definitions + both.one)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(interleavings())
def test_the_engine_ends_in_the_same_memberships(both: Interleavings) -> None:
    one, other = (_members(both, records) for records in (both.one, both.other))
    assert one == other, as_ndjson(both.definitions + both.one)


def _members(both: Interleavings, records: list[Json]) -> set[tuple[str, str]]:
    run = Replay(settings=both.settings)
    for line in both.definitions + records:
        run.line(line)
    run.settle_definitions()
    run.run_to(both.until_ms)
    return {(row["segment_id"], row["contact_id"]) for row in run.members()}
