"""Which partitions are this worker's, and what may be done with each: one state machine.

    GONE ──assign──▶ ASSIGNED ──▶ RESTORING ──restored──▶ AT_WORK ──revoke──▶ RELEASING ──gone──▶ GONE
                         │            └─────────revoke──────────────────────────▲
                         └──revoke──▶ GONE

ASSIGNED   The group has given the partition to this worker. What an earlier assignment left open of it is
           still being closed; nothing is open under this one.
RESTORING  The store is open, and the changelog is read to the end that was asked for under this assignment.
AT_WORK    The state is complete, and this worker alone changes it.
RELEASING  The work ends with a last checkpoint, or the reading is given up; then the store is closed.
GONE       Nothing of the partition is open here.

Only AT_WORK, and the last checkpoint that follows it, write anything: to the changelog, to the outputs, or as
a committed offset (`may_write`). Each assignment has a number, its epoch. A claim is a partition under an
epoch; every report names its claim, so a late one of an earlier assignment changes nothing in this one.

Once the worker stops (`end`), what the group still gives it, before that has let it go, is not taken.

Nothing here waits, reads a clock or knows Kafka: events come in as calls, effects go out through `Effects`,
and the answer to an effect is a later call.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol


class State(Enum):
    """See the module."""

    ASSIGNED = "assigned"
    RESTORING = "restoring"
    AT_WORK = "at work"
    RELEASING = "releasing"
    GONE = "gone"


class Claim(NamedTuple):
    """A partition under one assignment."""

    partition: int
    epoch: int


class Effects(Protocol):
    """What the state machine has others do. Each returns at once; what comes of it is told by a call."""

    def restore(self, claims: list[Claim]) -> None:
        """Open the stores and read the changelogs to their ends as of now; then `restored` for each."""

    def work(self, claim: Claim) -> None:
        """Begin to work on a partition whose state is complete; `lost` if that ends by itself."""

    def finish(self, claim: Claim) -> None:
        """End the work with a last checkpoint and close the store; then `gone`."""

    def abandon(self, claim: Claim) -> None:
        """Stop what is going on, write nothing, close the store; then `gone`."""


@dataclass(slots=True)
class _Open:
    """A partition of which something is open."""

    claim: Claim
    state: State = State.RESTORING
    finishing: bool = False
    """Whether a last checkpoint may still be made."""


class Assignment:
    """The state machine; all methods are to be called from one thread."""

    def __init__(self, effects: Effects) -> None:
        self.epoch = 0
        """Grows whenever partitions are assigned or revoked."""
        self._effects = effects
        self._assigned: frozenset[int] | None = None
        self._ended = False
        self._open: dict[int, _Open] = {}

    # -- events ------------------------------------------------------------------------------------------

    def assign(self, partitions: Iterable[int]) -> None:
        """The group has given exactly these partitions to this worker."""
        self.revoke()
        if self._ended:
            return
        self.epoch += 1
        self._assigned = frozenset(partitions)
        self._restore(self._assigned - self._open.keys())

    def revoke(self) -> None:
        """The group takes all partitions back."""
        if self._assigned is None:
            return
        self.epoch += 1
        self._assigned = None
        for one in list(self._open.values()):
            if one.state is State.RESTORING:
                one.state = State.RELEASING
                self._effects.abandon(one.claim)
            elif one.state is State.AT_WORK:
                one.state, one.finishing = State.RELEASING, True
                self._effects.finish(one.claim)

    def end(self) -> None:
        """The worker stops: all partitions are released, and none is taken any more."""
        self._ended = True
        self.revoke()

    def restored(self, claim: Claim) -> None:
        """The changelog was read to its end as of the claim's assignment."""
        one = self._find(claim)
        if one is not None and one.state is State.RESTORING:
            one.state = State.AT_WORK
            self._effects.work(claim)

    def lost(self, claim: Claim) -> None:
        """The work has ended without a last checkpoint: the group may have gone on without this worker. The
        partition is not restored again before the next assignment."""
        one = self._find(claim)
        if one is not None and one.state is State.AT_WORK:
            one.state = State.RELEASING
            self._effects.abandon(claim)

    def gone(self, claim: Claim) -> None:
        """Nothing is open under this claim any more."""
        one = self._find(claim)
        if one is None or one.state is not State.RELEASING:
            return
        del self._open[claim.partition]
        if self._assigned is not None and claim.partition in self._assigned and claim.epoch != self.epoch:
            self._restore({claim.partition})

    # -- questions ---------------------------------------------------------------------------------------

    def state(self, partition: int) -> State:
        """Where the partition is, of the present assignment if it is in that."""
        one = self._open.get(partition)
        if one is None:
            return State.GONE
        assigned = self._assigned is not None and partition in self._assigned
        return State.ASSIGNED if assigned and one.claim.epoch != self.epoch else one.state

    def may_write(self, claim: Claim) -> bool:
        """Whether anything may be written for the partition under this claim."""
        one = self._find(claim)
        return one is not None and (one.state is State.AT_WORK or one.finishing)

    @property
    def assigned(self) -> frozenset[int] | None:
        """The partitions of the present assignment; None while there is none."""
        return self._assigned

    @property
    def open_claims(self) -> list[Claim]:
        """Of which something is open, of earlier assignments too."""
        return [one.claim for one in self._open.values()]

    @property
    def ready(self) -> bool:
        """Whether there is an assignment, and each of its partitions is at work."""
        if self._assigned is None:
            return False
        return all(self.state(partition) is State.AT_WORK for partition in self._assigned)

    # -- inside ------------------------------------------------------------------------------------------

    def _find(self, claim: Claim) -> _Open | None:
        one = self._open.get(claim.partition)
        return one if one is not None and one.claim == claim else None

    def _restore(self, partitions: Iterable[int]) -> None:
        claims = [Claim(partition, self.epoch) for partition in sorted(partitions)]
        self._open.update((claim.partition, _Open(claim)) for claim in claims)
        if claims:
            self._effects.restore(claims)
