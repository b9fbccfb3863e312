"""The definitions in force: judged one by one as they come, or as a set at start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Protocol

import orjson
from pydantic import ValidationError

from schemas.definitions import SegmentDefinition
from schemas.paths import first_error
from streamseg.changes import DeadLetter
from streamseg.compiler import compile_segment
from streamseg.condition_count import check_condition_count
from streamseg.conditions.membership import member_id
from streamseg.errors import Code, RejectedError, UnforeseenError, refusing_faults
from streamseg.inputs import Record
from streamseg.nesting import read_json
from streamseg.plan import Plan
from streamseg.segments import Cluster, Literal, Part, Segment
from streamseg.settings import Settings
from streamseg.unsubscribe import BUILT_IN_SEGMENTS, built_in_conditions


class Definitions:
    """All segments, built-in ones always; `plan` is the compiled whole of what is in force."""

    def __init__(self, settings: Settings) -> None:
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
        self._referrers: dict[str, set[str]] = {}
        self._retired: dict[str, int] = {}
        self._generation = -1
        self._plan: Plan | None = None
        self._previous: Plan | None = None

    @property
    def plan(self) -> Plan:
        """The plan of what is in force now; built when first asked for after a change."""
        if self._plan is None:
            self._plan = Plan(self._segments, self._built_in, self._generation, self._previous, self._retired)
            self._previous = self._plan
        return self._plan

    def in_force(self, segment_id: str) -> bytes | None:
        """The accepted definition as JSON with its version, to be written back after a refusal."""
        segment = self._segments.get(segment_id)
        if segment is None or segment.source is None:
            return None
        return orjson.dumps({**orjson.loads(segment.source), "version": segment.version})

    def take(self, record: Record) -> None:
        """Judge one record of `segment-definitions` and put it in force; a null value deletes.

        Raises RejectedError, changing nothing."""
        segment_id = _segment_id(record)
        if record.value is None:
            self._delete(segment_id, record)
            return
        with refusing_faults():
            segment = self._compile(segment_id, record)
            check_references(segment, self._segments)
            current = self._segments.get(segment_id)
            if current is not None and segment.asks_the_same(current):
                # Moved, shared or renamed: nothing has to be judged anew.
                segment = replace(current, definition=segment.definition, source=segment.source)
        self._put(segment)
        self._generation = max(self._generation, record.offset)
        self._plan = None

    def load(
        self, records: Iterable[Record], *, counted: Callable[[str, bytes], int] | None = None
    ) -> list[DeadLetter]:
        """Take a whole topic, the last record of each key, as a set: order plays no part.

        `counted` tells the version of a segment's definition that gives none itself, by what was counted
        before; without it each is the first.
        Whatever refers to a refused or unknown segment is refused too; in a cycle, the latest record."""
        last: dict[bytes | None, Record] = {}
        for record in records:
            last[record.key] = record
        letters: list[DeadLetter] = []
        waiting: dict[str, tuple[Segment, Record]] = {}
        for record in last.values():
            self._generation = max(self._generation, record.offset)
            if record.value is None:
                continue
            try:
                segment_id = _segment_id(record)
                with refusing_faults():
                    waiting[segment_id] = (self._compile(segment_id, record, counted), record)
            except RejectedError as error:
                letters.append(dead_letter(record, error))
        letters.extend(self._drop_unresolved(waiting))
        for segment, _ in waiting.values():
            # Whether it is the first of its name cannot be told: it counts as one that was there before.
            self._put(replace(segment, born=-1))
        self._plan = None
        return letters

    def _drop_unresolved(self, waiting: dict[str, tuple[Segment, Record]]) -> list[DeadLetter]:
        letters: list[DeadLetter] = []
        while True:
            known = self._segments.keys() | waiting.keys()
            refused: dict[str, RejectedError] = {}
            for segment_id, (segment, _) in waiting.items():
                unknown = sorted(segment.references - known)
                if unknown:
                    refused[segment_id] = _unknown(unknown[0], segment)
            if not refused:
                cycle = _find_cycle({key: segment for key, (segment, _) in waiting.items()})
                if cycle:
                    latest = max(cycle, key=lambda key: waiting[key][1].offset)
                    refused[latest] = _cycle(cycle, waiting[latest][0])
            if not refused:
                return letters
            for segment_id, error in refused.items():
                letters.append(dead_letter(waiting.pop(segment_id)[1], error))

    def _compile(
        self, segment_id: str, record: Record, counted: Callable[[str, bytes], int] | None = None
    ) -> Segment:
        if segment_id in BUILT_IN_SEGMENTS:
            raise RejectedError(Code.NOT_PERMITTED, "a built-in segment cannot be changed", "segment_id")
        value = record.value or b""
        if len(value) > self._settings.max_record_bytes:
            raise RejectedError(
                Code.TOO_LARGE, f"longer than {self._settings.max_record_bytes} bytes; make it smaller"
            )
        definition = parse_definition(value, max_conditions=self._settings.max_conditions)
        if definition.segment_id != segment_id:
            raise RejectedError(
                Code.INVALID_SCHEMA, "differs from the record's key; they must be the same", "segment_id"
            )
        current = self._segments.get(segment_id)
        version = definition.version
        if version is None and counted is not None:
            version = counted(segment_id, value)
        elif version is None:
            version = 1 if current is None else current.version + 1
        return compile_segment(
            definition,
            source=value,
            version=version,
            introduced=record.offset,
            born=record.offset if current is None else current.born,
            settings=self._settings,
        )

    def _put(self, segment: Segment) -> None:
        self._forget_references(segment.segment_id)
        self._segments[segment.segment_id] = segment
        for reference in segment.references:
            self._referrers.setdefault(reference, set()).add(segment.segment_id)

    def _forget_references(self, segment_id: str) -> None:
        old = self._segments.get(segment_id)
        for reference in old.references if old is not None else ():
            self._referrers[reference].discard(segment_id)

    def _delete(self, segment_id: str, record: Record) -> None:
        if segment_id in BUILT_IN_SEGMENTS:
            raise RejectedError(Code.NOT_PERMITTED, "a built-in segment cannot be deleted", "segment_id")
        users = self._referrers.get(segment_id)
        if users:
            raise RejectedError(
                Code.IN_USE, f"{sorted(users)[0]} refers to it; change or delete that first", "segment_id"
            )
        self._generation = max(self._generation, record.offset)
        if segment_id in self._segments:
            self._forget_references(segment_id)
            self._retired[segment_id] = self._segments.pop(segment_id).version
            self._plan = None


def parse_definition(value: bytes, *, max_conditions: int | None) -> SegmentDefinition:
    """The definition in a record's value. Raises RejectedError for what is not JSON, not of its shape, or has
    more conditions than that (None: any number)."""
    body = read_json(value)
    if max_conditions is not None:
        check_condition_count(body, max_conditions)
    try:
        return SegmentDefinition.model_validate(body)
    except ValidationError as error:
        path, message = first_error(error)
        raise RejectedError(Code.INVALID_SCHEMA, message, path) from error


class Referring(Protocol):
    """A segment, as far as the check of references is concerned."""

    @property
    def references(self) -> frozenset[str]: ...


def check_references(segment: Segment, others: Mapping[str, Referring]) -> None:
    """Whether a segment refers to known segments only and not, through them, to itself.

    Raises RejectedError with the path of the reference at fault."""
    unknown = sorted(segment.references - others.keys() - {segment.segment_id})
    if unknown:
        raise _unknown(unknown[0], segment)
    segment_id = segment.segment_id
    # Nothing that nobody refers to lies in a circle: most definitions that come need no walk.
    if segment.references and any(segment_id in one.references for one in (segment, *others.values())):
        cycle = _find_cycle({**others, segment_id: segment}, start=segment_id)
        if cycle:
            raise _cycle(cycle, segment)


def dead_letter(record: Record, error: RejectedError) -> DeadLetter:
    """The refused record with its why."""
    fault = error.fault if isinstance(error, UnforeseenError) else None
    return DeadLetter(record, error.code.value, error.message, error.path, fault)


def _segment_id(record: Record) -> str:
    try:
        return (record.key or b"").decode()
    except UnicodeDecodeError as error:
        raise RejectedError(Code.INVALID_SCHEMA, "the record's key must be the segment_id") from error


def _unknown(reference: str, segment: Segment) -> RejectedError:
    return RejectedError(
        Code.UNKNOWN_REFERENCE,
        f"there is no segment {reference}; define it first",
        _reference_path(segment, reference),
    )


def _cycle(cycle: list[str], segment: Segment) -> RejectedError:
    following = cycle[(cycle.index(segment.segment_id) + 1) % len(cycle)]
    return RejectedError(
        Code.REFERENCE_CYCLE,
        f"segments refer to each other in a circle: {' -> '.join([*cycle, cycle[0]])}",
        _reference_path(segment, following),
    )


def _reference_path(segment: Segment, reference: str) -> str:
    """Where in its definition a segment refers to another."""
    wanted = member_id(reference)
    for part_index, part in enumerate(segment.parts):
        prefix = f"parts[{part_index}]." if segment.definition and segment.definition.parts else ""
        for cluster_index, cluster in enumerate(part.clusters):
            for index, literal in enumerate(cluster.literals):
                if literal.condition_id == wanted:
                    return f"{prefix}clusters[{cluster_index}].conditions[{index}].segment"
    return ""


def _find_cycle(segments: Mapping[str, Referring], start: str | None = None) -> list[str]:
    """The ids of one circle of references, in order, or nothing; through `start`, if given."""
    done: set[str] = set()
    for root in [start] if start is not None else sorted(segments):
        # An ordered set: in a long chain a list would be looked through again and again.
        path = {root: None}
        stack: list[tuple[str, list[str]]] = [(root, sorted(segments[root].references))]
        while stack:
            node, following = stack[-1]
            if not following:
                stack.pop()
                del path[node]
                done.add(node)
                continue
            target = following.pop()
            if target in path:
                if start is None or target == start:
                    ids = list(path)
                    return ids[ids.index(target) :]
                continue
            if target in segments and target not in done:
                stack.append((target, sorted(segments[target].references)))
                path[target] = None
    return []
