"""Bringing every contact of a partition up to changed definitions, in the background.

Where a segment has changed, two passes: in the first its old formula stays in force while the new one's
conditions are filled, in the second each contact goes over to the new one. What has been done is kept in
the store with the contacts it was done for, so that whoever has the partition next goes on from there.
"""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from streamseg.plan.plan import Plan, transition
from streamseg.plan.standing import standing_note, standing_plan
from streamseg.settings import Settings
from streamseg.store.rocksdb import RocksStore

# Other names than in state layout 4, so that every contact of that layout is swept once.
SWEPT = "swept"
PLACE = "sweeping"
STANDING = "standing"

_COUNTED = 2_000


class _Place(NamedTuple):
    """How far a sweep is, as the note PLACE keeps it: a JSON object of these fields.

    target  identity of the definitions that contacts are brought up to
    after   the contact that was swept last in this pass; None: none yet
    passed  how many passes are over
    passes  how many there are
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
    """One partition's sweep, and how far it is.

    target   the definitions that every contact is brought up to
    plan     what contacts are to be judged by now: the target, or in the first of two passes the formulas
             that stand
    after    the contact that was swept last in this pass
    running  whether any contact is left
    unsaved  whether it ended since the last checkpoint; set to False by whoever makes one
    """

    def __init__(self, store: RocksStore, target: Plan, settings: Settings) -> None:
        """Goes on with the sweep that the store was left in, if there was one."""
        self._store = store
        self.target = target
        self.unsaved = False
        self.plan = target
        self.after: str | None = None
        noted, standing = store.note(PLACE), store.note(STANDING)
        first = None if standing is None else standing_plan(standing, target, settings)
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
        """Other definitions are in force."""
        if target.identity == self.target.identity:
            self._refile(target)
            return
        first = transition(self.plan, target)
        self.target = target
        self._start(first)
        self._store.set_note(STANDING, None if first is None else standing_note(first, target))
        self._store.set_note(SWEPT, None)
        self._note_place()

    def _refile(self, target: Plan) -> None:
        """Nothing has to be judged anew."""
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
        """Count some more contacts; whether some are left. Cost: one look at each of up to 2,000 keys."""
        if self._counting:
            found = list(islice(self._store.contact_ids(self._counted_up_to), _COUNTED))
            self._contacts += len(found)
            self._counting = len(found) == _COUNTED
            self._counted_up_to = found[-1] if found else None
        return self._counting

    def reached(self, after: str | None, contacts: int) -> None:
        """Up to so many more were swept, the last of them `after`; None: there were none left."""
        if after is not None:
            self.after = after
            self._swept += contacts
            self._note_place()
        elif self.plan is not self.target:
            self.plan = self.target
            self.after = None
            self._passed += 1
            self._swept = 0
            self._store.set_note(STANDING, None)
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
        """(done, total), in contacts and passes. All only at the end: contacts may come meanwhile."""
        if not self.running:
            return 1, 1
        total = self._contacts * self._passes + 1
        done = self._passed * self._contacts + min(self._swept, self._contacts)
        return min(done, total - 1), total


def _mark(plan: Plan) -> list[int]:
    """What tells a plan that was swept for. Its identity alone would not do: it may be that of an earlier
    plan again, after one that some contacts were brought up to already."""
    return [plan.identity, plan.generation]
