"""The reference replay: after each record, and at every instant at which anything could flip between
two records, every known contact is asked about every segment; what differs is a change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from streamseg.settings import Settings
from tests.oracle.candidates import flips
from tests.oracle.conditions import Condition, Question, is_satisfied
from tests.oracle.definitions import BUILT_IN, Definition, Definitions, conditions
from tests.oracle.history import History, Occurrence
from tests.oracle.instants import FIRST_MS, text_of, timestamp_ms
from tests.oracle.judge import RefusedError, check_envelope, check_event, stated_at, take
from tests.oracle.unsubscribe import (
    CHANNELS,
    is_channel_unsubscribed,
    is_globally_unsubscribed,
    suppressed_channels,
    window_closes,
)

Line = dict[str, Any]


@dataclass
class Oracle:
    """The whole past and what was announced of it. `changes` are MembershipChange values without `ref`, in
    the order of their making. `arrivals` has a number for what caused each of them: the time until a line, or
    the line, which has the next number.
    `erasures` has for each erased contact when that was last, and how many changes there were by then.
    `deletions` has for each deleted segment how many changes there were by its last deletion."""

    settings: Settings
    definitions: Definitions = field(default_factory=Definitions)
    contacts: dict[str, History] = field(default_factory=dict)
    sequences: dict[tuple[str, str], int] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=lambda: dict.fromkeys(BUILT_IN, 1))
    clock: int = FIRST_MS
    accepted: int = 0
    changes: list[Line] = field(default_factory=list)
    arrivals: list[int] = field(default_factory=list)
    arrival: int = 0
    change_ids: Counter[str] = field(default_factory=Counter)
    erasures: dict[str, tuple[int, int]] = field(default_factory=dict)
    deletions: dict[str, int] = field(default_factory=dict)
    dead_letters: list[int] = field(default_factory=list)
    left_out: dict[int, list[str]] = field(default_factory=dict)
    flags: set[tuple[str, str]] = field(default_factory=set)
    suppressions: list[str] = field(default_factory=list)

    def feed(self, number: int, line: Line) -> None:
        """Take the file's line `number`."""
        moment = timestamp_ms(line.get("tick", line.get("timestamp")), ZoneInfo(self.settings.timezone))
        assert moment is not None
        self.run_until(moment)
        self.arrival += 1
        if "tick" in line:
            return
        self.accepted += 1
        try:
            if line["topic"] == "segment-definitions":
                self._define(line["key"], line["value"])
            elif line["topic"] == "contact-updates":
                self._update(number, line["key"], line["value"], moment)
            else:
                self._occur(line["key"], line["value"], moment)
        except RefusedError:
            self.dead_letters.append(number)
        self._flag(line["key"])

    def _flag(self, contact_id: str) -> None:
        """Note which do-not-send flags of a contact are set and which end."""
        if contact_id not in self.contacts:
            return
        for channel in CHANNELS.values():
            flag = (contact_id, channel)
            is_set = channel in suppressed_channels(self.contacts[contact_id])
            if is_set != (flag in self.flags):
                self.flags ^= {flag}
                self.suppressions.append(f"{text_of(self.clock)} {contact_id} {channel} {is_set}")

    def run_until(self, until: int) -> None:
        """Move the clock, stopping at every instant at which a contact's membership could flip."""
        self.arrival += 1
        if until <= self.clock:
            return
        due = {
            (at, contact_id)
            for contact_id, history in self.contacts.items()
            if history.known
            for at in self._candidates(history, (self.clock, until))
        }
        for at, contact_id in sorted(due):
            self._announce(contact_id, at, "time")
        self.clock = until
        for contact_id in self.contacts:
            assert not self._differences(contact_id, until), "a flip was not among the candidates"

    def printed(self) -> list[Line]:
        """The changes in the order in which a replay prints them."""
        keys = [
            (change["effective_at"], arrival, change["contact_id"], change["segment_id"])
            for change, arrival in zip(self.changes, self.arrivals, strict=True)
        ]
        return [self.changes[index] for index in sorted(range(len(keys)), key=keys.__getitem__)]

    def members(self) -> set[tuple[str, str]]:
        """The (segment_id, contact_id) pairs in force."""
        return {pair for pair, sequence in self.sequences.items() if sequence % 2 == 1}

    # --- records ----------------------------------------------------------------------------------

    def _define(self, segment_id: str, definition: Definition | None) -> None:
        if self.definitions.refuses(segment_id, definition):
            raise RefusedError
        self.definitions.take(segment_id, definition, self.accepted, self.clock)
        if definition is not None:
            self.versions[segment_id] = self.definitions.in_force[segment_id]["version"]
        for contact_id in sorted(self.contacts):
            self._announce(contact_id, self.clock, "definition")
        if definition is None:
            self._forget(segment_id=segment_id)
            self.deletions[segment_id] = len(self.changes)

    def _update(self, number: int, contact_id: str, update: Any, record_at: int) -> None:
        check_envelope(contact_id, update)
        stated = update.get("updated_at")
        at = record_at if stated is None else stated_at(stated, record_at, self.settings)
        history = self.contacts.setdefault(contact_id, History(contact_id))
        if update.get("deleted"):
            self._erase(history, at, update.get("keep_suppressions") is True)
            return
        taken = take(update, self.settings, self.definitions.lists())
        if taken.left_out:
            self.dead_letters.append(number)
            self.left_out[number] = taken.left_out
        lists = [self.definitions.list_keys[one] for changed in taken.lists.values() for one in changed]
        history.apply_update(taken.attributes, taken.tags, lists, at, record_at, self.accepted)
        for key, member in (("add", True), ("remove", False)):
            for list_id in taken.lists.get(key, []):
                history.change_list(self.definitions.list_keys[list_id], member, at, self.accepted)
        self._announce(contact_id, self.clock, "contact_update")

    def _erase(self, history: History, at: int, keep_suppressions: bool) -> None:
        contact_id = history.contact_id
        survivors = self._kept(history)
        self.contacts[contact_id] = History(contact_id)
        self._announce(contact_id, self.clock, "deletion")
        self._forget(contact_id=contact_id)
        self.erasures[contact_id] = (self.clock, len(self.changes))
        self.contacts[contact_id] = history.erase(at, survivors, keep_suppressions)
        self._announce(contact_id, self.clock, "behavior_event")  # made known again by what survived

    def _occur(self, contact_id: str, event: Line | None, record_at: int) -> None:
        check_event(contact_id, event)
        assert event is not None
        at = stated_at(event["occurred_at"], record_at, self.settings)
        history = self.contacts.setdefault(contact_id, History(contact_id))
        properties = event.get("properties") or {}
        occurrence = Occurrence(self.accepted, event["event_id"], event["event"], at, properties, record_at)
        if history.erased_at is not None and at <= history.erased_at:
            if history.answers_since is None or at > history.answers_since:
                history.hear(occurrence)
                self._announce(contact_id, self.clock, "behavior_event")
            return
        if any(kept.event_id == event["event_id"] for kept in self._kept(history)):
            return
        history.add_event(occurrence)
        self._announce(contact_id, self.clock, "behavior_event")

    def _kept(self, history: History) -> list[Occurrence]:
        return history.kept(self.clock, self.settings.history_retention_ms, self.settings.history_cap)

    def _forget(self, *, segment_id: str | None = None, contact_id: str | None = None) -> None:
        """Let the sequences of a deleted segment or an erased contact start anew."""
        self.sequences = {
            (segment, contact): sequence
            for (segment, contact), sequence in self.sequences.items()
            if segment != segment_id and contact != contact_id
        }

    # --- memberships ------------------------------------------------------------------------------

    def is_member(self, segment_id: str, history: History, now: int) -> bool:
        """Whether the contact is in the segment at `now`, from scratch."""
        if not history.known:
            return False
        if segment_id == "global-unsubscribed":
            return is_globally_unsubscribed(history)
        if segment_id in CHANNELS:
            return is_channel_unsubscribed(segment_id, history, now, self.settings)
        definition = self.definitions.in_force.get(segment_id)
        if definition is None:
            return False
        if definition["type"] == "static":
            said = history.lists.get(self.definitions.list_keys[segment_id])
            return said is not None and bool(said.value)
        question = self._question(history, now, definition)
        if definition["type"] == "standard":
            return _clusters_hold(definition["clusters"], question)
        relations = {
            part["relation"] for part in definition["parts"] if _clusters_hold(part["clusters"], question)
        }
        return relations == {"include"}

    def _question(self, history: History, now: int, definition: Definition) -> Question:
        return Question(
            history,
            now,
            definition,
            self.definitions,
            self.settings,
            lambda segment_id: self.is_member(segment_id, history, now),
        )

    def _differences(self, contact_id: str, now: int) -> list[str]:
        """The segments in which the contact's membership is not the announced one, by segment_id."""
        history = self.contacts[contact_id]
        return [
            segment_id
            for segment_id in sorted(self.versions)
            if self.is_member(segment_id, history, now)
            != (self.sequences.get((segment_id, contact_id), 0) % 2 == 1)
        ]

    def _announce(self, contact_id: str, now: int, kind: str) -> None:
        for segment_id in self._differences(contact_id, now):
            sequence = self.sequences.get((segment_id, contact_id), 0) + 1
            self.sequences[segment_id, contact_id] = sequence
            closed = kind == "time" and segment_id in CHANNELS
            self.arrivals.append(self.arrival)
            self.changes.append(
                {
                    "change_id": self._change_id(f"{segment_id}|{contact_id}|{now}|{sequence}"),
                    "segment_id": segment_id,
                    "segment_version": self.versions[segment_id],
                    "contact_id": contact_id,
                    "change": "entered" if sequence % 2 == 1 else "exited",
                    "sequence": sequence,
                    "effective_at": text_of(now),
                    "reason": {"kind": "unsubscribe_window" if closed else kind},
                }
            )

    def _change_id(self, four: str) -> str:
        """The four parts, and which one of those that share them it is, from the second on."""
        self.change_ids[four] += 1
        number = self.change_ids[four]
        return four if number == 1 else f"{four}|#{number}"

    def _candidates(self, history: History, span: tuple[int, int]) -> set[int]:
        found: set[int] = set()
        for definition in self.definitions.in_force.values():
            question = self._question(history, span[1], definition)
            for condition in conditions(definition):
                found.update(flips(condition, question, span))
        for segment_id in CHANNELS:
            found.update(window_closes(segment_id, history, self.settings))
        return {at for at in found if span[0] < at <= span[1]}


def _clusters_hold(clusters: list[dict[str, Any]], question: Question) -> bool:
    return all(_cluster_holds(cluster["match"], cluster["conditions"], question) for cluster in clusters)


def _cluster_holds(match: str, tests: list[Condition], question: Question) -> bool:
    results = [is_satisfied(condition, question) for condition in tests]
    return all(results) if match == "all" else any(results)


def replay(lines: Iterable[Line], settings: Settings, until_ms: int | None = None) -> Oracle:
    """What the lines of a replay file amount to, with the clock run on to `until_ms` at the end."""
    oracle = Oracle(settings)
    for number, line in enumerate(lines, start=1):
        oracle.feed(number, line)
    if until_ms is not None:
        oracle.run_until(until_ms)
    return oracle
