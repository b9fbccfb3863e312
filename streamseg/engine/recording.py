"""A replay file made of what topics hold: each record as a line, and the order of the lines.

The order is the one in which workers apply records. In each partition the heads of the two source topics
are taken by their timestamps. Partitions are merged by their clocks (stream time, the latest timestamp so
far), so that the one clock of a replay stands, at every record, where the clock of its partition stood.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Final

import orjson

from streamseg.catalogue.references import references_of
from streamseg.errors import RejectedError
from streamseg.language.formula import formula
from streamseg.language.unsubscribe import BUILT_IN_SEGMENTS
from streamseg.nesting import NESTING_LIMIT, exceeds_limit, read_json
from streamseg.plan.definitions import read_definition
from streamseg.records.headers import Statement
from streamseg.records.inputs import Record
from streamseg.times import MAX_MS

_NO_UNICODE: Final = "\ud800"
_TOO_DEEP: Final = b"[" * (NESTING_LIMIT + 1) + b"]" * (NESTING_LIMIT + 1)


def line(record: Record, limit_bytes: int) -> bytes:
    """The line of one record, with its line feed. `limit_bytes` is how long a value may be for the workers.

    Reading the line gives the record; one that workers refuse is refused, with the same code where one thing
    alone is wrong with it. A value or key that no JSON text can hold becomes text that no replay accepts: a
    value that is not JSON begins with half a surrogate pair, and bytes that are not UTF-8 become such halves.
    """
    return b'{"topic":"%s","timestamp":%d,"key":%s,"value":%s}\n' % (
        record.topic.encode(),
        record.timestamp_ms,
        b"null" if record.key is None else _text(record.key),
        b"null" if record.value is None else _value(record.value, limit_bytes),
    )


def tick(at_ms: int) -> bytes:
    """The line that moves the clock of a replay, with its line feed."""
    return b'{"tick":%d}\n' % at_ms


def _value(value: bytes, limit_bytes: int) -> bytes:
    if len(value) > limit_bytes:
        # Its JSON may be shorter without the blanks in it; its text never is.
        return orjson.dumps(value.decode(errors="replace"))
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        return _TOO_DEEP if exceeds_limit(value) else _text(value, before=_NO_UNICODE)
    if value.strip() == b"null":
        # JSON's null is refused; no value at all is a tombstone.
        return b'"null"'
    # Line feeds stand between the tokens of a JSON text and never inside them.
    return value.replace(b"\n", b" ").replace(b"\r", b" ")


def _text(data: bytes, *, before: str = "") -> bytes:
    return json.dumps(before + data.decode("utf-8", "surrogateescape")).encode()


def in_order(
    definitions: Iterable[Record], partitions: Iterable[tuple[Iterable[Record], Iterable[Record]]]
) -> Iterator[tuple[int, Record]]:
    """Stream time (epoch ms) after each record, and the record. `partitions` are the events and the updates
    of each, in offset order. Reads no further than it has to."""
    streams = [_clocked(definitions)]
    streams += [_clocked(heapq.merge(events, updates, key=_timestamp_ms)) for events, updates in partitions]
    return heapq.merge(*streams, key=itemgetter(0))


def _timestamp_ms(record: Record) -> int:
    return record.timestamp_ms


def _clocked(records: Iterable[Record]) -> Iterator[tuple[int, Record]]:
    clock_ms = 0  # as that of a new partition
    for record in records:
        if clock_ms < record.timestamp_ms <= MAX_MS:
            clock_ms = record.timestamp_ms
        yield clock_ms, record


def definitions_in_order(records: Sequence[Record], now_ms: int) -> list[Record]:
    """What a replay is to be given of `segment-definitions`, which it judges line by line.

    Workers apply definitions in offset order whatever their timestamps are, so each is dated not before the
    one before it and not after `now_ms`. Where compaction took the record that a later definition refers to,
    the next record of that segment is put before it."""
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
                    put(replace(later, timestamp_ms=record.timestamp_ms))
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
        yield replace(record, timestamp_ms=latest_ms)


def _refused(records: Iterable[Record]) -> Iterator[int]:
    """The offsets of the records that a worker's answer undoes."""
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
    """The next record of that key, unless it deletes the segment."""
    found = next((one for one in records if one.offset > offset and one.key == key), None)
    return None if found is None or found.value is None else found


def _references(value: bytes) -> list[bytes]:
    try:
        read_definition(value, max_conditions=None)
    except RejectedError:
        # A replay refuses it too, whatever it refers to.
        return []
    return sorted({segment_id.encode() for segment_id, _ in references_of(read_json(value))})


def _is_built_in(record: Record) -> bool:
    """Whether it is a worker's answer to somebody who would have changed a built-in segment."""
    answers = record.value is None and Statement.of(record).answers is not None
    return answers and (record.key or b"").decode(errors="replace") in BUILT_IN_SEGMENTS
