"""The definitions in force. They are checked one by one when they are read, or as a set at start.

All facts about a segment follow from the records of `segment-definitions` alone. So all workers know the same
facts, whenever they began to read; see docs/consistency.md. Records that streamseg wrote have headers with
the facts that compaction removes (streamseg.records.headers). Any other record is `pending` after its check,
until one worker has written the result to the topic with these headers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from schemas.definitions import SegmentDefinition
from streamseg.errors import Code, RejectedError, refusing_faults
from streamseg.language.compiler import compile_segment
from streamseg.language.condition_count import check_condition_count
from streamseg.language.conditions.membership import member_id
from streamseg.language.reference_checks import (
    check_references,
    find_cycle,
    reference_cycle,
    unknown_reference,
)
from streamseg.language.segments import Cluster, Literal, Part, Segment
from streamseg.language.unsubscribe import BUILT_IN_SEGMENTS, built_in_conditions
from streamseg.nesting import read_json
from streamseg.plan.plan import Plan, RecentPlans
from streamseg.records.headers import Statement
from streamseg.records.inputs import Headers, Record
from streamseg.records.messages import checked, read_message
from streamseg.records.outputs import DeadLetter
from streamseg.settings import Settings

Counted = Callable[[str, bytes], int]


@dataclass(slots=True)
class _Past:
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


class Definitions:
    """All segments in force, including the built-in ones; `plan` is their compiled form.

    pending  key -> offset of its last record, if the topic does not hold the result of that record yet
    """

    def __init__(self, settings: Settings) -> None:
        self.pending: dict[bytes, int] = {}
        self._settings = settings
        self._built_in = built_in_conditions(settings)
        self._segments: dict[str, Segment] = {
            segment_id: Segment(
                segment_id=segment_id,
                version=1,
                parts=(Part(None, True, (Cluster.of(True, (Literal(condition.id, False, None),)),)),),
                conditions=(condition,),
                references=frozenset(),
                member_id=member_id(segment_id),
                introduced=-1,
                born=-1,
            )
            for segment_id, condition in self._built_in.items()
        }
        self._pasts: dict[bytes | None, _Past] = {}
        self._referrers: dict[str, set[str]] = {}
        # Key -> the last record that streamseg wrote, if it is refused here.
        self._unfit: dict[bytes | None, Record] = {}
        self._generation = -1
        self._recent = RecentPlans()
        self._plan: Plan | None = None

    @property
    def plan(self) -> Plan:
        """The plan of the definitions in force. It is made when it is first used after a change."""
        if self._plan is None:
            recent = self._recent
            self._plan = Plan(self._segments, self._built_in, self._generation, recent.latest, recent=recent)
            recent.add(self._plan)
        return self._plan

    # -- one by one --------------------------------------------------------------------------------------

    def take(self, record: Record) -> None:
        """Check one record of `segment-definitions` and put it in force; a null value deletes the segment.

        Raises RejectedError for a record that is refused; then the definitions in force do not change."""
        self._take(record)
        if Statement.of(record).answers is not None:
            self._try_again()

    def _try_again(self) -> None:
        """Check the records in `_unfit` again. Another worker, with other definitions in force, accepted
        them. After an answer they may be accepted here too."""
        while self._unfit:
            before = len(self._unfit)
            for record in list(self._unfit.values()):
                with suppress(RejectedError):
                    self._take(record)
            if len(self._unfit) == before:
                return

    def _take(self, record: Record) -> None:
        statement = Statement.of(record)
        past = self._pasts.setdefault(record.key, _Past())
        if past.overtakes(record, statement):
            self._note(record, settled=False)
            return
        try:
            segment_id = _segment_id(record)
            if record.value is None:
                self._delete(segment_id, record, past, statement)
                self._note(record, settled=True)
                return
            with refusing_faults():
                segment = self._compile(segment_id, record, past, statement)
                check_references(segment, self._segments)
        except RejectedError:
            # An answer that is refused is not answered again, because this would never end.
            self._note(record, settled=statement.answers is not None)
            if statement.born is not None:
                self._unfit[record.key] = record
            raise
        self._note(record, settled=_holds_all_facts(statement, segment, record))
        if segment is not past.segment:
            past.segment = segment
            self._put(segment)

    def _note(self, record: Record, *, settled: bool) -> None:
        self._unfit.pop(record.key, None)
        if settled or record.key is None:
            self.pending.pop(record.key or b"", None)
        else:
            self.pending[record.key] = record.offset

    def _delete(self, segment_id: str, record: Record, past: _Past, statement: Statement) -> None:
        answers = statement.answers is not None
        if segment_id in BUILT_IN_SEGMENTS:
            if answers:
                return
            raise RejectedError(Code.NOT_PERMITTED, "a built-in segment cannot be deleted", "segment_id")
        users = sorted(self._referrers.get(segment_id, ()))
        if users and not answers:
            raise _in_use(users[0])
        for user in users:
            # This segment was accepted here in a set, and refused by the worker that checked it alone.
            self._drop(user)
        if past.segment is not None:
            self._generation = max(self._generation, record.offset)
        past.end(record.offset)
        self._drop(segment_id)

    def _drop(self, segment_id: str) -> None:
        for user in sorted(self._referrers.get(segment_id, ())):
            self._drop(user)
        if segment_id in self._segments:
            self._forget_references(segment_id)
            del self._segments[segment_id]
            self._pasts[segment_id.encode()].segment = None
            self._plan = None

    def _put(self, segment: Segment) -> None:
        self._forget_references(segment.segment_id)
        self._segments[segment.segment_id] = segment
        for reference in segment.references:
            self._referrers.setdefault(reference, set()).add(segment.segment_id)
        self._generation = max(self._generation, segment.introduced)
        self._plan = None

    def _forget_references(self, segment_id: str) -> None:
        old = self._segments.get(segment_id)
        for reference in old.references if old is not None else ():
            self._referrers[reference].discard(segment_id)

    def _compile(
        self,
        segment_id: str,
        record: Record,
        past: _Past,
        statement: Statement,
        counted: Counted | None = None,
    ) -> Segment:
        """Return the segment of a record. If the record changes nothing, this is the current segment
        itself."""
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
        renamed = replace(current, definition=definition, source=value, introduced=introduced, born=born)
        return current if _facts(renamed) == _facts(current) else renamed

    # -- as a set ----------------------------------------------------------------------------------------

    def load(self, records: Iterable[Record], *, counted: Counted | None = None) -> list[DeadLetter]:
        """Check a whole topic as a set: the last record of each key; the order of the keys does not matter.
        If the last record is refused, the segment that streamseg confirmed before it stays in force.

        `counted` returns the version of a definition that states none, from the versions counted before;
        without it the records of the topic are counted.
        A definition that refers to a refused or unknown segment is refused too; in a cycle, the latest record
        is refused. Returns a dead letter for each record that was refused."""
        by_key: dict[bytes | None, list[Record]] = {}
        for record in records:
            by_key.setdefault(record.key, []).append(record)
        found = _Found()
        for history in by_key.values():
            self._look_through(history, counted, found)
        self._resolve(found)
        for past in self._pasts.values():
            past.confirmed = None
            if past.segment is not None:
                self._put(past.segment)
        return list(found.letters.values())

    def _look_through(self, history: list[Record], counted: Counted | None, found: _Found) -> None:
        """Apply the records of one key without a check of their references."""
        past = self._pasts.setdefault(history[0].key, _Past())
        refused: RejectedError | None = None
        for record in history:
            statement = Statement.of(record)
            if past.overtakes(record, statement):
                self._note(record, settled=False)
                continue
            found.last[record.key] = record
            found.tombstones.pop(record.key, None)
            refused = None
            if record.value is None:
                found.tombstones[record.key] = _Tombstone(record.offset, past.confirmed, past.ended)
                if statement.answers is None:
                    self._generation = max(self._generation, record.offset)
                past.end(record.offset)
                self._note(record, settled=True)
                continue
            try:
                with refusing_faults():
                    segment = self._compile(_segment_id(record), record, past, statement, counted)
            except RejectedError as error:
                refused = error
                self._note(record, settled=statement.answers is not None)
                continue
            past.segment = segment
            if statement.born is not None:
                past.confirmed = segment
            self._note(record, settled=_holds_all_facts(statement, segment, record))
        if refused is not None:
            past.segment = past.confirmed
            self._note_refused(history[0].key, refused, found)

    def _refuse(self, key: bytes | None, error: RejectedError, found: _Found) -> None:
        """Refuse the segment of a key. The segment that was confirmed before stays in force, if it is another
        one."""
        past = self._pasts[key]
        past.segment = past.confirmed if past.segment is not past.confirmed else None
        self._note_refused(key, error, found)

    def _note_refused(self, key: bytes | None, error: RejectedError, found: _Found) -> None:
        record = found.last[key]
        statement = Statement.of(record)
        self._note(record, settled=statement.answers is not None)
        if statement.born is not None:
            self._unfit[key] = record
        found.letters.setdefault(key, DeadLetter.of(record, error))

    def _resolve(self, found: _Found) -> None:
        """Refuse segments that refer to unknown segments or in a cycle, until all references are valid."""
        while True:
            segments = {one.segment.segment_id: one.segment for one in self._pasts.values() if one.segment}
            known = self._segments.keys() | segments.keys()
            refused: dict[str, RejectedError] = {}
            kept = False
            for segment_id, segment in segments.items():
                for reference in sorted(segment.references - known):
                    kept = self._keeps(segment, reference, found) or kept
                    refused.setdefault(segment_id, unknown_reference(reference, segment))
            if kept:
                continue
            if not refused:
                cycle = find_cycle(segments)
                if not cycle:
                    return
                latest = max(cycle, key=lambda segment_id: found.last[segment_id.encode()].offset)
                refused[latest] = reference_cycle(cycle, segments[latest])
            for segment_id, error in refused.items():
                self._refuse(segment_id.encode(), error, found)

    def _keeps(self, segment: Segment, reference: str, found: _Found) -> bool:
        """Return whether a tombstone is refused because a confirmed segment, which is older than the
        tombstone, refers to the deleted one. It is refused in the same way when records are checked one by
        one."""
        key = reference.encode()
        tombstone = found.tombstones.get(key)
        if (
            tombstone is None
            or tombstone.confirmed is None
            or self._pasts[segment.segment_id.encode()].confirmed is not segment
            or segment.introduced > tombstone.offset
        ):
            return False
        del found.tombstones[key]
        past, record = self._pasts[key], found.last[key]
        past.segment = past.confirmed = tombstone.confirmed
        past.ended = tombstone.ended_before
        self._note(record, settled=False)
        found.letters[key] = DeadLetter.of(record, _in_use(segment.segment_id))
        return True

    # -- records to be written to the topic --------------------------------------------------------------

    def in_force(self, segment_id: str) -> bytes | None:
        """Return the accepted definition as JSON with its version; None if the segment does not exist."""
        segment = self._segments.get(segment_id)
        return None if segment is None else segment.as_written

    def answer(self, key: bytes) -> tuple[bytes | None, Headers]:
        """Return the value and the headers of the record that answers the pending record of a key."""
        segment, offset = self._pasts[key].segment, self.pending[key]
        if segment is None:
            return None, Statement(answers=offset).headers()
        return segment.as_written, Statement(segment.born, segment.introduced, offset).headers()

    def statement(self, segment_id: str, value: bytes | None) -> Headers:
        """Return the headers of a record that streamseg is about to write and that answers no other
        record."""
        if value is None:
            return ()
        past = self._pasts.get(segment_id.encode(), _Past())
        current = past.segment
        if current is None:
            return Statement(past.ended).headers()
        definition = read_definition(value, max_conditions=None)
        is_same_version = current.is_version_of(definition, definition.version)
        return Statement(current.born, current.introduced if is_same_version else None).headers()


class _Tombstone(NamedTuple):
    """A tombstone that is the last record of a key.

    offset        the offset of the tombstone
    confirmed     the segment that streamseg had confirmed before it, or None
    ended_before  `_Past.ended` before it
    """

    offset: int
    confirmed: Segment | None
    ended_before: int


class _Found:
    """The last records, tombstones and dead letters that are found while a whole topic is loaded, by key."""

    def __init__(self) -> None:
        self.last: dict[bytes | None, Record] = {}
        self.tombstones: dict[bytes | None, _Tombstone] = {}
        self.letters: dict[bytes | None, DeadLetter] = {}


def read_definition(value: bytes, *, max_conditions: int | None) -> SegmentDefinition:
    """Return the definition in a record's value. Raises RejectedError for a value that is not JSON, has not
    the shape of a definition, or has more than `max_conditions` conditions (None: any number)."""
    return _definition(read_json(value), max_conditions)


def _definition(body: Any, max_conditions: int | None) -> SegmentDefinition:
    if max_conditions is not None:
        check_condition_count(body, max_conditions)
    return checked(SegmentDefinition, body)


def _segment_id(record: Record) -> str:
    try:
        return (record.key or b"").decode()
    except UnicodeDecodeError as error:
        raise RejectedError(
            Code.INVALID_JSON, "the record's key, the segment_id, is not valid UTF-8"
        ) from error


def _facts(segment: Segment) -> tuple[int, int, bytes | None]:
    return segment.introduced, segment.born, segment.as_written


def _in_use(user: str) -> RejectedError:
    return RejectedError(Code.IN_USE, f"{user} refers to it; change or delete that first", "segment_id")


def _holds_all_facts(statement: Statement, segment: Segment, record: Record) -> bool:
    """Return whether the record holds all facts about the segment, so that compaction may leave only it."""
    introduced = record.offset if statement.introduced is None else statement.introduced
    stated = (statement.born, introduced, record.value)
    return stated == (segment.born, segment.introduced, segment.as_written)
