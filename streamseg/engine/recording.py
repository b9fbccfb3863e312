"""A replay file of the records in the topics: the line of each record, and the order of the lines.

The order is the one in which workers apply records. In each partition, the next record is the one with the
earlier timestamp of the first records in the two source topics. Partitions are merged by their clocks (stream
time, the latest timestamp so far). So at every record the clock of the replay equals the clock of the
record's partition.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Final

import orjson

from streamseg.catalogue.references import references_of
from streamseg.errors import RejectedError
from streamseg.language.formula import formula
from streamseg.language.unsubscribe import BUILT_IN_SEGMENTS
from streamseg.nesting import NESTING_LIMIT, exceeds_limit, read_json
from streamseg.plan.definition_records import read_definition
from streamseg.records.headers import Statement
from streamseg.records.inputs import Record
from streamseg.times import MAX_MS

_NO_UNICODE: Final = "\ud800"
_TOO_DEEP: Final = b"[" * (NESTING_LIMIT + 1) + b"]" * (NESTING_LIMIT + 1)


def line(record: Record, limit_bytes: int) -> bytes:
    """Return the line of one record, with its line feed. `limit_bytes` is the longest value that workers
    accept.

    Reading the line gives the record. A replay refuses a record that workers refuse, with the same code if
    the record has only one fault. A value or key that cannot be written as JSON becomes text that no replay
    accepts: before a value that is not JSON stands half a surrogate pair, and bytes that are not UTF-8 become
    such halves.
    """
    return b'{"topic":"%s","timestamp":%d,"key":%s,"value":%s}\n' % (
        record.topic.encode(),
        record.timestamp_ms,
        b"null" if record.key is None else _text(record.key),
        b"null" if record.value is None else _value(record.value, limit_bytes),
    )


def tick(at_ms: int) -> bytes:
    """Return the line that moves the clock of a replay, with its line feed."""
    return b'{"tick":%d}\n' % at_ms


def _value(value: bytes, limit_bytes: int) -> bytes:
    if len(value) > limit_bytes:
        # Without its blanks the JSON might not be too long any more; as one text it always is.
        return orjson.dumps(value.decode(errors="replace"))
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        return _TOO_DEEP if exceeds_limit(value) else _text(value, before=_NO_UNICODE)
    if value.strip() == b"null":
        # A record with JSON's null is refused, but in a replay file null is a tombstone.
        return b'"null"'
    # A line feed is always between two tokens of a JSON text, never inside one.
    return value.replace(b"\n", b" ").replace(b"\r", b" ")


def _text(data: bytes, *, before: str = "") -> bytes:
    return json.dumps(before + data.decode("utf-8", "surrogateescape")).encode()


def in_order(
    definitions: Iterable[Record], partitions: Iterable[tuple[Iterable[Record], Iterable[Record]]]
) -> Iterator[tuple[int, Record]]:
    """Yield the stream time (epoch ms) after each record, and the record. `partitions` gives the events and
    the updates of each partition, in the order of their offsets. It reads no further than necessary."""
    streams = [_clocked(definitions)]
    streams += [_clocked(heapq.merge(events, updates, key=_timestamp_ms)) for events, updates in partitions]
    return heapq.merge(*streams, key=itemgetter(0))


def _timestamp_ms(record: Record) -> int:
    return record.timestamp_ms


def _clocked(records: Iterable[Record]) -> Iterator[tuple[int, Record]]:
    clock_ms = 0  # the clock of a new partition
    for record in records:
        if clock_ms < record.timestamp_ms <= MAX_MS:
            clock_ms = record.timestamp_ms
        yield clock_ms, record


def definitions_in_order(records: Sequence[Record], now_ms: int) -> list[Record]:
    """Return the records of `segment-definitions` as a replay needs them, because it checks them one by one.

    Workers apply definitions in the order of offsets, whatever their timestamps are. So each record gets a
    timestamp that is not earlier than that of the record before it and not later than `now_ms`. If compaction
    removed a record to which a later definition refers, the next record of that segment is put before the
    definition."""
    ordered: list[Record] = []
    defined: set[bytes | None] = set()
    placed: set[int] = set()
    refused = set(_refused(records))

    def put(record: Record) -> None:
        if record.offset in placed:
            return
        placed.add(record.offset)
        if record.value is None:
            defined.discard(record.key)
        else:
            defined.add(record.key)
            for key in () if record.offset in refused else _references(record.value):
                later = None if key in defined else _next(records, key, record.offset)
                if later is not None:
                    put(later.copy(timestamp_ms=record.timestamp_ms))
        ordered.append(record)

    for record in _dated(records, now_ms):
        if not _is_built_in(record):
            put(record)
    return ordered


def _dated(records: Iterable[Record], now_ms: int) -> Iterator[Record]:
    latest_ms = 0
    for record in records:
        if latest_ms < record.timestamp_ms <= now_ms:
            latest_ms = record.timestamp_ms
        yield record.copy(timestamp_ms=latest_ms)


def _refused(records: Iterable[Record]) -> Iterator[int]:
    """Yield the offsets of the records that a worker's answer undoes."""
    values: dict[int, bytes] = {}
    for record in records:
        if record.value is not None:
            values[record.offset] = record.value
        answered = Statement.of(record).answers
        if answered in values and (record.value is None or not _same_formula(values[answered], record.value)):
            yield answered


def _same_formula(one: bytes, other: bytes) -> bool:
    try:
        return _formula(one) == _formula(other)
    except RejectedError:
        return False


def _formula(value: bytes) -> bytes:
    return formula(read_definition(value, max_conditions=None))


def _next(records: Iterable[Record], key: bytes, offset: int) -> Record | None:
    """Return the next record of a key; None if there is none or if it deletes the segment."""
    found = next((one for one in records if one.offset > offset and one.key == key), None)
    return None if found is None or found.value is None else found


def _references(value: bytes) -> list[bytes]:
    try:
        read_definition(value, max_conditions=None)
    except RejectedError:
        # A replay refuses this record too, so its references do not matter.
        return []
    return sorted({segment_id.encode() for segment_id, _ in references_of(read_json(value))})


def _is_built_in(record: Record) -> bool:
    """Return whether a record is a worker's answer that undoes a change of a built-in segment."""
    answers = record.value is None and Statement.of(record).answers is not None
    return answers and (record.key or b"").decode(errors="replace") in BUILT_IN_SEGMENTS
