"""State that was exported and imported goes on as if nothing had happened, with other partitions too."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamseg.engine.partition import Partition
from streamseg.records.inputs import Record
from streamseg.replay import Replay
from tests.export.moving import Spread, folder, lines_of, moved
from tests.oracle.comparison import as_ndjson, by_engine, in_short
from tests.strategies.streams import Scenario, any_scenarios, scenarios

_COUNTS = st.integers(1, 3)


class _NewTopics:
    """A partition whose input begins at offset 0 again, and is counted on."""

    def __init__(self, partition: Partition, first: int, before: Mapping[str, int]) -> None:
        self._partition, self._first, self._before = partition, first, before

    def take(self, record: Record) -> None:
        record = record.copy(offset=record.offset - self._first)
        self._partition.take(record.numbered(self._before.get(record.topic, 0) + record.offset))

    def __getattr__(self, name: str) -> object:
        return getattr(self._partition, name)


def _with_moves(scenario: Scenario, moves: Mapping[int, int | None], first: int, path: Path) -> list[str]:
    """The changes of a replay of which the state is moved after these lines, into so many partitions."""
    spread = Spread(path / "first", first)
    run = Replay(settings=scenario.settings, store=spread)
    for number, line in enumerate(scenario.lines):
        run.line(line)
        run.store.save()
        if number in moves:
            run.settle_definitions()
            spread.applied(number + 1)
            spread.save()
            other, before = moved(spread, path / str(number), moves[number])
            lines = lines_of(spread, path / f"{number}-before").contacts
            again = lines_of(other, path / f"{number}-after").contacts
            assert sorted(chain.from_iterable(lines)) == sorted(chain.from_iterable(again))
            for segment_id, segment in run.definitions.plan.segments.items():
                old, new = (one.growth(segment_id, segment.born, 0) for one in (spread, other))
                assert list(old) == list(new)
            spread.close()
            spread = other
            run.store = spread
            partition = Partition(
                store=spread, plan=run.definitions.plan, settings=scenario.settings, emitter=run
            )
            if moves[number] is None:
                run.partition = partition
            else:
                run.partition = _NewTopics(partition, number + 2, before)  # type: ignore[assignment]
    run.settle_definitions()
    run.run_to(scenario.until_ms)
    spread.close()
    return [in_short(change.wire()) for change in run.changes]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    any_scenarios | scenarios(),
    _COUNTS,
    st.dictionaries(st.integers(0, 12), st.none() | _COUNTS, min_size=1, max_size=2),
)
def test_an_export_and_an_import_between_records_change_nothing(
    scenario: Scenario, first: int, moves: dict[int, int | None]
) -> None:
    uninterrupted = by_engine(scenario.lines, scenario.settings, scenario.until_ms)
    with folder() as path:
        assert _with_moves(scenario, moves, first, path) == uninterrupted.changes, as_ndjson(scenario.lines)
