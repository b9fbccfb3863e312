"""The layout in which a state is written: its own, until an operator raises it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
from rocksdict import Options, Rdict

from agents.partitions.output_buffer import OutputBuffer
from streamseg.contact.attributes import Attributes
from streamseg.contact.contact import Contact
from streamseg.contact.kept_changes import KeptChange
from streamseg.contact.rows import Past
from streamseg.contact.state_version import EARLIEST_WRITTEN, STATE_VERSION, layout_to_write
from streamseg.engine.partition import Partition
from streamseg.engine.past import KeptPast
from streamseg.errors import ConfigurationError, StateVersionError
from streamseg.plan.definitions import Definitions
from streamseg.records.inputs import Record
from streamseg.records.outputs import Cause, MembershipChange, Reason
from streamseg.settings import Settings
from streamseg.store import layout
from streamseg.store.database import KeyValue
from streamseg.store.rocksdb import RocksStore
from tests.store.golden import make
from tests.store.test_earlier_layout import changelog

BEFORE = EARLIEST_WRITTEN
_BODY_AT = 113  # in the layout before
CHANGE = KeptChange(5_000, 0, "vip", 1, 1, "contact_update", "contact-updates/0/1", -1)


def contact(contact_id: str, clock_ms: int = 4_000) -> Contact:
    return Contact(contact_id, known_since_ms=1, clock_ms=clock_ms)


def stored(store: RocksStore, *contacts: Contact) -> list[KeyValue]:
    """Store contacts, and return the changelog records of it."""
    for one in contacts:
        store.put(one)
    pending = store.changes()
    store.commit(pending, 1)
    return [record for group in pending.groups for record in group]


def layouts(records: Iterable[tuple[bytes, bytes | None]]) -> set[int]:
    return {value[0] for key, value in records if key[:1] == layout.CONTACT and value is not None}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.mark.parametrize(
    ("kept", "asked", "written"),
    [
        (None, None, STATE_VERSION),
        (None, BEFORE, BEFORE),
        (4, None, STATE_VERSION),
        (4, BEFORE, BEFORE),
        (BEFORE, None, BEFORE),
        (BEFORE, BEFORE, BEFORE),
        (BEFORE, STATE_VERSION, STATE_VERSION),
        (STATE_VERSION, None, STATE_VERSION),
        (STATE_VERSION, STATE_VERSION, STATE_VERSION),
    ],
)
def test_state_and_setting_alone_decide(kept: int | None, asked: int | None, written: int) -> None:
    assert layout_to_write(kept, asked) == written


def test_a_layout_is_not_lowered(folder: Path) -> None:
    store = RocksStore(folder)
    stored(store, contact("c"))
    store.close()
    again = RocksStore(folder, layout_asked=BEFORE)
    with pytest.raises(ConfigurationError, match="STREAMSEG_LAYOUT is 6, but the state has layout 7"):
        stored(again, contact("c"))
    again.close()


def test_the_layout_before_is_written_as_the_release_before_wrote_it(tmp_path: Path) -> None:
    sink = make.Kept()
    asyncio.run(make.run(tmp_path / "state", sink, BEFORE))
    written = comparable(sink.changelog)
    assert written == comparable(changelog(BEFORE))
    assert layouts(sink.changelog) == {BEFORE}


def comparable(records: Iterable[KeyValue]) -> dict[bytes, Any]:
    """Return the latest values without kept outputs: those go with the next checkpoint, and every release
    reads all of their forms. What a contact keeps as a set has no order."""
    latest: dict[bytes, Any] = {key: value for key, value in records if key[:1] != layout.OUTPUT}
    for key, value in latest.items():
        if key[:1] == layout.CONTACT:
            lists, true, *others = orjson.loads(value[_BODY_AT:])
            latest[key] = (value[:_BODY_AT], lists, sorted(true), others)
    return latest


def test_what_the_layout_before_has_no_place_for_is_not_in_its_bytes() -> None:
    full = contact("c")
    full.body.past = Past(3, 3)
    full.unkept_ms = full.oldest_change_ms = 2_000
    plain = Contact.from_bytes("c", contact("c").to_bytes(BEFORE), Attributes())
    assert Contact.from_bytes("c", full.to_bytes(BEFORE), Attributes()) == plain
    assert plain.unkept_ms == plain.clock_ms
    with pytest.raises(StateVersionError):
        full.to_bytes(BEFORE - 1)


@pytest.mark.parametrize(
    ("version", "never_set", "after_a_value"), [(BEFORE, None, None), (STATE_VERSION, {"a"}, set())]
)
def test_only_the_latest_layout_knows_what_was_never_set_whatever_is_in_memory(
    folder: Path, version: int, never_set: set[str] | None, after_a_value: set[str] | None
) -> None:
    def said(number: int, **body: Any) -> Record:
        value = orjson.dumps({"contact_id": "c", **body})
        return Record("contact-updates", 0, number, 1_000_000_000_000 + number, b"c", value)

    def known(*records: Record) -> set[str] | None:
        for record in records:
            partition.take(record)
        kept = store.contact("c")
        assert kept is not None
        return kept.body.never_set

    store = RocksStore(folder, layout_asked=version)
    plan = Definitions(Settings()).plan
    partition = Partition(store=store, plan=plan, settings=Settings(), emitter=OutputBuffer())
    assert known(said(1, attributes={"a": None, "b": 1})) == never_set
    assert known(said(2, deleted=True), said(3, attributes={"a": None})) == never_set
    store.commit(store.changes(), 1)
    store.close()
    store = RocksStore(folder, layout_asked=version)
    partition = Partition(store=store, plan=plan, settings=Settings(), emitter=OutputBuffer())
    assert known(said(4, attributes={"a": None})) == never_set
    assert known(said(5, attributes={"a": 1}), said(6, attributes={"a": None})) == after_a_value
    store.close()


def test_a_change_that_is_not_kept_moves_the_time_up_to_which_changes_may_be_missing() -> None:
    changed = contact("c")
    change = MembershipChange(
        segment_id="vip",
        contact_id="c",
        segment_version=1,
        sequence=1,
        effective_ms=5_000,
        reason=Reason(Cause.CONTACT_UPDATE, "contact-updates/0/1"),
    )
    KeptPast(None, 1_000, 10).keep(changed, change, -1)
    assert changed.unkept_ms == 5_000


def test_state_of_the_layout_before_is_raised_when_the_operator_says_so(folder: Path) -> None:
    store = RocksStore(folder, layout_asked=BEFORE)
    assert layouts(stored(store, contact("a"), contact("b"))) == {BEFORE}
    store.clock_ms = 4_500
    assert store.unkept_ms() == 4_500  # nothing up to now is kept
    store.close()
    store = RocksStore(folder)
    assert layouts(stored(store, contact("a", 4_100))) == {BEFORE}
    store.close()
    store = RocksStore(folder, layout_asked=STATE_VERSION)
    assert layouts(stored(store, contact("a", 4_200))) == {STATE_VERSION}
    assert store.unkept_ms() == 4_100  # a as it was before; its changes since are kept
    store.close()
    store = RocksStore(folder)
    assert layouts(stored(store, contact("b"))) == {STATE_VERSION}
    store.close()


def test_a_worker_goes_on_in_the_layout_of_the_changelog(tmp_path: Path) -> None:
    first, second = RocksStore(tmp_path / "1", layout_asked=BEFORE), RocksStore(tmp_path / "2")
    records = stored(first, contact("a"))
    second.apply_changelog(records, len(records))
    assert layouts(stored(second, contact("b"))) == {BEFORE}
    raised = RocksStore(tmp_path / "3", layout_asked=STATE_VERSION)
    raised.apply_changelog(records, len(records))
    later = stored(raised, contact("a", 4_300))
    # The other worker gets the partition back, without the setting.
    second.apply_changelog(later, 2 * len(records))
    assert layouts(stored(second, contact("b", 4_400))) == {STATE_VERSION}
    for store in (first, second, raised):
        store.close()


def test_a_changelog_of_a_later_release_is_refused_before_any_work(folder: Path) -> None:
    store = RocksStore(folder)
    value = bytes((STATE_VERSION + 1,)) + contact("c").to_bytes()[1:]
    with pytest.raises(StateVersionError, match="version 8"):
        store.apply_changelog([(layout.contact_key("c"), value)], 1)
    assert list(store.contact_ids()) == []
    store.close()


def test_a_folder_that_an_earlier_release_filled_from_a_later_changelog_has_its_index(folder: Path) -> None:
    """That release read the records into its folder, knew no index of them, and ended."""
    store = RocksStore(folder)
    store.keep_change("c", CHANGE)
    stored(store, contact("c"))
    store.close()
    database = Rdict(str(folder), Options(raw_mode=True))
    for key in [one for one in cast(Iterable[bytes], database.keys()) if one[:1] == layout.SEGMENT_CHANGE]:
        del database[key]
    database[layout.FORMAT_KEY] = orjson.dumps(BEFORE)
    database.close()
    again = RocksStore(folder)
    assert list(again.segment_changes("vip")) == [("c", CHANGE)]
    assert again.written_layout == STATE_VERSION
    again.close()


@pytest.mark.parametrize("version", [EARLIEST_WRITTEN - 1, STATE_VERSION + 1])
def test_the_setting_takes_layouts_that_this_release_writes(
    version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMSEG_LAYOUT", str(version))
    with pytest.raises(ConfigurationError, match="STREAMSEG_LAYOUT"):
        Settings.read()
    monkeypatch.setenv("STREAMSEG_LAYOUT", str(EARLIEST_WRITTEN))
    assert Settings.read().layout == EARLIEST_WRITTEN
