"""What every store promises, held by the one in memory and the one on disk alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streamseg.contact.body import Body
from streamseg.contact.contact import Contact
from streamseg.contact.kept_changes import KeptChange
from streamseg.contact.rows import Membership
from streamseg.records.derived import TAG_ADDED, DerivedEvents
from streamseg.records.inputs import Event
from streamseg.store.caches import Caches
from streamseg.store.memory import MemoryStore
from streamseg.store.protocol import Store
from streamseg.store.rocksdb import RocksStore


@pytest.fixture(params=["memory", "rocksdb", "rocksdb, committed after each step"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    rocks = RocksStore(tmp_path / "state", caches=Caches(1))
    yield _Committing(rocks) if "committed" in request.param else rocks
    rocks.close()


class _Committing:
    """A RocksStore whose every write is on disk before the next read."""

    _rocks: RocksStore

    def __init__(self, rocks: RocksStore) -> None:
        object.__setattr__(self, "_rocks", rocks)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._rocks, name)
        if name not in ("put", "add_event", "add_derived", "drop_event", "set_member", "keep_change"):
            return found

        def write(*arguments: object) -> None:
            found(*arguments)
            self._rocks.save()

        return write

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._rocks, name, value)
        self._rocks.save()


def event(event_id: str, occurred_ms: int, **properties: object) -> Event:
    return Event(event_id=event_id, name="form_submit", occurred_ms=occurred_ms, properties=properties)


def due(contact_id: str, due_ms: int | None) -> Contact:
    return Contact(contact_id, due_ms=due_ms)


def test_an_unknown_contact_is_none(store: Store) -> None:
    assert store.contact("c1") is None
    assert store.next_due() is None
    assert list(store.contact_ids()) == []
    assert list(store.events("c1")) == []
    assert store.find_event("c1", "e1") is None


def test_a_contact_comes_back_as_it_was_put(store: Store) -> None:
    contact = Contact(
        "联系人\0一",
        known_since_ms=5,
        update_offset=41,
        flip_ms=77,
        prune_ms=99,
        due_ms=77,
        kept_body=Body(true={3, 1}, summaries={3: [1, 2], 9: None}, due={3: 77}),
    )
    contact.body.members["s1"] = Membership(7, 5, None, 1, 0)
    contact.attributes.set("location", "中国", 5)
    contact.attributes.set("order", {"amount": 12.5}, 6)
    store.put(contact)
    store.put(due("other", None))
    store.put(due("another", None))
    assert store.contact("联系人\0一") == contact


def test_contact_ids_ascend_by_their_utf8_bytes(store: Store) -> None:
    ids = ["", "\0", "a", "a\0", "a\0b", "ab", "z", "é", "中", "\U0001f600"]
    for contact_id in reversed(ids):
        store.put(due(contact_id, None))
    assert list(store.contact_ids()) == ids
    assert list(store.contact_ids(after="a")) == ids[3:]
    assert list(store.contact_ids(after="aa")) == ids[5:]
    assert list(store.contact_ids(after="\U0001f600")) == []


@pytest.mark.parametrize("prefix", ["", "\0", "a", "a\0", "a\0b", "ab", "b", "中", "\U0001f601"])
def test_contacts_members_and_changes_are_read_by_the_beginning_of_their_ids(
    store: Store, prefix: str
) -> None:
    ids = ["", "\0", "a", "a\0", "a\0b", "ab", "z", "é", "中", "中国", "\U0001f600"]
    change = KeptChange(5, 1, "s", 1, 1, "deletion", None, 0)
    for contact_id in reversed(ids):
        store.put(due(contact_id, None))
        for segment_id in ("", "s", "s\0"):
            store.set_member(segment_id, contact_id, (1, 5))
            store.keep_change(contact_id, change._replace(segment_id=segment_id))
    for after in (None, *ids):
        expected = [one for one in ids if one.startswith(prefix) and (after is None or one > after)]
        assert list(store.contact_ids(after, prefix)) == expected
        assert [one for one, *_ in store.members("s", after, prefix)] == expected
        assert [one for one, _ in store.segment_changes("s", after, prefix)] == expected


def test_the_least_due_contact_comes_first_and_ties_by_id(store: Store) -> None:
    for contact_id, due_ms in [("b", 20), ("a", 20), ("c", 10), ("never", None), ("中", 20)]:
        store.put(due(contact_id, due_ms))
    order = []
    while (head := store.next_due()) is not None:
        order.append(head)
        store.put(due(head[1], None))
    assert order == [(10, "c"), (20, "a"), (20, "b"), (20, "中")]


def test_a_moved_contact_is_due_only_at_its_new_time(store: Store) -> None:
    store.put(due("a", 10))
    store.put(due("b", 20))
    assert store.next_due() == (10, "a")
    store.put(due("a", 30))
    assert store.next_due() == (20, "b")
    store.put(due("b", None))
    assert store.next_due() == (30, "a")
    store.put(due("a", 10))
    assert store.next_due() == (10, "a")


def test_thousands_of_due_contacts_come_in_order(store: Store) -> None:
    for i in range(3000):
        store.put(due(f"c{i * 7919 % 3000:04}", i * 7919 % 3000 // 3))
    for i in range(0, 3000, 2):
        store.put(due(f"c{i:04}", None))
    seen = []
    while (head := store.next_due()) is not None:
        seen.append(head)
        store.put(due(head[1], None))
    assert seen == [(i // 3, f"c{i:04}") for i in range(1, 3000, 2)]


def test_events_come_in_order_of_time_and_id(store: Store) -> None:
    for event_id, occurred_ms in [("b", 5), ("a", 5), ("z", -3), ("m", 7)]:
        store.add_event("c1", event(event_id, occurred_ms, n=occurred_ms))
    store.add_event("c1\0", event("other", 1))
    assert list(store.events("c1")) == [
        event("z", -3, n=-3),
        event("a", 5, n=5),
        event("b", 5, n=5),
        event("m", 7, n=7),
    ]
    assert [e.event_id for e in store.events("c1\0")] == ["other"]


def test_a_dropped_event_is_gone_and_its_id_is_free(store: Store) -> None:
    store.add_event("c1", event("e1", 5))
    store.add_event("c1", event("e2", 6))
    assert store.find_event("c1", "e1") == (5, -1)
    store.drop_event("c1", (5, "e1", False))
    assert store.find_event("c1", "e1") is None
    assert [e.event_id for e in store.events("c1")] == ["e2"]
    store.add_event("c1", event("e1", 9))
    assert store.find_event("c1", "e1") == (9, -1)
    assert [e.event_id for e in store.events("c1")] == ["e2", "e1"]


def test_event_ids_of_different_contacts_do_not_meet(store: Store) -> None:
    store.add_event("a", event("\0b", 1))
    store.add_event("a\0", event("b", 2))
    assert store.find_event("a", "\0b") == (1, -1)
    assert store.find_event("a\0", "b") == (2, -1)
    assert store.find_event("a", "b") is None


def test_dropping_events_while_they_are_listed_is_safe(store: Store) -> None:
    for i in range(5):
        store.add_event("c1", event(f"e{i}", i))
    listed = []
    for kept in store.events("c1"):
        listed.append(kept.event_id)
        store.drop_event("c1", kept.order)
    assert listed == [f"e{i}" for i in range(5)]
    assert list(store.events("c1")) == []


def test_the_clock_is_kept(store: Store) -> None:
    assert store.clock_ms == 0
    store.clock_ms = 1_777_593_600_000
    assert store.clock_ms == 1_777_593_600_000


def test_a_derived_event_stays_derived(store: Store) -> None:
    derived = DerivedEvents("contact-updates/0/00000000000000000007/", 4, 7, 9)
    derived.add("attribute_changed", ("x", None, 1))
    store.add_derived("c1", derived)
    properties = {"attribute": "x", "old": None, "new": 1}
    event_id = "contact-updates/0/00000000000000000007/attribute_changed/x"
    assert list(store.events("c1")) == [
        Event(event_id, "attribute_changed", 4, properties, derived=True, offset=7, recorded_ms=9)
    ]


def test_what_derives_from_one_record_is_dropped_one_by_one(store: Store) -> None:
    origin = "contact-updates/0/00000000000000000007/"
    derived = DerivedEvents(origin, 4, 7, 9)
    for tag in ("c", "a", "b"):
        derived.add(TAG_ADDED, (tag,))
    store.add_derived("c1", derived)
    tags = list(store.events("c1"))
    assert tags == [
        Event(f"{origin}tag_added/{tag}", TAG_ADDED, 4, {"tag": tag}, derived=True, offset=7, recorded_ms=9)
        for tag in ("a", "b", "c")
    ]
    store.drop_event("c1", tags[1].order)
    assert list(store.events("c1")) == [tags[0], tags[2]]
    store.drop_event("c1", tags[0].order)
    store.drop_event("c1", tags[2].order)
    assert list(store.events("c1")) == []
