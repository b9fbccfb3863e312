"""Random writes, commits and restarts: the store on disk answers as the one in memory does."""

from __future__ import annotations

import tempfile
from itertools import chain, groupby, product
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from streamseg.contact.contact import Contact
from streamseg.contact.kept_changes import KeptChange
from streamseg.records.derived import TAG_ADDED, DerivedEvents, origin_of
from streamseg.records.inputs import Event
from streamseg.records.outputs import Cause
from streamseg.store.caches import Caches
from streamseg.store.growth import QUARTER_MS, quarter_of
from streamseg.store.memory import MemoryStore
from streamseg.store.rocksdb import RocksStore

CONTACT_IDS = ("a", "a\0", "b", "中", "\U0001f600")
PREFIXES = ("", "a", "a\0", "中")
contact_ids = st.sampled_from(CONTACT_IDS)
event_ids = st.sampled_from(["e1", "e2", "\0", "é"])
times = st.integers(-5, 5)
births = st.sampled_from([-1, 7])
quarters = st.integers(-2, 2).map(lambda number: number * QUARTER_MS)


class Model:
    """A store in memory, and the changes of each contact that count in its growth."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.counted: dict[str, list[KeptChange]] = {}

    def keep_change(self, contact_id: str, change: KeptChange) -> None:
        self.store.keep_change(contact_id, change)
        self.counted.setdefault(contact_id, []).append(change)

    def expire_growth(self, before_ms: int) -> None:
        self.store.expire_growth(before_ms)
        for changes in self.counted.values():
            changes[:] = [one for one in changes if one.effective_ms >= quarter_of(before_ms)]

    def copy(self) -> Model:
        other = Model()
        other.store.clock_ms = self.store.clock_ms
        uncounted = {
            contact_id: set(self.store.kept_changes(contact_id)) - set(self.counted.get(contact_id, ()))
            for contact_id in CONTACT_IDS
        }
        for contact_id, changes in uncounted.items():
            for change in changes:
                other.store.keep_change(contact_id, change)
        # A change that is kept is counted too, and these are not.
        other.store.expire_growth(100 * QUARTER_MS)
        other.store._growth_since_ms = self.store.growth_since_ms()
        for contact_id in CONTACT_IDS:
            carry_over(contact_id, self, other)
        return other


class StoresAgree(RuleBasedStateMachine):
    """`crash` goes back to the last commit, `restart` loses nothing, `rebuild` replays the changelog."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.generation = 0
        self.rocks = RocksStore(self.folder / "0", caches=Caches(1))
        self.model = Model()
        self.committed = Model()
        self.changelog: list[tuple[bytes, bytes | None]] = []
        self.changes = 0

    @property
    def memory(self) -> MemoryStore:
        return self.model.store

    @rule(due=st.dictionaries(contact_ids, st.none() | times, min_size=1), value=st.integers(0, 3))
    def put(self, due: dict[str, int | None], value: int) -> None:
        for contact_id, due_ms in due.items():
            for store in (self.rocks, self.memory):
                contact = store.contact(contact_id) or Contact(contact_id)
                contact.attributes.set("x", value, 0)
                contact.due_ms = due_ms if due_ms is None else due_ms + 5
                store.put(contact)

    @rule(contact_id=contact_ids, event_id=event_ids, occurred_ms=times)
    def add_or_drop(self, contact_id: str, event_id: str, occurred_ms: int) -> None:
        kept = self.memory.find_event(contact_id, event_id)
        for store in (self.rocks, self.memory):
            if kept is None:
                store.add_event(
                    contact_id, Event(event_id, "scan", occurred_ms, {"n": occurred_ms}, offset=occurred_ms)
                )
            else:
                store.drop_event(contact_id, (kept[0], event_id, False))

    @rule(contact_id=contact_ids, offset=st.integers(0, 2), occurred_ms=times, names=st.sets(event_ids))
    def derive_or_drop(self, contact_id: str, offset: int, occurred_ms: int, names: set[str]) -> None:
        """What one record gives rise to, in any order; dropped one by one."""
        origin = f"contact-updates/0/{offset:020d}/"
        kept = [one for one in self.memory.events(contact_id) if one.derived and one.offset == offset]
        for store in (self.rocks, self.memory):
            for event in kept:
                if event.properties["tag"] in names:
                    store.drop_event(contact_id, event.order)
            if names and not kept:
                derived = DerivedEvents(origin, occurred_ms, offset, 7)
                for name in names:
                    derived.add(TAG_ADDED, (name,))
                store.add_derived(contact_id, derived)

    @rule(segment_id=contact_ids, contact_id=contact_ids, entry=st.none() | st.tuples(times, times))
    def enter_or_exit(self, segment_id: str, contact_id: str, entry: tuple[int, int] | None) -> None:
        for store in (self.rocks, self.memory):
            store.set_member(segment_id, contact_id, entry)

    @rule(
        contact_id=contact_ids,
        segment_id=contact_ids,
        at=times,
        quarter=quarters,
        cause=st.sampled_from(Cause),
        born=births,
    )
    def keep_change(
        self, contact_id: str, segment_id: str, at: int, quarter: int, cause: Cause, born: int
    ) -> None:
        self.changes += 1
        change = KeptChange(at + quarter, self.changes, segment_id, at % 3, 1, cause.value, None, born)
        for store in (self.rocks, self.model):
            store.keep_change(contact_id, change)

    @rule(contact_id=contact_ids, count=st.integers(1, 3))
    def drop_changes(self, contact_id: str, count: int) -> None:
        for change in list(self.memory.kept_changes(contact_id))[:count]:
            for store in (self.rocks, self.memory):
                store.drop_change(contact_id, change)

    @rule(segment_id=contact_ids, contact_id=contact_ids, dropped_ms=st.none() | times)
    def set_floor(self, segment_id: str, contact_id: str, dropped_ms: int | None) -> None:
        for store in (self.rocks, self.memory):
            store.set_floor(segment_id, contact_id, dropped_ms)

    @rule(contact_id=contact_ids, unkept_ms=times)
    def leave_unkept(self, contact_id: str, unkept_ms: int) -> None:
        for store in (self.rocks, self.memory):
            contact = store.contact(contact_id) or Contact(contact_id)
            contact.unkept_ms = unkept_ms if contact.unkept_ms is None else max(contact.unkept_ms, unkept_ms)
            store.put(contact)

    @rule(before_ms=quarters)
    def expire_growth(self, before_ms: int) -> None:
        """What is on disk is forgotten, in a checkpoint of everything."""
        self.commit()
        for store in (self.rocks, self.model):
            store.expire_growth(before_ms)
        self.commit()

    @rule(at_ms=st.integers(0, 100))
    def tick(self, at_ms: int) -> None:
        self.rocks.clock_ms = self.memory.clock_ms = at_ms

    @rule()
    def commit(self) -> None:
        pending = self.rocks.changes()
        self.changelog += chain.from_iterable(pending.groups)
        self.rocks.commit(pending, len(self.changelog) - 1)
        self.committed = self.model.copy()

    @rule(said=st.sets(contact_ids, max_size=2))
    def commit_some(self, said: set[str]) -> None:
        """The contacts that something is said of; of the others a crash leaves what was committed before."""
        pending = self.rocks.changes_of(dict.fromkeys(said, b"said"))
        self.changelog += chain.from_iterable(pending.groups)
        self.rocks.commit(pending, len(self.changelog) - 1 if self.changelog else None)
        for contact_id in said:
            carry_over(contact_id, self.model, self.committed)

    @rule()
    def restart(self) -> None:
        self.commit()
        self.crash()

    @rule()
    def crash(self) -> None:
        self.rocks.close()
        self.rocks = RocksStore(self.folder / str(self.generation), caches=Caches(1))
        self.model = self.committed.copy()

    @rule(behind=st.integers(0, 10), step=st.integers(1, 4))
    def rebuild(self, behind: int, step: int) -> None:
        """A new disk, or (`behind` some records again) one that has part of the changelog already."""
        self.rocks.close()
        self.generation += 1
        self.rocks = RocksStore(self.folder / str(self.generation), caches=Caches(1))
        start = 0
        for end in range(step, len(self.changelog) + step, step):
            self.rocks.apply_changelog(self.changelog[max(0, start - behind) : end], end - 1)
            start = end
        self.model = self.committed.copy()

    @invariant()
    def agree(self) -> None:
        ids = list(self.memory.contact_ids())
        assert list(self.rocks.contact_ids()) == ids
        assert list(self.rocks.contact_ids(after="a")) == list(self.memory.contact_ids(after="a"))
        for after, prefix in product((None, *CONTACT_IDS), PREFIXES):
            beginning = [one for one in self.memory.contact_ids(after) if one.startswith(prefix)]
            assert list(self.memory.contact_ids(after, prefix)) == beginning
            assert list(self.rocks.contact_ids(after, prefix)) == beginning
        assert self.rocks.next_due() == self.memory.next_due()
        assert self.rocks.clock_ms == self.memory.clock_ms
        counts = {segment_id: count for segment_id, count in self.rocks.member_counts().items() if count}
        assert counts == self.memory.member_counts()
        for segment_id in ids:
            members = list(self.memory.members(segment_id))
            assert list(self.rocks.members(segment_id)) == members
            for after, prefix in product((None, *(one for one, _, _ in members)), PREFIXES):
                rest = [one for one in self.memory.members(segment_id, after) if one[0].startswith(prefix)]
                assert list(self.memory.members(segment_id, after, prefix)) == rest
                assert list(self.rocks.members(segment_id, after, prefix)) == rest
        assert self.rocks.unkept_ms() == self.memory.unkept_ms()
        for segment_id in CONTACT_IDS:
            for after in (None, *CONTACT_IDS):
                changes = list(self.memory.segment_changes(segment_id, after))
                assert list(self.rocks.segment_changes(segment_id, after)) == changes
                for prefix in PREFIXES:
                    changed = [one for one in changes if one[0].startswith(prefix)]
                    assert list(self.memory.segment_changes(segment_id, after, prefix)) == changed
                    assert list(self.rocks.segment_changes(segment_id, after, prefix)) == changed
                floors = list(self.memory.floors(segment_id, after))
                assert list(self.rocks.floors(segment_id, after)) == floors
            for born, since_ms in product((-1, 7), (-3 * QUARTER_MS, 0)):
                growth = list(self.memory.growth(segment_id, born, since_ms))
                assert list(self.rocks.growth(segment_id, born, since_ms)) == growth
        for contact_id in CONTACT_IDS:
            for begin_ms in (None, 0):
                of_contact = list(self.memory.kept_changes(contact_id, begin_ms))
                assert list(self.rocks.kept_changes(contact_id, begin_ms)) == of_contact
        for contact_id in ids:
            assert self.rocks.contact(contact_id) == self.memory.contact(contact_id)
            events = list(self.memory.events(contact_id))
            assert list(self.rocks.events(contact_id)) == events
            for kept in events:
                found = None if kept.derived else (kept.occurred_ms, kept.offset)
                assert self.rocks.find_event(contact_id, kept.event_id) == found

    def teardown(self) -> None:
        self.rocks.close()


def origin(event: Event) -> str:
    return origin_of(event.event_id) if event.derived else event.event_id


def carry_over(contact_id: str, model: Model, target_model: Model) -> None:
    """All that one store keeps of a contact, into the other."""
    source, target = model.store, target_model.store
    contact = source.contact(contact_id)
    if contact is not None:
        target.put(contact.copy())
    for event in list(target.events(contact_id)):
        target.drop_event(contact_id, event.order)
    for _, alike in groupby(sorted(source.events(contact_id), key=origin), key=origin):
        first, *others = alike
        if first.derived:
            target.add_derived(contact_id, DerivedEvents.gather((first, *others)))
        else:
            target.add_event(contact_id, first)
    for change in model.counted.get(contact_id, []):
        if change not in target_model.counted.get(contact_id, []):
            target_model.keep_change(contact_id, change)
    kept = set(source.kept_changes(contact_id))
    for change in list(target.kept_changes(contact_id)):
        if change not in kept:
            target.drop_change(contact_id, change)
    for segment_id in CONTACT_IDS:
        target.set_floor(segment_id, contact_id, dict(source.floors(segment_id)).get(contact_id))
    for segment_id in {*source.member_counts(), *target.member_counts()}:
        entries = {member: (sequence, at_ms) for member, sequence, at_ms in source.members(segment_id)}
        target.set_member(segment_id, contact_id, entries.get(contact_id))


StoresAgree.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestStoresAgree = StoresAgree.TestCase
