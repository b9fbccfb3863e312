"""Valid behaviour events, and the error paths of invalid ones."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.events import BehaviorEvent

EXAMPLE: dict[str, Any] = {
    "event_id": "e-1",
    "contact_id": "c1",
    "event": "form_submit",
    "occurred_at": "2026-05-01T08:00:00Z",
    "properties": {"form": "会员注册", "name": "李雷", "email": "a@b.cn", "order": {"amount": 12.5}},
}


def test_the_example_is_taken_and_written_back_as_it_came() -> None:
    assert BehaviorEvent.model_validate(EXAMPLE).model_dump() == EXAMPLE


def test_properties_are_optional() -> None:
    value = {name: part for name, part in EXAMPLE.items() if name != "properties"}
    assert BehaviorEvent.model_validate(value).properties is None
    assert BehaviorEvent.model_validate({**value, "properties": None}).properties is None


@pytest.mark.parametrize(
    "at", ["2026-05-01", "2026-05-01 08:00:00", "2026-05-01T08:00:00.1234567890Z", 10**11]
)
def test_every_form_of_timestamp_is_taken_as_it_came(at: object) -> None:
    assert BehaviorEvent.model_validate({**EXAMPLE, "occurred_at": at}).occurred_at == at


@pytest.mark.parametrize("name", ["event_id", "contact_id", "event", "occurred_at"])
def test_a_missing_key_is_named(refusal: Any, name: str) -> None:
    value = {key: part for key, part in EXAMPLE.items() if key != name}
    assert refusal(BehaviorEvent, value) == (name, "required; give it")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"event_id": ""}, "event_id"),
        ({"event_id": 1}, "event_id"),
        ({"contact_id": ""}, "contact_id"),
        ({"event": ""}, "event"),
        ({"event": None}, "event"),
        ({"occurred_at": None}, "occurred_at"),
        ({"occurred_at": True}, "occurred_at"),
        ({"occurred_at": 1777593600000.0}, "occurred_at"),
        ({"occurred_at": "1777593600000"}, "occurred_at"),
        ({"occurred_at": 10**11 - 1}, "occurred_at"),
        ({"occurred_at": 0}, "occurred_at"),
        ({"occurred_at": -1}, "occurred_at"),
        ({"properties": []}, "properties"),
        ({"derived": True}, "derived"),
    ],
)
def test_a_wrong_event_is_refused_where_it_is_wrong(refusal: Any, change: dict[str, Any], path: str) -> None:
    assert refusal(BehaviorEvent, {**EXAMPLE, **change})[0] == path


@pytest.mark.parametrize("value", [None, 1, "text", []])
def test_what_is_no_object_is_refused(refusal: Any, value: object) -> None:
    assert refusal(BehaviorEvent, value) == ("", "must be a JSON object")


@pytest.mark.parametrize("name", list(EXAMPLE))
def test_a_refusal_never_shows_the_value(refusal: Any, name: str) -> None:
    assert "13800138000" not in str(refusal(BehaviorEvent, {**EXAMPLE, name: ["13800138000"]}))
    assert "13800138000" not in str(refusal(BehaviorEvent, {**EXAMPLE, "occurred_at": "13800138000"}))
