"""One state machine decides which partitions this worker owns and what it may do with each of them.

    GONE ──assign──▶ ASSIGNED ──▶ RESTORING ──restored──▶ AT_WORK ──revoke──▶ RELEASING ──gone──▶ GONE
                         │            └─────────revoke──────────────────────────▲
                         └──revoke──▶ GONE

ASSIGNED   The group has assigned the partition to this worker. An earlier assignment left its store open, and
           the store is still being closed; nothing is open under the present assignment.
RESTORING  The store is open. The changelog is read up to the end that it had when the restoring began.
AT_WORK    The state is complete, and only this worker changes it.
RELEASING  The work ends with a last checkpoint, or the restoring is stopped. Then the store is closed.
GONE       The partition has no open store in this worker.

A worker writes to the changelog, sends outputs or commits an offset only in AT_WORK and in the last
checkpoint that follows it (`may_write`). Each assignment has a number, the epoch. A claim is a partition
under an epoch. Every call about a partition names its claim, so a late call about an earlier assignment
changes nothing in the present one.

Once the worker stops (`end`), it takes no more partitions, although the group may still assign some before it
notices.

This module does not wait, read a clock or use Kafka. Events come in as calls, effects go out through
`Effects`, and the result of an effect comes in as a later call.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol


class State(Enum):
    """The state of one partition; the module's docstring describes each."""

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
    """The actions that the state machine starts. Each returns at once; its result comes as a later call."""

    def restore(self, claims: list[Claim]) -> None:
        """Open the stores and read the changelogs to their present ends; then call `restored` for each."""

    def work(self, claim: Claim) -> None:
        """Begin to work on a partition whose state is complete; call `lost` if the work ends by itself."""

    def finish(self, claim: Claim) -> None:
        """End the work with a last checkpoint and close the store; then call `gone`."""

    def abandon(self, claim: Claim) -> None:
        """Stop the work or the restoring, write nothing, close the store; then call `gone`."""


@dataclass(slots=True)
class _Open:
    """A partition whose store is open or being opened."""

    claim: Claim
    state: State = State.RESTORING
    finishing: bool = False
    """Whether the last checkpoint may still be made."""


class Assignment:
    """The state machine. All its methods must be called from one thread."""

    def __init__(self, effects: Effects) -> None:
        self.epoch = 0
        """The number of the assignment; it grows whenever partitions are assigned or revoked."""
        self._effects = effects
        self._assigned: frozenset[int] | None = None
        self._ended = False
        self._open: dict[int, _Open] = {}

    # -- events ------------------------------------------------------------------------------------------

    def assign(self, partitions: Iterable[int]) -> None:
        """Take note that the group has assigned exactly these partitions to this worker."""
        self.revoke()
        if self._ended:
            return
        self.epoch += 1
        self._assigned = frozenset(partitions)
        self._restore(self._assigned - self._open.keys())

    def revoke(self) -> None:
        """Take note that the group revokes all partitions."""
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
        """Release all partitions and take no others, since the worker stops."""
        self._ended = True
        self.revoke()

    def restored(self, claim: Claim) -> None:
        """Take note that the changelog was read to the end that it had when its restoring began."""
        one = self._find(claim)
        if one is not None and one.state is State.RESTORING:
            one.state = State.AT_WORK
            self._effects.work(claim)

    def lost(self, claim: Claim) -> None:
        """Take note that the work has ended without a last checkpoint, since the group may have assigned the
        partition to another worker. It is not restored again before the next assignment."""
        one = self._find(claim)
        if one is not None and one.state is State.AT_WORK:
            one.state = State.RELEASING
            self._effects.abandon(claim)

    def gone(self, claim: Claim) -> None:
        """Take note that nothing is open under this claim any more."""
        one = self._find(claim)
        if one is None or one.state is not State.RELEASING:
            return
        del self._open[claim.partition]
        if self._assigned is not None and claim.partition in self._assigned and claim.epoch != self.epoch:
            self._restore({claim.partition})

    # -- questions ---------------------------------------------------------------------------------------

    def state(self, partition: int) -> State:
        """Return the state of the partition, under the present assignment if that contains it."""
        one = self._open.get(partition)
        if one is None:
            return State.GONE
        assigned = self._assigned is not None and partition in self._assigned
        return State.ASSIGNED if assigned and one.claim.epoch != self.epoch else one.state

    def may_write(self, claim: Claim) -> bool:
        """Return whether anything may be written for the partition under this claim."""
        one = self._find(claim)
        return one is not None and (one.state is State.AT_WORK or one.finishing)

    @property
    def assigned(self) -> frozenset[int] | None:
        """The partitions of the present assignment; None while there is none."""
        return self._assigned

    @property
    def open_claims(self) -> list[Claim]:
        """The claims whose stores are open or being opened, those of earlier assignments included."""
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
