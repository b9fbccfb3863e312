"""The OpenAPI 3.1 description that is served at /openapi.json."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version

from agents.api.changes import CONTENT_TYPE as EVENT_STREAM
from agents.api.contacts import ListChange
from agents.api.groups import GroupName
from agents.api.operations import (
    ACCOUNTS,
    CONTACT_ID,
    GROUP_NAME,
    IF_MATCH,
    IF_NONE_MATCH,
    SEGMENT_ID,
    SEGMENT_IDS,
    WORDS,
    closed,
    operation,
    parameter,
)
from agents.api.past_members import PARAMETERS as PAST
from agents.api.preview import PreviewRequest
from agents.api.segments import CheckRequest
from agents.api.sessions import COOKIE
from agents.api.shapes import (
    CALENDAR,
    COMPARED,
    CONTACT,
    COUNT,
    DIAGNOSIS,
    ERASURE,
    EXPLANATION,
    EXPORT,
    FOUND_CONTACT,
    GROUP,
    GROWTH,
    INSTANT,
    LISTED_MEMBER,
    MONTH,
    NULL_TEXT,
    PREVIEWED,
    PROBLEM,
    ROW,
    SESSION,
    SOME_TEXT,
    STANDING,
    TEXT,
    TIMELINE,
    VERIFIED,
    VOCABULARY,
    WINDOW,
    WORKERS,
    list_of,
    object_of,
    reference,
)
from agents.api.signing_in import SignIn
from agents.api.verification import RecountRequest, VerifyRequest
from agents.api.version_paths import version_paths
from agents.api.windows import WindowQuestion
from agents.partitions.recent_changes import KEPT_CHANGES
from schemas.definitions import SegmentDefinition
from schemas.pages import MOST_CONTACTS, MOST_ROWS, SORTS
from streamseg.catalogue.labels import STATUSES, TYPES
from streamseg.json_text import Json


def _window_question() -> Json:
    """Return the shape of the body of /window. Its parts are among those of a definition."""
    shape = WindowQuestion.model_json_schema(ref_template="#/components/schemas/{model}")
    del shape["$defs"]
    return shape


def _stream() -> Json:
    described = operation(
        "Membership changes as they happen, as server-sent events",
        200,
        parameters=(
            parameter("segment_id", SOME_TEXT),
            parameter("contact_id", SOME_TEXT),
            parameter("recent", {"type": "integer", "minimum": 0, "maximum": KEPT_CHANGES}),
            WORDS,
        ),
    )
    described["responses"]["200"]["content"] = {EVENT_STREAM: {"schema": TEXT}}
    return described


def _tag(described: Json) -> None:
    """Add the entity tag of a read, and the parameter for a conditional read."""
    described["parameters"] = [*described["parameters"], IF_NONE_MATCH]
    described["responses"]["200"]["headers"] = {"ETag": {"schema": TEXT}}
    described["responses"]["304"] = {"description": "not modified: If-None-Match lists the current tag"}


def _paths() -> Json:
    segment, group = reference("Segment"), reference("Group")
    changed = object_of({"segment_ids": list_of(SOME_TEXT)})
    limit, more = (
        parameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST_ROWS}),
        {"next_cursor": NULL_TEXT},
    )
    filters = (
        parameter("group", TEXT),
        parameter("mine", {"enum": ["true", "false"]}),
        parameter("q", TEXT),
        parameter("type", {"enum": list(TYPES)}),
        parameter("status", {"enum": list(STATUSES)}),
        parameter("created_by", TEXT),
        parameter("sort", {"enum": [*SORTS]}),
        parameter("order", {"enum": ["asc", "desc"]}),
        parameter("cursor", TEXT),
        limit,
    )
    one, contacts = "/segments/{segment_id}", "/segments/{segment_id}/contacts"
    new_id = closed({"new_segment_id": SOME_TEXT}, optional=("new_segment_id",))
    open_to_all: Json = {"security": []}
    paths: Json = {
        "/session": {
            "get": operation("Who is signed in", 200, object_of(SESSION)),
            "post": {
                **operation(
                    "Sign a page in: exchange a token for a cookie",
                    200,
                    object_of(SESSION),
                    body=SignIn.model_json_schema(),
                ),
                **open_to_all,
            },
            "delete": {**operation("Sign the page out", 204), **open_to_all},
        },
        "/segments": {
            "get": operation(
                "A page of the list of segments",
                200,
                object_of({"rows": list_of(reference("Row")), "total": COUNT, **more}),
                parameters=filters,
            ),
            "post": operation("Make a segment", 201, segment, body=reference("NewDefinition")),
        },
        one: {
            "get": operation("A segment with its definition", 200, segment, parameters=(SEGMENT_ID, WORDS)),
            "put": operation(
                "Replace a segment's definition; version or If-Match names the version that was edited",
                200,
                segment,
                body=reference("NewDefinition"),
                parameters=(SEGMENT_ID, IF_MATCH),
            ),
            "delete": operation(
                "Delete a segment that no other refers to", 204, parameters=(SEGMENT_ID, IF_MATCH)
            ),
        },
        f"{one}/copy": {
            "post": operation(
                "Make a segment of your own with the same conditions",
                201,
                segment,
                body=new_id,
                optional_body=True,
                parameters=(SEGMENT_ID, IF_MATCH),
            )
        },
        **version_paths(one),
        f"{one}/share": {
            "post": operation(
                "Let other accounts see and copy a segment",
                200,
                segment,
                body=closed({"accounts": ACCOUNTS}),
                parameters=(SEGMENT_ID, IF_MATCH),
            )
        },
        f"{one}/calculate": {
            "post": operation(
                "Start the calculation of a segment", 202, segment, parameters=(SEGMENT_ID, IF_MATCH)
            )
        },
        f"{one}/recount": {
            "post": operation(
                "Evaluate a segment again for a page of one partition's contacts",
                200,
                object_of({"partitions": COUNT, "contacts": COUNT, "changes": COUNT, **more}),
                body=RecountRequest.model_json_schema(),
                parameters=(SEGMENT_ID,),
            )
        },
        contacts: {
            "get": operation(
                "The contacts that are, were or are no longer in a segment, by contact_id",
                200,
                object_of(
                    {
                        "contacts": list_of(
                            object_of(
                                LISTED_MEMBER,
                                optional=("next_change_at", "left_at", "segment_version", "reason"),
                            )
                        ),
                        **more,
                        "at": INSTANT,
                        "complete_since": INSTANT,
                    },
                    optional=("at", "complete_since"),
                ),
                parameters=(
                    SEGMENT_ID,
                    *(parameter(name, TEXT) for name in PAST),
                    parameter("q", TEXT),
                    parameter("after", TEXT),
                    parameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST_CONTACTS}),
                ),
            )
        },
        f"{one}/growth": {
            "get": operation(
                "How many contacts entered and left a segment by hour or day, and how many were in it",
                200,
                object_of(GROWTH),
                parameters=(
                    SEGMENT_ID,
                    parameter("by", {"enum": ["hour", "day"]}),
                    parameter("since", TEXT),
                    parameter("until", TEXT),
                    parameter("timezone", TEXT),
                ),
            )
        },
        f"{contacts}/{{contact_id}}/explain": {
            "get": operation(
                "Why a contact is in a segment or not",
                200,
                object_of(EXPLANATION, optional=("words",)),
                parameters=(SEGMENT_ID, CONTACT_ID, WORDS),
            )
        },
        "/groups": {
            "get": operation("All groups", 200, object_of({"groups": list_of(group)})),
            "post": operation("Make a group", 201, group, body=GroupName.model_json_schema()),
        },
        "/groups/{group}": {
            "patch": operation(
                "Rename a group",
                200,
                group,
                body=GroupName.model_json_schema(),
                parameters=(GROUP_NAME,),
            ),
            "delete": operation(
                "Delete a group; its segments fall to default", 204, parameters=(GROUP_NAME,)
            ),
        },
        "/contacts": {
            "get": operation(
                "Contacts whose ids begin with a text, by contact_id",
                200,
                object_of({"contacts": list_of(object_of(FOUND_CONTACT)), **more}),
                parameters=(parameter("q", TEXT), parameter("after", TEXT), limit),
            )
        },
        "/contacts/{contact_id}/segments": {
            "get": operation(
                "The segments in which a contact was at an instant",
                200,
                object_of(STANDING),
                parameters=(CONTACT_ID, parameter("at", TEXT)),
            )
        },
        "/contacts/{contact_id}/timeline": {
            "get": operation(
                "Events and changes of memberships of a contact, the latest first",
                200,
                object_of(TIMELINE),
                parameters=(CONTACT_ID, parameter("cursor", TEXT), limit),
            )
        },
        "/contacts/{contact_id}/calendar": {
            "get": operation(
                "How often which events happened to a contact on each day of a month",
                200,
                object_of(CALENDAR),
                parameters=(
                    CONTACT_ID,
                    {**parameter("month", MONTH), "required": True},
                    parameter("timezone", TEXT),
                ),
            )
        },
        "/contacts/{contact_id}": {
            "get": operation("A contact and its segments", 200, object_of(CONTACT), parameters=(CONTACT_ID,)),
            "delete": operation(
                "Write an erasure of the contact; it is applied within moments",
                202,
                object_of({"contact_id": SOME_TEXT, "partition": COUNT, "offset": COUNT}),
                parameters=(CONTACT_ID, parameter("keep_suppressions", {"enum": ["true", "false"]})),
            ),
        },
        "/contacts/{contact_id}/erasure": {
            "get": operation(
                "Where the data of an erased contact is gone, and by when in other places",
                200,
                object_of(ERASURE),
                parameters=(CONTACT_ID, parameter("offset", {"type": "integer", "minimum": 0})),
            )
        },
        "/contacts/{contact_id}/export": {
            "get": operation(
                "All that is known of a contact", 200, object_of(EXPORT), parameters=(CONTACT_ID,)
            )
        },
        "/contacts/lists": {
            "post": operation(
                "Put contacts into a static segment, and take contacts out of it",
                202,
                object_of({"accepted": COUNT}),
                body=ListChange.model_json_schema(),
            )
        },
        "/check": {
            "post": operation(
                "Check whether a definition would be saved now; nothing is changed",
                204,
                body=CheckRequest.model_json_schema(),
            )
        },
        "/preview": {
            "post": operation(
                "Count the contacts that a definition would have now, or explain one; nothing is stored",
                200,
                {
                    "anyOf": [
                        object_of(
                            {
                                **PREVIEWED,
                                "compared": object_of(COMPARED, optional=("differences",)),
                                "words": NULL_TEXT,
                            },
                            optional=("compared", "words"),
                        ),
                        object_of({"explanation": object_of(EXPLANATION, optional=("words",))}),
                    ]
                },
                body=PreviewRequest.model_json_schema(),
                parameters=(WORDS,),
            )
        },
        "/verify": {
            "post": operation(
                "Compare the state of a page of contacts with the result of their attributes and history",
                200,
                object_of(VERIFIED),
                body=VerifyRequest.model_json_schema(),
            )
        },
        "/window": {
            "post": operation(
                "The instants between which an occurrence is in a window now",
                200,
                object_of(WINDOW),
                body=_window_question(),
            )
        },
        "/vocabulary": {
            "get": operation(
                "What a definition may contain, and the names and values that contacts have",
                200,
                object_of(VOCABULARY),
            )
        },
        "/diagnosis": {
            "get": operation(
                "The latest warnings and errors of this worker, and where its tasks and threads are",
                200,
                object_of(DIAGNOSIS),
            )
        },
        "/workers": {
            "get": operation(
                "The condition of every worker: partitions, lag, dead letters, settings",
                200,
                object_of(WORKERS),
            )
        },
        "/changes": {"get": _stream()},
        "/openapi.json": {"get": {**operation("This description", 200, {"type": "object"}), **open_to_all}},
    }
    for path, methods in paths.items():
        if "get" in methods and path != "/changes":
            _tag(methods["get"])
    extras: dict[str, Json] = {
        "move": {"group": SOME_TEXT},
        "share": {"accounts": ACCOUNTS},
        "delete": {},
        "calculate": {},
    }
    for command, extra in extras.items():
        paths[f"/batch/{command}"] = {
            "post": operation(
                f"{command.capitalize()} several segments: all of them or none",
                200,
                changed,
                body=closed({"segment_ids": SEGMENT_IDS, **extra}),
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
                "Problem": object_of(PROBLEM, optional=("path", "current_version", "complete_since")),
            },
        },
    }
