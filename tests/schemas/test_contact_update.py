"""Valid envelopes of contact updates, and the error paths of invalid ones."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.generate import json_schema
from schemas.updates import ContactUpdate

EXAMPLE: dict[str, Any] = {
    "contact_id": "c1",
    "attributes": {"location": "中国", "member_points": 120, "email": None},
    "tags": {"add": ["vip"], "remove": ["trial"]},
    "lists": {"add": ["trade-fair-2026"], "remove": []},
    "updated_at": "2026-05-01T08:00:00+08:00",
    "deleted": False,
    "keep_suppressions": False,
}


def test_the_example_is_taken_as_it_came() -> None:
    assert dict(ContactUpdate.model_validate(EXAMPLE)) == EXAMPLE


@pytest.mark.parametrize("given", [{}, dict.fromkeys(EXAMPLE)])
def test_everything_but_the_contact_is_optional_and_may_be_null(given: dict[str, None]) -> None:
    update = ContactUpdate.model_validate({**given, "contact_id": "c1"})
    assert {value for name, value in update if name != "contact_id"} == {None}


@pytest.mark.parametrize("value", [1, "x", [1], {"member_points": "5", "tags": [""]}, {"set": 1}])
def test_values_are_not_judged_with_the_envelope(value: object) -> None:
    for field in ("attributes", "tags", "lists"):
        update = ContactUpdate.model_validate({"contact_id": "c1", field: value})
        assert getattr(update, field) == value


def test_the_json_schema_says_what_values_should_be() -> None:
    schema = json_schema("contact-updates")
    attributes = schema["properties"]["attributes"]["anyOf"][0]["properties"]
    assert attributes["member_points"] == {"anyOf": [{"type": "number"}, {"type": "null"}]}
    tags, null = schema["properties"]["tags"]["anyOf"]
    assert (tags, null) == ({"$ref": "#/$defs/TagChanges"}, {"type": "null"})
    assert schema["$defs"]["TagChanges"]["properties"].keys() == {"add", "remove", "set"}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"contact_id": ""}, "contact_id"),
        ({"contact_id": 1}, "contact_id"),
        ({"contact_id": None}, "contact_id"),
        ({"attribute": {}}, "attribute"),
        ({"updated_at": 1.5}, "updated_at"),
        ({"updated_at": True}, "updated_at"),
        ({"updated_at": "01/05/2026"}, "updated_at"),
        ({"updated_at": 10**18}, "updated_at"),
        ({"updated_at": 99_999_999_999}, "updated_at"),
        ({"deleted": 1}, "deleted"),
        ({"deleted": "false"}, "deleted"),
        ({"keep_suppressions": 0}, "keep_suppressions"),
    ],
)
def test_a_wrong_envelope_is_refused_where_it_is_wrong(
    refusal: Any, change: dict[str, Any], path: str
) -> None:
    assert refusal(ContactUpdate, {**EXAMPLE, **change})[0] == path


@pytest.mark.parametrize("field", ["updated_at", "deleted", "keep_suppressions", "contact_id"])
def test_a_refusal_never_shows_the_value(refusal: Any, field: str) -> None:
    wrong = {"contact_id": "c1", field: ["13800138000"]}
    assert "13800138000" not in str(refusal(ContactUpdate, wrong))
