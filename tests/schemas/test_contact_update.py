"""What a contact update may look like, and where a refused one says that it is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.attributes import STANDARD_ATTRIBUTES
from schemas.updates import ContactUpdate

EXAMPLE: dict[str, Any] = {
    "contact_id": "c1",
    "attributes": {"location": "中国", "member_points": 120, "email": None},
    "tags": {"add": ["vip"], "remove": ["trial"]},
    "lists": {"add": ["trade-fair-2026"], "remove": []},
    "updated_at": "2026-05-01T08:00:00+08:00",
    "deleted": False,
}

FITTING: dict[str, list[object]] = {
    "string": ["x", ""],
    "number": [0, 1.5, -3, 10**15],
    "time": ["2026-05-01", "2026-05-01T08:00:00+08:00", 1777593600000],
    "list": [[], ["vip"]],
    "boolean": [True, False],
    "string_or_number": ["A", 4, 4.5],
}
UNFITTING: dict[str, list[object]] = {
    "string": [1, True, ["x"], {}],
    "number": ["1", True, [1], {}],
    "time": [1.5, True, "soon", ["2026-05-01"], {}],
    "list": ["vip", 1, {}],
    "boolean": [0, 1, "true", []],
    "string_or_number": [True, ["A"], {}],
}
KINDS = list(STANDARD_ATTRIBUTES.items())


def test_the_example_is_taken_and_written_back_as_it_came() -> None:
    assert ContactUpdate.model_validate(EXAMPLE).model_dump(exclude_unset=True) == EXAMPLE


def test_everything_but_the_contact_is_optional() -> None:
    update = ContactUpdate.model_validate({"contact_id": "c1"})
    assert (update.attributes, update.tags, update.lists) == ({}, None, None)
    assert (update.updated_at, update.deleted) == (None, False)


def test_tags_may_be_set_anew() -> None:
    update = ContactUpdate.model_validate({"contact_id": "c1", "tags": {"set": []}})
    assert update.tags is not None
    assert update.tags.set == []


@pytest.mark.parametrize("value", [None, "x", 1, 1.5, True, [1, "a"], {"b": {"c": None}}])
def test_a_custom_attribute_takes_any_json(value: object) -> None:
    update = ContactUpdate.model_validate({"contact_id": "c1", "attributes": {"水平": value}})
    assert update.attributes == {"水平": value}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, kind in KINDS for value in [None, *FITTING[kind]]]
)
def test_a_standard_attribute_takes_its_type_and_null_unchanged(name: str, value: object) -> None:
    taken = ContactUpdate.model_validate({"contact_id": "c1", "attributes": {name: value}}).attributes[name]
    assert (type(taken), taken) == (type(value), value)


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, kind in KINDS for value in UNFITTING[kind]]
)
def test_a_standard_attribute_of_another_type_is_refused_by_name(
    refusal: Any, name: str, value: object
) -> None:
    path, message = refusal(ContactUpdate, {"contact_id": "c1", "attributes": {name: value}})
    assert path == f"attributes.{name}"
    assert message.startswith("must be ")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"contact_id": ""}, "contact_id"),
        ({"contact_id": 1}, "contact_id"),
        ({"contact_id": None}, "contact_id"),
        ({"attribute": {}}, "attribute"),
        ({"attributes": []}, "attributes"),
        ({"attributes": None}, "attributes"),
        ({"attributes": {"tags": ["a", 1]}}, "attributes.tags[1]"),
        ({"tags": ["vip"]}, "tags"),
        ({"tags": {"add": "vip"}}, "tags.add"),
        ({"tags": {"add": ["vip", 1]}}, "tags.add[1]"),
        ({"tags": {"add": [""]}}, "tags.add[0]"),
        ({"tags": {"set": ["vip"], "add": ["new"]}}, "tags.set"),
        ({"tags": {"put": []}}, "tags.put"),
        ({"lists": {"set": []}}, "lists.set"),
        ({"lists": {"add": [None]}}, "lists.add[0]"),
        ({"updated_at": 1.5}, "updated_at"),
        ({"updated_at": True}, "updated_at"),
        ({"updated_at": "01/05/2026"}, "updated_at"),
        ({"updated_at": 10**18}, "updated_at"),
        ({"deleted": 1}, "deleted"),
        ({"deleted": "false"}, "deleted"),
    ],
)
def test_a_wrong_update_is_refused_where_it_is_wrong(refusal: Any, change: dict[str, Any], path: str) -> None:
    assert refusal(ContactUpdate, {**EXAMPLE, **change})[0] == path


@pytest.mark.parametrize("name", list(STANDARD_ATTRIBUTES))
def test_a_refusal_never_shows_the_value(refusal: Any, name: str) -> None:
    secret = {"李雷": "13800138000"}
    assert "13800138000" not in str(
        refusal(ContactUpdate, {"contact_id": "c1", "attributes": {name: secret}})
    )
    for field in ("tags", "lists", "updated_at", "deleted", "contact_id"):
        assert "13800138000" not in str(refusal(ContactUpdate, {"contact_id": "c1", field: ["13800138000"]}))
