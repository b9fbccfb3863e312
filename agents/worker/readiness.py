"""Whether a worker is ready: all that it was given to do is being done."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple


class Standing(NamedTuple):
    """How a worker stands; what is None is as it should be.

    ending      it is stopping, for good or to begin anew
    brokers     what keeps it from working with the brokers, in words
    clock       why its host's clock is not believed, in words
    catalogue   what keeps it from leading the catalogue, which is its turn, in words
    topics      whether it has read the definitions and the catalogue
    assigned    the partitions that the group has given it, None while that is not settled
    at_work     those of them that are read and answered for
    """

    ending: bool
    brokers: str | None
    clock: str | None
    catalogue: str | None
    topics: bool
    assigned: Collection[int] | None
    at_work: Collection[int]


def reasons_not_ready(standing: Standing) -> list[str]:
    """Why the worker is not ready, in words; empty where it is. A worker without partitions, where there are
    more workers than partitions, is ready: it stands by."""
    reasons = []
    if standing.ending:
        reasons.append("the worker is ending")
    if standing.brokers is not None:
        reasons.append(standing.brokers)
    if standing.clock is not None:
        reasons.append(standing.clock)
    if standing.catalogue is not None:
        reasons.append(f"the catalogue is not led: {standing.catalogue}")
    if not standing.topics:
        reasons.append("the definitions and the catalogue have not been read yet")
    if standing.assigned is None:
        reasons.append("the group has not settled yet which partitions this worker has")
    else:
        waiting = sorted(set(standing.assigned) - set(standing.at_work))
        if waiting:
            numbers = ", ".join(map(str, waiting))
            reasons.append(f"the state of these partitions is still being read: {numbers}")
    return reasons
