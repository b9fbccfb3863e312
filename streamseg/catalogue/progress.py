"""The partitions' reports, combined into one progress and total counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Report:
    """The progress of one partition.

    generation  the highest offset on `segment-definitions` whose definitions the partition evaluates
    done        the number of contacts evaluated so far, of `total`
    members     segment_id -> number of this partition's contacts in the segment now
    """

    partition: int
    generation: int
    done: int
    total: int
    members: Mapping[str, int] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether all contacts are evaluated."""
        return self.done >= self.total


class Progress:
    """The latest report of each partition. Partitions are numbered from 0."""

    def __init__(self, partitions: int) -> None:
        """Raises ValueError for less than one partition."""
        if partitions < 1:
            raise ValueError(f"{partitions} partitions: there is at least one")
        self._partitions = partitions
        self._latest: dict[int, Report] = {}

    def take(self, report: Report) -> None:
        """Replace the partition's last report; a report of an older generation is ignored.

        Raises ValueError for a partition that does not exist.
        """
        if not 0 <= report.partition < self._partitions:
            raise ValueError(f"partition {report.partition} of {self._partitions}")
        last = self._latest.get(report.partition)
        if last is None or report.generation >= last.generation:
            self._latest[report.partition] = report

    def forget(self, partition: int) -> None:
        """Drop a partition's report. Its next owner reports again, perhaps from an earlier generation."""
        self._latest.pop(partition, None)

    @property
    def all_reported(self) -> bool:
        """Whether every partition has reported."""
        return len(self._latest) == self._partitions

    def of(self, generation: int) -> float:
        """Return the share of the calculation for a generation that is done, 0 to 1: the mean over all
        partitions.

        The result is 1 exactly when the calculation is complete. A later generation includes the earlier
        ones. A partition that has not reported this generation counts as 0.
        """
        shares = (self._share(generation, partition) for partition in range(self._partitions))
        return sum(shares) / self._partitions

    def _share(self, generation: int, partition: int) -> float:
        report = self._latest.get(partition)
        if report is None or report.generation < generation:
            return 0.0
        return 1.0 if report.complete else report.done / report.total

    def members(self) -> dict[str, int] | None:
        """Return the number of contacts by segment over all partitions, without segments that have none. The
        result is None until every partition has reported, since a partial sum would be wrong."""
        if not self.all_reported:
            return None
        totals: Counter[str] = Counter()
        for report in self._latest.values():
            totals.update(report.members)
        return {segment_id: count for segment_id, count in totals.items() if count}
