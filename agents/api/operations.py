"""The parts of which the OpenAPI description is made: parameters, bodies and answers of one request."""

from __future__ import annotations

from typing import Final

from agents.api.problems import CONTENT_TYPE
from agents.api.shapes import SOME_TEXT, object_of, reference
from streamseg.json_text import Json


def parameter(name: str, schema: Json, place: str = "query") -> Json:
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


WORDS: Final = parameter("words", {"enum": ["zh", "en"]})
"""The parameter that adds sentences for definitions and conditions."""
SEGMENT_ID: Final = parameter("segment_id", SOME_TEXT, "path")
CONTACT_ID: Final = parameter("contact_id", SOME_TEXT, "path")
GROUP_NAME: Final = parameter("group", SOME_TEXT, "path")
SEGMENT_IDS: Final[Json] = {"type": "array", "items": SOME_TEXT, "minItems": 1}
ACCOUNTS: Final[Json] = {"type": "array", "items": SOME_TEXT, "minItems": 1}


IF_MATCH: Final = parameter(
    "If-Match", {"type": "string", "pattern": '^("[1-9][0-9]{0,8}([.][0-9a-f]{24})?"|[*])$'}, "header"
)
IF_NONE_MATCH: Final = parameter(
    "If-None-Match", {"type": "string", "pattern": '^((W/)?"[0-9a-f.]{1,40}"|[*])$'}, "header"
)


def closed(properties: Json, *, optional: tuple[str, ...] = ()) -> Json:
    return {**object_of(properties, optional=optional), "additionalProperties": False}


def operation(
    summary: str,
    status: int,
    result: Json | None = None,
    *,
    body: Json | None = None,
    optional_body: bool = False,
    parameters: tuple[Json, ...] = (),
) -> Json:
    answer: Json = {"description": "done"}
    if result is not None:
        answer["content"] = {"application/json": {"schema": result}}
    described: Json = {
        "summary": summary,
        "parameters": list(parameters),
        "responses": {
            str(status): answer,
            "default": {
                "description": "refused or failed: an RFC 9457 problem",
                "content": {CONTENT_TYPE: {"schema": reference("Problem")}},
            },
        },
    }
    if body is not None:
        content = {"application/json": {"schema": body}}
        described["requestBody"] = {"required": not optional_body, "content": content}
    return described
