"""What this worker's partitions keep of earlier memberships, read between their steps, in slices."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

from agents.api.partitions import LocalPartitions
from agents.api.slices import in_thread
from agents.partitions.task import PartitionTask
from streamseg.contact.kept_changes import KeptChange
from streamseg.engine.growing import Growth, divided
from streamseg.engine.standing import complete_since_ms, is_kept_at, latest, segments_at
from streamseg.json_text import Json
from streamseg.settings import Settings
from streamseg.store.growth import Counts
from streamseg.store.protocol import Store
from streamseg.times import format_ms

_LOOKED_AT: Final = 20_000
"""How many contacts of a partition are looked at for one page."""
_PIECE: Final = 64
"""The number of contacts that are read before the slice's time is checked."""

Entry = tuple[int, int]
"""`sequence`, `entered_ms`"""
Row = Callable[[str, Sequence[KeptChange], Entry | None], Json | None]
"""Returns the row of a contact, given its kept changes in the segment and its membership now; None: it is not
on the list."""


class Page(NamedTuple):
    """A part of a list of contacts, by contact id.

    contacts     the rows
    reached      the contact up to which contacts were looked at; None: there are no more
    clock_ms     up to when all changes are known
    complete_ms  since when all changes are kept
    """

    contacts: list[Json]
    reached: str | None
    clock_ms: int
    complete_ms: int

    def wire(self) -> Json:
        return self._asdict()

    @classmethod
    def merged(cls, pages: Sequence[Page]) -> Page:
        """Return the part that is complete in all of them."""
        reached = min((one.reached for one in pages if one.reached is not None), default=None)
        rows = heapq.merge(*(one.contacts for one in pages), key=itemgetter("contact_id"))
        return cls(
            [row for row in rows if reached is None or row["contact_id"] <= reached],
            reached,
            min(one.clock_ms for one in pages),
            max(one.complete_ms for one in pages),
        )


class LocalPast:
    """Answers questions about earlier memberships in this worker's partitions. Every method raises
    ProblemError `not_here` for a partition that is not at work in this worker."""

    def __init__(self, local: LocalPartitions, settings: Settings) -> None:
        self._local = local
        self._retention_ms = settings.history_retention_ms

    async def of_contact(self, number: int, contact_id: str, at_ms: int | None) -> Json:
        """Return the segments in which a known contact was at an instant; None: now. There are none if the
        kept changes do not tell."""
        async with self._local.slices.slice():
            task = self._local.task(number)
            contact = self._local.known(task, contact_id).copy()
            changes, clock_ms = self._changes(task, contact_id), settled_ms(task)
            since_ms = complete_since_ms(contact, task.partition.clock_ms, self._retention_ms)

        def listed(_: Callable[[], None]) -> Json:
            when_ms = clock_ms if at_ms is None else at_ms
            tells = since_ms <= when_ms <= clock_ms
            found = segments_at(contact, changes, when_ms) if tells else {}
            return {
                "at_ms": when_ms,
                "clock_ms": clock_ms,
                "complete_ms": since_ms,
                "segments": [
                    {
                        "segment_id": segment_id,
                        "entered_at": None if one.entered_ms is None else format_ms(one.entered_ms),
                        "sequence": one.sequence,
                        **why(one.entry),
                    }
                    for segment_id, one in found.items()
                ],
            }

        return await in_thread(listed)

    async def changes(self, number: int, contact_id: str) -> list[KeptChange]:
        """Return the changes that count as kept of a contact, ascending."""
        async with self._local.slices.slice():
            return self._changes(self._local.task(number), contact_id)

    def _changes(self, task: PartitionTask, contact_id: str) -> list[KeptChange]:
        clock_ms = task.partition.clock_ms
        horizon_ms = clock_ms - self._retention_ms
        return [
            change
            for change in task.store.kept_changes(contact_id, horizon_ms)
            if is_kept_at(change, clock_ms, self._retention_ms)
        ]

    async def contacts(
        self, numbers: Sequence[int], segment_id: str, prefix: str, after: str | None, limit: int, row: Row
    ) -> Page:
        """Return up to `limit` rows of contacts that are or were in a segment, and whose ids begin with
        `prefix` and follow `after`. A segment of the same id that was deleted does not count."""
        return Page.merged([await self._page(one, segment_id, prefix, after, limit, row) for one in numbers])

    async def _page(
        self, number: int, segment_id: str, prefix: str, after: str | None, limit: int, row: Row
    ) -> Page:
        rows: list[Json] = []
        looked_at, more = 0, True
        while more and len(rows) < limit and looked_at < _LOOKED_AT:
            async with self._local.slices.slice() as one:
                task = self._local.task(number)
                store, horizon_ms = task.store, task.partition.clock_ms - self._retention_ms
                born = _birth(task, segment_id)
                more = False
                for contact_id, changes, entry in _side_by_side(store, segment_id, prefix, after):
                    after = contact_id
                    looked_at += 1
                    kept = [
                        change
                        for change in changes
                        if change.born == born and change.effective_ms > horizon_ms
                    ]
                    found = row(contact_id, kept, entry)
                    if found is not None:
                        rows.append(found)
                    if len(rows) == limit or (looked_at % _PIECE == 0 and one.over):
                        more = True
                        break
        # Afterwards, since a change may have been dropped meanwhile.
        complete_ms = await self._complete_ms(number, segment_id)
        task = self._local.task(number)
        return Page(rows, after if more else None, settled_ms(task), complete_ms)

    async def _complete_ms(self, number: int, segment_id: str) -> int:
        """Return since when the changes of all contacts in a segment are kept."""
        after: str | None = None
        floor_ms: int | None = None
        while True:
            async with self._local.slices.slice() as one:
                store = self._local.task(number).store
                for index, (contact_id, at_ms) in enumerate(store.floors(segment_id, after)):
                    after = contact_id
                    floor_ms = at_ms if floor_ms is None else max(floor_ms, at_ms)
                    if index % _PIECE == _PIECE - 1 and one.over:
                        break
                else:
                    horizon_ms = self._local.task(number).partition.clock_ms - self._retention_ms
                    return latest(horizon_ms, store.unkept_ms(), floor_ms)

    async def growth(self, numbers: Sequence[int], segment_id: str, bounds: Sequence[int]) -> Growth:
        """Return the growth of a segment between the bounds of buckets (epoch ms)."""
        first, *others = [await self._growth(number, segment_id, bounds) for number in numbers]
        for one in others:
            first = first.plus(one)
        return first

    async def _growth(self, number: int, segment_id: str, bounds: Sequence[int]) -> Growth:
        quarters: dict[int, Counts] = {}
        since_ms, born = bounds[0], _birth(self._local.task(number), segment_id)
        while True:
            async with self._local.slices.slice() as one:
                task = self._local.task(number)
                store, clock_ms = task.store, task.partition.clock_ms
                now_born = _birth(task, segment_id)
                if now_born != born:
                    # It was deleted and made again meanwhile.
                    born, quarters, since_ms = now_born, {}, bounds[0]
                # The last quarter that was read is read again: it may have gone on.
                growth = () if born is None else store.growth(segment_id, born, since_ms)
                for index, (quarter_ms, counts) in enumerate(growth):
                    quarters[quarter_ms] = counts
                    since_ms = quarter_ms
                    if index % _PIECE == _PIECE - 1 and one.over:
                        break
                else:
                    # The number of members is of the same moment as the last quarter.
                    buckets, later = divided(quarters, bounds)
                    complete_ms = latest(
                        clock_ms - self._retention_ms, store.unkept_ms(), store.growth_since_ms()
                    )
                    contacts = store.member_counts().get(segment_id, 0)
                    return Growth(contacts, buckets, later, settled_ms(task), complete_ms)


def _birth(task: PartitionTask, segment_id: str) -> int | None:
    """Return the birth of a segment in a partition's plan; None: it is not in the plan."""
    plan = task.partition.plan
    segment = plan.segments.get(segment_id) or plan.waiting.get(segment_id)
    return None if segment is None else segment.born


def settled_ms(task: PartitionTask) -> int:
    """Return the instant (epoch ms) up to which all changes of a partition have been made."""
    clock_ms, next_ms = task.partition.clock_ms, task.partition.next_due_ms()
    return clock_ms if next_ms is None or next_ms > clock_ms else next_ms - 1


def why(change: KeptChange | None) -> Json:
    """Return version and reason of a change for an answer; None: it is not kept."""
    if change is None:
        return {"segment_version": None, "reason": None}
    return {"segment_version": change.version, "reason": {"kind": change.kind, "ref": change.ref}}


def _side_by_side(
    store: Store, segment_id: str, prefix: str, after: str | None
) -> Iterator[tuple[str, list[KeptChange], Entry | None]]:
    """Yield each contact that is in a segment or has kept changes in it, if its id begins with `prefix` and
    follows `after`, with these changes and with its membership now, ascending by contact id."""
    found_members = store.members(segment_id, after, prefix)
    members = ((one, None, (sequence, at_ms)) for one, sequence, at_ms in found_members)
    changes = ((one, change, None) for one, change in store.segment_changes(segment_id, after, prefix))
    both = heapq.merge(members, changes, key=itemgetter(0))
    for contact_id, rows in groupby(both, key=itemgetter(0)):
        found: list[KeptChange] = []
        entry: Entry | None = None
        for _, change, now in rows:
            if change is not None:
                found.append(change)
            if now is not None:
                entry = now
        yield contact_id, found, entry
