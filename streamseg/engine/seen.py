"""Names and values that some contacts have: attributes, events and their properties.

They are suggestions for a form. So they are counted from a sample, they are bounded, and values of what
identifies a person are never counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.timestamps import TIMESTAMP_PATTERN
from streamseg.contact.contact import Contact
from streamseg.json_text import Json
from streamseg.records.inputs import Event
from streamseg.values import is_missing, is_number, value_key

MOST_NAMES: Final = 1_000
"""The largest number of attributes, and of events."""
MOST_PROPERTIES: Final = 100
"""The largest number of properties of an event."""
MOST_VALUES: Final = 50
"""The largest number of different values; a name with more has none listed."""
FEWEST_CONTACTS: Final = 2
"""How many contacts must have a value for it to be listed."""

_LONGEST_VALUE: Final = 100
_DEEPEST: Final = 4
_TIME: Final = re.compile(TIMESTAMP_PATTERN)
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+")
_PRIVATE: Final = re.compile(
    "e?mail|mobile|phone|tel|telephone|address|street|openid|unionid|uuid|passport|ip|token|password|birth|"
    "birthday|latitude|longitude|nickname|username|surname|fullname|idcard|wechat|qq"
)
_PERSON: Final = re.compile(
    "contact|customer|user|member|person|client|account|visitor|device|session|open|union|buyer|fan"
)
_PERSON_NAME: Final = re.compile(f"first|last|full|real|nick|family|given|middle|{_PERSON.pattern}")
_PRIVATE_CHINESE: Final = re.compile("邮箱|邮件地址|手机|电话|姓名|名字|昵称|地址|身份证|微信|生日")
_COPIES: Final = frozenset(("old", "new"))
"""The properties of `attribute_changed` that hold values of any attribute."""


def identifies(name: str, event: str | None = None) -> bool:
    """Return whether values under a dotted name may identify a person, judged by the name alone. `event` is
    the event whose property it is."""
    if event == "attribute_changed" and name.partition(".")[0] in _COPIES:
        return True
    if _PRIVATE_CHINESE.search(name):
        return True
    return any(_is_private([word.lower() for word in _WORDS.findall(step)]) for step in name.split("."))


def _is_private(words: list[str]) -> bool:
    if words in (["name"], ["id"]) or any(map(_PRIVATE.fullmatch, words)):
        return True
    if "id" in words and any(map(_PERSON.fullmatch, words)):
        return True
    return "name" in words and any(map(_PERSON_NAME.fullmatch, words))


@dataclass(slots=True)
class _Value:
    value: Any
    count: int = 0
    contacts: int = 0
    last_contact: str = ""


@dataclass(slots=True)
class Seen:
    """One name.

    count    how many contacts have the attribute, or how many occurrences have the property
    last_ms  the latest time at which it was set or occurred, epoch ms
    types    type -> how often
    values   the different values; None: there are too many, or they must not be listed
    """

    count: int = 0
    last_ms: int = 0
    types: dict[str, int] = field(default_factory=dict)
    values: dict[Any, _Value] | None = field(default_factory=dict)

    def take(self, value: Any, at_ms: int, contact_id: str) -> None:
        self.count += 1
        self.last_ms = max(self.last_ms, at_ms)
        kind = _kind(value)
        self.types[kind] = self.types.get(kind, 0) + 1
        if self.values is not None:
            for item in value if isinstance(value, list) else [value]:
                self._take_value(item, contact_id)

    def _take_value(self, value: Any, contact_id: str) -> None:
        if self.values is None or not isinstance(value, (str, bool, int, float)):
            return
        if isinstance(value, str) and len(value) > _LONGEST_VALUE:
            return
        key = value_key(value)
        found = self.values.get(key)
        if found is None:
            if len(self.values) == MOST_VALUES:
                self.values = None
                return
            found = self.values[key] = _Value(value)
        found.count += 1
        if found.last_contact != contact_id:
            found.last_contact = contact_id
            found.contacts += 1

    def add(self, other: Json) -> None:
        """Add what another worker has counted, as `wire` returns it."""
        self.count += other["count"]
        self.last_ms = max(self.last_ms, other["last_ms"])
        for kind, count in other["types"].items():
            self.types[kind] = self.types.get(kind, 0) + count
        if other["values"] is None:
            self.values = None
        for value, count, contacts in other["values"] or ():
            if self.values is None:
                return
            found = self.values.setdefault(value_key(value), _Value(value))
            found.count += count
            found.contacts += contacts
            if len(self.values) > MOST_VALUES:
                self.values = None

    def wire(self) -> Json:
        values = None
        if self.values is not None:
            values = [(one.value, one.count, one.contacts) for one in self.values.values()]
        return {"count": self.count, "last_ms": self.last_ms, "types": self.types, "values": values}

    @property
    def kind(self) -> str:
        """The type that most values have."""
        return max(self.types, key=lambda one: (self.types[one], one))

    @property
    def frequent(self) -> list[_Value]:
        """The values that enough contacts have, the most frequent first."""
        found = [one for one in (self.values or {}).values() if one.contacts >= FEWEST_CONTACTS]
        return sorted(found, key=lambda one: (-one.count, str(one.value)))


@dataclass(slots=True)
class SeenEvent:
    """One event name. `derived` tells whether the engine derives it from records."""

    seen: Seen = field(default_factory=lambda: Seen(values=None))
    contacts: int = 0
    derived: bool = False
    properties: dict[str, Seen] = field(default_factory=dict)


class SeenNames:
    """The names that the contacts given to `take` have."""

    def __init__(self) -> None:
        self.contacts = 0
        self.attributes: dict[str, Seen] = {}
        self.events: dict[str, SeenEvent] = {}

    def take(self, contact: Contact, events: Iterable[Event]) -> None:
        """Count a contact's attributes and these of its events."""
        self.contacts += 1
        contact_id = contact.contact_id
        for name, (value, updated_ms) in contact.attributes.items():
            for path, leaf in _leaves(name, value):
                seen = _of(self.attributes, path, identifies(path), MOST_NAMES)
                if seen is not None:
                    seen.take(leaf, updated_ms, contact_id)
        mine: set[str] = set()
        for event in events:
            kept = self._event(event.name)
            if kept is None:
                continue
            kept.seen.take(None, event.occurred_ms, contact_id)
            kept.derived = kept.derived or event.derived
            kept.contacts += event.name not in mine
            mine.add(event.name)
            for name, value in event.properties.items():
                for path, leaf in _leaves(name, value):
                    seen = _of(kept.properties, path, identifies(path, event.name), MOST_PROPERTIES)
                    if seen is not None:
                        seen.take(leaf, event.occurred_ms, contact_id)

    def _event(self, name: str) -> SeenEvent | None:
        found = self.events.get(name)
        if found is None and len(self.events) < MOST_NAMES:
            found = self.events[name] = SeenEvent()
        return found

    def add(self, other: Json) -> None:
        """Add what another worker has counted, as `wire` returns it."""
        self.contacts += other["contacts"]
        for name, one in other["attributes"].items():
            seen = _of(self.attributes, name, identifies(name), MOST_NAMES)
            if seen is not None:
                seen.add(one)
        for name, one in other["events"].items():
            kept = self._event(name)
            if kept is None:
                continue
            kept.seen.add(one["seen"])
            kept.contacts += one["contacts"]
            kept.derived = kept.derived or one["derived"]
            for path, counted in one["properties"].items():
                seen = _of(kept.properties, path, identifies(path, name), MOST_PROPERTIES)
                if seen is not None:
                    seen.add(counted)

    def wire(self) -> Json:
        """Return everything as JSON, for `add`."""
        return {
            "contacts": self.contacts,
            "attributes": {name: one.wire() for name, one in self.attributes.items()},
            "events": {
                name: {
                    "seen": one.seen.wire(),
                    "contacts": one.contacts,
                    "derived": one.derived,
                    "properties": {path: seen.wire() for path, seen in one.properties.items()},
                }
                for name, one in self.events.items()
            },
        }


def _of(kept: dict[str, Seen], name: str, private: bool, most: int) -> Seen | None:
    found = kept.get(name)
    if found is None and len(kept) < most:
        found = kept[name] = Seen(values=None) if private else Seen()
    return found


def _leaves(name: str, value: Any, depth: int = 1) -> Iterator[tuple[str, Any]]:
    """Yield the dotted path of each value that is not an object, and the value. Missing values are left
    out."""
    if is_missing(value) or not name or "\\" in name:
        return
    path = name.replace(".", "\\.").replace("[", "\\[")
    if not isinstance(value, Mapping) or depth == _DEEPEST:
        yield path, value
        return
    for step, inner in value.items():
        for below, leaf in _leaves(step, inner, depth + 1):
            yield f"{path}.{below}", leaf


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if is_number(value):
        return "number"
    if isinstance(value, str):
        return "time" if _TIME.match(value) else "string"
    if isinstance(value, list):
        return "list"
    return "object" if isinstance(value, Mapping) else "none"
