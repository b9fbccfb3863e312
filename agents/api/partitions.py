"""The partitions of this worker, read between their steps, in slices."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice, takewhile
from typing import Any, Final, NamedTuple, Protocol

from agents.api.problems import ProblemError, not_found
from agents.api.slices import Slice, Slices, in_thread
from agents.partitions.task import PartitionTask
from streamseg.contact.contact import Contact
from streamseg.contact.rows import Membership
from streamseg.engine.effect import Effect, Group
from streamseg.engine.explain import explain
from streamseg.engine.forecast import next_flip_ms
from streamseg.engine.history import History
from streamseg.engine.partition import Recounted
from streamseg.engine.trial import CheckedEvents, EventSnapshot, Trial
from streamseg.json_text import Json
from streamseg.plan.plan import Plan
from streamseg.records.inputs import Event
from streamseg.settings import Settings
from streamseg.times import format_ms

_CONTACTS: Final = 256
"""The number of contact ids that are read at a time."""
_PIECE: Final = 64
"""The number of events that are read before the slice's time is checked."""
_ATTEMPTS: Final = 4
"""How often a contact is read again if it changes while its events are read. The last attempt reads it in one
go."""
# Approximate times in microseconds: to read an event, and to evaluate one condition on it.
_EVENT_COST: Final = 4
_CONDITION_COST: Final = 4
_LIGHT: Final = 4_000
"""The largest estimated time for a contact within a slice, in microseconds."""


Tried = Callable[[Contact, Contact], None]
"""Takes a contact, and the same contact evaluated with another plan. It must not change them."""


class Snapshot(NamedTuple):
    """A contact's copy, its events at the same moment, and its partition."""

    contact: Contact
    events: EventSnapshot
    task: PartitionTask


class TasksAtWork(Protocol):
    """The partitions at work in this worker (`agents.partitions.scheduler.TaskScheduler`)."""

    def find(self, number: int) -> PartitionTask | None: ...

    def wake(self, number: int) -> None: ...


class LocalPartitions:
    """Answers questions about the contacts and members of this worker's partitions. `number` is a partition's
    number.

    Every method raises ProblemError `not_here` for a partition that is not at work in this worker.
    """

    def __init__(self, scheduler: TasksAtWork, settings: Settings, slices: Slices | None = None) -> None:
        self._scheduler = scheduler
        self._settings = settings
        self.slices = Slices() if slices is None else slices

    def has(self, number: int) -> bool:
        return self._scheduler.find(number) is not None

    def task(self, number: int) -> PartitionTask:
        """Return a partition of this worker."""
        task = self._scheduler.find(number)
        if task is None:
            raise ProblemError("not_here", f"partition {number} is not at work here")
        return task

    def recount(
        self, number: int, segment_id: str, after: str | None, limit: int
    ) -> asyncio.Future[Recounted]:
        """Evaluate a segment again for some contacts; see `PartitionTask.recount`."""
        outcome = self.task(number).recount(segment_id, after, limit)
        self._scheduler.wake(number)
        return outcome

    def known(self, task: PartitionTask, contact_id: str) -> Contact:
        """Return a known contact. Raises ProblemError `not_found` if there is none."""
        contact = task.store.contact(contact_id)
        if contact is None or contact.known_since_ms is None:
            raise not_found("contact", "contact_id")
        return contact

    async def contact(self, number: int, contact_id: str) -> Json:
        """Return a contact with everything except its events."""
        async with self.slices.slice():
            task = self.task(number)
            contact, plan = self.known(task, contact_id).copy(), task.partition.plan
            return await in_thread(lambda _: _described(contact, plan))

    async def explain(self, number: int, contact_id: str, segment_id: str, plan: Plan | None = None) -> Json:
        """Return why the contact is in the segment or not, now, by the plan in force or by another `plan`."""
        contact, events, task = await self.snapshot(number, contact_id)
        now_ms = task.partition.clock_ms
        by = task.partition.plan if plan is None else plan
        segment = by.segments.get(segment_id)
        if segment is None:
            raise ProblemError("conflict", "not calculated yet; calculate it first", "segment_id")
        retention_ms, cap = self._settings.history_retention_ms, self._settings.history_cap

        def explained(check: Callable[[], None]) -> Json:
            checked = events.checked(check)
            settled = Trial(checked, by, self._settings).brought_up(contact, now_ms)
            kept = History(checked, retention_ms, cap).kept(settled, now_ms)
            return explain(settled, segment, by, CheckedEvents(kept, check), now_ms)

        async with self.slices.slice():
            return await in_thread(explained)

    async def members(
        self, numbers: list[int], segment_id: str, prefix: str, after: str | None, limit: int
    ) -> list[Json]:
        """Return up to `limit` members of a segment whose ids begin with `prefix` and follow `after`, by
        contact id."""
        rows: list[Json] = []
        more = True
        while more:
            async with self.slices.slice() as one:
                found = [_members(self.task(number), segment_id, prefix, after) for number in numbers]
                more = False
                for row in islice(heapq.merge(*found, key=_contact_id), limit - len(rows)):
                    rows.append(row)
                    if one.over:
                        after, more = row["contact_id"], len(rows) < limit
                        break
        return rows

    async def preview(self, numbers: list[int], plan: Plan, segment_id: str, sample: int) -> Json:
        """Return how many contacts are members of a segment by `plan`, and the first `sample` of them by
        id."""
        member_id = plan.segments[segment_id].member_id
        members = Group(sample)

        def take(_: Contact, tried: Contact) -> None:
            if member_id in tried.body.true:
                members.add(tried.contact_id)

        await self._try_all(numbers, plan, take)
        return {"contacts": members.contacts, "sample": members.sample}

    async def compare(self, numbers: list[int], plan: Plan, effect: Effect) -> Json:
        """Return the effect that a draft, which is in `plan`, has on the contacts, and the earliest time
        (epoch ms) at which they were compared."""
        await self._try_all(numbers, plan, effect.take)
        clocks = [self.task(number).partition.clock_ms for number in numbers]
        return {"effect": effect.wire(), "at_ms": min(clocks)}

    async def _try_all(self, numbers: list[int], plan: Plan, take: Tried) -> None:
        """Evaluate all known contacts with a plan, and give each to `take`, together with the result.

        Works in slices between the partitions' work; stores nothing.
        """
        for number in numbers:
            waiting: deque[str] = deque()
            after: str | None = None
            while True:
                async with self.slices.slice() as one:
                    task = self.task(number)
                    if not waiting:
                        waiting.extend(islice(task.store.contact_ids(after), _CONTACTS))
                        if not waiting:
                            break
                        after = waiting[-1]
                    heavy = self._try(task, waiting, plan, one, take)
                if heavy is not None:
                    await self._try_heavy(number, heavy, plan, take)

    def _try(
        self, task: PartitionTask, waiting: deque[str], plan: Plan, one: Slice, take: Tried
    ) -> str | None:
        """Evaluate the waiting contacts that fit into a slice. Return the contact before which it stopped
        because that contact takes too long for a slice; None if there is none."""
        trial, now_ms = Trial(task.store, plan, self._settings), task.partition.clock_ms
        while waiting and not one.over:
            contact_id = waiting.popleft()
            contact = task.store.contact(contact_id)
            if contact is None or contact.known_since_ms is None:
                continue
            if _is_heavy(contact, plan, now_ms):
                return contact_id
            take(contact, trial.brought_up(contact, now_ms))
        return None

    async def _try_heavy(self, number: int, contact_id: str, plan: Plan, take: Tried) -> None:
        """Evaluate a contact with a long history, in a thread."""
        try:
            contact, events, task = await self.snapshot(number, contact_id)
        except ProblemError as error:
            if error.code == "not_found":
                # The contact was erased meanwhile.
                return
            raise
        now_ms = task.partition.clock_ms

        def evaluated(check: Callable[[], None]) -> Contact:
            return Trial(events.checked(check), plan, self._settings).brought_up(contact, now_ms)

        async with self.slices.slice():
            take(contact, await in_thread(evaluated))

    async def snapshot(
        self, number: int, contact_id: str, *, also: Callable[[PartitionTask, Contact], None] | None = None
    ) -> Snapshot:
        """Return a copy of a known contact with its events, all of one moment; `also` is called at that
        moment. The events are read in several slices, and again if the contact changed meanwhile."""
        for attempt in range(_ATTEMPTS):
            last = attempt == _ATTEMPTS - 1
            events: list[Event] = []
            begun: tuple[Any, ...] | None = None
            while True:
                async with self.slices.slice() as one:
                    task = self.task(number)
                    contact = self.known(task, contact_id)
                    state = _state(contact)
                    if begun is not None and begun != state:
                        break
                    begun = state
                    # A comparison must also read the events that the contact should not have any more.
                    since_ms = contact.oldest_event_ms if also is None else None
                    if _read_on(task, contact_id, events, since_ms, None if last else one):
                        if also is not None:
                            also(task, contact)
                        return Snapshot(contact.copy(), EventSnapshot(events), task)
        raise RuntimeError("the last attempt reads everything at once")


def _state(contact: Contact) -> tuple[Any, ...]:
    """Return values of a contact that change whenever its events do."""
    return (
        contact.event_count,
        contact.oldest_event_ms,
        contact.erased_ms,
        contact.event_offset,
        contact.update_offset,
    )


def _read_on(
    task: PartitionTask, contact_id: str, events: list[Event], since_ms: int | None, one: Slice | None
) -> bool:
    """Append the events that follow those read before, until the slice is over; if `one` is None, all of
    them. Return whether there are no more."""
    skipped = 0
    if events:
        since_ms = events[-1].occurred_ms
        skipped = sum(1 for _ in takewhile(lambda event: event.occurred_ms == since_ms, reversed(events)))
    following = islice(task.store.events(contact_id, since_ms), skipped, None)
    while piece := list(islice(following, _PIECE)):
        events += piece
        if one is not None and one.over:
            return False
    return True


def takes_long(events: int, conditions: int) -> bool:
    """Return whether evaluating this many conditions on this many events may take longer than a slice."""
    return events * (_EVENT_COST + conditions * _CONDITION_COST) >= _LIGHT


def _is_heavy(contact: Contact, plan: Plan, now_ms: int) -> bool:
    """Return whether bringing a contact up to a plan may take longer than a slice. New conditions read all
    its events, and so does forgetting old events."""
    if not contact.event_count:
        return False
    new = 0 if contact.plan == plan.identity else len(plan.news_since(contact.plan).conditions)
    if not new and (contact.prune_ms is None or contact.prune_ms > now_ms):
        return False
    return takes_long(contact.event_count, new)


def _described(contact: Contact, plan: Plan) -> Json:
    attributes = {name: value for name, (value, _) in contact.attributes.items() if value is not None}
    return {
        "contact_id": contact.contact_id,
        "known_since": format_ms(contact.known_since_ms or 0),
        "tags": attributes.pop("tags", []),
        "attributes": attributes,
        "updated_at": {
            name: format_ms(at_ms) for name, (value, at_ms) in contact.attributes.items() if value is not None
        },
        "lists": sorted(key for key, entry in contact.body.lists.items() if entry.is_in),
        "segments": [
            _membership(contact, segment_id, membership, plan)
            for segment_id, membership in sorted(contact.body.members.items())
            if membership.is_member
        ],
    }


def _members(task: PartitionTask, segment_id: str, prefix: str, after: str | None) -> Iterator[Json]:
    """Yield the members of a segment whose ids begin with `prefix` and follow `after`, by contact id."""
    plan = task.partition.plan
    for contact_id, sequence, entered_ms in task.store.members(segment_id, after, prefix):
        row = {"contact_id": contact_id, "entered_at": format_ms(entered_ms), "sequence": sequence}
        contact = task.store.contact(contact_id)
        yield row if contact is None else row | _next_change(contact, segment_id, plan)


def _contact_id(row: Json) -> str:
    return str(row["contact_id"])


def _membership(contact: Contact, segment_id: str, membership: Membership, plan: Plan) -> Json:
    return {
        "segment_id": segment_id,
        "entered_at": format_ms(membership.effective_ms),
        "sequence": membership.sequence,
        **_next_change(contact, segment_id, plan),
    }


def _next_change(contact: Contact, segment_id: str, plan: Plan) -> Json:
    """Return when a membership ends if nothing else happens, for an answer; empty if time ends it never."""
    segment = plan.segments.get(segment_id)
    next_ms = None if segment is None else next_flip_ms(contact, segment, plan)
    return {} if next_ms is None else {"next_change_at": format_ms(next_ms)}
