"""The standard attributes of a contact and the types of their values."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from schemas.scalars import Number, TextOrNumber
from schemas.timestamps import Timestamp

Kind = Literal["string", "number", "time", "list", "boolean", "string_or_number"]

STANDARD_ATTRIBUTES: Final[dict[str, Kind]] = {
    # basic
    "email": "string",
    "mobile": "string",
    "name": "string",
    "wechat_unionid": "string",
    "contact_id": "string",
    "gender": "string",
    "location": "string",
    "created_at": "time",
    "imported_at": "time",
    # member
    "member_points": "number",
    "member_id": "string",
    "member_day": "time",
    # tags
    "tags": "list",
    # consumption
    "order_count": "number",
    "order_amount": "number",
    "first_purchase_at": "time",
    "last_purchase_at": "time",
    # advanced
    "overall_rating": "string_or_number",
    "activity_index": "number",
    "consumption_index": "number",
    "email_interaction": "number",
    "wechat_interaction": "number",
    "sms_interaction": "number",
    # subscription
    "subscribed": "boolean",
    # read-only
    "known_since": "time",
}
"""The kind of value of every standard attribute. Any other name is a custom attribute, of any JSON type."""

KNOWN_SINCE: Final = "known_since"
"""The read-only attribute: the least timestamp of the records that still stand for the contact. Updates
cannot set it."""

_TYPES: Final[dict[Kind, Any]] = {
    "string": str,
    "number": Number,
    "time": Timestamp,
    "list": list[str],
    "boolean": bool,
    "string_or_number": TextOrNumber,
}


class _StandardTypes:
    """An annotation for a dict of attributes. It checks the values of the standard attributes; null is
    accepted for each. Other names take any value."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        kinds = {kind: core_schema.nullable_schema(handler.generate_schema(_TYPES[kind])) for kind in _TYPES}
        fields = {
            name: core_schema.typed_dict_field(kinds[kind], required=False)
            for name, kind in STANDARD_ATTRIBUTES.items()
        }
        config = core_schema.CoreConfig(strict=True, allow_inf_nan=False)
        return core_schema.typed_dict_schema(fields, extra_behavior="allow", config=config)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        properties: dict[str, Any] = {}
        for name, kind in STANDARD_ATTRIBUTES.items():
            value_schema = TypeAdapter(_TYPES[kind]).json_schema()
            properties[name] = {"anyOf": [value_schema, {"type": "null"}]}
        properties[KNOWN_SINCE] = {"description": "Read-only.", "type": "null"}
        return {"type": "object", "properties": properties, "additionalProperties": True}


Attributes = Annotated[dict[str, Any], _StandardTypes()]
"""Attribute values by name. The values of standard attributes have the types of `STANDARD_ATTRIBUTES`."""
