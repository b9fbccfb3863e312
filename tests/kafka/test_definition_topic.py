"""Definitions are changed, deleted or refused while workers run."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from streamseg.settings import Settings
from tests.kafka.live import Topics, Worker, eventually, running
from tests.kafka.test_sources import members

VIP = {"attribute": "tags", "operator": "contains_any", "value": ["vip"]}
SCANNED = {"event": "wechat_scan"}


def segment(segment_id: str, *conditions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"segment_id": segment_id, "clusters": [{"match": "all", "conditions": list(conditions)}], **more}


@pytest.fixture
def topics(kafka_settings: Settings) -> Topics:
    topics = Topics(kafka_settings)
    topics.create()
    return topics


@pytest.fixture
def workers(kafka_settings: Settings) -> Iterator[tuple[Worker, Worker]]:
    pair = Worker(kafka_settings, "first"), Worker(kafka_settings, "second")
    yield pair
    for worker in pair:
        worker.end()


def write_contacts(topics: Topics, first: int, last: int) -> None:
    for index in range(first, last):
        contact_id = f"c{index}"
        tags = ["vip"] if index % 2 else ["trial"]
        topics.write("contact-updates", contact_id, {"contact_id": contact_id, "tags": {"set": tags}})
        at_ms = time.time_ns() // 1_000_000
        event = {"event_id": "e1", "contact_id": contact_id, "event": "wechat_scan", "occurred_at": at_ms}
        if index % 3 == 0:
            topics.write("behavior-events", contact_id, event)
    topics.flush()


def test_a_changed_definition_reaches_everybody_and_a_deleted_one_leaves_nobody(
    topics: Topics, workers: tuple[Worker, Worker]
) -> None:
    first, second = workers
    write_contacts(topics, 0, 300)
    with running(first), running(second):
        eventually(topics.all_committed, "the contacts known")
        topics.define(segment("s1", VIP))
        odd = {f"c{index}" for index in range(1, 300, 2)}
        eventually(lambda: members(topics, "s1") == odd, "known contacts entered by the definition")
        write_contacts(topics, 300, 400)
        odd |= {f"c{index}" for index in range(301, 400, 2)}
        eventually(lambda: members(topics, "s1") == odd, "new contacts entered by their updates")

        topics.define(segment("s1", VIP, SCANNED))
        both = {f"c{index}" for index in range(400) if index % 2 and index % 3 == 0}
        eventually(lambda: members(topics, "s1") == both, "those without a scan left, the history counted")

        topics.write("segment-definitions", "s1", None, partition=0)
        topics.flush()
        eventually(lambda: members(topics, "s1") == set(), "all left with the segment")
    changes = topics.changes()
    assert len({change["change_id"] for change in changes}) == len(changes)
    kinds = {(change["change"], change["reason"]["kind"]) for change in changes}
    assert kinds == {("entered", "definition"), ("entered", "contact_update"), ("exited", "definition")}
    last = {(change["contact_id"]): change["change"] for change in changes}
    assert set(last.values()) == {"exited"}


def test_a_refused_definition_is_a_dead_letter_once_and_what_is_in_force_is_written_back(
    topics: Topics, workers: tuple[Worker, Worker]
) -> None:
    first, second = workers
    good = segment("s1", VIP, version=3)
    topics.define(good, segment("s2", {"segment": "s1", "member": True}))
    write_contacts(topics, 0, 20)
    with running(first), running(second):
        eventually(topics.all_committed, "the contacts known")
        topics.write("segment-definitions", "s1", b"{not json", partition=0)
        topics.define(segment("s3", {"segment": "nowhere", "member": True}))
        topics.write("segment-definitions", "s1", None, partition=0)
        topics.define(segment("global-unsubscribed", VIP))
        eventually(lambda: len(topics.read("dead-letters")) >= 4, "four dead letters")
        eventually(lambda: _latest(topics, "s1") is not None, "s1 written back")
        eventually(lambda: _latest(topics, "s3") is None, "s3 taken back")
        eventually(lambda: _latest(topics, "global-unsubscribed") is None, "the built-in one taken back")
        write_contacts(topics, 20, 40)
        eventually(topics.all_committed, "further contacts known")
    letters = {
        (message.key().decode(), dict(message.headers())["error.code"].decode())
        for message in topics.read("dead-letters")
    }
    assert letters == {
        ("s1", "invalid_json"),
        ("s3", "unknown_reference"),
        ("s1", "in_use"),
        ("global-unsubscribed", "not_permitted"),
    }
    assert len(topics.read("dead-letters")) == 4
    written_back = _latest(topics, "s1")
    assert written_back is not None
    assert written_back["clusters"] == good["clusters"]
    assert written_back["version"] == 3
    odd = {f"c{index}" for index in range(1, 40, 2)}
    assert members(topics, "s1") == odd
    assert members(topics, "s2") == odd
    assert {change["reason"]["kind"] for change in topics.changes()} == {"contact_update"}

    # Whoever reads the topic later finds what is in force and has nothing to refuse.
    with running(first):
        assert "0 refused" in first.log
    assert len(topics.read("dead-letters")) == 4


def _latest(topics: Topics, segment_id: str) -> dict[str, Any] | None:
    last = None
    for message in topics.read("segment-definitions"):
        if message.key() == segment_id.encode():
            last = message.value()
    try:
        return None if last is None else orjson.loads(last)
    except orjson.JSONDecodeError:
        return None


def test_whoever_began_to_read_later_takes_no_segment_for_another(
    topics: Topics, workers: tuple[Worker, Worker]
) -> None:
    first, second = workers
    contacts = {f"c{index}" for index in range(200)}
    with running(first):
        # The first sees both made; the second finds them there.
        topics.define(segment("x", SCANNED), {"segment_id": "fair", "type": "static"})
        eventually(lambda: _confirmed(topics) >= {"x", "fair"}, "both confirmed")
        second.start()
        eventually(lambda: second.metric("streamseg_partitions") == 2, "two partitions each")
        for contact_id in contacts:
            at_ms = time.time_ns() // 1_000_000
            event = {"event_id": "e1", "contact_id": contact_id, "event": "wechat_scan", "occurred_at": at_ms}
            topics.write("behavior-events", contact_id, event)
            lists = {"contact_id": contact_id, "lists": {"add": ["fair"]}}
            topics.write("contact-updates", contact_id, lists)
        topics.flush()
        eventually(lambda: members(topics, "x") == members(topics, "fair") == contacts, "all in both")
        eventually(topics.all_committed, "the contacts committed")
        assert second.stop() == 0, second.log
        eventually(lambda: first.metric("streamseg_partitions") == 4, "all partitions at the first")
        topics.define(segment("unrelated", {"attribute": "contact_id", "operator": "is_set"}))
        eventually(lambda: members(topics, "unrelated") == contacts, "everybody in the unrelated segment")
    assert members(topics, "x") == members(topics, "fair") == contacts
    assert {change["change"] for change in topics.changes()} == {"entered"}


def _confirmed(topics: Topics) -> set[str]:
    """The segments whose last record streamseg wrote itself."""
    last = {message.key().decode(): message for message in topics.read("segment-definitions")}
    return {key for key, one in last.items() if "segment.born" in dict(one.headers() or ())}


def test_an_answer_that_a_killed_worker_owed_is_given_by_the_next_one(
    topics: Topics, workers: tuple[Worker, Worker]
) -> None:
    for worker in workers:
        worker.start()
    eventually(lambda: all(one.metric("streamseg_partitions") == 2 for one in workers), "two partitions each")
    kept = segment("s1", VIP, version=3)
    topics.define(kept)
    eventually(lambda: _confirmed(topics) == {"s1"}, "the first definition confirmed")
    # Whoever has the first partition answers. Its lag is known once the broker has answered a first request.
    eventually(lambda: any(_has_first_partition(one) for one in workers), "the lag of the first partition")
    (speaker,) = [one for one in workers if _has_first_partition(one)]
    (other,) = [one for one in workers if one is not speaker]
    speaker.freeze()
    topics.write("segment-definitions", "s1", b"{not json", partition=0)
    topics.define(segment("s2", SCANNED), segment("s3", {"segment": "nowhere", "member": True}))
    # The other one has judged them all, and it is not its turn to say so.
    eventually(lambda: other.metric("streamseg_definitions_generation") >= 3, "the new definitions read")
    assert topics.read("dead-letters") == []
    raw = topics.read("segment-definitions")
    assert [one.key() for one in raw if not one.headers()] == [b"s1", b"s1", b"s2", b"s3"]
    speaker.kill()
    eventually(lambda: _confirmed(topics) >= {"s1", "s2"}, "both confirmed by the other one")
    eventually(lambda: _latest(topics, "s3") is None, "s3 taken back")
    assert other.stop() == 0, other.log
    letters = [
        (message.key(), dict(message.headers())["error.code"].decode())
        for message in topics.read("dead-letters")
    ]
    assert sorted(letters) == [(b"s1", "invalid_json"), (b"s3", "unknown_reference")]
    written_back = _latest(topics, "s1")
    assert written_back is not None
    assert (written_back["clusters"], written_back["version"]) == (kept["clusters"], 3)
    # Each raw record was answered once, and no answer was answered.
    answered = [
        int(dict(one.headers())["segment.answers"])
        for one in topics.read("segment-definitions")
        if one.headers()
    ]
    assert sorted(answered) == [
        one.offset() for one in topics.read("segment-definitions") if not one.headers()
    ]


def _has_first_partition(worker: Worker) -> bool:
    return bool(
        re.search(r'^streamseg_lag_records\{.*partition="0".*\}', worker.get("/metrics")[1], re.MULTILINE)
    )
