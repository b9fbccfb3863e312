"""The OpenAPI 3.1 description that is served at /openapi.json."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Final

from agents.api.changes import CONTENT_TYPE as EVENT_STREAM
from agents.api.contacts import ListChange
from agents.api.groups import GroupName
from agents.api.preview import PreviewRequest
from agents.api.problems import CONTENT_TYPE
from agents.api.segments import CheckRequest
from agents.api.sessions import COOKIE
from agents.api.shapes import (
    COMPARED,
    CONTACT,
    COUNT,
    DIAGNOSIS,
    EXPLANATION,
    FOUND_CONTACT,
    GROUP,
    MEMBER,
    NULL_TEXT,
    PREVIEWED,
    PROBLEM,
    ROW,
    SESSION,
    SOME_TEXT,
    TEXT,
    TIMELINE,
    VERIFIED,
    VOCABULARY,
    list_of,
    object_of,
    reference,
)
from agents.api.signing_in import SignIn
from agents.api.verification import RecountRequest, VerifyRequest
from agents.partitions.recent_changes import KEPT_CHANGES
from schemas.definitions import SegmentDefinition
from schemas.pages import MOST_CONTACTS, MOST_ROWS, SORTS
from streamseg.catalogue.labels import STATUSES, TYPES
from streamseg.json_text import Json


def _parameter(name: str, schema: Json, place: str = "query") -> Json:
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


_WORDS: Final = _parameter("words", {"enum": ["zh", "en"]})
"""The parameter that adds sentences for definitions and conditions."""
_SEGMENT_ID: Final = _parameter("segment_id", SOME_TEXT, "path")
_CONTACT_ID: Final = _parameter("contact_id", SOME_TEXT, "path")
_GROUP_NAME: Final = _parameter("group", SOME_TEXT, "path")
_SEGMENT_IDS: Final[Json] = {"type": "array", "items": SOME_TEXT, "minItems": 1}
_ACCOUNTS: Final[Json] = {"type": "array", "items": SOME_TEXT, "minItems": 1}


_IF_MATCH: Final = _parameter(
    "If-Match", {"type": "string", "pattern": '^("[1-9][0-9]{0,8}([.][0-9a-f]{24})?"|[*])$'}, "header"
)
_IF_NONE_MATCH: Final = _parameter(
    "If-None-Match", {"type": "string", "pattern": '^((W/)?"[0-9a-f.]{1,40}"|[*])$'}, "header"
)


def _closed(properties: Json, *, optional: tuple[str, ...] = ()) -> Json:
    return {**object_of(properties, optional=optional), "additionalProperties": False}


def _operation(
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
    operation: Json = {
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
        operation["requestBody"] = {"required": not optional_body, "content": content}
    return operation


def _stream() -> Json:
    operation = _operation(
        "Membership changes as they happen, as server-sent events",
        200,
        parameters=(
            _parameter("segment_id", SOME_TEXT),
            _parameter("contact_id", SOME_TEXT),
            _parameter("recent", {"type": "integer", "minimum": 0, "maximum": KEPT_CHANGES}),
            _WORDS,
        ),
    )
    operation["responses"]["200"]["content"] = {EVENT_STREAM: {"schema": TEXT}}
    return operation


def _tag(operation: Json) -> None:
    """Add the entity tag of a read, and the parameter for a conditional read."""
    operation["parameters"] = [*operation["parameters"], _IF_NONE_MATCH]
    operation["responses"]["200"]["headers"] = {"ETag": {"schema": TEXT}}
    operation["responses"]["304"] = {"description": "not modified: If-None-Match lists the current tag"}


def _paths() -> Json:
    segment, group = reference("Segment"), reference("Group")
    changed = object_of({"segment_ids": list_of(SOME_TEXT)})
    limit, more = (
        _parameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST_ROWS}),
        {"next_cursor": NULL_TEXT},
    )
    filters = (
        _parameter("group", TEXT),
        _parameter("mine", {"enum": ["true", "false"]}),
        _parameter("q", TEXT),
        _parameter("type", {"enum": list(TYPES)}),
        _parameter("status", {"enum": list(STATUSES)}),
        _parameter("created_by", TEXT),
        _parameter("sort", {"enum": [*SORTS]}),
        _parameter("order", {"enum": ["asc", "desc"]}),
        _parameter("cursor", TEXT),
        limit,
    )
    one, contacts = "/segments/{segment_id}", "/segments/{segment_id}/contacts"
    new_id = _closed({"new_segment_id": SOME_TEXT}, optional=("new_segment_id",))
    open_to_all: Json = {"security": []}
    paths: Json = {
        "/session": {
            "get": _operation("Who is signed in", 200, object_of(SESSION)),
            "post": {
                **_operation(
                    "Sign a page in: exchange a token for a cookie",
                    200,
                    object_of(SESSION),
                    body=SignIn.model_json_schema(),
                ),
                **open_to_all,
            },
            "delete": {**_operation("Sign the page out", 204), **open_to_all},
        },
        "/segments": {
            "get": _operation(
                "A page of the list of segments",
                200,
                object_of({"rows": list_of(reference("Row")), "total": COUNT, **more}),
                parameters=filters,
            ),
            "post": _operation("Make a segment", 201, segment, body=reference("NewDefinition")),
        },
        one: {
            "get": _operation(
                "A segment with its definition", 200, segment, parameters=(_SEGMENT_ID, _WORDS)
            ),
            "put": _operation(
                "Replace a segment's definition; version or If-Match names the version that was edited",
                200,
                segment,
                body=reference("NewDefinition"),
                parameters=(_SEGMENT_ID, _IF_MATCH),
            ),
            "delete": _operation(
                "Delete a segment that no other refers to", 204, parameters=(_SEGMENT_ID, _IF_MATCH)
            ),
        },
        f"{one}/copy": {
            "post": _operation(
                "Make a segment of your own with the same conditions",
                201,
                segment,
                body=new_id,
                optional_body=True,
                parameters=(_SEGMENT_ID, _IF_MATCH),
            )
        },
        f"{one}/share": {
            "post": _operation(
                "Let other accounts see and copy a segment",
                200,
                segment,
                body=_closed({"accounts": _ACCOUNTS}),
                parameters=(_SEGMENT_ID, _IF_MATCH),
            )
        },
        f"{one}/calculate": {
            "post": _operation(
                "Start the calculation of a segment", 202, segment, parameters=(_SEGMENT_ID, _IF_MATCH)
            )
        },
        f"{one}/recount": {
            "post": _operation(
                "Evaluate a segment again for a page of one partition's contacts",
                200,
                object_of({"partitions": COUNT, "contacts": COUNT, "changes": COUNT, **more}),
                body=RecountRequest.model_json_schema(),
                parameters=(_SEGMENT_ID,),
            )
        },
        contacts: {
            "get": _operation(
                "The contacts of a segment, by contact_id",
                200,
                object_of({"contacts": list_of(object_of(MEMBER)), **more}),
                parameters=(
                    _SEGMENT_ID,
                    _parameter("after", TEXT),
                    _parameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST_CONTACTS}),
                ),
            )
        },
        f"{contacts}/{{contact_id}}/explain": {
            "get": _operation(
                "Why a contact is in a segment or not",
                200,
                object_of(EXPLANATION, optional=("words",)),
                parameters=(_SEGMENT_ID, _CONTACT_ID, _WORDS),
            )
        },
        "/groups": {
            "get": _operation("All groups", 200, object_of({"groups": list_of(group)})),
            "post": _operation("Make a group", 201, group, body=GroupName.model_json_schema()),
        },
        "/groups/{group}": {
            "patch": _operation(
                "Rename a group",
                200,
                group,
                body=GroupName.model_json_schema(),
                parameters=(_GROUP_NAME,),
            ),
            "delete": _operation(
                "Delete a group; its segments fall to default", 204, parameters=(_GROUP_NAME,)
            ),
        },
        "/contacts": {
            "get": _operation(
                "Contacts whose ids begin with a text, by contact_id",
                200,
                object_of({"contacts": list_of(object_of(FOUND_CONTACT)), **more}),
                parameters=(_parameter("q", TEXT), _parameter("after", TEXT), limit),
            )
        },
        "/contacts/{contact_id}/timeline": {
            "get": _operation(
                "Events and changes of memberships of a contact, the latest first",
                200,
                object_of(TIMELINE),
                parameters=(_CONTACT_ID, _parameter("cursor", TEXT), limit),
            )
        },
        "/contacts/{contact_id}": {
            "get": _operation(
                "A contact and its segments", 200, object_of(CONTACT), parameters=(_CONTACT_ID,)
            )
        },
        "/contacts/lists": {
            "post": _operation(
                "Put contacts into a static segment, and take contacts out of it",
                202,
                object_of({"accepted": COUNT}),
                body=ListChange.model_json_schema(),
            )
        },
        "/check": {
            "post": _operation(
                "Check whether a definition would be saved now; nothing is changed",
                204,
                body=CheckRequest.model_json_schema(),
            )
        },
        "/preview": {
            "post": _operation(
                "Count the contacts that a definition would have now, or explain one; nothing is stored",
                200,
                {
                    "anyOf": [
                        object_of(
                            {**PREVIEWED, "compared": object_of(COMPARED), "words": NULL_TEXT},
                            optional=("compared", "words"),
                        ),
                        object_of({"explanation": object_of(EXPLANATION, optional=("words",))}),
                    ]
                },
                body=PreviewRequest.model_json_schema(),
                parameters=(_WORDS,),
            )
        },
        "/verify": {
            "post": _operation(
                "Compare the state of a page of contacts with the result of their attributes and history",
                200,
                object_of(VERIFIED),
                body=VerifyRequest.model_json_schema(),
            )
        },
        "/vocabulary": {
            "get": _operation(
                "What a definition may contain, and the names and values that contacts have",
                200,
                object_of(VOCABULARY),
            )
        },
        "/diagnosis": {
            "get": _operation(
                "The latest warnings and errors of this worker, and where its tasks and threads are",
                200,
                object_of(DIAGNOSIS),
            )
        },
        "/changes": {"get": _stream()},
        "/openapi.json": {"get": {**_operation("This description", 200, {"type": "object"}), **open_to_all}},
    }
    for path, methods in paths.items():
        if "get" in methods and path != "/changes":
            _tag(methods["get"])
    extras: dict[str, Json] = {
        "move": {"group": SOME_TEXT},
        "share": {"accounts": _ACCOUNTS},
        "delete": {},
        "calculate": {},
    }
    for command, extra in extras.items():
        paths[f"/batch/{command}"] = {
            "post": _operation(
                f"{command.capitalize()} several segments: all of them or none",
                200,
                changed,
                body=_closed({"segment_ids": _SEGMENT_IDS, **extra}),
            )
        }
    return paths


@cache
def description() -> Json:
    """Return the whole document."""
    definition = SegmentDefinition.model_json_schema(
        by_alias=True, ref_template="#/components/schemas/{model}"
    )
    parts = definition.pop("$defs", {})
    fresh = {
        **definition,
        "required": [name for name in definition["required"] if name != "segment_id"],
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "streamseg",
            "version": version("streamseg"),
            "description": "Contact segments that are right all the time. "
            "Every worker answers for all contacts and segments.",
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}, {"session": []}, {}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
            "schemas": {
                **parts,
                "Definition": definition,
                "NewDefinition": fresh,
                "Row": object_of(ROW),
                "Segment": object_of(
                    {
                        **ROW,
                        "definition": {"type": ["object", "null"]},
                        "used_in": list_of(object_of({"segment_id": SOME_TEXT, "name": SOME_TEXT})),
                        "used_in_hidden": COUNT,
                        "words": NULL_TEXT,
                    },
                    optional=("words",),
                ),
                "Group": object_of(GROUP),
                "Problem": object_of(PROBLEM, optional=("path", "current_version")),
            },
        },
    }
