"""The requests of `agents.api.versions` in the OpenAPI description."""

from __future__ import annotations

from typing import Final

from agents.api.operations import IF_MATCH, SEGMENT_ID, WORDS, operation, parameter
from agents.api.shapes import (
    DELETED_SEGMENT,
    NULL_TEXT,
    ONE_VERSION,
    TEXT,
    VERSION,
    list_of,
    object_of,
    reference,
)
from agents.api.versions import RestoreRequest
from schemas.pages import MOST_ROWS
from streamseg.json_text import Json

_VERSION_NUMBER: Final = parameter(
    "version", {"type": "integer", "minimum": 1, "maximum": 999_999_999}, "path"
)
_SINCE: Final = parameter("since", _VERSION_NUMBER["schema"])
_LIMIT: Final = parameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST_ROWS})


def version_paths(one: str) -> Json:
    """Return the paths by address. `one` is the address of one segment."""
    segment = reference("Segment")
    return {
        f"{one}/versions": {
            "get": operation(
                "The versions of a segment that are kept, the latest first",
                200,
                object_of({"versions": list_of(object_of(VERSION))}),
                parameters=(SEGMENT_ID,),
            )
        },
        f"{one}/versions/{{version}}": {
            "get": operation(
                "A version of a segment, and what differs since another one",
                200,
                object_of(ONE_VERSION, optional=("words", "differences")),
                parameters=(
                    SEGMENT_ID,
                    _VERSION_NUMBER,
                    WORDS,
                    _SINCE,
                ),
            )
        },
        f"{one}/versions/{{version}}/revert": {
            "post": operation(
                "Make an earlier version the latest one again, as a new version",
                200,
                segment,
                parameters=(SEGMENT_ID, _VERSION_NUMBER, IF_MATCH),
            )
        },
        "/deleted-segments": {
            "get": operation(
                "A page of the deleted segments that you can restore, the last deletion first",
                200,
                object_of({"segments": list_of(object_of(DELETED_SEGMENT)), "next_cursor": NULL_TEXT}),
                parameters=(
                    parameter("cursor", TEXT),
                    _LIMIT,
                ),
            )
        },
        "/deleted-segments/{segment_id}/restore": {
            "post": operation(
                "Make a deleted segment of yours again",
                201,
                segment,
                body=RestoreRequest.model_json_schema(),
                optional_body=True,
                parameters=(SEGMENT_ID,),
            )
        },
    }
