"""The check of the attributes, tags and lists in a contact update.

A wrong value does not make the whole update invalid: the value is left out and reported with its path.
Messages never show the value.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from schemas.attributes import KNOWN_SINCE, STANDARD_ATTRIBUTES, Kind
from schemas.paths import error_path
from schemas.scalars import BLANKS
from streamseg.times import timestamp_or_none
from streamseg.values import is_number


class Fault(NamedTuple):
    """The path of a value that was left out, and a message that says what the value must be."""

    path: str
    message: str


ValueCheck = Callable[[Any], str | None]
"""A check of a value that is not null. It returns the message of the fault, or None if the value is valid."""

_MUST_BE: Final[Mapping[Kind, str]] = {
    "string": "must be text",
    "number": "must be a number",
    "time": "must be RFC 3339 text, such as 2026-05-01T08:00:00+08:00, or integer epoch milliseconds",
    "list": "must be a list of texts",
    "boolean": "must be true or false",
    "string_or_number": "must be text or a number",
}
_TYPES: Final[Mapping[Kind, frozenset[type]]] = {
    "string": frozenset((str,)),
    "number": frozenset((int, float)),
    "boolean": frozenset((bool,)),
    "string_or_number": frozenset((str, int, float)),
}
_FITTING_TYPES: Final[dict[str, frozenset[type]]] = {
    name: frozenset() if name == KNOWN_SINCE else _TYPES.get(kind, frozenset())
    for name, kind in STANDARD_ATTRIBUTES.items()
}
"""The types of which every value is valid, for each standard attribute."""
_READ_ONLY: Final = "read-only: it follows from the contact's records; leave it out"
_BLANK_IS_MISSING: Final = frozenset({"number", "time", "boolean"})
_NOT_EMPTY: Final = "must be text that is not empty"
_NO_SUCH_LIST: Final = "no static segment has this id; create it first, of type static"


class UpdateValues:
    """The values of one contact update. `faults` holds the values that were left out so far, in order."""

    __slots__ = ("_zone", "faults")

    def __init__(self, zone: ZoneInfo) -> None:
        """`zone` is the time zone in which texts without an offset are read."""
        self._zone = zone
        self.faults: list[Fault] = []

    def attributes(self, body: Any) -> dict[str, Any]:
        """Return the valid attributes. A blank text for a number, time or boolean becomes null."""
        if body is None:
            return {}
        if not isinstance(body, dict):
            self._leave_out(("attributes",), "must be a JSON object")
            return {}
        # Nearly always all attributes are valid; then `body` is returned without a copy.
        taken = body
        for name, value in body.items():
            # Most values are of a type that fits in any case.
            types = _FITTING_TYPES.get(name)
            if types is None or type(value) in types:
                continue
            kind = STANDARD_ATTRIBUTES[name]
            if value is None or (name != KNOWN_SINCE and self._fits(kind, value)):
                continue
            if taken is body:
                taken = dict(body)
            if kind in _BLANK_IS_MISSING and _is_blank(value):
                taken[name] = None
            elif kind == "list" and isinstance(value, list):
                tags = self._texts(("attributes", name), value)
                if tags is None:
                    del taken[name]
                else:
                    taken[name] = tags
            else:
                del taken[name]
                self._leave_out(("attributes", name), _READ_ONLY if name == KNOWN_SINCE else _MUST_BE[kind])
        return taken

    def _fits(self, kind: Kind, value: Any) -> bool:
        match kind:
            case "string":
                return isinstance(value, str)
            case "number":
                return is_number(value)
            case "time":
                return timestamp_or_none(value, self._zone) is not None
            case "boolean":
                return isinstance(value, bool)
            case "string_or_number":
                return isinstance(value, str) or is_number(value)
            case "list":
                return isinstance(value, list) and all(_is_tag(item) for item in value)

    def tags(self, body: Any) -> dict[str, list[str]]:
        """Return the valid tags under `add`, `remove` and `set`, as far as the update has them."""
        changes = self._changes("tags", body, ("add", "remove", "set"), _tag_fault)
        if "set" in changes and (changes.get("add") or changes.get("remove")):
            self._leave_out(("tags",), "either set, or add and remove")
            return {}
        return changes

    def lists(self, body: Any, static_ids: Container[str]) -> dict[str, list[str]]:
        """Return the valid ids of static segments under `add` and `remove`, as far as the update has them."""

        def check(item: Any) -> str | None:
            return None if isinstance(item, str) and item in static_ids else _NO_SUCH_LIST

        return self._changes("lists", body, ("add", "remove"), check)

    def _changes(
        self, field: str, body: Any, known: Container[str], check: ValueCheck
    ) -> dict[str, list[str]]:
        if body is None:
            return {}
        if not isinstance(body, dict):
            self._leave_out((field,), "must be a JSON object")
            return {}
        changes: dict[str, list[str]] = {}
        for key, items in body.items():
            if key not in known:
                self._leave_out((field, key), "unknown key; remove it or correct its spelling")
            elif items is not None and not isinstance(items, list):
                self._leave_out((field, key), "must be a list")
            elif items is not None:
                taken = self._texts((field, key), items, check)
                if taken is not None:
                    changes[key] = taken
        return changes

    def _texts(
        self, at: tuple[str, ...], items: list[Any], check: ValueCheck | None = None
    ) -> list[str] | None:
        """Return the valid entries; None if there are entries and none is valid."""
        taken = []
        for index, item in enumerate(items):
            fault = (check or _tag_fault)(item)
            if fault is None:
                taken.append(item)
            else:
                self._leave_out((*at, index), fault)
        return taken if taken or not items else None

    def _leave_out(self, at: tuple[int | str, ...], message: str) -> None:
        self.faults.append(Fault(error_path(at), message))


def _is_tag(value: Any) -> bool:
    return isinstance(value, str) and value.strip(BLANKS) != ""


def _tag_fault(value: Any) -> str | None:
    return None if _is_tag(value) else _NOT_EMPTY


def _is_blank(value: Any) -> bool:
    return isinstance(value, str) and value.strip(BLANKS) == ""
