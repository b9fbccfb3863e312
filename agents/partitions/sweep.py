"""A sweep evaluates every contact of a partition with changed definitions, in the background.

If a segment has changed, there are two passes. In the first pass the old formula stays in force while the
data for the conditions of the new formula are collected. In the second pass each contact is evaluated with
the new formula. The place of the sweep is kept in the store together with the contacts it has changed, so
that the next owner of the partition goes on from there.
"""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from streamseg.engine.partition import Swept
from streamseg.plan.plan import Plan
from streamseg.plan.transition import restored_transition, transition, transition_note
from streamseg.settings import Settings
from streamseg.store.rocksdb import RocksStore

# The names differ from those of state layout 4, so that every contact of that layout is swept once.
SWEPT = "swept"
PLACE = "sweeping"
TRANSITION = "standing"  # the name that stores of this layout have for it

_COUNTED = 2_000


class _Place(NamedTuple):
    """The place of a sweep, as the note PLACE keeps it: a JSON object with these fields.

    target  the identity of the plan that contacts are evaluated for
    after   the contact that was swept last in this pass; None: none yet
    passed  how many passes are over
    passes  how many passes there are
    swept   how many contacts this pass has swept
    """

    target: int
    after: str | None
    passed: int
    passes: int
    swept: int

    @property
    def in_first_of_two(self) -> bool:
        return self.passed + 1 < self.passes


class Sweep:
    """The sweep of one partition, and its place.

    target   the plan that every contact is evaluated for
    plan     the plan with which contacts are evaluated now: the target, or in the first of two passes the
             plan with the old formulas
    after    the contact that was swept last in this pass; None: none yet
    running  whether any contact is left
    unsaved  whether the sweep ended since the last checkpoint; a checkpoint sets it to False
    """

    def __init__(self, store: RocksStore, target: Plan, settings: Settings) -> None:
        """Go on with the sweep whose place the store holds, if there is one."""
        self._store = store
        self.target = target
        self.unsaved = False
        self.plan = target
        self.after: str | None = None
        noted, note = store.note(PLACE), store.note(TRANSITION)
        first = None if note is None else restored_transition(note, target, settings)
        self._start(first)
        self.running = bool(store.note(SWEPT) != _mark(target))
        place = None if noted is None else _Place(**noted)
        if (
            place is not None
            and place.target == target.identity
            and place.in_first_of_two == (first is not None)
        ):
            self.after = place.after
            self._passed = place.passed
            self._swept = place.swept
            self._passes = place.passes

    def begin(self, target: Plan) -> None:
        """Begin a sweep for the plan of changed definitions."""
        if target.identity == self.target.identity:
            self._refile(target)
            return
        first = transition(self.plan, target)
        self.target = target
        self._start(first)
        self._store.set_note(TRANSITION, None if first is None else transition_note(first, target))
        self._store.set_note(SWEPT, None)
        self._note_place()

    def _refile(self, target: Plan) -> None:
        """Take over a plan with the same identity: no contact has to be evaluated because of it."""
        if self.plan is self.target:
            self.plan = target
        self.target = target
        if self.running:
            self._note_place()
        else:
            self._finish()

    def _start(self, first: Plan | None) -> None:
        self.plan = first or self.target
        self.after = None
        self.running = True
        self._passes = 1 if first is None else 2
        self._passed = 0
        self._swept = 0
        self._contacts = 0
        self._counted_up_to: str | None = None
        self._counting = True

    def count(self) -> bool:
        """Count some more contacts; return whether some are left. Cost: up to 2,000 keys are read."""
        if self._counting:
            found = list(islice(self._store.contact_ids(self._counted_up_to), _COUNTED))
            self._contacts += len(found)
            self._counting = len(found) == _COUNTED
            self._counted_up_to = found[-1] if found else None
        return self._counting

    def reached(self, swept: Swept) -> None:
        """Take note of a slice."""
        if swept.last is not None:
            self.after = swept.last
            self._swept += swept.contacts
            self._note_place()
        elif self.plan is not self.target:
            self.plan = self.target
            self.after = None
            self._passed += 1
            self._swept = 0
            self._store.set_note(TRANSITION, None)
            self._note_place()
        else:
            self._finish()

    def _finish(self) -> None:
        self.running = False
        self.unsaved = True
        self._store.set_note(SWEPT, _mark(self.target))
        self._store.set_note(PLACE, None)

    def _note_place(self) -> None:
        place = _Place(self.target.identity, self.after, self._passed, self._passes, self._swept)
        self._store.set_note(PLACE, place._asdict())

    @property
    def share(self) -> tuple[int, int]:
        """(done, total), in contacts times passes. `done` reaches `total` only at the end, since new contacts
        may come during the sweep."""
        if not self.running:
            return 1, 1
        total = self._contacts * self._passes + 1
        done = self._passed * self._contacts + min(self._swept, self._contacts)
        return min(done, total - 1), total


def _mark(plan: Plan) -> list[int]:
    """Return the mark of a plan for which the sweep has ended. The identity alone is not enough: a plan may
    have the identity of an earlier plan, while a plan in between was swept for some contacts."""
    return [plan.identity, plan.generation]
