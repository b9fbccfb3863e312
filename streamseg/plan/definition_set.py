"""The check of a whole topic of definitions as a set, at the start of a worker."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import NamedTuple

from streamseg.errors import RejectedError, refusing_faults
from streamseg.language.reference_checks import find_cycle, reference_cycle, unknown_reference
from streamseg.language.segments import Segment
from streamseg.plan.definition_records import (
    Counted,
    DefinitionRecords,
    holds_all_facts,
    in_use,
    segment_id_of,
)
from streamseg.records.headers import Statement
from streamseg.records.inputs import Record
from streamseg.records.outputs import DeadLetter


class _Tombstone(NamedTuple):
    """A tombstone that is the last record of a key.

    offset        the offset of the tombstone
    confirmed     the segment that streamseg had confirmed before it, or None
    ended_before  `Past.ended` before it
    """

    offset: int
    confirmed: Segment | None
    ended_before: int


class DefinitionSet:
    """The last record of each key of a topic. The order of the keys does not matter. If the last record is
    refused, the segment that streamseg confirmed before it stays in force. A definition that refers to a
    refused or unknown segment is refused too; in a cycle, the latest record is refused.

    generation  the greatest offset of a tombstone that does not answer another record; -1 if there is none
    """

    def __init__(self, records: DefinitionRecords, known: Set[str], counted: Counted | None) -> None:
        """`known` are the ids of the segments that are in force anyway. `counted` returns the version of a
        definition that states none."""
        self.generation = -1
        self._records = records
        self._known = known
        self._counted = counted
        self._last: dict[bytes | None, Record] = {}
        self._tombstones: dict[bytes | None, _Tombstone] = {}
        self._letters: dict[bytes | None, DeadLetter] = {}

    def check(self, records: Iterable[Record]) -> list[DeadLetter]:
        """Check all records of the topic, and put the results into the `DefinitionRecords`. Return a dead
        letter for each record that was refused."""
        by_key: dict[bytes | None, list[Record]] = {}
        for record in records:
            by_key.setdefault(record.key, []).append(record)
        for history in by_key.values():
            self._look_through(history)
        self._resolve()
        for past in self._records.pasts.values():
            past.confirmed = None
        return list(self._letters.values())

    def _look_through(self, history: list[Record]) -> None:
        """Apply the records of one key without a check of their references."""
        past = self._records.past(history[0].key)
        refused: RejectedError | None = None
        for record in history:
            statement = Statement.of(record)
            if past.overtakes(record, statement):
                self._records.note(record, settled=False)
                continue
            self._last[record.key] = record
            self._tombstones.pop(record.key, None)
            refused = None
            if record.value is None:
                self._tombstones[record.key] = _Tombstone(record.offset, past.confirmed, past.ended)
                if statement.answers is None:
                    self.generation = max(self.generation, record.offset)
                past.end(record.offset)
                self._records.note(record, settled=True)
                continue
            try:
                with refusing_faults():
                    segment = self._records.compile(
                        segment_id_of(record), record, past, statement, self._counted
                    )
            except RejectedError as error:
                refused = error
                self._records.note(record, settled=statement.answers is not None)
                continue
            past.segment = segment
            if statement.born is not None:
                past.confirmed = segment
            self._records.note(record, settled=holds_all_facts(statement, segment, record))
        if refused is not None:
            past.segment = past.confirmed
            self._note_refused(history[0].key, refused)

    def _refuse(self, key: bytes | None, error: RejectedError) -> None:
        """Refuse the segment of a key. The segment that was confirmed before stays in force, if it is another
        one."""
        past = self._records.pasts[key]
        past.segment = past.confirmed if past.segment is not past.confirmed else None
        self._note_refused(key, error)

    def _note_refused(self, key: bytes | None, error: RejectedError) -> None:
        record = self._last[key]
        self._records.note_refused(record, Statement.of(record))
        self._letters.setdefault(key, DeadLetter.of(record, error))

    def _resolve(self) -> None:
        """Refuse segments that refer to unknown segments or in a cycle, until all references are valid."""
        while True:
            segments = {
                one.segment.segment_id: one.segment for one in self._records.pasts.values() if one.segment
            }
            known = self._known | segments.keys()
            refused: dict[str, RejectedError] = {}
            kept = False
            for segment_id, segment in segments.items():
                for reference in sorted(segment.references - known):
                    kept = self._keeps(segment, reference) or kept
                    refused.setdefault(segment_id, unknown_reference(reference, segment))
            if kept:
                continue
            if not refused:
                cycle = find_cycle(segments)
                if not cycle:
                    return
                latest = max(cycle, key=lambda segment_id: self._last[segment_id.encode()].offset)
                refused[latest] = reference_cycle(cycle, segments[latest])
            for segment_id, error in refused.items():
                self._refuse(segment_id.encode(), error)

    def _keeps(self, segment: Segment, reference: str) -> bool:
        """Return whether a tombstone is refused because a confirmed segment, which is older than the
        tombstone, refers to the deleted one. It is refused in the same way when records are checked one by
        one."""
        key = reference.encode()
        tombstone = self._tombstones.get(key)
        if (
            tombstone is None
            or tombstone.confirmed is None
            or self._records.pasts[segment.segment_id.encode()].confirmed is not segment
            or segment.introduced > tombstone.offset
        ):
            return False
        del self._tombstones[key]
        past, record = self._records.pasts[key], self._last[key]
        past.segment = past.confirmed = tombstone.confirmed
        past.ended = tombstone.ended_before
        self._records.note(record, settled=False)
        self._letters[key] = DeadLetter.of(record, in_use(segment.segment_id))
        return True
