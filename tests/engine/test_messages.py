"""Messages that others wrote are read by the same rules, whatever they are about."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest

from schemas.commands import SEGMENT_COMMAND
from schemas.definitions import SegmentDefinition
from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES, SEGMENT_DEFINITIONS
from streamseg.engine.decoding import Decoder
from streamseg.errors import Code, RejectedError, located_below
from streamseg.plan.definitions import Definitions
from streamseg.records.inputs import Record
from streamseg.records.messages import checked, checked_by, read_message
from streamseg.settings import Settings

LIMIT = 500
SETTINGS = Settings(max_record_bytes=LIMIT)

Reader = Callable[[bytes], object]


def _record(topic: str, value: bytes) -> Record:
    return Record(topic, 0, 7, 1_800_000_000_000, b"x", value)


READERS: dict[str, Reader] = {
    "event": lambda value: Decoder(SETTINGS).event(_record(BEHAVIOR_EVENTS, value)),
    "update": lambda value: Decoder(SETTINGS).update(_record(CONTACT_UPDATES, value), ()),
    "definition": lambda value: Definitions(SETTINGS).take(_record(SEGMENT_DEFINITIONS, value)),
    "any": lambda value: read_message(value, limit_bytes=LIMIT),
}
FAULTS = {
    "too long": (b" " * (LIMIT + 1), "too_large", "longer than 500 bytes; make it smaller", ""),
    "not JSON": (b"{", "invalid_json", "not JSON (unexpected end of data); send UTF-8 JSON", ""),
    "no UTF-8": (b'{"a": "\xff"}', "invalid_json", None, ""),
    "too deep": (
        orjson.dumps({"properties": {"a": orjson.loads("[" * 120 + "]" * 120)}}),
        "invalid_schema",
        "nested deeper than 100 levels; make it flatter",
        "properties.a",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("reader", READERS)
def test_every_reader_refuses_the_same_in_the_same_words(reader: str, fault: str) -> None:
    value, code, message, path = FAULTS[fault]
    with pytest.raises(RejectedError) as refusal:
        READERS[reader](value)
    assert (refusal.value.code, refusal.value.path) == (code, path)
    assert message is None or refusal.value.message == message


def test_a_record_of_just_that_length_is_read() -> None:
    assert read_message(b"1" + b" " * (LIMIT - 1), limit_bytes=LIMIT) == 1


def test_the_path_of_a_fault_begins_where_the_value_stands() -> None:
    with pytest.raises(RejectedError) as refusal:
        checked(SegmentDefinition, {"segment_id": "a", "name": "", "type": "static"}, at="definition")
    assert refusal.value.path == "definition.name"


def test_messages_of_several_shapes_are_checked_alike() -> None:
    with pytest.raises(RejectedError) as refusal:
        checked_by(SEGMENT_COMMAND, {"command": "delete", "account": "", "segment_id": "a"})
    assert (refusal.value.code, refusal.value.path) == ("invalid_schema", "account")


@pytest.mark.parametrize(("path", "below"), [("", "definition"), ("parts[0]", "definition.parts[0]")])
def test_what_is_refused_in_a_field_has_its_path_below_that(path: str, below: str) -> None:
    with pytest.raises(RejectedError) as refusal, located_below("definition"):
        raise RejectedError(Code.CONFLICT, "why", path)
    assert (refusal.value.code, refusal.value.message, refusal.value.path) == (Code.CONFLICT, "why", below)
