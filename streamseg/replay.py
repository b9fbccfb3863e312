"""Replay: the same engine over a file of records, in arrival order, without Kafka."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES, SEGMENT_DEFINITIONS
from streamseg.contact.contact import Contact
from streamseg.engine.explain import explain
from streamseg.engine.partition import Partition
from streamseg.errors import Code, ConfigurationError, FileFormatError, RejectedError
from streamseg.json_text import dumps, loads, loads_broken
from streamseg.nesting import exceeds_limit, nested_too_deep, not_json
from streamseg.plan.definitions import Definitions
from streamseg.records.inputs import Event, Record
from streamseg.records.outputs import DeadLetter, MembershipChange, Suppression
from streamseg.settings import Settings
from streamseg.store.memory import MemoryStore
from streamseg.store.protocol import Store
from streamseg.times import MIN_MS, format_ms, parse_timestamp_ms, timestamp_or_none

_TOPICS = (SEGMENT_DEFINITIONS, CONTACT_UPDATES, BEHAVIOR_EVENTS)
_RECORD_FIELDS = frozenset({"topic", "timestamp", "key", "value"})
_TICK_FIELDS = frozenset({"tick"})
_SLICE = 1_000

_OBJECTS = (
    "each line is one JSON object with topic, timestamp, key and value, or with tick; see docs/replay.md"
)
_ARRAY = (
    "is a JSON array; write each of its objects on a line of its own: jq -c '.[]' FILE; see docs/replay.md"
)

DeadLetterSink = Callable[[int, DeadLetter], None]


class Replay:
    """One replay. Give it lines with `line`; take `changes` from the deque; move the clock with `run_to`.

    `store` keeps the contacts; without it they are in memory. `on_dead_letter` is called with the number of
    a line and its dead letter, `on_suppression` with each suppression that is set or ends.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        store: Store | None = None,
        on_dead_letter: DeadLetterSink | None = None,
        on_suppression: Callable[[Suppression], None] | None = None,
    ) -> None:
        self.definitions = Definitions(settings)
        self.store: Store = MemoryStore() if store is None else store
        if self.store.clock_ms == 0:
            # A worker's clock is never before its start, and so never before 1970; a file may begin earlier.
            self.store.clock_ms = MIN_MS
        self.changes: deque[MembershipChange] = deque()
        self._on_dead_letter = on_dead_letter
        self._on_suppression = on_suppression
        self._zone = ZoneInfo(settings.timezone)
        self._line = 0
        self._stale = False
        self.partition = Partition(
            store=self.store, plan=self.definitions.plan, settings=settings, emitter=self
        )

    # The emitter

    def change(self, change: MembershipChange) -> None:
        self.changes.append(change)

    def membership(self, change: MembershipChange) -> None:
        """Ignore it: another end of a membership is not a change. `--emit explain` shows it at the end."""

    def suppression(self, suppression: Suppression) -> None:
        if self._on_suppression is not None:
            self._on_suppression(suppression)

    def dead_letter(self, letter: DeadLetter) -> None:
        if self._on_dead_letter is not None:
            self._on_dead_letter(self._line, letter)

    # The input

    def starts_by(self, line: bytes, at_ms: int) -> bool:
        """Whether a line's own time is at or before `at_ms`; true for a line without a valid time."""
        try:
            own_ms = self._own_ms(loads_broken(line))
        except ValueError:
            return True
        return own_ms is None or own_ms <= at_ms

    def _own_ms(self, entry: Any) -> int | None:
        """Return the time of a line in epoch ms; None if it has no valid time."""
        own = entry.get("tick", entry.get("timestamp")) if isinstance(entry, dict) else None
        return timestamp_or_none(own, self._zone)

    def line(self, line: bytes | dict[str, Any]) -> None:
        """Apply the next line, as bytes or parsed. Raises FileFormatError if it is not a JSON object."""
        self._line += 1
        if isinstance(line, bytes):
            if not line.strip():
                return
            try:
                entry = loads(line)
            except orjson.JSONDecodeError as error:
                self._take_broken(line, error)
                return
        else:
            entry = line
        self._check_object(entry)
        try:
            if "tick" in entry:
                self.run_to(self._tick(entry))
                return
            record = self._record(entry)
        except RejectedError as error:
            self._refuse(line if isinstance(line, bytes) else dumps(line), error, self._own_ms(entry))
            return
        self.run_to(record.timestamp_ms)
        if record.topic == SEGMENT_DEFINITIONS:
            self._define(record)
        else:
            self.settle_definitions()
            self._take(record)

    def _take(self, record: Record) -> None:
        """Apply a record of a contact. Its changes come out by segment, also those of an erasure after which
        the contact enters some segments again."""
        before = len(self.changes)
        self.partition.take(record)
        own = [self.changes.pop() for _ in range(len(self.changes) - before)]
        own.reverse()
        own.sort(key=_by_time_and_segment)
        self.changes.extend(own)

    def _take_broken(self, line: bytes, error: orjson.JSONDecodeError) -> None:
        """Refuse a line that is not valid JSON. Raises FileFormatError if it is not a JSON object even when
        text that is not valid Unicode is accepted."""
        try:
            entry = loads_broken(line)
        except ValueError as fault:
            if exceeds_limit(line):
                self._refuse(line, nested_too_deep(), None)
                return
            if line.lstrip().startswith(b"{") and not _is_utf8(line):
                # In another encoding a part of a character may look like a quote or a backslash.
                self._refuse(line, not_json(error), None)
                return
            problem = _ARRAY if line.lstrip().startswith(b"[") else f"is not JSON ({error}); {_OBJECTS}"
            raise FileFormatError(self._line, problem) from fault
        self._check_object(entry)
        self._refuse(line, not_json(error), self._own_ms(entry))

    def _check_object(self, entry: Any) -> None:
        if not isinstance(entry, dict):
            raise FileFormatError(
                self._line, _ARRAY if isinstance(entry, list) else f"is not an object; {_OBJECTS}"
            )

    def _refuse(self, line: bytes, error: RejectedError, own_ms: int | None) -> None:
        """Make a dead letter of a line. Its own time moves the clock, if it can be read."""
        if own_ms is not None:
            self.run_to(own_ms)
        timestamp_ms = self.partition.clock_ms if own_ms is None else own_ms
        record = Record("", 0, self._line, timestamp_ms, None, line)
        self.dead_letter(DeadLetter.of(record, error))

    def _tick(self, entry: dict[str, Any]) -> int:
        """Return the time of a line that only moves the clock, in epoch ms."""
        _check_fields(entry, _TICK_FIELDS)
        return self._instant(entry["tick"], "tick")

    def _record(self, entry: dict[str, Any]) -> Record:
        topic = entry.get("topic")
        if topic not in _TOPICS:
            raise RejectedError(Code.INVALID_SCHEMA, f"must be one of {', '.join(_TOPICS)}", "topic")
        _check_fields(entry, _RECORD_FIELDS)
        timestamp_ms = self._instant(entry.get("timestamp"), "timestamp")
        key = entry.get("key")
        if key is not None and not isinstance(key, str):
            raise RejectedError(Code.INVALID_SCHEMA, "must be text", "key")
        value = entry.get("value")
        return Record(
            topic=topic,
            partition=0,
            offset=self._line,
            timestamp_ms=timestamp_ms,
            key=None if key is None else key.encode(),
            value=None if value is None else dumps(value),
        )

    def _instant(self, value: Any, path: str) -> int:
        try:
            return parse_timestamp_ms(value, self._zone)
        except ValueError as error:
            raise RejectedError(Code.INVALID_SCHEMA, str(error), path) from error

    def _define(self, record: Record) -> None:
        try:
            self.definitions.take(record)
        except RejectedError as error:
            self.dead_letter(DeadLetter.of(record, error))
            return
        # Many definitions in a row at the start of a file are compiled into one plan.
        self._stale = True
        if next(self.store.contact_ids(), None) is not None:
            self.settle_definitions()

    def settle_definitions(self) -> None:
        """Evaluate every contact with the definitions that came since the last record."""
        if not self._stale:
            return
        self._stale = False
        self.partition.adopt(self.definitions.plan)
        after: str | None = None
        while (after := self.partition.sweep(after, _SLICE).last) is not None:
            continue

    def contacts(self) -> Iterator[tuple[Contact, list[Event]]]:
        """Yield every known contact with its kept events, in the order of contact ids."""
        for contact_id in self.store.contact_ids():
            contact = self.store.contact(contact_id)
            if contact is not None and contact.known_since_ms is not None:
                yield contact, list(self.partition.history.kept(contact, self.partition.clock_ms))

    def members(self) -> Iterator[dict[str, Any]]:
        """Yield the current memberships, ordered by segment and then by contact."""
        for segment_id in sorted(self.store.member_counts()):
            for contact_id, sequence, entered_ms in self.store.members(segment_id):
                yield {
                    "segment_id": segment_id,
                    "contact_id": contact_id,
                    "entered_at": format_ms(entered_ms),
                    "sequence": sequence,
                }

    def explain(self, segment_id: str, contact_id: str) -> dict[str, Any]:
        """Return why a contact is in a segment or not, as JSON (docs/api.md has the fields).

        Raises ConfigurationError if the segment does not exist, or nothing is known of the contact."""
        self.settle_definitions()
        plan = self.partition.plan
        if segment_id not in plan.segments:
            raise ConfigurationError(
                f"there is no segment {segment_id}; known are {', '.join(sorted(plan.segments))}"
            )
        contact = self.store.contact(contact_id)
        if contact is None or contact.known_since_ms is None:
            raise ConfigurationError(f"there is no contact {contact_id} at that time; check the id and --at")
        now_ms = self.partition.clock_ms
        events = self.partition.history.kept(contact, now_ms)
        return explain(contact, plan.segments[segment_id], plan, events, now_ms)

    def run_to(self, now_ms: int) -> None:
        """Apply everything that falls due up to `now_ms` (epoch ms), and move the clock there."""
        while self.partition.run_due(now_ms, _SLICE):
            continue
        self.partition.advance(now_ms)


def _check_fields(entry: dict[str, Any], known: frozenset[str]) -> None:
    """Raise RejectedError if a line has other fields than these."""
    unknown = sorted(entry.keys() - known)
    if unknown:
        raise RejectedError(Code.INVALID_SCHEMA, "unknown key; remove it or correct its spelling", unknown[0])


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _by_time_and_segment(change: MembershipChange) -> tuple[int, str]:
    return change.effective_ms, change.segment_id


def replay(
    lines: Iterable[bytes | dict[str, Any]],
    *,
    settings: Settings,
    until_ms: int | None = None,
    store: Store | None = None,
    on_dead_letter: DeadLetterSink | None = None,
) -> Iterator[MembershipChange]:
    """Yield the membership changes of a file's lines, ordered by (effective time, arrival), then by contact
    and segment. After the last line the clock moves to `until_ms` (epoch ms). Raises FileFormatError."""
    run = Replay(settings=settings, store=store, on_dead_letter=on_dead_letter)
    for line in lines:
        run.line(line)
        while run.changes:
            yield run.changes.popleft()
    run.settle_definitions()
    if until_ms is not None:
        run.run_to(until_ms)
    yield from run.changes
