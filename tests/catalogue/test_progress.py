"""The partitions' reports are combined into one progress and exact totals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamseg.catalogue.progress import Progress, Report


def test_progress_is_the_mean_over_all_partitions() -> None:
    progress = Progress(4)
    assert progress.of(1) == 0
    progress.take(Report(0, 1, 5, 10))
    progress.take(Report(1, 1, 0, 0))
    assert progress.of(1) == pytest.approx(1.5 / 4)
    progress.take(Report(2, 1, 7, 7))
    progress.take(Report(3, 0, 7, 7))
    assert progress.of(1) == pytest.approx(2.5 / 4)
    assert progress.of(2) == 0


def test_a_later_generation_includes_the_earlier_ones() -> None:
    progress = Progress(2)
    progress.take(Report(0, 5, 3, 3))
    progress.take(Report(1, 7, 1, 2))
    assert (progress.of(4), progress.of(5), progress.of(6)) == (0.75, 0.75, 0.25)


def test_older_reports_are_ignored_and_newer_ones_replace() -> None:
    progress = Progress(1)
    progress.take(Report(0, 2, 1, 4, {"s": 1}))
    progress.take(Report(0, 1, 4, 4, {"s": 9}))
    assert (progress.of(2), progress.members()) == (0.25, {"s": 1})
    progress.take(Report(0, 2, 0, 4, {"s": 2}))
    assert (progress.of(2), progress.members()) == (0, {"s": 2})


def test_totals_wait_for_every_partition() -> None:
    progress = Progress(2)
    progress.take(Report(0, 1, 1, 1, {"s": 2, "t": 0}))
    assert not progress.all_reported
    assert progress.members() is None
    progress.take(Report(1, 1, 0, 1, {"s": 3, "u": 4}))
    assert progress.all_reported
    assert progress.members() == {"s": 5, "u": 4}
    progress.forget(0)
    assert progress.members() is None
    progress.take(Report(0, 0, 1, 1, {"s": 1}))
    assert progress.members() == {"s": 4, "u": 4}


@pytest.mark.parametrize("partition", [-1, 2])
def test_a_partition_that_there_is_not_is_an_error(partition: int) -> None:
    with pytest.raises(ValueError, match="of 2"):
        Progress(2).take(Report(partition, 1, 1, 1))


def test_there_is_a_partition() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Progress(0)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=70))
def test_it_is_complete_exactly_when_every_partition_is(pairs: list[tuple[int, int]]) -> None:
    progress = Progress(len(pairs))
    for partition, (done, total) in enumerate(pairs):
        progress.take(Report(partition, 1, min(done, total), total))
    assert 0 <= progress.of(1) <= 1
    assert (progress.of(1) == 1) == all(done >= total for done, total in pairs)
