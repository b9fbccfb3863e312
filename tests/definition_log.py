"""The topic `segment-definitions` in memory: what operators write, what the worker that speaks for it writes
back, and what compaction leaves.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from streamseg.errors import RejectedError
from streamseg.plan.definitions import Definitions
from streamseg.records.inputs import Headers, Record

TOPIC = "segment-definitions"


class DefinitionLog:
    """The records in their order; offsets count on, whatever compaction takes away."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self.records = list(records)
        self.end = max((record.offset for record in self.records), default=-1) + 1

    def append(self, key: str, value: Any, headers: Headers = (), *, at_ms: int = 0) -> Record:
        """A record of an operator; a value that is neither bytes nor None becomes JSON."""
        body = value if value is None or isinstance(value, bytes) else orjson.dumps(value)
        record = Record(TOPIC, 0, self.end, at_ms, key.encode(), body, headers)
        self.records.append(record)
        self.end += 1
        return record

    def answer(self, speaker: Definitions) -> list[Record]:
        """What a worker that has read everything writes of what is pending."""
        return [
            self.append(key.decode(), *speaker.answer(key), at_ms=self.records[-1].timestamp_ms)
            for key in list(speaker.pending)
        ]

    def compact(self, end: int | None = None, cleaned: int | None = None) -> None:
        """Of the records below `end`, keep the last of each key, and no tombstone. A cleaner that was stopped
        came up to `cleaned` only."""
        end = self.end if end is None else end
        cleaned = end if cleaned is None else min(end, cleaned)
        last = {record.key: record.offset for record in self.records if record.offset < end}
        self.records = [
            one
            for one in self.records
            if one.offset >= cleaned or (last[one.key] == one.offset and one.value is not None)
        ]


def take_all(definitions: Definitions, records: Iterable[Record]) -> list[Record]:
    """Judge them one by one; those that are refused."""
    refused = []
    for record in records:
        try:
            definitions.take(record)
        except RejectedError:
            refused.append(record)
    return refused


def settled(definitions: Definitions, records: Iterable[Record]) -> list[Record]:
    """What is left of a topic once a worker that was there from its first record has answered all of it, and
    it was compacted."""
    log = DefinitionLog(records)
    take_all(definitions, log.records)
    while definitions.pending:
        take_all(definitions, log.answer(definitions))
    log.compact()
    return [record.copy() for record in log.records]
