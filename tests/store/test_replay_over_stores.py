"""The engine over the store on disk, reopened again and again, gives what it gives over the one in memory."""

from __future__ import annotations

import tempfile
from itertools import chain
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamseg.replay import Replay
from streamseg.store.caches import Caches
from streamseg.store.database import KeyValue
from streamseg.store.memory import MemoryStore
from streamseg.store.protocol import Store
from streamseg.store.rocksdb import RocksStore
from tests.strategies.streams import Scenario, forgetting_scenarios, scenarios, unsubscribe_scenarios


class Reopened:
    """A RocksStore that is committed, and now and then closed and opened again or rebuilt from its
    changelog, under the engine's hands. Keeps one contact decoded, so that all others are read back."""

    def __init__(self, folder: Path, every: int) -> None:
        self._folder = folder
        self._every = every
        self._commits = 0
        self._changelog: list[KeyValue] = []
        self._rocks = self._open()

    def _open(self) -> RocksStore:
        return RocksStore(self._folder / str(self._commits // 5), caches=Caches(1))

    def save(self) -> None:
        self._commits += 1
        if self._commits % self._every:
            return
        pending = self._rocks.changes()
        self._changelog += chain.from_iterable(pending.groups)
        self._rocks.commit(pending, len(self._changelog) - 1)
        self._rocks.close()
        self._rocks = self._open()
        held = self._rocks.changelog_offset
        missing = self._changelog[0 if held is None else held + 1 :]
        if missing:
            self._rocks.apply_changelog(missing, len(self._changelog) - 1)

    def close(self) -> None:
        self._rocks.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rocks, name)

    @property
    def clock_ms(self) -> int:
        return self._rocks.clock_ms

    @clock_ms.setter
    def clock_ms(self, value: int) -> None:
        self._rocks.clock_ms = value


def outcome(scenario: Scenario, store: Store) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]:
    letters: list[str] = []
    run = Replay(
        settings=scenario.settings,
        store=store,
        on_dead_letter=lambda line, letter: letters.append(f"{line} {letter.code} {letter.path}"),
    )
    for line in scenario.lines:
        run.line(line)
        if isinstance(store, Reopened):
            store.save()
    run.settle_definitions()
    run.run_to(scenario.until_ms)
    changes = [change.wire() for change in run.changes]
    return changes, list(run.members()), letters


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(
    scenario=st.one_of(scenarios(), forgetting_scenarios(), unsubscribe_scenarios()), every=st.integers(1, 4)
)
def test_restarts_and_recoveries_do_not_show_in_the_changes(scenario: Scenario, every: int) -> None:
    expected = outcome(scenario, MemoryStore())
    with tempfile.TemporaryDirectory() as folder:
        store = Reopened(Path(folder), every)
        try:
            assert outcome(scenario, store) == expected
        finally:
            store.close()
