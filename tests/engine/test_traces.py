"""The header `traceparent` of a record passes to what the record causes at once, and to nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
import pytest

from streamseg.engine.partition import Partition
from streamseg.plan.definitions import Definitions
from streamseg.records.inputs import Headers, Record
from streamseg.records.outputs import DeadLetter, MembershipChange, Suppression
from streamseg.records.trace import trace_of
from streamseg.settings import Settings
from streamseg.store.memory import MemoryStore
from tests.engine.story import ms

TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OTHER = b"00-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b7-00"
RICH = {"attribute": "points", "operator": "gt", "value": 100}
RECENT = {"event": "buy", "window": {"last": "P7D"}}


class World:
    """One partition, and what it emits: (kind, segment or channel, trace)."""

    def __init__(self, *conditions: dict[str, Any]) -> None:
        self.told: list[tuple[str, str, bytes | None]] = []
        self.letters: list[DeadLetter] = []
        self._offset = 0
        settings = Settings()
        self._definitions = Definitions(settings)
        self._definitions.load(self._record_of(f"s{index}", one) for index, one in enumerate(conditions))
        self.partition = Partition(
            store=MemoryStore(), plan=self._definitions.plan, settings=settings, emitter=self
        )

    def _record_of(self, segment_id: str, condition: dict[str, Any]) -> Record:
        clusters = [{"match": "all", "conditions": [condition]}]
        body = {"segment_id": segment_id, "type": "standard", "name": segment_id, "clusters": clusters}
        self._offset += 1
        return Record("segment-definitions", 0, self._offset, 0, segment_id.encode(), orjson.dumps(body))

    def define(self, segment_id: str, condition: dict[str, Any]) -> None:
        self._definitions.take(self._record_of(segment_id, condition))
        self.partition.adopt(self._definitions.plan)

    def change(self, change: MembershipChange) -> None:
        verb = "entered" if change.entered else "exited"
        self.told.append((f"{verb} by {change.reason.kind}", change.segment_id, change.reason.trace))

    def membership(self, change: MembershipChange) -> None:
        self.told.append(("new end", change.segment_id, change.reason.trace))

    def suppression(self, suppression: Suppression) -> None:
        self.told.append((str(suppression.suppressed), suppression.channel, suppression.trace))

    def dead_letter(self, letter: DeadLetter) -> None:
        self.letters.append(letter)

    def take(self, topic: str, at: str, body: Any, *headers: tuple[str, Any]) -> None:
        self._offset += 1
        value = orjson.dumps({"contact_id": "c1", **body}) if isinstance(body, dict) else body
        self.partition.take(Record(topic, 0, self._offset, ms(at), b"c1", value, headers))

    def event(self, at: str, name: str, *headers: tuple[str, Any], occurred: str | None = None) -> None:
        event_id = f"e-{self._offset}"
        at_ms = ms(occurred or at)
        self.take(
            "behavior-events", at, {"event_id": event_id, "event": name, "occurred_at": at_ms}, *headers
        )

    def update(self, at: str, body: dict[str, Any], *headers: tuple[str, Any]) -> None:
        self.take("contact-updates", at, body, *headers)

    def until(self, at: str) -> None:
        while self.partition.run_due(ms(at), 10):
            continue

    def heard(self) -> list[tuple[str, str, bytes | None]]:
        told, self.told = self.told, []
        return told


def traced(trace: bytes = TRACE) -> tuple[str, bytes]:
    return ("traceparent", trace)


def test_a_change_by_a_record_has_the_header_and_one_by_time_has_none() -> None:
    world = World(RICH, RECENT)
    world.update("05-01", {"attributes": {"points": 200}}, traced())
    assert world.heard() == [("entered by contact_update", "s0", TRACE)]
    world.event("05-02", "buy", ("other", b"x"), traced(OTHER))
    assert world.heard() == [("entered by behavior_event", "s1", OTHER)]
    world.event("05-03", "buy", traced())
    assert world.heard() == [("new end", "s1", TRACE)]
    world.until("05-20")
    assert world.heard() == [("exited by time", "s1", None)]
    world.update("05-20", {"attributes": {"points": 1}})
    assert world.heard() == [("exited by contact_update", "s0", None)]


def test_what_was_due_before_the_record_has_none() -> None:
    world = World(RECENT)
    world.event("05-01", "buy", traced())
    world.event("05-20", "buy", traced(OTHER))
    assert world.heard() == [
        ("entered by behavior_event", "s0", TRACE),
        ("exited by time", "s0", None),
        ("entered by behavior_event", "s0", OTHER),
    ]


def test_a_change_by_a_new_definition_has_none() -> None:
    world = World(RICH)
    world.update("05-01", {"attributes": {"points": 200}})
    world.heard()
    world.define("later", RICH)
    world.update("05-02", {"attributes": {"points": 1}}, traced())
    assert world.heard() == [
        ("entered by definition", "later", None),
        ("exited by contact_update", "later", TRACE),
        ("exited by contact_update", "s0", TRACE),
    ]


def test_suppressions_have_it_at_once_and_the_entry_at_the_close_of_the_window_has_none() -> None:
    world = World()
    world.event("05-01 10:00", "email_unsubscribe", traced())
    assert world.heard() == [("True", "email", TRACE)]
    world.until("05-03")
    assert world.heard() == [("entered by unsubscribe_window", "email-unsubscribed", None)]
    world.event("05-04 10:00", "email_resubscribe", traced(OTHER))
    assert world.heard() == [
        ("exited by behavior_event", "email-unsubscribed", OTHER),
        ("False", "email", OTHER),
    ]
    world.update("05-05", {"attributes": {"subscribed": False}}, traced())
    assert world.heard() == [
        ("entered by contact_update", "global-unsubscribed", TRACE),
        ("True", "email", TRACE),
        ("True", "sms", TRACE),
    ]


def test_an_erasure_and_an_opt_out_of_an_erased_past_have_it() -> None:
    world = World(RICH)
    world.update("05-02", {"attributes": {"points": 200}})
    world.heard()
    world.update("05-03", {"deleted": True, "keep_suppressions": True}, traced())
    assert world.heard() == [("exited by deletion", "s0", TRACE)]
    world.event("05-04", "email_unsubscribe", traced(OTHER), occurred="05-01")
    assert world.heard() == [("True", "email", OTHER)]


@pytest.mark.parametrize(("topic", "applied"), [("behavior-events", b"no"), ("contact-updates", b"partly")])
def test_a_dead_letter_has_it(topic: str, applied: bytes) -> None:
    world = World()
    body = {"attributes": {"member_points": "many"}} if topic == "contact-updates" else b"{"
    world.take(topic, "05-01", body, ("x", b"y"), traced())
    world.take(topic, "05-01", body)
    first, second = (dict(letter.headers()) for letter in world.letters)
    assert (first["record.applied"], first["traceparent"], "x" in first) == (applied, TRACE, False)
    assert "traceparent" not in second


MALFORMED: dict[str, Iterable[tuple[str, Any]]] = {
    "no value": [("traceparent", None)],
    "empty": [traced(b"")],
    "capitals": [traced(TRACE.upper())],
    "capitals in the name": [("Traceparent", TRACE)],
    "version ff": [traced(b"ff" + TRACE[2:])],
    "a trace of zeros": [traced(b"00-" + b"0" * 32 + TRACE[35:])],
    "a parent of zeros": [traced(TRACE[:36] + b"0" * 16 + TRACE[52:])],
    "more fields": [traced(TRACE + b"-00")],
    "a line more": [traced(TRACE + b"\n")],
    "bytes that are no text": [traced(b"\xff" * 55)],
    "two of them": [traced(), traced(OTHER)],
}


@pytest.mark.parametrize("headers", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_header_is_ignored(headers: Headers) -> None:
    world = World(RICH)
    world.update("05-01", {"attributes": {"points": 200}}, *headers)
    assert world.heard() == [("entered by contact_update", "s0", None)]
    assert trace_of(tuple(headers)) is None
    assert trace_of((("traceparent", TRACE),)) == TRACE
