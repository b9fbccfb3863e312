"""When tasks save, send, report and sleep, by what they have to do and by what the others do."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from agents.pacing import Pacing
from agents.partitions.save_times import SaveTimes
from agents.partitions.task import PartitionTask
from streamseg.catalogue.progress import Report
from streamseg.settings import Settings

PACING = Pacing(easy_load=0.999_999, rest_seconds=5.0)
"""The load of the test's own thread never counts."""
SETTINGS = Settings(checkpoint_interval_ms=500, checkpoint_records=100, live_lag_ms=200)


def task(
    *, outputs: int = 0, backlog: int = 0, unsaved: int = 0, updates: int = 0, due_ms: int | None = None
) -> PartitionTask:
    return cast(
        PartitionTask,
        SimpleNamespace(
            buffer=SimpleNamespace(output_count=outputs),
            backlog=backlog,
            unsaved=unsaved > 0,
            unsaved_size=unsaved,
            updates_unsaved=updates,
            bytes_unsaved=0,
            partition=SimpleNamespace(next_due_ms=lambda: due_ms),
        ),
    )


class Rounds:
    """The times of a worker, and how often a round began."""

    def __init__(self) -> None:
        self.begun = 0
        self.times = SaveTimes(SETTINGS, PACING, self._begin)

    def _begin(self) -> None:
        self.begun += 1


def rest(one: PartitionTask, **changed: Any) -> float:
    given: dict[str, Any] = {"saved_at": 10.0, "sent_at": 10.0, "report_at": None, "waits_for_source": False}
    return Rounds().times.rest_seconds(one, **{**given, "now": 10.0, "now_ms": 1_000_000, **changed})


def test_a_task_without_outputs_sends_nothing() -> None:
    rounds = Rounds()
    assert not rounds.times.is_time_to_send(task(), 0.0, 100.0)
    assert rounds.begun == 0


def test_the_first_task_begins_a_round_and_another_joins_it_after_half_of_the_time() -> None:
    rounds, one = Rounds(), task(outputs=1)
    wait = PACING.at_once_seconds
    assert not rounds.times.is_time_to_send(one, 1.0, 1.0 + wait * 0.9)
    assert rounds.times.is_time_to_send(one, 1.0, 1.0 + wait * 1.1)
    assert rounds.begun == 1
    sent_at = 1.0 + wait * 0.5
    assert rounds.times.is_time_to_send(one, sent_at, sent_at + wait * 0.7)
    assert not rounds.times.is_time_to_send(one, sent_at, sent_at + wait * 0.4)
    # It has sent since the round began.
    assert not rounds.times.is_time_to_send(one, 1.0 + wait * 1.2, 1.0 + wait * 1.9)
    assert rounds.begun == 1


def test_changes_wait_longer_and_checkpoints_come_later_while_records_wait() -> None:
    times = Rounds().times
    all_wait = task(backlog=PACING.backlog_records)
    assert times.send_interval(all_wait) == pytest.approx(PACING.at_once_seconds + PACING.behind_seconds)
    assert (times.save_interval(task()), times.save_interval(all_wait)) == (0.5, 1.5)


def test_one_task_saves_at_a_time_unless_another_one_is_full() -> None:
    times, some, full = Rounds().times, task(unsaved=1), task(unsaved=100)
    assert not times.is_time_to_save(some, 10.0, 10.4, others_save=False)
    assert times.is_time_to_save(some, 10.0, 10.5, others_save=False)
    assert not times.is_time_to_save(some, 10.0, 10.5, others_save=True)
    assert times.is_time_to_save(full, 10.0, 10.1, others_save=True)


def test_few_contact_updates_wait_for_a_checkpoint_since_they_take_much_memory() -> None:
    times, limit = Rounds().times, PACING.unsaved_updates
    assert not times.is_time_to_save(task(unsaved=1, updates=limit - 1), 10.0, 10.1, others_save=True)
    assert times.is_time_to_save(task(unsaved=1, updates=limit), 10.0, 10.1, others_save=True)


@pytest.mark.parametrize(
    ("one", "changed", "expected"),
    [
        (task(), {}, 5.0),
        (task(outputs=1), {}, PACING.at_once_seconds),
        (task(backlog=1), {}, PACING.other_topic_seconds),
        (task(unsaved=1), {"saved_at": 9.8}, 0.3),
        # Another task makes its checkpoint.
        (task(unsaved=1), {"saved_at": 9.0}, PACING.look_again_seconds),
        (task(), {"report_at": 10.25}, 0.25),
        (task(unsaved=1), {"report_at": 10.25}, 0.5),
        (task(), {"report_at": 9.0}, 0.0),
        # Evaluated once nothing earlier can come, which is `live_lag_ms` later.
        (task(due_ms=1_001_000), {}, 1.2),
        (task(due_ms=900_000), {}, PACING.look_again_seconds),
        (task(), {"waits_for_source": True}, PACING.look_again_seconds),
    ],
)
def test_a_task_sleeps_until_the_first_thing_it_has_to_do(
    one: PartitionTask, changed: dict[str, Any], expected: float
) -> None:
    assert rest(one, **changed) == pytest.approx(expected)


def test_numbers_of_members_wait_and_a_new_generation_does_not() -> None:
    many = Report(0, 7, 1, 1, members=dict.fromkeys(map(str, range(PACING.reported_counts)), 1))
    times = Rounds().times
    assert times.report_seconds(many, Report(0, 7, 1, 1)) == pytest.approx(float(SETTINGS.partitions))
    assert times.report_seconds(many, Report(0, 8, 0, 1)) == PACING.report_seconds
    assert times.report_seconds(None, Report(0, 7, 1, 1)) == PACING.report_seconds
