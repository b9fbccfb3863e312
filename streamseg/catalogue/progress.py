"""The partitions' reports as one progress and the true totals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Report:
    """How far one partition is.

    generation  the definitions it is judging its contacts by: the highest offset on `segment-definitions`
    done        contacts judged by them so far, of `total`
    members     segment_id -> contacts of this partition that are in it now
    """

    partition: int
    generation: int
    done: int
    total: int
    members: Mapping[str, int] = field(default_factory=dict)


class Progress:
    """The latest report of each of `partitions` partitions, numbered from 0."""

    def __init__(self, partitions: int) -> None:
        """Raises ValueError for less than one partition."""
        if partitions < 1:
            raise ValueError(f"{partitions} partitions: there is at least one")
        self._partitions = partitions
        self._latest: dict[int, Report] = {}

    def take(self, report: Report) -> None:
        """Take a report in place of the partition's last one; one of an older generation is ignored.

        Raises ValueError for a partition that there is not."""
        if not 0 <= report.partition < self._partitions:
            raise ValueError(f"partition {report.partition} of {self._partitions}")
        last = self._latest.get(report.partition)
        if last is None or report.generation >= last.generation:
            self._latest[report.partition] = report

    def forget(self, partition: int) -> None:
        """Drop a partition's report: its next owner reports anew, perhaps from an earlier generation."""
        self._latest.pop(partition, None)

    @property
    def heard(self) -> bool:
        """Whether every partition has reported."""
        return len(self._latest) == self._partitions

    def of(self, generation: int) -> float:
        """How much of the calculation for a generation is done, 0 to 1: the mean over all partitions.

        1 exactly when it is complete. A later generation includes the earlier ones; a partition that has not
        reported it has done nothing."""
        shares = (self._share(generation, partition) for partition in range(self._partitions))
        return sum(shares) / self._partitions

    def _share(self, generation: int, partition: int) -> float:
        report = self._latest.get(partition)
        if report is None or report.generation < generation:
            return 0.0
        return 1.0 if report.done >= report.total else report.done / report.total

    def members(self) -> dict[str, int] | None:
        """Contacts by segment over all partitions, segments without any left out; None until every
        partition has reported, since a sum of some would be wrong."""
        if not self.heard:
            return None
        totals: Counter[str] = Counter()
        for report in self._latest.values():
            totals.update(report.members)
        return {segment_id: count for segment_id, count in totals.items() if count}
