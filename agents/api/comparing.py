"""Compares contacts with the result of their attributes and history, in slices between the partitions'
work."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice

from agents.api.partitions import LocalPartitions, takes_long
from agents.api.problems import ProblemError
from agents.api.slices import Slice, in_thread
from agents.partitions.task import PartitionTask
from streamseg.contact.contact import Contact
from streamseg.engine.verification import Difference, Indexes, Verifier
from streamseg.json_text import Json
from streamseg.plan.plan import Plan
from streamseg.settings import Settings
from streamseg.times import format_ms


@dataclass
class Compared:
    """The result for some contacts of one partition.

    contacts       the number of known contacts among them
    memberships    as JSON: segment id, contact id, sequence, time of entry
    last           the last contact compared; None if there are no more
    member_counts  for the whole partition: segment id -> number of members
    changes_before  how many membership changes the partition had made since it started its work when these
                   contacts were chosen
    changes        the same when `member_counts` was read, after the last contact
    """

    contacts: int = 0
    differences: list[Difference] = field(default_factory=list)
    memberships: list[Json] = field(default_factory=list)
    last: str | None = None
    member_counts: dict[str, int] = field(default_factory=dict)
    changes_before: int = 0
    changes: int = 0


class Comparing:
    """Compares contacts of this worker's partitions. Changes nothing; raises as LocalPartitions does."""

    def __init__(self, local: LocalPartitions, settings: Settings) -> None:
        self._local = local
        self._settings = settings

    async def page(
        self, number: int, after: str | None, limit: int, segment_ids: Collection[str] | None = None
    ) -> Compared:
        """Compare up to `limit` contacts of a partition that follow `after`."""
        async with self._local.slices.slice():
            task = self._local.task(number)
            contact_ids = list(islice(task.store.contact_ids(after), limit))
            changes_before = task.partition.changes
        found = await self.contacts(number, contact_ids, segment_ids)
        found.changes_before = changes_before
        found.last = contact_ids[-1] if len(contact_ids) == limit else None
        return found

    async def contacts(
        self, number: int, contact_ids: Collection[str], segment_ids: Collection[str] | None = None
    ) -> Compared:
        """Compare some contacts of a partition, for some segments only if given."""
        page = _Page(self._settings, segment_ids)
        waiting = deque(contact_ids)
        while True:
            async with self._local.slices.slice() as one:
                task = self._local.task(number)
                heavy = page.take(task, waiting, one)
                if heavy is None and not waiting:
                    page.found.member_counts = task.store.member_counts()
                    page.found.changes = task.partition.changes
                    return page.found
            if heavy is not None:
                await self._take_heavy(page, number, heavy)

    async def _take_heavy(self, page: _Page, number: int, contact_id: str) -> None:
        """Compare a contact that takes long: from a copy, in a thread."""
        plan: Plan
        indexes: Indexes
        now_ms: int

        def also(task: PartitionTask, contact: Contact) -> None:
            nonlocal plan, indexes, now_ms
            plan, now_ms = task.partition.plan, task.partition.clock_ms
            indexes = page.verifier(task).indexes(task.store, contact)

        try:
            contact, events, _ = await self._local.snapshot(number, contact_id, also=also)
        except ProblemError as error:
            if error.code == "not_found":
                # The contact was erased meanwhile.
                return
            raise

        def compared(check: Callable[[], None]) -> list[Difference]:
            verifier = Verifier(events.checked(check), plan, self._settings, page.segment_ids)
            return list(verifier.differences(contact, indexes, now_ms))

        async with self._local.slices.slice():
            page.add(contact, await in_thread(compared))


class _Page:
    """Collects the results of contacts in one `Compared`."""

    def __init__(self, settings: Settings, segment_ids: Collection[str] | None) -> None:
        self._settings = settings
        self.segment_ids = segment_ids
        self.found = Compared()
        self._made: tuple[PartitionTask, Plan, Verifier] | None = None

    def verifier(self, task: PartitionTask) -> Verifier:
        """Return the verifier. It is made once, and again if the partition or the plan was replaced
        meanwhile."""
        plan = task.partition.plan
        if self._made is None or self._made[0] is not task or self._made[1] is not plan:
            self._made = task, plan, Verifier(task.store, plan, self._settings, self.segment_ids)
        return self._made[2]

    def take(self, task: PartitionTask, waiting: deque[str], one: Slice) -> str | None:
        """Compare waiting contacts until the slice is over. Return the contact before which it stopped
        because comparing it takes too long for a slice; None if there is none."""
        verifier, now_ms = self.verifier(task), task.partition.clock_ms
        while waiting and not one.over:
            contact_id = waiting.popleft()
            contact = task.store.contact(contact_id)
            if contact is None:
                continue
            known = contact.known_since_ms is not None
            if known and takes_long(contact.event_count + 1, verifier.conditions):
                return contact_id
            indexes = verifier.indexes(task.store, contact)
            self.add(contact, verifier.differences(contact, indexes, now_ms))
        return None

    def add(self, contact: Contact, differences: Iterator[Difference] | list[Difference]) -> None:
        self.found.contacts += contact.known_since_ms is not None
        self.found.differences += differences
        self.found.memberships += [
            {
                "segment_id": segment_id,
                "contact_id": contact.contact_id,
                "sequence": membership.sequence,
                "entered_at": format_ms(membership.effective_ms),
            }
            for segment_id, membership in sorted(contact.body.members.items())
            if membership.is_member and (self.segment_ids is None or segment_id in self.segment_ids)
        ]
