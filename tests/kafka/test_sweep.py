"""A sweep over many contacts with live input: one worker is killed in the middle and another one joins."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from typing import Any

from streamseg.settings import Settings
from tests.kafka.live import Topics, Worker, eventually
from tests.numbering import assert_numbered_on
from tests.oracle.replay import Oracle

CONTACTS = 100_000
SAMPLE = 150
LIVE_SECONDS = 0.002

Json = dict[str, Any]


def segment(segment_id: str, *conditions: Json, version: int) -> Json:
    clusters = [{"match": "all", "conditions": list(conditions)}]
    return {"segment_id": segment_id, "version": version, "clusters": clusters}


def definitions(version: int, points: int, scans: int) -> list[Json]:
    rich = {"attribute": "member_points", "operator": "ge", "value": points}
    scanned = {"event": "wechat_scan", "count": {"operator": "ge", "value": scans}}
    return [
        segment("rich", rich, version=version),
        segment("scanned", scanned, version=version),
        segment("rich-scanner", {"segment": "rich", "member": True}, scanned, version=version),
        segment("poor-or-idle", {"segment": "rich-scanner", "member": False}, version=version),
    ]


BEFORE = definitions(1, 100, 1)
AFTER = definitions(2, 150, 2)


class Crowd:
    """Contacts who were made known and scan; every record that is written is kept here too."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self.ids = [f"p{number:05}" for number in range(CONTACTS)]
        self.points = {contact_id: number * 7 % 300 for number, contact_id in enumerate(self.ids)}
        self.scans: Counter[str] = Counter()
        self.lines: list[Json] = []
        self._sampled = set(self.ids[:: CONTACTS // SAMPLE])

    def _write(self, topic: str, contact_id: str, value: Json) -> None:
        at_ms = time.time_ns() // 1_000_000
        self._topics.write(topic, contact_id, value, at_ms=at_ms)
        if contact_id in self._sampled:
            self.lines.append({"topic": topic, "timestamp": at_ms, "key": contact_id, "value": value})

    def make_known(self) -> None:
        for contact_id in self.ids:
            value = {"contact_id": contact_id, "attributes": {"member_points": self.points[contact_id]}}
            self._write("contact-updates", contact_id, value)
        for contact_id in self.ids[::2]:
            self.scan(contact_id)
        self._topics.flush()

    def scan(self, contact_id: str) -> None:
        self.scans[contact_id] += 1
        event_id = f"{contact_id}-{self.scans[contact_id]}"
        value = {"event_id": event_id, "contact_id": contact_id, "event": "wechat_scan"}
        occurred_ms = time.time_ns() // 1_000_000
        self._write("behavior-events", contact_id, {**value, "occurred_at": occurred_ms})

    def scan_until(self, enough: threading.Event) -> None:
        """All over the crowd, a few hundred a second."""
        number = 0
        while not enough.wait(LIVE_SECONDS):
            self.scan(self.ids[number * 9_973 % CONTACTS])
            number += 1
        self._topics.flush()

    def members(self) -> dict[str, set[str]]:
        """Who belongs where in the end."""
        rich = {contact_id for contact_id, points in self.points.items() if points >= 150}
        scanned = {contact_id for contact_id, scans in self.scans.items() if scans >= 2}
        both = rich & scanned
        return {
            "rich": rich,
            "scanned": scanned,
            "rich-scanner": both,
            "poor-or-idle": set(self.ids) - both,
        }

    def sampled_members(self, settings: Settings) -> set[tuple[str, str]]:
        """What the oracle says of some of them."""
        oracle = Oracle(settings)
        stated = [{"type": "standard", "name": body["segment_id"], **body} for body in AFTER]
        lines = [
            {"topic": "segment-definitions", "timestamp": 0, "key": body["segment_id"], "value": body}
            for body in stated
        ]
        for number, line in enumerate([*lines, *self.lines]):
            oracle.feed(number, line)
        return oracle.members()

    def in_sample(self, contact_id: str) -> bool:
        return contact_id in self._sampled


def test_a_sweep_of_100_000_through_a_kill_and_a_join_announces_each_change_once(
    kafka_settings: Settings,
) -> None:
    topics = Topics(kafka_settings)
    topics.create()
    topics.define(*BEFORE)
    crowd = Crowd(topics)
    enough = threading.Event()
    live = threading.Thread(target=crowd.scan_until, args=(enough,))
    first, second = Worker(kafka_settings, "first"), Worker(kafka_settings, "second")
    try:
        crowd.make_known()
        first.start()
        eventually(topics.all_committed, "all input committed")
        live.start()
        topics.define(*AFTER)
        eventually(lambda: first.metric("streamseg_sweeping_partitions") == 4, "a sweep of every partition")
        second.launch()
        eventually(lambda: _partitions(second) == 2, "two partitions each")
        # Killed while contacts go over to the changed formulas, not while those are filled.
        said = first.metric("streamseg_membership_changes_total")
        eventually(
            lambda: first.metric("streamseg_membership_changes_total") > said + 3_000, "changes by definition"
        )
        assert first.metric("streamseg_sweeping_partitions") > 0, "killed in the middle of the sweep"
        first.kill()
        eventually(lambda: _partitions(second) == 4, "all partitions on one")
        eventually(lambda: second.metric("streamseg_sweeping_partitions") == 0, "the end of the sweep")
        enough.set()
        live.join()
        eventually(topics.all_committed, "all input committed")
        expected = crowd.members()
        counts = {segment_id: len(members) for segment_id, members in expected.items()}
        eventually(lambda: _completed(topics) == counts, f"{counts} in the catalogue")
        assert second.stop() == 0
    finally:
        enough.set()
        first.end()
        second.end()
    found: defaultdict[str, set[str]] = defaultdict(set)
    for membership in topics.latest("segment-memberships").values():
        found[membership["segment_id"]].add(membership["contact_id"])
    assert found == expected
    of_sample = {
        (segment_id, contact_id)
        for segment_id, members in found.items()
        for contact_id in members
        if crowd.in_sample(contact_id)
    }
    assert of_sample == crowd.sampled_members(kafka_settings)
    assert_numbered_on(topics.changes())


def _partitions(worker: Worker) -> float:
    return worker.metric("streamseg_partitions") if worker.at_work in worker.log else 0


def _completed(topics: Topics) -> dict[str, int]:
    """How many contacts the catalogue gives each segment of the test that is calculated."""
    rows = {key: row for key, row in topics.latest("segment-catalog").items() if "|" not in key}
    return {
        segment_id: row["contacts"]
        for segment_id, row in rows.items()
        if row["status"] == "completed" and row["type"] != "built-in"
    }
