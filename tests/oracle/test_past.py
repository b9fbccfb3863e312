"""What was in force at an earlier instant, and how segments grew, as the reference has announced it."""

from __future__ import annotations

import tempfile
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamseg.engine.growing import by_cause
from streamseg.engine.standing import complete_since_ms, is_kept_at, latest, segments_at, standing_at
from streamseg.replay import Replay
from streamseg.settings import Settings
from streamseg.store.caches import Caches
from streamseg.store.growth import QUARTER_MS
from streamseg.store.memory import MemoryStore
from streamseg.store.rocksdb import RocksStore
from streamseg.times import DAY_MS, format_ms, parse_timestamp_ms, time_zone
from tests.oracle.comparison import as_ndjson
from tests.oracle.definitions import BUILT_IN
from tests.oracle.replay import Oracle
from tests.oracle.replay import replay as reference_replay
from tests.strategies.streams import Scenario, any_scenarios

UTC = time_zone("UTC")
CAPS = st.sampled_from([1, 2, 5, 500])


class Announced:
    """The reference's changes, each with its instant."""

    def __init__(self, oracle: Oracle, caps: Settings) -> None:
        self.now_ms = oracle.clock
        self._horizon_ms = oracle.clock - caps.history_retention_ms
        self._cap = caps.change_cap
        self._erasures = oracle.erasures
        self._deletions = oracle.deletions
        self.in_force = [*BUILT_IN, *oracle.definitions.in_force]
        self.changes = [
            (index, parse_timestamp_ms(change["effective_at"], UTC), change)
            for index, change in enumerate(oracle.changes)
        ]
        self.instants = sorted({at_ms for _, at_ms, _ in self.changes})
        self.contacts = sorted({change["contact_id"] for _, _, change in self.changes})
        self.segments = sorted({change["segment_id"] for _, _, change in self.changes})

    def _own(self, contact_id: str) -> list[tuple[int, dict[str, Any]]]:
        """The changes of a contact since its last erasure."""
        _, first = self._erasures.get(contact_id, (None, 0))
        return [
            (at_ms, change)
            for index, at_ms, change in self.changes
            if change["contact_id"] == contact_id and index >= first
        ]

    def complete_ms(self, contact_id: str) -> int:
        erased_ms, _ = self._erasures.get(contact_id, (None, 0))
        dropped = [at_ms for at_ms, _ in self._own(contact_id)[: -self._cap]]
        return latest(self._horizon_ms, erased_ms, *dropped)

    def complete_in(self, segment_id: str) -> int:
        dropped = [
            at_ms
            for contact_id in self.contacts
            for at_ms, change in self._own(contact_id)[: -self._cap]
            if change["segment_id"] == segment_id
        ]
        return latest(self._horizon_ms, *dropped)

    def segments_at(self, contact_id: str, at_ms: int) -> dict[str, int]:
        """Segment id -> sequence of the memberships that were in force."""
        last: dict[str, dict[str, Any]] = {}
        for effective_ms, change in self._own(contact_id):
            if effective_ms <= at_ms:
                last[change["segment_id"]] = change
        return {
            segment_id: change["sequence"]
            for segment_id, change in sorted(last.items())
            if change["change"] == "entered"
        }

    def growth(self, segment_id: str) -> dict[int, Counter[tuple[str, bool]]]:
        """Since a segment of this id was deleted last."""
        found: dict[int, Counter[tuple[str, bool]]] = {}
        for index, at_ms, change in self.changes:
            if change["segment_id"] == segment_id and index >= self._deletions.get(segment_id, 0):
                key = change["reason"]["kind"], change["change"] == "entered"
                found.setdefault(at_ms - at_ms % QUARTER_MS, Counter())[key] += 1
        return found


def check(run: Replay, announced: Announced, caps: Settings, around: list[int]) -> None:
    """The store tells of the past what was announced, at the instants of all changes and near them."""
    store = run.store
    retention_ms, now_ms = caps.history_retention_ms, announced.now_ms
    moments = {at_ms + step for at_ms in announced.instants for step in around} | {now_ms}
    moments = {at_ms for at_ms in moments if at_ms <= now_ms}
    for contact_id in announced.contacts:
        contact = store.contact(contact_id)
        assert contact is not None
        complete_ms = complete_since_ms(contact, now_ms, retention_ms)
        assert complete_ms == announced.complete_ms(contact_id), contact_id
        kept = [one for one in store.kept_changes(contact_id) if is_kept_at(one, now_ms, retention_ms)]
        assert len(kept) <= caps.change_cap
        for at_ms in moments:
            if at_ms >= complete_ms:
                found = segments_at(contact, kept, at_ms)
                told = {segment_id: one.sequence for segment_id, one in found.items()}
                assert told == announced.segments_at(contact_id, at_ms), (contact_id, format_ms(at_ms))
    for segment_id in announced.segments:
        floors = [at_ms for _, at_ms in store.floors(segment_id)]
        complete_ms = latest(now_ms - retention_ms, store.unkept_ms(), *floors)
        assert complete_ms <= announced.complete_in(segment_id), segment_id
        entries = {contact_id: (sequence, at_ms) for contact_id, sequence, at_ms in store.members(segment_id)}
        changes: dict[str, Any] = {}
        for contact_id, change in store.segment_changes(segment_id):
            if is_kept_at(change, now_ms, retention_ms):
                changes.setdefault(contact_id, []).append(change)
        for at_ms in moments:
            if at_ms >= complete_ms:
                members = {
                    contact_id
                    for contact_id in entries.keys() | changes.keys()
                    if standing_at(changes.get(contact_id, ()), entries.get(contact_id), at_ms) is not None
                }
                expected = {
                    one for one in announced.contacts if segment_id in announced.segments_at(one, at_ms)
                }
                assert members == expected, (segment_id, format_ms(at_ms))
    for segment_id in announced.in_force:
        check_growth(run, announced, segment_id)


def check_growth(run: Replay, announced: Announced, segment_id: str) -> None:
    store, born = run.store, run.partition.plan.segments[segment_id].born
    since_ms = store.growth_since_ms()
    found = {
        quarter_ms: Counter(
            {
                (cause, entered): number
                for entered in (True, False)
                for cause, number in by_cause(counts, entered=entered).items()
            }
        )
        for quarter_ms, counts in store.growth(segment_id, born, -(10**14))
    }
    expected = {
        quarter_ms: counts
        for quarter_ms, counts in announced.growth(segment_id).items()
        if since_ms is None or quarter_ms >= since_ms - since_ms % QUARTER_MS
    }
    assert found == expected, segment_id


def scenario_of(scenario: Scenario, cap: int) -> tuple[Settings, Announced]:
    caps = scenario.settings.model_copy(update={"change_cap": cap})
    return caps, Announced(reference_replay(scenario.lines, caps, scenario.until_ms), caps)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_scenarios, CAPS)
def test_the_past_is_what_was_announced(scenario: Scenario, cap: int) -> None:
    caps, announced = scenario_of(scenario, cap)
    store = MemoryStore()
    run = Replay(settings=caps, store=store)
    for line in scenario.lines:
        run.line(line)
    run.settle_definitions()
    run.run_to(scenario.until_ms)
    try:
        check(run, announced, caps, [-1, 0, 1, DAY_MS])
    except AssertionError as error:
        error.add_note(as_ndjson(scenario.lines))
        raise


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_scenarios, CAPS, st.sets(st.integers(0, 20), min_size=1), st.booleans())
def test_so_it_is_over_the_store_of_a_worker_restored_from_the_changelog(
    scenario: Scenario, cap: int, losses: set[int], partly: bool
) -> None:
    """At some lines the folder is lost, and another store goes on with what the changelog has."""
    caps, announced = scenario_of(scenario, cap)
    with tempfile.TemporaryDirectory(prefix="streamseg-oracle-") as folder:
        path = Path(folder)
        store = RocksStore(path / "0", caches=Caches(1))
        changelog: list[tuple[bytes, bytes | None]] = []
        run = Replay(settings=caps, store=store)
        try:
            for number, line in enumerate(scenario.lines):
                run.line(line)
                if partly:
                    # As a worker does for contacts that have outputs; the others follow.
                    said = {change.contact_id: b"" for change in run.changes}
                    pending = store.changes_of(said)
                    changelog += chain.from_iterable(pending.groups)
                    store.commit(pending, len(changelog) - 1 if changelog else None)
                pending = store.changes()
                changelog += chain.from_iterable(pending.groups)
                store.commit(pending, len(changelog) - 1 if changelog else None)
                if number in losses:
                    store.close()
                    store = RocksStore(path / str(number + 1), caches=Caches(1))
                    store.apply_changelog(changelog, len(changelog) - 1)
                    again = Replay(settings=caps, store=store)
                    again.definitions, again._stale = run.definitions, run._stale
                    again._line = run._line
                    again.partition.adopt(run.partition.plan)
                    again.changes = run.changes
                    run = again
            run.settle_definitions()
            run.run_to(scenario.until_ms)
            check(run, announced, caps, [-1, 0])
            store.save()
            check(run, announced, caps, [0])
        except AssertionError as error:
            error.add_note(as_ndjson(scenario.lines))
            raise
        finally:
            store.close()
