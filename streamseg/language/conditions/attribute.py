"""Attribute conditions: a test of the latest value, with or without the time for which it has held."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from schemas.attributes import KNOWN_SINCE
from streamseg.contact.attributes import Entry
from streamseg.contact.contact import Contact
from streamseg.language.answer import NO, YES, Answer
from streamseg.language.conditions.base import ChangeFed, Condition, Dispatch
from streamseg.language.conditions.matching import ElementsTest
from streamseg.language.conditions.readings import reading
from streamseg.language.operators import Test
from streamseg.records.inputs import Event
from streamseg.times import format_ms
from streamseg.values import walk

ALWAYS_THERE = frozenset(("contact_id", KNOWN_SINCE))
"""Attributes that no update sets. Their values follow from the contact itself."""


def latest(contact: Contact, path: tuple[str, ...]) -> Any:
    """Return the contact's latest value at a path; None if there is none."""
    if path[0] in ALWAYS_THERE:
        whole = contact.contact_id if path[0] == "contact_id" else contact.known_since_ms
        return whole if len(path) == 1 else None
    entry = contact.attributes.get(path[0])
    if entry is None:
        return None
    return entry[0] if len(path) == 1 else walk(entry[0], path[1:])


class AttributeCondition(Condition):
    """A test of the latest value."""

    __slots__ = ("path", "test")

    def __init__(self, path: tuple[str, ...], test: Test | ElementsTest) -> None:
        super().__init__(
            ("attribute", path, test.key, test.negated),
            false_for_unknown=self._is_false_for_unknown(path, test),
        )
        self.path = path
        self.test = test

    @staticmethod
    def _is_false_for_unknown(path: tuple[str, ...], test: Test | ElementsTest) -> bool:
        return path[0] not in ALWAYS_THERE and not test.negated

    def answer(self, contact: Contact, now_ms: int) -> Answer:
        return self.test.at(latest(contact, self.path), now_ms)

    def register(self, dispatch: Dispatch) -> None:
        dispatch.on_attribute(self, self.path[0], texts=self._texts(), threshold=self._threshold())

    @property
    def frequency(self) -> int:
        return 50 if self._texts() is None else 5

    @property
    def depends_on_known_since(self) -> bool:
        return self.path[0] == KNOWN_SINCE

    def _texts(self) -> tuple[str, ...] | None:
        """Return the texts of which the whole attribute has to be or contain one; None if the test has no
        such demand."""
        if len(self.path) > 1 or self.path[0] in ALWAYS_THERE:
            return None
        demand = self.test.demand() if isinstance(self.test, Test) else None
        return None if demand is None else demand.texts

    def _threshold(self) -> float | None:
        """Return the bound with which the whole attribute is compared; None if the test is of another
        kind."""
        if self.test.key[0] not in ("gt", "ge", "lt", "le") or len(self.path) > 1:
            return None
        bound: int | float = self.test.key[1]
        return bound

    def evidence(self, contact: Contact, events: Iterable[Event], now_ms: int) -> dict[str, Any]:
        value = latest(contact, self.path)
        return {"value": value, **reading(value, self.test)}


class Held:
    """The time for which a test has to hold without interruption: at least `length_ms`, or less than that
    (not `at_least`)."""

    __slots__ = ("at_least", "length_ms")

    def __init__(self, at_least: bool, length_ms: int) -> None:
        self.at_least = at_least
        self.length_ms = length_ms


class HeldCondition(ChangeFed):
    """A test that has held without interruption for at least, or for less than, a length of time.

    The summary depends on the test:

    - [since_ms] if the test holds.
    - [None, first set ms] if it has held since the contact became known. If the first value is older than
      that, it has held since the time of the first value.
    - No summary if the test does not hold or the attribute was never set.
    """

    __slots__ = ("held", "path", "test")

    def __init__(self, path: tuple[str, ...], test: Test | ElementsTest, held: Held) -> None:
        super().__init__(
            ("held", path, test.key, test.negated, held.at_least, held.length_ms),
            false_for_unknown=path[0] not in ALWAYS_THERE and not test.holds(None, 0),
        )
        self.path = path
        self.test = test
        self.held = held

    def register(self, dispatch: Dispatch) -> None:
        dispatch.on_change(self, self.path[0])

    @property
    def depends_on_known_since(self) -> bool:
        return True

    def reaches(self, at_ms: int, now_ms: int) -> bool:
        # The summary is made from the attribute's changes, which are kept as events.
        return True

    def answer(self, contact: Contact, now_ms: int) -> Answer:
        if not self.test.holds(latest(contact, self.path), now_ms):
            return NO
        since_ms = self.since(contact)
        due_ms = since_ms + self.held.length_ms
        if now_ms < due_ms:
            return Answer(not self.held.at_least, due_ms)
        return YES if self.held.at_least else NO

    def evidence(self, contact: Contact, events: Iterable[Event], now_ms: int) -> dict[str, Any]:
        value = latest(contact, self.path)
        held = self.test.holds(value, now_ms)
        since = format_ms(self.since(contact)) if held else None
        return {"value": value, **reading(value, self.test), "held_since": since}

    def since(self, contact: Contact) -> int:
        """Return since when (epoch ms) the test has held. It must hold now."""
        summary: list[int | None] = contact.body.summaries.get(self.id, [None])
        if summary[0] is not None:
            return summary[0]
        return min(at_ms for at_ms in (contact.known_since_ms, *summary) if at_ms is not None)

    def changed(self, contact: Contact, old: Any, new: Any, updated_ms: int) -> None:
        steps = self.path[1:]
        if not self.test.holds(walk(new, steps), 0):
            contact.body.summaries.pop(self.id, None)
        elif not self.test.holds(walk(old, steps), 0):
            contact.body.summaries[self.id] = [updated_ms]
        elif self.id not in contact.body.summaries:
            contact.body.summaries[self.id] = [None, updated_ms]

    def look_back(self, contact: Contact, derived: Sequence[Event]) -> None:
        """Make the summary as in ChangeFed. The test has held at least since the time of the latest value."""
        contact.body.summaries.pop(self.id, None)
        name = self.path[0]
        entry = contact.attributes.get(name)
        if name == "contact_id" or not self.test.holds(latest(contact, self.path), 0):
            return
        changes = _tag_changes(entry, derived) if name == "tags" else _changes(name, derived)
        if entry is None or (not changes and _was_never_set(contact, name, entry)):
            return
        since_ms: int = entry[1]
        # Whether the test also held for the missing value before the first value.
        from_start = False
        steps = self.path[1:]
        for change in changes:
            if not self.test.holds(walk(change.new, steps), 0):
                from_start = False
                break
            since_ms = min(since_ms, change.at_ms)
            from_start = change.old is None
            if not self.test.holds(walk(change.old, steps), 0):
                from_start = False
                break
        contact.body.summaries[self.id] = [None, since_ms] if from_start else [since_ms]


def _was_never_set(contact: Contact, name: str, entry: Entry) -> bool:
    """Return whether an attribute of which no change is kept never had a value."""
    never_set = contact.body.never_set
    if never_set is not None:
        return name in never_set
    # An earlier layout does not tell this from a value that was removed so long ago.
    return entry[0] is None or (name == "tags" and not entry[0])


class _Change(NamedTuple):
    """A change of an attribute from one value to another at a time (epoch ms); None: it was not set."""

    old: Any
    new: Any
    at_ms: int


def _changes(name: str, derived: Sequence[Event]) -> list[_Change]:
    changing = (event for event in derived if event.properties.get("attribute") == name)
    return [
        _Change(event.properties["old"], event.properties["new"], event.occurred_ms) for event in changing
    ]


def _tag_changes(entry: Entry | None, derived: Sequence[Event]) -> list[_Change]:
    """Return the changes of the tag list, one for each record that changed it, from the latest back. The
    order of tags in the lists is not the contact's."""
    changing = (event for event in derived if event.name in ("tag_added", "tag_removed"))
    tags: set[str] = set() if entry is None else set(entry[0] or ())
    changes: list[_Change] = []
    for _, events in groupby(changing, key=lambda event: event.offset):
        new, at_ms = sorted(tags), 0
        for event in events:
            at_ms = event.occurred_ms
            tag = event.properties["tag"]
            if event.name == "tag_added":
                tags.discard(tag)
            else:
                tags.add(tag)
        changes.append(_Change(sorted(tags) or None, new, at_ms))
    return changes
