"""The definitions in force. They are checked one by one when they are read, or as a set at start.

All facts about a segment follow from the records of `segment-definitions` alone. So all workers know the same
facts, whenever they began to read; see docs/consistency.md. Records that streamseg wrote have headers with
the facts that compaction removes (streamseg.records.headers). Any other record is `pending` after its check,
until one worker has written the result to the topic with these headers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from streamseg.errors import Code, RejectedError, refusing_faults
from streamseg.language.conditions.membership import member_id
from streamseg.language.reference_checks import check_references
from streamseg.language.segments import Cluster, Literal, Part, Segment
from streamseg.language.unsubscribe import BUILT_IN_SEGMENTS, built_in_conditions
from streamseg.plan.definition_records import (
    Counted,
    DefinitionRecords,
    Past,
    holds_all_facts,
    in_use,
    read_definition,
    segment_id_of,
)
from streamseg.plan.definition_set import DefinitionSet
from streamseg.plan.plan import Plan, RecentPlans
from streamseg.records.headers import Statement
from streamseg.records.inputs import Headers, Record
from streamseg.records.outputs import DeadLetter
from streamseg.settings import Settings


class Definitions:
    """All segments in force, including the built-in ones; `plan` is their compiled form."""

    def __init__(self, settings: Settings) -> None:
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
        self._records = DefinitionRecords(settings)
        self._referrers: dict[str, set[str]] = {}
        self._generation = -1
        self._recent = RecentPlans()
        self._plan: Plan | None = None

    @property
    def pending(self) -> Mapping[bytes, int]:
        """Key -> offset of its last record, if the topic does not hold the result of that record yet."""
        return self._records.pending

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
        """Check the records in `DefinitionRecords.unfit` again. Another worker, with other definitions in
        force, accepted them. After an answer they may be accepted here too."""
        while self._records.unfit:
            before = len(self._records.unfit)
            for record in list(self._records.unfit.values()):
                with suppress(RejectedError):
                    self._take(record)
            if len(self._records.unfit) == before:
                return

    def _take(self, record: Record) -> None:
        statement = Statement.of(record)
        past = self._records.past(record.key)
        if past.overtakes(record, statement):
            self._records.note(record, settled=False)
            return
        try:
            segment_id = segment_id_of(record)
            if record.value is None:
                self._delete(segment_id, record, past, statement)
                self._records.note(record, settled=True)
                return
            if past.segment is not None and holds_all_facts(statement, past.segment, record):
                # An answer says what is in force here already. At a start with thousands of definitions that
                # operators wrote, there are as many of these answers.
                self._records.note(record, settled=True)
                return
            with refusing_faults():
                segment = self._records.compile(segment_id, record, past, statement)
                check_references(segment, self._segments)
        except RejectedError:
            self._records.note_refused(record, statement)
            raise
        self._records.note(record, settled=holds_all_facts(statement, segment, record))
        if segment is not past.segment:
            past.segment = segment
            self._put(segment)

    def _delete(self, segment_id: str, record: Record, past: Past, statement: Statement) -> None:
        answers = statement.answers is not None
        if segment_id in BUILT_IN_SEGMENTS:
            if answers:
                return
            raise RejectedError(Code.NOT_PERMITTED, "a built-in segment cannot be deleted", "segment_id")
        users = sorted(self._referrers.get(segment_id, ()))
        if users and not answers:
            raise in_use(users[0])
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
            self._records.pasts[segment_id.encode()].segment = None
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

    # -- as a set ----------------------------------------------------------------------------------------

    def load(self, records: Iterable[Record], *, counted: Counted | None = None) -> list[DeadLetter]:
        """Check a whole topic as a set (`DefinitionSet`) and put it in force. Returns a dead letter for each
        record that was refused.

        `counted` returns the version of a definition that states none, from the versions counted before;
        without it the records of the topic are counted."""
        loaded = DefinitionSet(self._records, self._segments.keys(), counted)
        letters = loaded.check(records)
        self._generation = max(self._generation, loaded.generation)
        for past in self._records.pasts.values():
            if past.segment is not None:
                self._put(past.segment)
        return letters

    # -- records to be written to the topic --------------------------------------------------------------

    def in_force(self, segment_id: str) -> bytes | None:
        """Return the accepted definition as JSON with its version; None if the segment does not exist."""
        segment = self._segments.get(segment_id)
        return None if segment is None else segment.as_written

    def answer(self, key: bytes) -> tuple[bytes | None, Headers]:
        """Return the value and the headers of the record that answers the pending record of a key."""
        segment, offset = self._records.pasts[key].segment, self._records.pending[key]
        if segment is None:
            return None, Statement(answers=offset).headers()
        return segment.as_written, Statement(segment.born, segment.introduced, offset).headers()

    def statement(self, segment_id: str, value: bytes | None) -> Headers:
        """Return the headers of a record that streamseg is about to write and that answers no other
        record."""
        if value is None:
            return ()
        past = self._records.pasts.get(segment_id.encode(), Past())
        current = past.segment
        if current is None:
            return Statement(past.ended).headers()
        definition = read_definition(value, max_conditions=None)
        is_same_version = current.is_version_of(definition, definition.version)
        return Statement(current.born, current.introduced if is_same_version else None).headers()
