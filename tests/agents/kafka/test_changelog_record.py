"""A changelog record that is not at the offset that its writer expected is ignored and does no harm."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from confluent_kafka import Producer

from agents.demo.embedded import EmbeddedBroker
from agents.kafka.changelog_reader import read_changelog
from agents.kafka.changelog_record import counts, expected_at
from agents.partitions.checkpoint import repair
from agents.partitions.task import PartitionTask
from streamseg.contact.contact import Contact
from streamseg.settings import Settings
from streamseg.store import layout
from streamseg.store.database import KeyValue
from streamseg.store.rocksdb import RocksStore
from tests.agents.simulation import SETTINGS, Surroundings, definitions, loaded


def test_only_a_record_at_the_offset_that_it_states_counts() -> None:
    assert counts([expected_at(7)], 7)
    assert not counts([expected_at(7)], 8)
    assert not counts([("other", b"x"), expected_at(7)], 6)
    assert counts([("other", b"x"), expected_at(7)], 7)
    assert not counts([expected_at(8), expected_at(7)], 7)


def test_a_record_of_an_earlier_release_counts() -> None:
    assert counts(None, 3)
    assert counts([], 3)


def test_records_that_do_not_count_are_read_as_strays(tmp_path: Path) -> None:
    read: list[tuple[list[KeyValue], list[bytes], int]] = []
    ends: dict[int, int] = {}
    with EmbeddedBroker() as broker:
        producer = Producer({"bootstrap.servers": broker.bootstrap})
        for key, at in [(b"a", 0), (b"b", 1), (b"late", 1), (b"c", 3)]:
            producer.produce("changelog", b"v", key=key, partition=0, headers=[expected_at(at)])
        assert producer.flush(30) == 0
        read_changelog(
            Settings(bootstrap_servers=broker.bootstrap, data_dir=tmp_path),
            "changelog",
            {0: 0},
            lambda _, records, strays, offset: read.append((records, strays, offset)),
            ends.__setitem__,
            threading.Event(),
        )
    assert [record for records, _, _ in read for record in records] == [
        (b"a", b"v"),
        (b"b", b"v"),
        (b"c", b"v"),
    ]
    assert [key for _, strays, _ in read for key in strays] == [b"late"]
    assert read[-1][2] == 3
    assert ends == {0: 4}


def test_what_is_under_the_keys_of_strays_is_written_again_once(tmp_path: Path) -> None:
    world = Surroundings(tmp_path / "state", {})
    store = RocksStore(tmp_path / "state")
    kept, unknown = layout.contact_key("kept"), layout.contact_key("unknown")
    value = Contact("kept").to_bytes()
    store.apply_changelog([(kept, value)], 0, [kept, unknown])
    world.changelog = [(kept, value), (kept, b"stray"), (unknown, b"stray")]
    store.close()

    # Noted on disk, so that a crash before the repair does not lose it.
    store = RocksStore(tmp_path / "state")
    task = PartitionTask(
        number=0,
        store=store,
        changelog_end=3,
        plan=loaded(definitions()).plan,
        settings=SETTINGS,
        ended_as_of=lambda _: None,
    )
    asyncio.run(repair(task, world, world.still_ours))
    assert world.changelog[3:] == [(kept, value), (unknown, None)]
    assert task.changelog_end == 5
    asyncio.run(repair(task, world, world.still_ours))
    assert len(world.changelog) == 5
    store.close()
