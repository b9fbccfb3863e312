"""Decoded contacts stay in memory up to a number of bytes, which the stores of a process share."""

from __future__ import annotations

import gc
from pathlib import Path

from streamseg.contact.contact import Contact
from streamseg.store.caches import Caches
from streamseg.store.contact_cache import ContactCache
from streamseg.store.rocksdb import RocksStore

MANY = 1_000


def contact(number: int, body: int = 100) -> dict[str, Contact]:
    contact_id = f"c{number}"
    return {contact_id: Contact(contact_id, kept_body=b"x" * body)}


def filled(caches: Caches, body: int = 100) -> ContactCache:
    """A cache to which many contacts were added."""
    cache = ContactCache(caches)
    for number in range(MANY):
        cache.add(contact(number, body))
        cache.evict()
    return cache


def test_the_contacts_that_were_used_last_stay() -> None:
    cache = filled(Caches(64 << 10))
    kept = len(cache)
    assert 1 < kept < MANY
    assert cache.get(f"c{MANY - kept - 1}") is None
    oldest, newest = cache.get(f"c{MANY - kept}"), cache.get(f"c{MANY - 1}")
    assert oldest is not None
    assert newest is not None
    cache.add(contact(MANY))
    # The oldest one was used just now, so the next one goes.
    assert cache.evict() == [f"c{MANY - kept + 1}"]


def test_contacts_with_much_state_take_the_room_of_many() -> None:
    caches = Caches(1 << 20)
    assert len(filled(caches, 100)) > 5 * len(filled(caches, 10_000)) > 0


def test_one_contact_stays_however_little_room_there_is() -> None:
    cache = filled(Caches(1))
    assert len(cache) == 1
    assert cache.get(f"c{MANY - 1}") is not None


def test_a_dropped_contact_leaves_its_room_to_others() -> None:
    caches = Caches(64 << 10)
    cache = filled(caches)
    kept = len(cache)
    for number in range(MANY - kept, MANY):
        cache.drop(f"c{number}")
        cache.drop(f"c{number}")
    assert len(cache) == 0
    for number in range(kept):
        cache.add(contact(number))
    assert cache.evict() == []


def test_open_stores_share_the_room(tmp_path: Path) -> None:
    caches = Caches(1 << 20)
    first = RocksStore(tmp_path / "first", caches=caches)
    alone, cache = caches.contact_bytes, filled(caches)
    kept = len(cache)
    second = RocksStore(tmp_path / "second", caches=caches)
    assert caches.contact_bytes == alone // 2
    cache.evict()
    assert len(cache) == kept // 2
    second.close()
    assert caches.contact_bytes == alone
    first.close()


def test_a_closed_store_lets_go_of_its_contacts_without_a_collection(tmp_path: Path) -> None:
    store = RocksStore(tmp_path)
    store.put(Contact("written"))
    store.commit(store.changes())
    store.put(Contact("unwritten"))
    assert _contacts() >= {"written", "unwritten"}
    gc.disable()
    try:
        store.close()
        assert not _contacts() & {"written", "unwritten"}
    finally:
        gc.enable()


def _contacts() -> set[str]:
    """Return the ids of all contacts in memory."""
    return {one.contact_id for one in gc.get_objects() if isinstance(one, Contact)}
