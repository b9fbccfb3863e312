"""A compaction leaves no byte of a replaced or deleted value on the disk."""

from __future__ import annotations

import threading
from pathlib import Path

from streamseg.contact.contact import Contact
from streamseg.records.inputs import Event
from streamseg.store.rocksdb import RocksStore

EMAIL = "li.lei-71f0a9c3@example.cn"
EVENT_ID = "order-5b1e77d2c4"
LATER = "other-2c9d@example.cn"


def on_disk(folder: Path, text: str) -> list[str]:
    """The files in which a text stands."""
    return sorted(path.name for path in folder.iterdir() if text.encode() in path.read_bytes())


def person(store: RocksStore, contact_id: str, email: str) -> Contact:
    contact = Contact(contact_id)
    contact.attributes.set("email", email, 5)
    store.add_event(contact_id, Event(EVENT_ID, "buy", 5, {"email": email}))
    store.put(contact)
    return contact


def test_what_was_deleted_and_replaced_is_gone_from_the_folder(tmp_path: Path) -> None:
    store = RocksStore(tmp_path)
    person(store, "c1", EMAIL)
    store.save()
    store.compact(1_000)
    assert [name for name in on_disk(tmp_path, EMAIL) if name.endswith(".sst")]
    store.drop_event("c1", (5, EVENT_ID, False))
    store.set_member("s1", "c1", (1, 5))
    store.save()
    store.set_member("s1", "c1", None)
    contact = store.contact("c1")
    assert contact is not None
    contact.attributes.set("email", LATER, 6)
    store.put(contact)
    store.save()
    assert on_disk(tmp_path, EMAIL)
    assert on_disk(tmp_path, EVENT_ID)
    store.compact(2_000)
    assert on_disk(tmp_path, EMAIL) == []
    assert on_disk(tmp_path, EVENT_ID) == []
    assert on_disk(tmp_path, LATER)
    assert store.compacted_ms == 2_000
    store.close()
    reopened = RocksStore(tmp_path)
    found = reopened.contact("c1")
    assert found is not None
    assert (found.attributes.get("email") or [None])[0] == LATER
    assert (reopened.compacted_ms, reopened.find_event("c1", EVENT_ID)) == (2_000, None)
    reopened.close()


def test_the_time_is_not_known_before_the_first_one(tmp_path: Path) -> None:
    store = RocksStore(tmp_path)
    assert store.compacted_ms is None
    store.note_compacted(7)
    assert store.compacted_ms == 7
    # It is about this disk, so the changelog does not have it.
    assert store.changes().groups == []
    store.close()


def test_a_store_can_be_used_and_closed_during_a_compaction(tmp_path: Path) -> None:
    store = RocksStore(tmp_path)
    filler = "x" * 2_000
    for number in range(20_000):
        person(store, f"c{number:05}", f"{number}{filler}")
        if number % 2_000 == 0:
            store.save()
    store.save()
    failed: list[BaseException] = []

    def compact() -> None:
        try:
            store.compact(1_000)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=compact)
    thread.start()
    person(store, "new", EMAIL)
    store.save()
    store.close()
    thread.join()
    assert failed == []
    store.compact(2_000)  # After the end it does nothing.
    reopened = RocksStore(tmp_path)
    assert reopened.contact("new") is not None
    assert reopened.contact("c19999") is not None
    assert reopened.compacted_ms in (None, 1_000)
    reopened.close()
