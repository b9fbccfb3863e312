"""When a partition's task makes a checkpoint, sends its outputs and reports, and how long it may sleep."""

from __future__ import annotations

from collections.abc import Callable

from agents.pacing import Pacing
from agents.partitions.cpu_load import CpuLoad
from agents.partitions.task import PartitionTask
from streamseg.catalogue.progress import Report
from streamseg.settings import Settings


class SaveTimes:
    """The times of all tasks of one worker. They follow from how busy the worker is and how many records
    wait. All instants are monotonic seconds; `now` is the present."""

    def __init__(self, settings: Settings, pacing: Pacing, begin_round: Callable[[], None]) -> None:
        """`begin_round` is called when a round of sending begins, and wakes the tasks that have outputs."""
        self._settings = settings
        self._pacing = pacing
        self._begin_round = begin_round
        self._load = CpuLoad()
        self._round_began = 0.0

    # -- checkpoints -------------------------------------------------------------------------------------

    def is_time_to_save(self, task: PartitionTask, saved_at: float, now: float, *, others_save: bool) -> bool:
        """Return whether a task whose last checkpoint ended at `saved_at` should make another one.

        Only one task at a time makes a checkpoint, since each delays the others for some milliseconds. The
        more records wait, the later the checkpoint comes: several changes of a contact are then written
        once."""
        is_due = now - saved_at >= self.save_interval(task)
        return self._is_full(task) or (is_due and not others_save)

    def save_interval(self, task: PartitionTask) -> float:
        """Return how long a task works between two checkpoints, in s."""
        return self._settings.checkpoint_interval_ms / 1000 * (1 + 2 * self._behind(task))

    def _is_full(self, task: PartitionTask) -> bool:
        """Return whether so much is unsaved that a checkpoint must not wait. Bytes are limited too, so that
        the changelog records of one contact, which are sent together, always fit into a record batch."""
        settings = self._settings
        return (
            task.unsaved_size >= settings.checkpoint_records
            or task.updates_unsaved >= self._pacing.unsaved_updates
            or task.bytes_unsaved >= settings.max_record_bytes
        )

    # -- outputs -----------------------------------------------------------------------------------------

    def is_time_to_send(self, task: PartitionTask, sent_at: float, now: float) -> bool:
        """Return whether a task that has sent nothing since `sent_at` should send its outputs.

        The tasks send in rounds, all of them at about the same time. A request to a broker costs about half a
        millisecond and each partition in it a tenth, so outputs that are sent together cost a fraction of
        outputs that are sent one by one. The first task whose outputs have waited for long enough begins a
        round; the others join it once theirs have waited for half of the time."""
        if not task.buffer.output_count:
            return False
        waited, interval = now - sent_at, self.send_interval(task)
        if waited >= interval:
            self._round_began = now
            self._begin_round()
            return True
        return sent_at < self._round_began and waited >= interval / 2

    def send_interval(self, task: PartitionTask) -> float:
        """Return how long changes may wait, in s: almost 0 while the worker has time to spare; longer the
        busier it is and the more records wait."""
        pacing = self._pacing
        strain = max(0.0, self._load.share() - pacing.easy_load) / (1.0 - pacing.easy_load)
        while_reading = self._behind(task) * pacing.behind_seconds
        return pacing.at_once_seconds + strain * pacing.strained_seconds + while_reading

    def _behind(self, task: PartitionTask) -> float:
        """Return a number from 0 (no record waits) to 1 (`Pacing.backlog_records` or more wait)."""
        return min(1.0, task.backlog / self._pacing.backlog_records)

    # -- reports and sleep -------------------------------------------------------------------------------

    def report_seconds(self, last: Report | None, progress: Report) -> float:
        """Return how long after its last report a partition reports again, in s. Only numbers of members and
        a share of a sweep can wait: callers wait for a generation, and for its end."""
        pacing = self._pacing
        if last is None or (last.generation, last.complete) != (progress.generation, progress.complete):
            return pacing.report_seconds
        counts = self._settings.partitions * len(last.members)
        return max(pacing.report_seconds, counts / pacing.reported_counts)

    def rest_seconds(
        self,
        task: PartitionTask,
        *,
        saved_at: float,
        sent_at: float,
        report_at: float | None,
        waits_for_source: bool,
        now: float,
        now_ms: int,
    ) -> float:
        """Return how long a task that has nothing to do now may sleep, in s, if nothing wakes it. Records and
        requests wake it; time does not.

        `report_at` is when its next report is due, None if there is nothing to report. `waits_for_source`
        says that the ends of its source topics are not known yet. `now_ms` is the trusted time, epoch ms."""
        pacing = self._pacing
        rest = pacing.rest_seconds
        if task.buffer.output_count:
            rest = min(rest, sent_at + self.send_interval(task) - now)
        if task.backlog:
            # A record waits until the other topic is known to have no earlier one.
            rest = min(rest, pacing.other_topic_seconds)
        if task.unsaved:
            left = saved_at + self.save_interval(task) - now
            rest = min(rest, left if left > 0 else pacing.look_again_seconds)
        elif report_at is not None:
            rest = min(rest, report_at - now)
        due_ms = task.partition.next_due_ms()
        if due_ms is not None:
            left = (due_ms + self._settings.live_lag_ms - now_ms) / 1000
            rest = min(rest, max(left, pacing.look_again_seconds))
        if waits_for_source:
            rest = min(rest, pacing.look_again_seconds)
        return max(rest, 0.0)
