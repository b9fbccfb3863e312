"""Which records are dead letters. Judged field by field, straight from the contract's section 2."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from streamseg.settings import Settings
from tests.oracle.conditions import TIME_ATTRIBUTES
from tests.oracle.instants import timestamp_ms
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
    _require(at <= record_at + settings.future_tolerance_ms)
    return min(at, record_at)


def check_event(key: str, value: Any) -> None:
    _require(isinstance(value, dict) and value.get("contact_id") == key)
    _require(isinstance(value.get("event_id"), str) and isinstance(value.get("event"), str))
    _require("occurred_at" in value and isinstance(value.get("properties", {}), dict))


def check_update(key: str, value: Any, settings: Settings, static_ids: set[str]) -> None:
    _require(isinstance(value, dict) and value.get("contact_id") == key)
    attributes = value.get("attributes", {})
    _require(isinstance(attributes, dict) and isinstance(value.get("deleted", False), bool))
    for name, attribute in attributes.items():
        _require(name != "contact_id" or attribute == key)
        _require(attribute is None or _fits(name, attribute, settings))
    tags, lists = value.get("tags", {}), value.get("lists", {})
    _require(isinstance(tags, dict) and isinstance(lists, dict))
    for names in [*tags.values(), *lists.values()]:
        _require(isinstance(names, list) and all(isinstance(name, str) for name in names))
    _require(all(list_id in static_ids for ids in lists.values() for list_id in ids))


def _fits(name: str, value: Any, settings: Settings) -> bool:
    if name in TEXT_ATTRIBUTES:
        return isinstance(value, str)
    if name in NUMBER_ATTRIBUTES:
        return is_number(value)
    if name in TIME_ATTRIBUTES:
        return timestamp_ms(value, ZoneInfo(settings.timezone)) is not None
    if name == "overall_rating":
        return isinstance(value, str) or is_number(value)
    return name != "subscribed" or isinstance(value, bool)
