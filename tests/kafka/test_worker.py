"""One worker on a real broker: its output equals the output of a replay of the same records."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from confluent_kafka.admin import AdminClient

from agents.kafka.group_admin import GroupAdmin
from agents.kafka.topics import topic_name, worker_id
from streamseg.settings import Settings
from streamseg.times import DAY_MS, HOUR_MS, MINUTE_MS, format_ms, next_aligned_ms
from tests.kafka.live import (
    Topics,
    Worker,
    all_come_out,
    comparable,
    eventually,
    expected_changes,
    running,
)
from tests.kafka.workload import DEFINITIONS, stream, write


@pytest.fixture
def topics(kafka_settings: Settings) -> Topics:
    topics = Topics(kafka_settings)
    topics.create()
    return topics


@pytest.fixture
def worker(kafka_settings: Settings) -> Iterator[Worker]:
    worker = Worker(kafka_settings)
    yield worker
    worker.end()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def test_the_worked_case_enters_and_leaves_on_time(topics: Topics, worker: Worker) -> None:
    """Imported in the last 4 s, from China, submitted the form with name and email, or scanned the code."""
    form = [
        {"property": "form", "operator": "eq", "value": "会员注册"},
        {"property": "name", "operator": "is_set"},
        {"property": "email", "operator": "is_set"},
    ]
    scene = [{"property": "scene", "operator": "eq", "value": "会员注册二维码"}]
    topics.define(
        {
            "segment_id": "案例分群",
            "clusters": [
                {
                    "match": "all",
                    "conditions": [
                        {"attribute": "location", "operator": "eq", "value": "中国"},
                        {"attribute": "imported_at", "operator": "within_last", "value": "PT4S"},
                    ],
                },
                {
                    "match": "any",
                    "conditions": [
                        {"event": "form_submit", "where": {"match": "all", "conditions": form}},
                        {"event": "wechat_scan", "where": {"match": "all", "conditions": scene}},
                    ],
                },
            ],
        }
    )
    with running(worker):
        imported_ms = now_ms()
        for contact_id, location in (
            ("form", "中国"),
            ("scan", "中国"),
            ("abroad", "美国"),
            ("empty", "中国"),
        ):
            attributes = {"location": location, "imported_at": imported_ms}
            topics.write("contact-updates", contact_id, {"contact_id": contact_id, "attributes": attributes})
        filled = {"form": "会员注册", "name": "李雷", "email": "a@b.cn"}
        for contact_id, event, properties in (
            ("form", "form_submit", filled),
            ("scan", "wechat_scan", {"scene": "会员注册二维码"}),
            ("abroad", "form_submit", filled),
            ("empty", "form_submit", {**filled, "email": ""}),
        ):
            body = {"event_id": "e1", "contact_id": contact_id, "event": event, "properties": properties}
            topics.write("behavior-events", contact_id, {**body, "occurred_at": imported_ms})
        topics.flush()
        eventually(lambda: len(topics.changes()) >= 4, "two contacts in and out again")
        lateness = worker.metric("streamseg_due_lateness_seconds_sum")
        count = worker.metric("streamseg_due_lateness_seconds_count")
    assert sorted((change["contact_id"], change["change"]) for change in topics.changes()) == [
        ("form", "entered"),
        ("form", "exited"),
        ("scan", "entered"),
        ("scan", "exited"),
    ]
    for change in topics.changes():
        if change["change"] == "exited":
            assert change["effective_at"] == format_ms(imported_ms + 4_000)
            assert change["reason"]["kind"] == "time"
    assert topics.latest("segment-memberships") == {}
    assert count > 0
    assert lateness / count < 5


def test_a_catch_up_gives_what_a_replay_gives(
    topics: Topics, worker: Worker, kafka_settings: Settings
) -> None:
    records = stream(4_000, contacts=200)
    topics.define(*DEFINITIONS)
    write(topics, records)
    expected = expected_changes(kafka_settings, DEFINITIONS, records, now_ms())
    with running(worker):
        eventually(topics.all_committed, "all input committed")
        all_come_out(topics, expected)
        status, body = worker.get("/health")
        assert (status, orjson.loads(body)) == (200, {"status": "ok"})
        eventually(worker.caught_up, "caught up")
        assert worker.metric("streamseg_records_total") == len(records)
    assert len(expected) > 1_000
    changes = topics.changes()
    assert comparable(changes) == comparable(expected.values())
    assert len(changes) == len(expected)
    members = {
        f"{change['segment_id']}|{change['contact_id']}": change["sequence"]
        for change in expected.values()
        if change["change"] == "entered"
    }
    for change in expected.values():
        key = f"{change['segment_id']}|{change['contact_id']}"
        if change["change"] == "exited" and change["sequence"] > members[key]:
            del members[key]
    latest = topics.latest("segment-memberships")
    assert {key: value["sequence"] for key, value in latest.items()} == members


def test_unsubscribes_enter_when_their_batch_window_closes(
    topics: Topics, worker: Worker, kafka_settings: Settings
) -> None:
    zone = ZoneInfo(kafka_settings.timezone)
    at_ms = now_ms() - 2 * DAY_MS
    midnight_ms, hour_ms = next_aligned_ms(at_ms, DAY_MS, zone), next_aligned_ms(at_ms, HOUR_MS, zone)
    for contact_id, event in (("mail", "email_unsubscribe"), ("text", "sms_unsubscribe")):
        body = {"event_id": "e1", "contact_id": contact_id, "event": event, "occurred_at": at_ms}
        topics.write("behavior-events", contact_id, body, at_ms=at_ms)
    body = {"contact_id": "all", "attributes": {"subscribed": False}, "updated_at": at_ms}
    topics.write("contact-updates", "all", body, at_ms=at_ms)
    waiting = {"event_id": "e2", "contact_id": "later", "event": "email_unsubscribe"}
    topics.write("behavior-events", "later", {**waiting, "occurred_at": now_ms() - 1_000})
    topics.flush()
    with running(worker):
        eventually(lambda: len(topics.changes()) >= 3, "three members")
        eventually(lambda: len(topics.latest("channel-suppressions")) >= 5, "suppressions")
    changes = {change["segment_id"]: change for change in topics.changes()}
    assert changes["email-unsubscribed"]["effective_at"] == format_ms(midnight_ms)
    assert changes["email-unsubscribed"]["reason"]["kind"] == "unsubscribe_window"
    assert changes["mobile-unsubscribed"]["effective_at"] == format_ms(hour_ms)
    assert changes["global-unsubscribed"]["effective_at"] == format_ms(at_ms)
    assert topics.latest("channel-suppressions").keys() == {
        "mail|email",
        "text|sms",
        "all|email",
        "all|sms",
        "later|email",
    }


def test_the_state_comes_back_from_the_changelog(
    topics: Topics, worker: Worker, kafka_settings: Settings
) -> None:
    records = stream(3_000, contacts=100, seed=2)
    topics.define(*DEFINITIONS)
    write(topics, records[:2_000])
    with running(worker):
        eventually(topics.all_committed, "the first part committed")
    shutil.rmtree(worker.state)
    write(topics, records[2_000:])
    with running(worker):
        worker.wait_for("recovered ")
        assert worker.metric("streamseg_recovered_records_total") > 1_000
        eventually(topics.all_committed, "the rest committed")
        # The second part came when the clock had long passed it; what was to come is known of its end only.
        final = _members(expected_changes(kafka_settings, DEFINITIONS, records, now_ms()).values())
        eventually(lambda: _members(topics.changes()) == final, "the members of a replay")
    assert len({change["change_id"] for change in topics.changes()}) == len(topics.changes())


def _members(changes: Any) -> set[tuple[str, str]]:
    """Segment and contact of the memberships that stand after these changes."""
    last: dict[tuple[str, str], int] = {}
    for change in changes:
        key = (change["segment_id"], change["contact_id"])
        last[key] = max(change["sequence"], last.get(key, 0))
    return {key for key, sequence in last.items() if sequence % 2}


def test_bad_records_stop_nothing_and_are_kept(topics: Topics, worker: Worker) -> None:
    known = [{"attribute": "contact_id", "operator": "is_set"}]
    topics.define({"segment_id": "everybody", "clusters": [{"match": "all", "conditions": known}]})
    at_ms = now_ms() - MINUTE_MS
    event = {"event_id": "e1", "contact_id": "c1", "event": "scan", "occurred_at": at_ms}
    huge = orjson.dumps({**event, "properties": {"text": "x" * (2 << 20)}})
    wrong_email = orjson.dumps({"contact_id": "c1", "attributes": {"email": 5}})
    no_list = orjson.dumps({"contact_id": "c1", "lists": {"add": ["none"]}})
    tomorrow = orjson.dumps({**event, "occurred_at": at_ms + DAY_MS})
    bad: list[tuple[str, str | bytes | None, bytes | None, str]] = [
        ("behavior-events", "c1", b"{not json", "invalid_json"),
        ("behavior-events", "c1", b"\xff\xfe", "invalid_json"),
        ("behavior-events", "c1", b"", "invalid_json"),
        ("behavior-events", "c1", None, "invalid_schema"),
        ("behavior-events", None, None, "invalid_schema"),
        ("behavior-events", "c1", b"[1]", "invalid_schema"),
        ("behavior-events", "c1", orjson.dumps({**event, "occurred_at": True}), "invalid_schema"),
        ("behavior-events", "other", orjson.dumps(event), "invalid_schema"),
        ("behavior-events", b"\xff", orjson.dumps(event), "invalid_json"),
        ("behavior-events", "c1", tomorrow, "occurred_in_future"),
        ("behavior-events", "c1", huge, "too_large"),
        ("contact-updates", "c1", wrong_email, "invalid_value"),
        ("contact-updates", "c1", no_list, "invalid_value"),
    ]
    for topic, key, value, _ in bad:
        topics.write(topic, key, value, at_ms=at_ms)
    topics.write("behavior-events", "c1", event, at_ms=at_ms)
    topics.flush()
    with running(worker):
        eventually(topics.all_committed, "all input committed")
        assert worker.metric("streamseg_dead_letters_total") == len(bad)
    assert [change["contact_id"] for change in topics.changes()] == ["c1"]
    letters = topics.read("dead-letters")
    assert len(letters) == len(bad)
    codes = sorted(_headers(letter)["error.code"] for letter in letters)
    assert codes == sorted(code for *_, code in bad)
    place = ("source.topic", "source.partition", "source.offset")
    assert len({tuple(_headers(letter)[name] for name in place) for letter in letters}) == len(bad)
    for letter in letters:
        if _headers(letter)["error.code"] == "too_large":
            assert letter.value() == huge
            assert letter.key() == b"c1"
        partly = _headers(letter)["error.code"] == "invalid_value"
        assert _headers(letter)["record.applied"] == ("partly" if partly else "no")
        assert ("error.paths" in _headers(letter)) is partly
    values = [letter.value() for letter in letters]
    for _, _, value, _ in bad:
        assert value in values
    assert "x" * 100 not in worker.log
    assert "not json" not in worker.log


def test_what_a_record_causes_at_once_has_its_trace(topics: Topics, worker: Worker) -> None:
    bought = [{"event": "buy", "window": {"last": "PT2S"}}]
    topics.define({"segment_id": "buyers", "clusters": [{"match": "all", "conditions": bought}]})
    traces = [f"00-{number:032x}-00f067aa0ba902b7-01".encode() for number in (1, 2, 3)]
    with running(worker):
        at_ms = now_ms()
        event = {"event_id": "e1", "contact_id": "c1", "event": "buy", "occurred_at": at_ms}
        opt_out = {**event, "event_id": "e2", "event": "email_unsubscribe"}
        for value, trace in zip((event, opt_out, b"{"), traces, strict=True):
            topics.write("behavior-events", "c1", value, at_ms=at_ms, headers=[("traceparent", trace)])
        topics.flush()
        eventually(lambda: len(topics.changes()) >= 2, "entered by the record, exited by time")
        eventually(topics.all_committed, "all input committed")
    found = {
        topic: [(one.key(), one.value() is None, one.headers()) for one in topics.read(topic)]
        for topic in ("membership-changes", "segment-memberships", "channel-suppressions")
    }
    first, second, third = ([("traceparent", trace)] for trace in traces)
    assert found == {
        "membership-changes": [(b"c1", False, first), (b"c1", False, None)],
        "segment-memberships": [(b"buyers|c1", False, first), (b"buyers|c1", True, None)],
        "channel-suppressions": [(b"c1|email", False, second)],
    }
    (letter,) = topics.read("dead-letters")
    assert third[0] in letter.headers()


def _headers(message: Any) -> dict[str, str]:
    return {name: value.decode() for name, value in message.headers()}


@pytest.mark.parametrize("instance", [None, "worker-1"])
def test_a_worker_stops_cleanly_on_sigterm_with_everything_committed(
    topics: Topics, kafka_settings: Settings, instance: str | None
) -> None:
    named = {} if instance is None else {"STREAMSEG_INSTANCE_ID": instance}
    worker = Worker(kafka_settings, **named)
    write(topics, stream(2_000, contacts=50, seed=4))
    with running(worker):
        eventually(lambda: worker.metric("streamseg_records_total") >= 2_000, "all applied")
    assert topics.all_committed()
    assert "agents.worker.segment_app: stopped" in worker.log
    # Only a worker without a name of its own leaves the group; the partitions of another one wait for it.
    members = GroupAdmin(kafka_settings).look(worker_id(kafka_settings), {})["members"]
    assert [member["instance"] for member in members] == ([] if instance is None else [instance])


def test_state_that_is_ahead_of_its_source_is_refused(
    topics: Topics, worker: Worker, kafka_settings: Settings
) -> None:
    write(topics, stream(500, contacts=50))
    with running(worker):
        eventually(topics.all_committed, "all input committed")
    name = topic_name(kafka_settings, "behavior-events")
    admin = AdminClient({"bootstrap.servers": kafka_settings.bootstrap_servers})
    admin.delete_topics([name])[name].result(30)
    eventually(lambda: name not in admin.list_topics(timeout=10).topics, "the topic gone")
    topics.create()
    worker.launch()
    eventually(lambda: worker.poll() is not None, "the end of the worker")
    assert worker.poll() == 1
    assert "the topic was created again; give the workers a new STREAMSEG_APPLICATION_ID" in worker.log
