"""The records of `segment-definitions`, one key at a time: what follows from the records of a key, and which
of them are pending."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schemas.definitions import SegmentDefinition
from streamseg.errors import Code, RejectedError
from streamseg.language.compiler import compile_segment
from streamseg.language.condition_count import check_condition_count
from streamseg.language.segments import Segment
from streamseg.language.unsubscribe import BUILT_IN_SEGMENTS
from streamseg.nesting import read_json
from streamseg.records.headers import Statement
from streamseg.records.inputs import Record
from streamseg.records.messages import checked, read_message
from streamseg.settings import Settings

Counted = Callable[[str, bytes], int]


@dataclass(slots=True)
class Past:
    """The result of the records of one key that were read so far.

    segment       the segment in force under this key, or None
    confirmed     the segment of the last record that streamseg wrote; only while a whole topic is loaded
    ended         the birth of the next segment of this id: the offset of the last tombstone, -1 if none is
                  known
    last_request  the offset of the last record that does not answer another record
    """

    segment: Segment | None = None
    confirmed: Segment | None = None
    ended: int = -1
    last_request: int = -1

    def overtakes(self, record: Record, statement: Statement) -> bool:
        """Return whether a record answers another record that is not the last one of its key any more. Keep
        the offset of a record that is not an answer."""
        if statement.answers is not None:
            return statement.answers < self.last_request
        self.last_request = record.offset
        return False

    def end(self, offset: int) -> None:
        """Apply a tombstone."""
        least = -1 if self.segment is None else self.segment.born + 1
        self.ended = max(self.ended, offset, least)
        self.segment = self.confirmed = None


class DefinitionRecords:
    """The results of the records that were read so far.

    pasts    key -> the result of its records
    pending  key -> offset of its last record, if the topic does not hold the result of that record yet
    unfit    key -> the last record that streamseg wrote, if it is refused here
    """

    def __init__(self, settings: Settings) -> None:
        self.pasts: dict[bytes | None, Past] = {}
        self.pending: dict[bytes, int] = {}
        self.unfit: dict[bytes | None, Record] = {}
        self._settings = settings

    def past(self, key: bytes | None) -> Past:
        """Return the result of the records of a key, which is empty before the first one."""
        return self.pasts.setdefault(key, Past())

    def note(self, record: Record, *, settled: bool) -> None:
        """Note the last record of its key, and whether the topic holds its result (`settled`)."""
        self.unfit.pop(record.key, None)
        if settled or record.key is None:
            self.pending.pop(record.key or b"", None)
        else:
            self.pending[record.key] = record.offset

    def note_refused(self, record: Record, statement: Statement) -> None:
        """Note that the last record of its key is refused."""
        # An answer that is refused is not answered again, because this would never end.
        self.note(record, settled=statement.answers is not None)
        if statement.born is not None:
            self.unfit[record.key] = record

    def compile(
        self,
        segment_id: str,
        record: Record,
        past: Past,
        statement: Statement,
        counted: Counted | None = None,
    ) -> Segment:
        """Return the segment of a record. If the record changes nothing, this is the current segment itself.
        References are not checked.

        `counted` returns the version of a definition that states none, if streamseg has confirmed no segment
        of this key. Raises RejectedError for a record that is refused."""
        if segment_id in BUILT_IN_SEGMENTS:
            raise RejectedError(Code.NOT_PERMITTED, "a built-in segment cannot be changed", "segment_id")
        value = record.value or b""
        body = read_message(value, limit_bytes=self._settings.max_record_bytes)
        definition = _definition(body, self._settings.max_conditions)
        if definition.segment_id != segment_id:
            raise RejectedError(
                Code.INVALID_SCHEMA, "differs from the record's key; they must be the same", "segment_id"
            )
        current = past.segment
        version = definition.version
        if version is None and counted is not None and past.confirmed is None:
            version = counted(segment_id, value)
        elif version is None:
            version = 1 if current is None else current.version + 1
        born = statement.born
        if born is None:
            born = past.ended if current is None else current.born
        segment = compile_segment(
            definition,
            source=value,
            version=version,
            introduced=record.offset if statement.introduced is None else statement.introduced,
            born=born,
            settings=self._settings,
        )
        if current is None or not segment.is_same_version(current):
            return segment
        # The segment was moved, shared or renamed: no contact has to be evaluated again.
        introduced = current.introduced if statement.born is None else segment.introduced
        renamed = current.written_as(definition, value, introduced=introduced, born=born)
        return current if _facts(renamed) == _facts(current) else renamed


def read_definition(value: bytes, *, max_conditions: int | None) -> SegmentDefinition:
    """Return the definition in a record's value. Raises RejectedError for a value that is not JSON, has not
    the shape of a definition, or has more than `max_conditions` conditions (None: any number)."""
    return _definition(read_json(value), max_conditions)


def _definition(body: Any, max_conditions: int | None) -> SegmentDefinition:
    if max_conditions is not None:
        check_condition_count(body, max_conditions)
    return checked(SegmentDefinition, body)


def segment_id_of(record: Record) -> str:
    """Return the id of the segment that a record is about: its key. Raises RejectedError if it is not text,
    and for a deletion without a key."""
    if record.key is None and record.value is None:
        raise RejectedError(
            Code.INVALID_SCHEMA, "an empty record without a key; give the segment_id as its key", "segment_id"
        )
    try:
        return (record.key or b"").decode()
    except UnicodeDecodeError as error:
        raise RejectedError(
            Code.INVALID_JSON, "the record's key, the segment_id, is not valid UTF-8"
        ) from error


def _facts(segment: Segment) -> tuple[int, int, bytes | None]:
    return segment.introduced, segment.born, segment.as_written


def in_use(user: str) -> RejectedError:
    """Return the refusal to delete a segment to which `user` refers."""
    return RejectedError(Code.IN_USE, f"{user} refers to it; change or delete that first", "segment_id")


def holds_all_facts(statement: Statement, segment: Segment, record: Record) -> bool:
    """Return whether the record holds all facts about the segment, so that compaction may leave only it."""
    introduced = record.offset if statement.introduced is None else statement.introduced
    stated = (statement.born, introduced, record.value)
    return stated == (segment.born, segment.introduced, segment.as_written)
