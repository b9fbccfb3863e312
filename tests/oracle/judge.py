"""Which records are dead letters, and what of an update is left out: from the contract's section 2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from streamseg.settings import Settings
from tests.oracle.conditions import TIME_ATTRIBUTES
from tests.oracle.instants import BLANKS, timestamp_ms
from tests.oracle.operators import is_number

TEXT_ATTRIBUTES = {"email", "mobile", "name", "wechat_unionid", "gender", "location", "member_id"}
NUMBER_ATTRIBUTES = {
    "member_points",
    "order_count",
    "order_amount",
    "activity_index",
    "consumption_index",
    "email_interaction",
    "wechat_interaction",
    "sms_interaction",
}


class RefusedError(Exception):
    """The record is a dead letter."""


def _require(fact: object) -> None:
    if not fact:
        raise RefusedError


def stated_at(value: Any, record_at: int, settings: Settings) -> int:
    """When a record says its content happened, clamped to the record's own timestamp."""
    at = timestamp_ms(value, ZoneInfo(settings.timezone))
    if at is None:
        raise RefusedError
    _require(isinstance(value, str) or value >= 100_000_000_000)
    _require(at <= record_at + settings.future_tolerance_ms)
    return min(at, record_at)


def check_event(key: str, value: Any) -> None:
    _require(isinstance(value, dict) and value.get("contact_id") == key)
    _require(value.keys() <= {"event_id", "contact_id", "event", "occurred_at", "properties"})
    _require(isinstance(value.get("event_id"), str) and isinstance(value.get("event"), str))
    _require("occurred_at" in value and isinstance(value.get("properties") or {}, dict))
    _require(value.get("properties") is None or isinstance(value["properties"], dict))


def check_envelope(key: str, value: Any) -> None:
    """Raises RefusedError where an update is refused as a whole."""
    _require(isinstance(value, dict) and value.get("contact_id") == key)
    _require(value.keys() <= ENVELOPE)
    for flag in ("deleted", "keep_suppressions"):
        _require(value.get(flag) is None or isinstance(value[flag], bool))
    attributes = value.get("attributes")
    if isinstance(attributes, dict) and "contact_id" in attributes:
        _require(attributes["contact_id"] == key)


ENVELOPE = {"contact_id", "attributes", "tags", "lists", "updated_at", "deleted", "keep_suppressions"}


@dataclass
class Taken:
    """What of an update's values is taken, and the paths of the others."""

    attributes: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, list[str]] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def take(value: dict[str, Any], settings: Settings, static_ids: set[str]) -> Taken:
    """Attributes first, then tags, then lists, each in the record's order."""
    taken = Taken()
    if _is_object(value.get("attributes"), "attributes", taken):
        for name, attribute in value["attributes"].items():
            _take_attribute(name, attribute, settings, taken)
    if _is_object(value.get("tags"), "tags", taken):
        taken.tags = _take_changes("tags", value["tags"], {"add", "remove", "set"}, _is_tag, taken)
        if "set" in taken.tags and (taken.tags.get("add") or taken.tags.get("remove")):
            taken.left_out.append("tags")
            taken.tags = {}
    if _is_object(value.get("lists"), "lists", taken):
        taken.lists = _take_changes(
            "lists",
            value["lists"],
            {"add", "remove"},
            lambda id_: isinstance(id_, str) and id_ in static_ids,
            taken,
        )
    return taken


def _is_object(value: Any, path: str, taken: Taken) -> bool:
    if value is not None and not isinstance(value, dict):
        taken.left_out.append(path)
    return isinstance(value, dict)


def _take_attribute(name: str, value: Any, settings: Settings, taken: Taken) -> None:
    path = f"attributes.{name}"
    blank = isinstance(value, str) and value.strip(BLANKS) == ""
    if name == "known_since":
        if value is not None and not blank:
            taken.left_out.append(path)
    elif name == "tags" and isinstance(value, list):
        good = _good_entries(path, value, _is_tag, taken)
        if good is not None:
            taken.attributes[name] = good
    elif blank and (name in NUMBER_ATTRIBUTES or name in TIME_ATTRIBUTES or name == "subscribed"):
        taken.attributes[name] = None
    elif value is None or _fits(name, value, settings):
        taken.attributes[name] = value
    else:
        taken.left_out.append(path)


def _take_changes(
    field_name: str, body: dict[str, Any], known: set[str], good: Callable[[Any], bool], taken: Taken
) -> dict[str, list[str]]:
    changes = {}
    for key, entries in body.items():
        path = f"{field_name}.{key}"
        if key not in known or not (entries is None or isinstance(entries, list)):
            taken.left_out.append(path)
        elif entries is not None:
            found = _good_entries(path, entries, good, taken)
            if found is not None:
                changes[key] = found
    return changes


def _good_entries(
    path: str, entries: list[Any], good: Callable[[Any], bool], taken: Taken
) -> list[Any] | None:
    """None where there were entries and none of them is good."""
    taken.left_out += [f"{path}[{index}]" for index, entry in enumerate(entries) if not good(entry)]
    found = [entry for entry in entries if good(entry)]
    return found if found or not entries else None


def _is_tag(value: Any) -> bool:
    return isinstance(value, str) and value.strip(BLANKS) != ""


def _fits(name: str, value: Any, settings: Settings) -> bool:
    if name in TEXT_ATTRIBUTES:
        return isinstance(value, str)
    if name in NUMBER_ATTRIBUTES:
        return is_number(value)
    if name in TIME_ATTRIBUTES:
        return timestamp_ms(value, ZoneInfo(settings.timezone)) is not None
    if name == "overall_rating":
        return isinstance(value, str) or is_number(value)
    if name == "tags":
        return False
    return name != "subscribed" or isinstance(value, bool)
