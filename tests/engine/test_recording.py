"""Records as the lines of a replay file: what is read back, and the order over partitions."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import Any

import orjson
import pytest

from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES, SEGMENT_DEFINITIONS
from streamseg.engine.partition import Partition
from streamseg.engine.recording import definitions_in_order, in_order, line
from streamseg.records.headers import Statement
from streamseg.records.inputs import Record
from streamseg.records.outputs import DeadLetter, MembershipChange, Suppression
from streamseg.replay import Replay
from streamseg.settings import Settings
from streamseg.store.memory import MemoryStore
from streamseg.store.protocol import Store

AT_MS = 1_780_000_000_000
LIMIT = 5_000
SETTINGS = Settings(max_record_bytes=LIMIT)
VIP = {
    "segment_id": "vip",
    "name": "vip",
    "type": "standard",
    "clusters": [{"match": "all", "conditions": [{"attribute": "tags", "operator": "in", "value": ["vip"]}]}],
}
RECENT = {
    "segment_id": "recent",
    "name": "recent",
    "type": "standard",
    "clusters": [{"match": "all", "conditions": [{"event": "scan", "window": {"last": "PT10S"}}]}],
}


def update(value: bytes | None, key: bytes | None = b"c1", at_ms: int = AT_MS) -> Record:
    return Record(CONTACT_UPDATES, 0, 0, at_ms, key, value)


class Effects:
    """What a partition says."""

    def __init__(self) -> None:
        self.changes: list[dict[str, Any]] = []
        self.letters: list[str] = []

    def change(self, change: MembershipChange) -> None:
        self.changes.append(comparable(change))

    def membership(self, change: MembershipChange) -> None:
        """Is no change."""

    def suppression(self, suppression: Suppression) -> None:
        """Is no change."""

    def dead_letter(self, letter: DeadLetter) -> None:
        self.letters.append(letter.code)


def comparable(change: MembershipChange) -> dict[str, Any]:
    """Without what names an offset."""
    return {**change.wire(), "reason": change.reason.kind}


def replayed(lines: Iterable[bytes]) -> tuple[list[dict[str, Any]], list[str]]:
    letters: list[str] = []
    run = Replay(settings=SETTINGS, on_dead_letter=lambda _, letter: letters.append(letter.code))
    for text in lines:
        assert text.endswith(b"\n")
        assert text.count(b"\n") == 1
        run.line(text)
    run.settle_definitions()
    return [comparable(change) for change in run.changes], letters


DEEP = b'{"contact_id":"c1","attributes":{"x":%s1%s}}'


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(update(b'{"contact_id":"c1"}'), id="right"),
        pytest.param(
            update(b'{\r\n "contact_id": "c1",\n "attributes": {"a": "x\\ny"}\n}'), id="on many lines"
        ),
        pytest.param(update(b'{"contact_id":"c1","attributes":{"n":%d}}' % 10**30), id="a long integer"),
        pytest.param(update(b"not JSON"), id="no JSON"),
        pytest.param(update(b""), id="empty"),
        pytest.param(update(None), id="no value"),
        pytest.param(update(b"null"), id="JSON's null"),
        pytest.param(update(b"[]"), id="no object"),
        pytest.param(update(b'{"contact_id":"c1"} {}'), id="two objects"),
        pytest.param(update(b'{"contact_id":"\xff"}'), id="no UTF-8"),
        pytest.param(update(b'{"contact_id":"c1","attributes":{"a":"\\ud800"}}'), id="half a pair"),
        pytest.param(update(b'{"contact_id":"c1","attributes":{"a":1e999}}'), id="beyond a double"),
        pytest.param(update(DEEP % (b"[" * 120, b"]" * 120)), id="nested too deep"),
        pytest.param(update(DEEP % (b"[" * 2_000, b"]" * 2_000)), id="nested deeper than can be read"),
        pytest.param(update(b'{"contact_id":"c1"}' + b" " * LIMIT), id="too long by its blanks"),
        pytest.param(update(b"\xff" * (LIMIT + 1)), id="too long and no text"),
        pytest.param(update(b'{"contact_id":"c1"}', key=None), id="no key"),
        pytest.param(update(b'{"contact_id":"c1"}', key=b"c2"), id="another key"),
        pytest.param(update(b'{"contact_id":"c1"}', key=b"\xff"), id="a key that is no UTF-8"),
        pytest.param(update(b'{"contact_id":"c1"}', at_ms=AT_MS * 1_000), id="microseconds"),
        pytest.param(update(b'{"contact_id":"c1"}', at_ms=-1), id="before 1970"),
        pytest.param(update(b'{"contact_id":"c1","tags":{"add":[1]}}'), id="a bad value"),
    ],
)
def test_a_line_is_taken_or_refused_as_its_record(record: Record) -> None:
    effects, store = Effects(), MemoryStore()
    plan = Replay(settings=SETTINGS).definitions.plan
    Partition(store=store, plan=plan, settings=SETTINGS, emitter=effects).take(record)
    letters: list[str] = []
    run = Replay(settings=SETTINGS, on_dead_letter=lambda _, letter: letters.append(letter.code))
    run.line(line(record, LIMIT))
    assert letters == effects.letters
    assert known(run.store) == known(store)


def known(store: Store) -> dict[str, Any]:
    """The attributes of every contact."""
    found = {contact_id: store.contact(contact_id) for contact_id in store.contact_ids()}
    return {contact_id: dict(contact.attributes.items()) for contact_id, contact in found.items() if contact}


def test_json_null_deletes_no_segment() -> None:
    records = [definition(0, VIP), definition(1, VIP, value=b" null ")]
    run = Replay(settings=SETTINGS)
    for record in records:
        run.line(line(record, LIMIT))
    assert "vip" in run.definitions.plan.segments


def definition(
    offset: int,
    body: dict[str, Any],
    *,
    value: bytes | None = b"",
    at_ms: int = AT_MS,
    said: Statement | None = None,
) -> Record:
    """A definition, or with `value` what else stands under its key."""
    return Record(
        SEGMENT_DEFINITIONS,
        0,
        offset,
        at_ms,
        body["segment_id"].encode(),
        orjson.dumps(body) if value == b"" else value,
        () if said is None else said.headers(),
    )


def refer(segment_id: str, to: str, **more: Any) -> dict[str, Any]:
    conditions = [{"segment": to, "member": True}]
    parts = [{"relation": "include", "clusters": [{"match": "all", "conditions": conditions}]}]
    return {"segment_id": segment_id, "name": segment_id, "type": "advanced", "parts": parts, **more}


def ids(records: Iterable[Record]) -> list[str]:
    return [(record.key or b"").decode() for record in records]


def test_what_a_definition_refers_to_comes_before_it_where_compaction_took_the_earlier_record() -> None:
    # vip was at offset 0 and was edited after `a` and `b` were made.
    records = [
        definition(1, refer("a", "b"), at_ms=AT_MS),
        definition(2, refer("b", "vip"), at_ms=AT_MS + 1),
        definition(3, {**VIP, "version": 2}, at_ms=AT_MS + 2),
    ]
    ordered = definitions_in_order(records, AT_MS + 10)
    assert ids(ordered) == ["vip", "b", "a"]
    assert {record.timestamp_ms for record in ordered} == {AT_MS}
    _, letters = replayed(line(record, LIMIT) for record in ordered)
    assert letters == []


def test_a_definition_that_was_refused_for_what_it_refers_to_is_refused_again() -> None:
    records = [
        definition(0, refer("a", "vip")),
        definition(1, refer("a", "vip"), value=None, said=Statement(answers=0)),
        definition(2, VIP),
        definition(3, refer("a", "vip")),
    ]
    ordered = definitions_in_order(records, AT_MS)
    assert ids(ordered) == ["a", "a", "vip", "a"]
    _, letters = replayed(line(record, LIMIT) for record in ordered)
    assert letters == ["unknown_reference"]


def test_a_refused_change_that_was_undone_by_what_was_before_it_is_refused_again() -> None:
    records = [
        definition(0, {**VIP, "segment_id": "a"}),
        definition(1, refer("a", "vip")),
        definition(2, {**VIP, "segment_id": "a", "version": 1}, said=Statement(-1, 0, 1)),
        definition(3, VIP),
    ]
    assert ids(definitions_in_order(records, AT_MS)) == ["a", "a", "a", "vip"]


def test_a_circle_of_references_ends() -> None:
    records = [definition(0, refer("a", "b")), definition(1, refer("b", "a"))]
    assert sorted(ids(definitions_in_order(records, AT_MS))) == ["a", "b"]


def test_an_answer_about_a_built_in_segment_is_left_out() -> None:
    built_in = {**VIP, "segment_id": "email-unsubscribed"}
    records = [definition(0, built_in), definition(1, built_in, value=None, said=Statement(answers=0))]
    _, letters = replayed(line(record, LIMIT) for record in definitions_in_order(records, AT_MS))
    assert letters == ["not_permitted"]


def test_definitions_are_dated_in_their_order_and_not_in_the_future() -> None:
    stamps = [AT_MS, AT_MS - 5, AT_MS * 1_000, AT_MS + 3, AT_MS + 900]
    records = [definition(number, VIP, at_ms=at_ms) for number, at_ms in enumerate(stamps)]
    dated = definitions_in_order(records, AT_MS + 100)
    assert [record.timestamp_ms for record in dated] == [AT_MS, AT_MS, AT_MS, AT_MS + 3, AT_MS + 3]


# -- over partitions -------------------------------------------------------------------------------------


def sources(number: int, seeded: random.Random) -> tuple[list[Record], list[Record]]:
    """Events and updates of one partition, out of order and with timestamps that are none."""
    topics: list[list[Record]] = []
    for topic in (BEHAVIOR_EVENTS, CONTACT_UPDATES):
        records: list[Record] = []
        at_ms = AT_MS + seeded.randrange(5_000)
        for offset in range(25):
            at_ms += seeded.randrange(-8_000, 12_000)
            contact = f"p{number}-{seeded.randrange(3)}"
            body: dict[str, Any] = {"contact_id": contact}
            if topic == BEHAVIOR_EVENTS:
                occurred = {"occurred_at": at_ms - seeded.randrange(4_000)}
                body |= {"event_id": f"e{offset}", "event": "scan", **occurred}
            else:
                body |= {"tags": {seeded.choice(["add", "remove"]): ["vip"]}}
            stated = AT_MS * 1_000 if seeded.random() < 0.05 else at_ms
            records.append(Record(topic, number, offset, stated, contact.encode(), orjson.dumps(body)))
        topics.append(records)
    return topics[0], topics[1]


@pytest.mark.parametrize("seed", range(12))
def test_a_replay_of_all_partitions_is_the_sum_of_the_partitions(seed: int) -> None:
    seeded = random.Random(seed)
    partitions = [sources(number, seeded) for number in range(3)]
    definitions = [
        definition(number, body, at_ms=AT_MS - 1_000_000) for number, body in enumerate((VIP, RECENT))
    ]
    expected: list[dict[str, Any]] = []
    refused: list[str] = []
    end_ms = AT_MS + 10_000_000
    for events, updates in partitions:
        effects = Effects()
        replay = Replay(settings=SETTINGS)
        for record in definitions:
            replay.line(line(record, LIMIT))
        partition = Partition(
            store=MemoryStore(), plan=replay.definitions.plan, settings=SETTINGS, emitter=effects
        )
        queues = [list(events), list(updates)]
        while any(queues):
            heads = [queue for queue in queues if queue]
            queue = min(heads, key=lambda queue: queue[0].timestamp_ms)
            record = queue.pop(0)
            if record.timestamp_ms < AT_MS * 1_000:
                while partition.run_due(record.timestamp_ms, 100):
                    continue
            partition.take(record)
        while partition.run_due(end_ms, 100):
            continue
        expected += effects.changes
        refused += effects.letters
    ordered = list(in_order(definitions, partitions))
    clocks = [clock_ms for clock_ms, _ in ordered]
    assert clocks == sorted(clocks)
    lines = [line(record, LIMIT) for _, record in ordered]
    changes, letters = replayed([*lines, b'{"tick":%d}\n' % end_ms])
    assert letters == refused
    assert key(changes) == key(expected)
    assert len(changes) > 20


def key(changes: Iterable[dict[str, Any]]) -> list[tuple[str, ...]]:
    return sorted(tuple(map(str, change.values())) for change in changes)


def test_no_more_is_read_than_is_needed() -> None:
    def endless() -> Iterator[Record]:
        number = 0
        while True:
            yield update(b"{}", at_ms=AT_MS + number)
            number += 1

    taken = zip(range(3), in_order([], [([], endless())]), strict=False)
    assert [record.timestamp_ms for _, (_, record) in taken] == [AT_MS, AT_MS + 1, AT_MS + 2]
