"""State that an earlier release wrote, as a folder and as a changelog: this one goes on from it."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest
from rocksdict import Options, Rdict

from streamseg.contact.contact import Contact
from streamseg.engine.partition import Partition
from streamseg.errors import StateVersionError
from streamseg.plan.definitions import Definitions
from streamseg.records.inputs import Record
from streamseg.records.outputs import DeadLetter, MembershipChange, Suppression
from streamseg.settings import Settings
from streamseg.store.caches import Caches
from streamseg.store.database import KeyValue
from streamseg.store.memory import MemoryStore
from streamseg.store.protocol import Store
from streamseg.store.rocksdb import RocksStore
from tests.store.golden import story

GOLDEN = Path(__file__).parent / "golden"
SETTINGS = Settings()

Opened = Callable[[Path], RocksStore]


class Case(NamedTuple):
    """State of a layout, the operator's setting, and the layout in which this release goes on."""

    layout: int
    asked: int | None
    written: int

    def __str__(self) -> str:
        return f"{self.layout}-{self.written}"


RAISED = (Case(4, None, 7), Case(5, None, 7), Case(6, 7, 7))
CASES = (*RAISED, Case(6, None, 6), Case(7, None, 7))


class Emitted:
    """What a partition says, in order."""

    def __init__(self) -> None:
        self.said: list[Any] = []

    def change(self, change: MembershipChange) -> None:
        self.said.append(change.wire())

    def membership(self, change: MembershipChange) -> None:
        self.said.append((change.segment_id, change.membership()))

    def suppression(self, suppression: Suppression) -> None:
        self.said.append((suppression.contact_id, suppression.channel, suppression.wire()))

    def dead_letter(self, letter: DeadLetter) -> None:
        raise AssertionError(letter)


class Run:
    """A partition under the story's definitions."""

    def __init__(self, store: Store, definitions: list[Record]) -> None:
        self.definitions = Definitions(SETTINGS)
        assert self.definitions.load(definitions) == []
        self.emitted = Emitted()
        self.partition = Partition(
            store=store, plan=self.definitions.plan, settings=SETTINGS, emitter=self.emitted
        )

    def run_to(self, now_ms: int) -> None:
        while self.partition.run_due(now_ms, 100):
            continue
        self.partition.advance(now_ms)

    def take(self, records: list[Record]) -> None:
        for record in records:
            self.run_to(record.timestamp_ms)
            self.partition.take(record)

    def sweep(self) -> None:
        self.partition.adopt(self.definitions.plan)
        after: str | None = None
        while (after := self.partition.sweep(after, 3).last) is not None:
            continue

    def go_on(self) -> list[Any]:
        """What the rest of the story and an unrelated definition make of the state."""
        self.emitted.said.clear()
        self.take(story.after())
        other = {"segment_id": "other", "name": "other", "type": "static", "version": 1}
        self.definitions.take(Record("segment-definitions", 0, 1_000, 0, b"other", orjson.dumps(other)))
        self.sweep()
        self.run_to(story.END_MS)
        return self.emitted.said


def opened_folder(case: Case, folder: Path) -> RocksStore:
    with tarfile.open(GOLDEN / f"layout-{case.layout}.tar.gz") as archive:
        # Python 3.11.0 to 3.11.3 have no filters; the archive is ours, so it needs none there.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        archive.extractall(folder)  # noqa: S202 - see above
    return RocksStore(folder / "state", caches=Caches(1), layout_asked=case.asked)


def changelog(layout: int) -> list[KeyValue]:
    lines = (GOLDEN / f"layout-{layout}-changelog.ndjson").read_bytes().splitlines()
    pairs = [orjson.loads(line) for line in lines]
    return [(bytes.fromhex(key), None if value is None else bytes.fromhex(value)) for key, value in pairs]


def recovered(case: Case, folder: Path) -> RocksStore:
    store = RocksStore(folder / "recovered", caches=Caches(1), layout_asked=case.asked)
    records = changelog(case.layout)
    store.apply_changelog(records, len(records) - 1)
    return store


@pytest.fixture(params=[opened_folder, recovered], ids=["folder", "changelog"])
def method(request: pytest.FixtureRequest) -> Callable[[Case, Path], RocksStore]:
    chosen: Callable[[Case, Path], RocksStore] = request.param
    return chosen


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    chosen: Case = request.param
    return chosen


@pytest.fixture
def opened(method: Callable[[Case, Path], RocksStore], case: Case) -> Opened:
    return partial(method, case)


def judged_by_this_release() -> Run:
    """The state that the story's first part leaves here, its later definitions taken when they were there."""
    definitions, records = story.definitions(), story.before()
    run = Run(MemoryStore(), definitions[: story.READ_AT_START])
    run.take(records[: story.LIVE_AT])
    run.run_to(records[story.LIVE_AT].timestamp_ms - story.HOUR_MS)
    for record in definitions[story.READ_AT_START :]:
        run.definitions.take(record)
    run.sweep()
    run.take(records[story.LIVE_AT :])
    run.run_to(story.CUT_MS)
    return run


def test_nobody_leaves_or_enters_because_of_the_layout(opened: Opened, tmp_path: Path) -> None:
    store = opened(tmp_path)
    run = Run(store, story.compacted())
    run.sweep()
    assert run.emitted.said == []
    assert {contact_id for contact_id, *_ in store.members("fair")} == {"c1", "c9"}
    assert {contact_id for contact_id, *_ in store.members("list")} == {"c1", "c9"}
    store.close()


def test_the_rest_of_the_story_is_as_if_this_release_had_begun_it(opened: Opened, tmp_path: Path) -> None:
    expected = judged_by_this_release().go_on()
    store = opened(tmp_path)
    run = Run(store, story.compacted())
    run.sweep()
    assert run.go_on() == expected
    assert len(expected) > 20
    store.close()


def test_a_state_goes_on_in_its_layout_or_is_raised_with_each_contact(
    opened: Opened, case: Case, tmp_path: Path
) -> None:
    store = opened(tmp_path)
    run = Run(store, story.compacted())
    run.sweep()
    run.take(story.after())
    pending = store.changes()
    written = {key: value for group in pending.groups for key, value in group if key[:1] == b"c"}
    assert written.keys() >= {b"c" + (record.key or b"") for record in story.after()}
    assert {value[0] for value in written.values() if value is not None} == {case.written}
    store.commit(pending)
    store.close()
    again = RocksStore(tmp_path / ("state" if (tmp_path / "state").exists() else "recovered"))
    assert len(list(again.contact_ids())) == 9
    again.close()


@pytest.mark.parametrize("case", RAISED, ids=str)
def test_it_is_known_up_to_when_changes_were_not_kept(
    method: Callable[[Case, Path], RocksStore], case: Case, tmp_path: Path
) -> None:
    store = method(case, tmp_path)
    run = Run(store, story.compacted())
    clocks = {}
    for contact_id in store.contact_ids():
        contact = store.contact(contact_id)
        assert contact is not None
        assert contact.unkept_ms == contact.clock_ms
        clocks[contact_id] = contact.clock_ms
    assert store.unkept_ms() == max(clocks.values()) <= story.CUT_MS
    run.sweep()
    run.go_on()
    changed = {contact_id: list(store.kept_changes(contact_id)) for contact_id in clocks}
    assert sum(map(len, changed.values())) > 10
    for contact_id, changes in changed.items():
        contact = store.contact(contact_id)
        assert contact is not None
        assert contact.unkept_ms == clocks[contact_id]
        assert all(change.effective_ms > clocks[contact_id] for change in changes)
    assert store.unkept_ms() == max(clocks.values())
    store.save()
    store.close()
    again = RocksStore(tmp_path / ("state" if (tmp_path / "state").exists() else "recovered"))
    assert again.unkept_ms() == max(clocks.values())
    assert {one: list(again.kept_changes(one)) for one in clocks} == changed
    again.close()


def test_lists_that_were_added_to_since_are_read_with_defaults() -> None:
    contact = Contact("c", known_since_ms=7)
    contact.body.suppressed = ["sms"]
    data = contact.to_bytes()
    body_at = data.index(b"[{}")
    shorter = data[:body_at] + orjson.dumps(orjson.loads(data[body_at:])[:5])
    expected = Contact("c", known_since_ms=7)
    expected.body.never_set = None
    assert Contact.from_bytes("c", shorter, contact.attributes) == expected


@pytest.mark.parametrize("version", [3, 8])
def test_other_versions_are_refused_with_what_to_do(version: int, tmp_path: Path) -> None:
    data = bytes((version,)) + Contact("c").to_bytes()[1:]
    with pytest.raises(StateVersionError, match=rf"version {version}.*remove the state folder"):
        Contact.from_bytes("c", data, Contact("c").attributes)
    RocksStore(tmp_path).close()
    other = Rdict(str(tmp_path), Options(raw_mode=True))
    other.put(b"mformat", str(version).encode())
    other.close()
    with pytest.raises(StateVersionError, match=f"version {version}"):
        RocksStore(tmp_path)
