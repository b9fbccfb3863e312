"""Decides whether a worker is ready: it works on all partitions that it was assigned."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple


class ReadinessFacts(NamedTuple):
    """The facts that decide whether a worker is ready. For brokers, clock, catalogue, folder and disk, None
    means no trouble.

    ending      whether the worker is stopping, for good or in order to start again
    brokers     the trouble with the brokers, in words
    clock       the reason why its host's clock is not trusted, in words
    catalogue   the trouble that prevents this worker, which is the leader, from leading, in words
    folder      the data folder, if it is gone
    disk        the reason why the worker waits for room on its disk, in words
    topics      whether it has read the definitions and the catalogue
    assigned    the partitions that the group has assigned to it, None while there is no assignment
    at_work     the assigned partitions that are at work
    """

    ending: bool
    brokers: str | None
    clock: str | None
    catalogue: str | None
    folder: Path | None
    disk: str | None
    topics: bool
    assigned: Collection[int] | None
    at_work: Collection[int]


def reasons_not_ready(facts: ReadinessFacts) -> list[str]:
    """Return the reasons why the worker is not ready, in words; empty if it is ready. A worker without
    partitions is ready: there are more workers than partitions, and it stands by."""
    reasons = []
    if facts.ending:
        reasons.append("the worker is ending")
    if facts.brokers is not None:
        reasons.append(facts.brokers)
    if facts.clock is not None:
        reasons.append(facts.clock)
    if facts.catalogue is not None:
        reasons.append(f"the catalogue is not led: {facts.catalogue}")
    if facts.folder is not None:
        reasons.append(f"the data folder {facts.folder} was removed; restart the worker")
    if facts.disk is not None:
        reasons.append(facts.disk)
    if not facts.topics:
        reasons.append("the definitions and the catalogue have not been read yet")
    if facts.assigned is None:
        reasons.append("the group has not settled yet which partitions this worker has")
    else:
        waiting = sorted(set(facts.assigned) - set(facts.at_work))
        if waiting:
            numbers = ", ".join(map(str, waiting))
            reasons.append(f"the state of these partitions is still being read: {numbers}")
    return reasons
