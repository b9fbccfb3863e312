"""What only the store on disk does: changelog, recovery, versions, one owner."""

from __future__ import annotations

import random
import resource
import shutil
from contextlib import suppress
from itertools import chain
from pathlib import Path

import pytest
from rocksdict import Options, Rdict

from streamseg.contact.contact import Contact
from streamseg.errors import ConfigurationError, StateVersionError
from streamseg.records.inputs import Event
from streamseg.store.caches import Caches
from streamseg.store.rocksdb import RocksStore


def scan(event_id: str, occurred_ms: int) -> Event:
    return Event(event_id, "wechat_scan", occurred_ms, {"scene": "x"})


def test_what_was_not_committed_is_gone_after_a_restart(tmp_path: Path) -> None:
    store = RocksStore(tmp_path)
    store.put(Contact("kept", due_ms=5))
    store.commit(store.changes(), 41)
    store.put(Contact("lost", due_ms=1))
    store.add_event("kept", scan("e1", 1))
    store.close()

    store = RocksStore(tmp_path)
    assert list(store.contact_ids()) == ["kept"]
    assert store.next_due() == (5, "kept")
    assert store.find_event("kept", "e1") is None
    assert store.changelog_offset == 41
    store.close()


def test_attributes_that_nothing_asks_for_stay_as_they_are(tmp_path: Path) -> None:
    store = RocksStore(tmp_path)
    known = Contact("a")
    known.attributes.set("name", "李雷", 4)
    store.put(known)
    store.commit(store.changes(), 1)
    store.close()

    store = RocksStore(tmp_path)
    contact = store.contact("a")
    assert contact is not None
    contact.due_ms = 9
    store.put(contact)
    pending = store.changes()
    (changes,) = pending.groups
    assert [key[:1] for key, _ in changes] == [b"c"]
    store.commit(pending, 2)
    contact.attributes.set("level", 3, 5)
    store.put(contact)
    pending = store.changes()
    (changes,) = pending.groups
    assert [key[:1] for key, _ in changes] == [b"a", b"c"]
    store.commit(pending, 3)
    store.close()

    store = RocksStore(tmp_path)
    contact = store.contact("a")
    assert contact is not None
    assert dict(contact.attributes.items()) == {"name": ["李雷", 4], "level": [3, 5]}
    store.close()


def test_a_commit_without_a_changelog_leaves_the_changelog_offset_alone(tmp_path: Path) -> None:
    store = RocksStore(tmp_path)
    store.put(Contact("a"))
    store.commit(store.changes(), 7)
    store.put(Contact("b"))
    store.save()
    assert store.changelog_offset == 7
    store.close()


def test_the_changelog_rebuilds_contacts_events_indexes_and_clock(tmp_path: Path) -> None:
    first = RocksStore(tmp_path / "first")
    changelog: list[tuple[bytes, bytes | None]] = []

    def commit() -> None:
        pending = first.changes()
        changelog.extend(chain.from_iterable(pending.groups))
        first.commit(pending, len(changelog) - 1)

    first.put(Contact("a", due_ms=10))
    first.put(Contact("b", due_ms=20))
    first.add_event("a", scan("e1", 1))
    first.add_event("a", scan("e2", 2))
    first.clock_ms = 3
    commit()
    first.put(Contact("a", due_ms=30))
    first.drop_event("a", (1, "e1", False))
    first.add_event("a", scan("e1", 9))
    first.set_number("swept", 12)
    first.clock_ms = 4
    commit()
    first.close()

    second = RocksStore(tmp_path / "second")
    second.apply_changelog(changelog[:3], 2)
    second.apply_changelog(changelog[3:], len(changelog) - 1)
    assert second.changelog_offset == len(changelog) - 1
    assert second.next_due() == (20, "b")
    second.put(Contact("b"))
    assert second.next_due() == (30, "a")
    assert [(e.event_id, e.occurred_ms) for e in second.events("a")] == [("e2", 2), ("e1", 9)]
    assert second.find_event("a", "e1") == (9, -1)
    assert second.clock_ms == 4
    assert second.number("swept") == 12
    second.close()


def test_the_clock_is_the_last_record_of_a_changelog_batch(tmp_path: Path) -> None:
    store = RocksStore(tmp_path)
    store.clock_ms = 5
    store.set_number("zz", 1)
    store.put(Contact("a"))
    store.add_event("a", scan("e1", 1))
    assert store.changes().groups[-1][-1] == (b"mclock_ms", b"5")
    store.close()


def test_a_contacts_events_and_state_are_one_group(tmp_path: Path) -> None:
    store = RocksStore(tmp_path)
    for contact_id in ("a", "b"):
        store.add_event(contact_id, scan("e1", 1))
        store.put(Contact(contact_id))
    store.set_number("x", 1)
    groups = [[key[:1] for key, _ in group] for group in store.changes().groups]
    assert groups == [[b"h", b"c"], [b"h", b"c"], [b"m"]]
    store.close()


def test_nothing_can_be_written_between_changes_and_commit(tmp_path: Path) -> None:
    store = RocksStore(tmp_path)
    store.put(Contact("a"))
    pending = store.changes()
    with pytest.raises(RuntimeError, match="being committed"):
        store.put(Contact("b"))
    with pytest.raises(RuntimeError, match="being committed"):
        store.changes_of({"a": b"sent"})
    store.commit(pending)
    store.put(Contact("b"))
    assert store.unwritten == 1
    store.close()


def test_only_the_checkpoint_that_is_pending_is_committed(tmp_path: Path) -> None:
    store = RocksStore(tmp_path)
    store.put(Contact("a"))
    first = store.changes()
    store.commit(first, 1)
    for pending in (None, store.changes()):
        with pytest.raises(RuntimeError, match="begun last"):
            store.commit(first, 2)
        if pending is not None:
            store.commit(pending, 3)
    assert store.changelog_offset == 3
    store.close()


def test_a_changelog_is_not_applied_under_unwritten_changes(tmp_path: Path) -> None:
    store = RocksStore(tmp_path)
    store.put(Contact("a"))
    with pytest.raises(RuntimeError, match="unwritten"):
        store.apply_changelog([], 0)
    store.close()


def test_state_of_another_layout_is_refused_with_what_to_do(tmp_path: Path) -> None:
    RocksStore(tmp_path).close()
    other = Rdict(str(tmp_path), Options(raw_mode=True))
    other.put(b"mformat", b"99")
    other.close()
    with pytest.raises(StateVersionError, match=r"version 99.*remove the state folder"):
        RocksStore(tmp_path)


def test_two_owners_of_one_folder_are_refused(tmp_path: Path) -> None:
    store = RocksStore(tmp_path)
    with pytest.raises(ConfigurationError, match="in use by another"):
        RocksStore(tmp_path)
    store.close()
    RocksStore(tmp_path).close()


def test_more_due_contacts_than_are_kept_in_memory_come_in_order(tmp_path: Path) -> None:
    store = RocksStore(tmp_path, caches=Caches(1))
    for i in range(40_000):
        store.put(Contact(f"c{i:05}", due_ms=i * 37 % 40_000))
        if i % 5_000 == 4_999:
            store.save()
            assert store.next_due() == (0, "c00000")
    for expected in range(40_000):
        head = store.next_due()
        assert head is not None
        assert head[0] == expected
        store.put(Contact(head[1], due_ms=None))
        if expected % 3_000 == 0:
            store.save()
    assert store.next_due() is None
    store.close()


def test_outputs_come_back_from_the_changelog_until_they_were_sent(tmp_path: Path) -> None:
    changelog: list[tuple[bytes, bytes | None]] = []
    store = RocksStore(tmp_path / "first")
    for outputs in ({"a": b"a1", "b": b"b1"}, {"b": b"b2"}):
        for contact_id in outputs:
            store.put(Contact(contact_id))
        pending = store.changes(outputs)
        changelog += chain.from_iterable(pending.groups)
        store.commit(pending, len(changelog) - 1)
    assert store.unsent_outputs() == []
    store.close()

    # Of the first, what the second did not take the place of was sent long ago.
    other = RocksStore(tmp_path / "other")
    other.apply_changelog(changelog, len(changelog) - 1)
    assert other.unsent_outputs() == [b"b2"]
    other.close()
    other = RocksStore(tmp_path / "other")
    assert other.unsent_outputs() == [b"b2"]
    other.forget_outputs()
    assert other.unsent_outputs() == []
    other.close()
    other = RocksStore(tmp_path / "other")
    assert other.unsent_outputs() == []
    other.put(Contact("c"))
    pending = other.changes()
    changelog += chain.from_iterable(pending.groups)
    other.commit(pending, len(changelog) - 1)
    other.close()

    last = RocksStore(tmp_path / "last")
    last.apply_changelog(changelog, len(changelog) - 1)
    assert last.unsent_outputs() == []
    last.close()


def test_outputs_that_arrive_after_others_of_their_checkpoint_were_sent_are_sent_too(tmp_path: Path) -> None:
    first = RocksStore(tmp_path / "first")
    for contact_id in "abc":
        first.put(Contact(contact_id))
    groups = first.changes({contact_id: contact_id.encode() for contact_id in "abc"}).groups
    first.close()
    early, late = list(chain.from_iterable(groups[:3])), list(chain.from_iterable(groups[3:]))

    # The next owner sends what has arrived; then it is told that the rest has arrived after all.
    other = RocksStore(tmp_path / "other")
    other.apply_changelog(early, len(early) - 1)
    assert other.unsent_outputs() == [b"a", b"b"]
    other.forget_outputs()
    other.apply_changelog(late, len(early + late) - 1)
    assert other.unsent_outputs() == [b"c"]
    other.forget_outputs()
    assert other.unsent_outputs() == []
    other.put(Contact("a"))
    again = list(chain.from_iterable(other.changes({"a": b"a2"}).groups))
    other.close()

    # In one part or in several, a worker without a disk finds the same.
    for name, parts in {"whole": [early + late + again], "parts": [early, late, again]}.items():
        store = RocksStore(tmp_path / name)
        offset = -1
        for part in parts:
            offset += len(part)
            store.apply_changelog(part, offset)
        assert store.unsent_outputs() == [b"a2"]
        store.close()


def test_outputs_of_each_checkpoint_are_told_from_those_that_were_sent_before(tmp_path: Path) -> None:
    store = RocksStore(tmp_path / "first")
    changelog: list[tuple[bytes, bytes | None]] = []
    for number in range(1, 5):
        outputs = {"a": f"a{number}".encode()}
        store.put(Contact("a"))
        pending = store.changes(outputs)
        changelog += chain.from_iterable(pending.groups)
        recovered = RocksStore(tmp_path / f"after {number}")
        recovered.apply_changelog(changelog, len(changelog) - 1)
        assert recovered.unsent_outputs() == [outputs["a"]]
        recovered.close()
        store.commit(pending, len(changelog) - 1)
    pending = store.changes()
    changelog += chain.from_iterable(pending.groups)
    recovered = RocksStore(tmp_path / "in the end")
    recovered.apply_changelog(changelog, len(changelog) - 1)
    assert recovered.unsent_outputs() == []
    recovered.close()
    store.close()


def test_the_changelog_learns_once_that_all_outputs_were_sent(tmp_path: Path) -> None:
    store = RocksStore(tmp_path)
    store.commit(store.changes({"a": b"sent"}), 1)
    told = []
    for offset in (2, 3):
        pending = store.changes()
        told.append(pending.groups)
        store.commit(pending, offset)
    assert told == [[[(b"moutputs_said", b"1"), (b"o\0\0\0\0", None)]], []]
    store.close()


def test_outputs_that_were_sent_get_a_tombstone_in_the_changelog(tmp_path: Path) -> None:
    compacted: dict[bytes, bytes | None] = {}
    store = RocksStore(tmp_path / "first")

    def checkpoint(*contact_ids: str) -> list[bytes]:
        """Make one with these outputs; return the outputs that a compacted changelog has then."""
        pending = store.changes({contact_id: contact_id.encode() for contact_id in contact_ids})
        compacted.update(chain.from_iterable(pending.groups))
        store.commit(pending, len(compacted))
        kept = {key: value for key, value in compacted.items() if key[:1] == b"o" and value is not None}
        return [kept[key][8:] for key in sorted(kept)]

    for contact_id in "abcd":
        store.put(Contact(contact_id))
    assert checkpoint("b", "d") == [b"b", b"d"]
    assert checkpoint("c") == [b"c"]
    assert checkpoint("a", "b", "c") == [b"a", b"b", b"c"]
    assert checkpoint() == []
    assert checkpoint("a", "b") == [b"a", b"b"]
    store.close()

    # Also after a start, with and without the disk.
    store = RocksStore(tmp_path / "first")
    assert checkpoint("c") == [b"c"]
    store.close()
    store = RocksStore(tmp_path / "other")
    store.apply_changelog(list(compacted.items()), len(compacted))
    assert store.unsent_outputs() == [b"c"]
    store.forget_outputs()
    assert checkpoint() == []
    store.close()


def test_half_a_changelog_tells_the_outputs_of_the_contacts_that_it_holds(tmp_path: Path) -> None:
    store = RocksStore(tmp_path / "first")
    changelog: list[tuple[bytes, bytes | None]] = []
    for number in (1, 2):
        outputs = {contact_id: f"{contact_id}{number}".encode() for contact_id in "abcd"}
        for contact_id in outputs:
            store.put(Contact(contact_id))
        pending = store.changes(outputs)
        changelog += chain.from_iterable(pending.groups[:3] if number == 2 else pending.groups)
        store.commit(pending, len(changelog) - 1)
    store.close()
    other = RocksStore(tmp_path / "other")
    other.apply_changelog(changelog, len(changelog) - 1)
    assert other.unsent_outputs() == [b"a2", b"b2"]
    other.close()


def test_outputs_without_a_change_of_state_are_kept_too(tmp_path: Path) -> None:
    store = RocksStore(tmp_path / "first")
    pending = store.changes({"a": b"sent"})
    changelog = list(chain.from_iterable(pending.groups))
    store.commit(pending, len(changelog) - 1)
    store.close()
    other = RocksStore(tmp_path / "other")
    other.apply_changelog(changelog, len(changelog) - 1)
    assert other.unsent_outputs() == [b"sent"]
    other.close()


def test_what_is_committed_for_some_leaves_the_others_as_they_were(tmp_path: Path) -> None:
    store = RocksStore(tmp_path)
    for contact_id in ("a", "b"):
        store.put(Contact(contact_id, due_ms=5))
    store.commit(store.changes(), 1)
    assert store.next_due() == (5, "a")
    for contact_id in ("a", "b"):
        store.put(Contact(contact_id, due_ms=9))
    store.set_number("place", 3)
    # Looking for who is next finds that both stand elsewhere now.
    assert store.next_due() == (9, "a")
    pending = store.changes_of({"b": b"sent"})
    (sent, of_b) = pending.groups
    assert [key[:1] for key, _ in sent] == [b"m"]
    assert [key[:1] for key, _ in of_b] == [b"o", b"c"]
    store.commit(pending, 3)
    assert (store.next_due(), store.number("place")) == ((9, "a"), 3)
    store.close()

    store = RocksStore(tmp_path)
    assert (store.next_due(), store.number("place")) == ((5, "a"), None)
    contacts = [store.contact(contact_id) for contact_id in ("a", "b")]
    assert [contact and contact.due_ms for contact in contacts] == [5, 9]
    assert store.changelog_offset == 3
    store.close()


def test_who_is_due_next_is_known_though_others_were_committed(tmp_path: Path) -> None:
    store = RocksStore(tmp_path)
    for contact_id, due_ms in (("a", 5), ("b", 7)):
        store.put(Contact(contact_id, due_ms=due_ms))
    store.commit(store.changes_of({"a": b"sent"}), 1)
    assert store.next_due() == (5, "a")
    store.put(Contact("a", due_ms=None))
    assert store.next_due() == (7, "b")
    store.close()


def test_a_process_that_dies_in_bulk_leaves_an_older_state(tmp_path: Path) -> None:
    changelog: list[tuple[bytes, bytes | None]] = []
    source = RocksStore(tmp_path / "source")
    for number in range(3):
        source.put(Contact(f"c{number}", due_ms=number))
        pending = source.changes()
        changelog += chain.from_iterable(pending.groups)
        source.commit(pending, len(changelog) - 1)
    source.close()

    store = RocksStore(tmp_path / "state")
    store.apply_changelog(changelog[:1], 0)
    with store.in_bulk():
        store.apply_changelog(changelog[1:2], 1)
        shutil.copytree(tmp_path / "state", tmp_path / "dead")
        store.apply_changelog(changelog[2:], 2)
    shutil.copytree(tmp_path / "state", tmp_path / "ended")
    store.put(Contact("later"))
    store.commit(store.changes(), 3)
    store.close()

    for folder, offset, contacts in (
        ("dead", 0, ["c0"]),
        ("ended", 2, ["c0", "c1", "c2"]),
        ("state", 3, ["c0", "c1", "c2", "later"]),
    ):
        store = RocksStore(tmp_path / folder)
        assert (store.changelog_offset, list(store.contact_ids())) == (offset, contacts)
        store.close()


def test_a_long_changelog_needs_little_more_room_than_the_state_that_it_leaves(tmp_path: Path) -> None:
    seeded, most = random.Random(1), 0
    store = RocksStore(tmp_path)
    with store.in_bulk():
        for offset in range(6_000):
            # The same keys again and again, and values that do not become shorter by compression.
            store.apply_changelog([(b"z%d" % (offset % 200), seeded.randbytes(100_000))], offset)
            most = max(most, _table_bytes(tmp_path))
    store.close()
    assert 100 < most >> 20 < 250, "of 600 MB that were written, for a state of 20 MB"


def _table_bytes(folder: Path) -> int:
    """Return the size of all tables. One that RocksDB removes meanwhile does not count."""
    total = 0
    for table in folder.glob("*.sst"):
        with suppress(FileNotFoundError):
            total += table.stat().st_size
    return total


def test_a_bulk_for_which_there_is_no_room_leaves_nothing(tmp_path: Path) -> None:
    changelog = [(b"z%d" % key, random.Random(key).randbytes(100_000)) for key in range(30)]
    store = RocksStore(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
    try:
        with pytest.raises(Exception, match="File too large"), store.in_bulk():
            store.apply_changelog(changelog, 29)
        store.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.glob("*.sst")) == []
    store = RocksStore(tmp_path)
    assert store.changelog_offset is None
    with store.in_bulk():
        store.apply_changelog(changelog, 29)
    store.close()
    store = RocksStore(tmp_path)
    assert store.changelog_offset == 29
    store.close()
