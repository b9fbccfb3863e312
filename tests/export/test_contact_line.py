"""A contact's line says all that its records say."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES
from streamseg import json_text
from streamseg.contact.body import Body
from streamseg.contact.contact import Contact
from streamseg.engine.partition import Partition
from streamseg.errors import MoveCode, StateMoveError
from streamseg.export.contact_line import BODY, HEAD, PARTS, contact_json, contact_records, line_of, read_line
from streamseg.export.partition_lines import unsent_outputs
from streamseg.plan.definitions import Definitions
from streamseg.records.inputs import Record
from streamseg.settings import Settings
from streamseg.store import layout
from streamseg.store.database import KeyValue
from tests.export.moving import Spread, lines_of, moved
from tests.export.outputs import Outputs
from tests.store.golden import story
from tests.store.golden.make import HERE as GOLDEN

SETTINGS = Settings(live_lag_ms=0)


def test_every_kind_of_record_is_exported_or_follows_from_others() -> None:
    """If this fails: give the new kind a part in `PARTS`, and its key in `layout.contact_of`."""
    kinds = {
        value
        for name, value in vars(layout).items()
        if name.isupper() and not name.startswith("_") and isinstance(value, bytes) and len(value) == 1
    }
    of_contacts = set(PARTS)
    of_the_partition = {layout.META, layout.GROWTH, layout.OUTPUT}
    only_on_disk = {layout.EVENT_ID, layout.SEGMENT_CHANGE, layout.DUE, layout.STRAY}
    assert kinds == of_contacts | of_the_partition | only_on_disk
    for kind in kinds - only_on_disk:
        assert (layout.contact_of(kind + b"c1\0\0c1") is None) == (kind in of_the_partition)
    for kind in only_on_disk:
        with pytest.raises(ValueError, match="changelog"):
            layout.contact_of(kind + b"c1\0\0c1")


def test_every_field_of_a_contact_is_exported() -> None:
    kept_apart = {"contact_id", "attributes", "capped", "kept_body"}
    assert set(HEAD) == set(Contact.__slots__) - kept_apart
    assert set(BODY) == set(Body.__slots__)
    assert len(orjson.loads(Body().to_bytes())) == len(BODY)


def _golden(version: int) -> list[KeyValue]:
    lines = (GOLDEN / f"layout-{version}-changelog.ndjson").read_bytes().splitlines()
    pairs = (orjson.loads(line) for line in lines)
    return [(bytes.fromhex(key), None if value is None else bytes.fromhex(value)) for key, value in pairs]


@pytest.mark.parametrize("version", [4, 5, 6])
def test_state_of_an_earlier_layout_is_exported_as_this_release_reads_it(
    version: int, tmp_path: Path
) -> None:
    spread = Spread(tmp_path / "kept", 1)
    spread.changelogs[0] = _golden(version)
    store = spread.stores[0]
    store.apply_changelog(spread.changelogs[0], 0)
    other, _ = moved(spread, tmp_path, 2)
    ids = list(store.contact_ids())
    assert ids == list(other.contact_ids())
    assert ids
    for contact_id in ids:
        assert store.contact(contact_id) == other.contact(contact_id)
        assert list(store.events(contact_id)) == list(other.events(contact_id))
        assert list(store.kept_changes(contact_id)) == list(other.of(contact_id).kept_changes(contact_id))
    assert store.member_counts() == other.member_counts()
    spread.close()
    other.close()


def test_the_line_of_a_contact_gives_the_same_bytes_again(tmp_path: Path) -> None:
    spread = Spread(tmp_path, 1)
    definitions = Definitions(SETTINGS)
    definitions.load(story.definitions())
    partition = Partition(store=spread, plan=definitions.plan, settings=SETTINGS, emitter=Outputs())
    for record in [*story.before(), *story.after()]:
        partition.take(record)
        spread.save()
    odd = {
        "contact_id": "a\0b",
        "attributes": {"long": 2**70, "subscribed": False, "text": "\0", "none": None},
    }
    at_ms = story.START_MS
    partition.take(Record(CONTACT_UPDATES, 0, 10_000, at_ms, b"a\0b", json.dumps(odd).encode()))
    event = {
        "contact_id": "a\0b",
        "event": "x",
        "event_id": "e\0",
        "occurred_at": at_ms - 1,
        "properties": {"n": 3**60},
    }
    partition.take(Record(BEHAVIOR_EVENTS, 0, 10_001, at_ms, b"a\0b", json.dumps(event).encode()))
    assert partition.take_counts().rejected == 0
    spread.save()
    latest = dict(spread.changelogs[0])
    (lines,), _, _, counted = lines_of(spread, tmp_path / "gathering")
    written = dict(record for line in lines for record in contact_records(read_line(line)))
    assert written == {
        key: value for key, value in latest.items() if value is not None and layout.contact_of(key)
    }
    assert counted.contacts == len(lines) == len(list(spread.contact_ids()))
    assert counted.numbers == {BEHAVIOR_EVENTS: 10_002, CONTACT_UPDATES: 10_001}
    assert any(row.get("unsubscribed") for line in lines for row in read_line(line).get("events", ()))
    spread.close()


def test_a_repeat_at_the_offset_of_the_first_one_is_still_a_repeat_with_new_topics(tmp_path: Path) -> None:
    event = {"event_id": "e1", "contact_id": "c1", "event": "buy", "occurred_at": "2026-05-01T00:00:00Z"}
    bought = Record(BEHAVIOR_EVENTS, 0, 0, 1_777_593_600_000, b"c1", orjson.dumps(event))
    plan = Definitions(SETTINGS).plan
    spread = Spread(tmp_path / "first", 1)
    Partition(store=spread, plan=plan, settings=SETTINGS, emitter=Outputs()).take(bought)
    spread.applied(0)
    spread.save()
    other, before = moved(spread, tmp_path, 1)
    assert before == {BEHAVIOR_EVENTS: 1, CONTACT_UPDATES: 1}
    partition = Partition(store=other, plan=plan, settings=SETTINGS, emitter=Outputs())
    partition.take(bought.numbered(before[BEHAVIOR_EVENTS] + bought.offset))
    counts = partition.take_counts()
    assert (counts.applied, counts.repeated) == (0, 1)
    spread.close()
    other.close()


def test_outputs_that_may_not_be_sent_are_kept_in_their_order(tmp_path: Path) -> None:
    first = ["c1", [{"change_id": "1"}], {"s|c1": {"sequence": 1}}, {}]
    second = ["c1", [{"change_id": "2"}], {"s|c1": None}, {"c1|sms": {"suppressed": True}}]
    spread = Spread(tmp_path, 1)
    spread.changelogs[0] = [
        (layout.output_key(2), layout.output_value(1, orjson.dumps(["c2", [], {}, {}]))),
        (b"moutputs_said", b"1"),
        (layout.output_key(0), layout.output_value(3, orjson.dumps(second))),
        (layout.output_key(1), layout.output_value(2, orjson.dumps(first))),
    ]
    ((line,),), _, _, counted = lines_of(spread, tmp_path / "gathering")
    assert counted.unsent == 1
    contact = read_line(line)
    assert contact == {"contact_id": "c1", "unsent": [first, second]}
    assert contact_records(contact) == []
    kept = unsent_outputs(contact)
    assert kept is not None
    assert orjson.loads(kept) == [
        "c1",
        [{"change_id": "1"}, {"change_id": "2"}],
        {"s|c1": None},
        {"c1|sms": {"suppressed": True}},
    ]
    assert unsent_outputs({"contact_id": "c1"}) is None
    spread.close()


def test_a_line_is_searched_for_long_integers_only_if_it_says_that_it_has_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    searched: list[bytes] = []

    def noted(data: bytes) -> Any:
        searched.append(data)
        return json.loads(data)

    monkeypatch.setattr(json_text, "json", SimpleNamespace(loads=noted))
    derived = {"derived_from": "contact-updates/0/00000000000000000004/", "events": []}
    usual = line_of({"contact_id": "c1", "events": [derived]})
    long = line_of({"contact_id": "c2", "attributes": {"long": [2**70, 0]}})
    assert [read_line(line)["contact_id"] for line in (usual, long)] == ["c1", "c2"]
    assert searched == [long]


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b'{"contact_id": 1}',
        b'{"contact_id": "c1", "later": {}}',
        b'{"contact_id": "c1", "segments": []}',
        b'{"contact_id": "c1", "events": [{"event_id": "e"}]}',
        b'{"contact_id": "c1", "head": {}, "body": {}}',
        b'{"contact_id": "c1", "first_attributes": {}}',
    ],
)
def test_a_line_of_another_form_is_refused_without_its_values(line: bytes) -> None:
    with pytest.raises(StateMoveError, match="release that wrote it") as refused:
        contact_records(read_line(line))
    assert refused.value.code is MoveCode.EXPORT_UNREADABLE
    assert "c1" not in str(refused.value)


def test_a_contact_of_an_older_release_of_this_layout_gets_the_fields_it_lacks() -> None:
    contact = Contact("c1", event_offset=3)
    contact.body.never_set = None
    body, data = contact.body.to_bytes(), contact.to_bytes()
    shorter = data.removesuffix(body) + orjson.dumps(orjson.loads(body)[:-1])
    line = contact_json("c1", [(layout.contact_key("c1"), shorter)])
    assert contact_records(read_line(line_of(line))) == [(layout.contact_key("c1"), data)]
