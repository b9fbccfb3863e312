"""The shapes of what the API answers, as JSON Schema for its OpenAPI description."""

from __future__ import annotations

from typing import Final

from agents.api.problems import STATUSES
from agents.api.roles import Role
from agents.api.signing_in import SIGNED_IN
from schemas.operands import TABLE
from streamseg.catalogue.labels import OPERATIONS, TYPES
from streamseg.catalogue.labels import STATUSES as SEGMENT_STATUSES
from streamseg.engine.verification import Kept
from streamseg.json_text import Json
from streamseg.store.growth import CAUSES
from streamseg.wording.differences import CHANGES

TEXT: Final[Json] = {"type": "string"}
SOME_TEXT: Final[Json] = {"type": "string", "minLength": 1}
COUNT: Final[Json] = {"type": "integer", "minimum": 0}
NULL_TEXT: Final[Json] = {"type": ["string", "null"]}
TIME: Final[Json] = {"type": ["string", "integer", "null"]}
INSTANT: Final[Json] = {"type": "string", "format": "date-time"}


def object_of(properties: Json, *, optional: tuple[str, ...] = ()) -> Json:
    """Return an object with these properties, all of them required unless they are in `optional`."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def list_of(items: Json) -> Json:
    """Return a list of such items."""
    return {"type": "array", "items": items}


def reference(name: str) -> Json:
    """Return the shape of that name in the document."""
    return {"$ref": f"#/components/schemas/{name}"}


ROW: Final[Json] = {
    "segment_id": SOME_TEXT,
    "name": SOME_TEXT,
    "type": {"enum": list(TYPES)},
    "type_label": TEXT,
    "group": SOME_TEXT,
    "version": {"type": "integer", "minimum": 1},
    "status": {"enum": list(SEGMENT_STATUSES)},
    "status_label": TEXT,
    "progress": {"type": "number", "minimum": 0, "maximum": 1},
    "contacts": COUNT,
    "created_by": NULL_TEXT,
    "created_at": TIME,
    "updated_by": NULL_TEXT,
    "updated_at": TIME,
    "shared_with": list_of(TEXT),
    "operations": list_of({"enum": list(OPERATIONS)}),
}
VERSION: Final[Json] = {
    "version": {"type": "integer", "minimum": 1},
    "name": SOME_TEXT,
    "saved_by": NULL_TEXT,
    "saved_at": TIME,
}
_LINES: Final[Json] = {
    "anyOf": [list_of(object_of({"change": {"enum": list(CHANGES)}, "text": TEXT})), {"type": "null"}]
}
ONE_VERSION: Final[Json] = {
    **VERSION,
    "definition": {"type": "object"},
    "words": NULL_TEXT,
    "differences": _LINES,
}
DELETED_SEGMENT: Final[Json] = {
    "segment_id": SOME_TEXT,
    "deletion": COUNT,
    "name": SOME_TEXT,
    "type": {"enum": list(TYPES)},
    "group": SOME_TEXT,
    "version": {"type": "integer", "minimum": 1},
    "deleted_by": SOME_TEXT,
    "deleted_at": INSTANT,
    "restorable_until": INSTANT,
}
GROUP: Final[Json] = {
    "group": SOME_TEXT,
    "label": TEXT,
    "built_in": {"type": "boolean"},
    "created_by": NULL_TEXT,
    "segments": COUNT,
    "operations": list_of({"enum": ["rename", "delete"]}),
}
MEMBERSHIP: Final[Json] = {
    "segment_id": SOME_TEXT,
    "entered_at": INSTANT,
    "sequence": {"type": "integer", "minimum": 1},
    "next_change_at": INSTANT,
}
MEMBER: Final[Json] = {
    "contact_id": SOME_TEXT,
    "entered_at": INSTANT,
    "sequence": {"type": "integer", "minimum": 1},
}
CAUSE: Final[Json] = {"enum": list(CAUSES)}
_WHY: Final[Json] = {
    "segment_version": {"type": ["integer", "null"], "minimum": 1},
    "reason": {"anyOf": [object_of({"kind": CAUSE, "ref": NULL_TEXT}), {"type": "null"}]},
}
_MAYBE_INSTANT: Final[Json] = {**INSTANT, "type": ["string", "null"]}
STANDING: Final[Json] = {
    "contact_id": SOME_TEXT,
    "at": INSTANT,
    "complete_since": INSTANT,
    "segments": list_of(
        object_of(
            {
                "segment_id": SOME_TEXT,
                "entered_at": _MAYBE_INSTANT,
                "sequence": {"type": "integer", "minimum": 1},
                **_WHY,
            }
        )
    ),
}
LISTED_MEMBER: Final[Json] = {
    **MEMBER,
    "entered_at": _MAYBE_INSTANT,
    "next_change_at": INSTANT,
    "left_at": INSTANT,
    **_WHY,
}
_BY_CAUSE: Final[Json] = {
    "type": "object",
    "properties": {cause: {"type": "integer", "minimum": 1} for cause in CAUSES},
    "additionalProperties": False,
}
GROWTH: Final[Json] = {
    "segment_id": SOME_TEXT,
    "by": {"enum": ["hour", "day"]},
    "timezone": SOME_TEXT,
    "complete_since": INSTANT,
    "contacts": COUNT,
    "buckets": list_of(
        object_of(
            {
                "start": INSTANT,
                "end": INSTANT,
                "contacts": COUNT,
                "entered": _BY_CAUSE,
                "left": _BY_CAUSE,
                "complete": {"type": "boolean"},
            }
        )
    ),
    "versions": list_of(
        object_of(
            {
                "version": {"type": "integer", "minimum": 1},
                "saved_at": INSTANT,
                "saved_by": NULL_TEXT,
                "bucket": COUNT,
            }
        )
    ),
}
CONTACT: Final[Json] = {
    "contact_id": SOME_TEXT,
    "known_since": INSTANT,
    "attributes": {"type": "object"},
    "updated_at": {"type": "object", "additionalProperties": INSTANT},
    "tags": list_of(TEXT),
    "lists": list_of(TEXT),
    "segments": list_of(object_of(MEMBERSHIP, optional=("next_change_at",))),
}
_STATED: Final[Json] = {"updated_at": INSTANT}
EXPORT: Final[Json] = {
    "contact_id": SOME_TEXT,
    "exported_at": INSTANT,
    "known_since": NULL_TEXT,
    "erased_at": NULL_TEXT,
    "attributes": list_of(object_of({"attribute": TEXT, "value": {}, **_STATED})),
    "lists": list_of(object_of({"segment_id": SOME_TEXT, "is_in": {"type": "boolean"}, **_STATED})),
    "memberships": list_of(
        object_of(
            {
                "segment_id": SOME_TEXT,
                "member": {"type": "boolean"},
                "sequence": {"type": "integer", "minimum": 1},
                "changed_at": INSTANT,
                "next_change_at": NULL_TEXT,
            }
        )
    ),
    "changes": list_of(
        object_of(
            {
                "segment_id": SOME_TEXT,
                "segment_version": {"type": "integer", "minimum": 1},
                "change": {"enum": ["entered", "exited"]},
                "sequence": {"type": "integer", "minimum": 1},
                "effective_at": INSTANT,
                "reason": object_of({"kind": SOME_TEXT, "ref": NULL_TEXT}),
            }
        )
    ),
    "suppressions": list_of({"enum": ["email", "sms"]}),
    "opt_outs": {"type": "object"},
    "events": list_of(
        object_of(
            {
                "event_id": SOME_TEXT,
                "event": SOME_TEXT,
                "occurred_at": INSTANT,
                "recorded_at": INSTANT,
                "derived": {"type": "boolean"},
                "properties": {"type": "object"},
            }
        )
    ),
}
ERASURE: Final[Json] = {
    "contact_id": SOME_TEXT,
    "erased_at": INSTANT,
    "known_again": {"type": "boolean"},
    "kept_suppressions": list_of({"enum": ["email", "sms"]}),
    "sent": {"type": "boolean"},
    "places": list_of(object_of({"place": SOME_TEXT, "gone_by": NULL_TEXT})),
}
FOUND_CONTACT: Final[Json] = {"contact_id": SOME_TEXT, "name": NULL_TEXT, "known_since": INSTANT}
_EVENT_ROW: Final[Json] = {
    "at": INSTANT,
    "kind": {"const": "event"},
    "event": SOME_TEXT,
    "event_id": SOME_TEXT,
    "derived": {"type": "boolean"},
    "properties": {"type": "object"},
    "label": NULL_TEXT,
}
_MEMBERSHIP_ROW: Final[Json] = {
    "at": INSTANT,
    "kind": {"const": "membership"},
    "segment_id": SOME_TEXT,
    "change": {"enum": ["entered", "exited"]},
    "sequence": {"type": "integer", "minimum": 1},
    **_WHY,
}
TIMELINE: Final[Json] = {
    "contact_id": SOME_TEXT,
    "rows": list_of({"anyOf": [object_of(_EVENT_ROW), object_of(_MEMBERSHIP_ROW)]}),
    "next_cursor": NULL_TEXT,
}
MONTH: Final[Json] = {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"}
CALENDAR: Final[Json] = {
    "contact_id": SOME_TEXT,
    "month": MONTH,
    "timezone": SOME_TEXT,
    "days": list_of(
        object_of(
            {
                "day": {"type": "string", "format": "date"},
                "events": list_of(object_of({"event": SOME_TEXT, "count": COUNT, "label": NULL_TEXT})),
            }
        )
    ),
    "months": list_of(SOME_TEXT),
}
EXPLANATION: Final[Json] = {
    "segment_id": SOME_TEXT,
    "segment_version": {"type": "integer", "minimum": 1},
    "contact_id": SOME_TEXT,
    "at": INSTANT,
    "member": {"type": "boolean"},
    "since": NULL_TEXT,
    "sequence": COUNT,
    "next_change_at": NULL_TEXT,
    "parts": list_of({"type": "object"}),
    "words": NULL_TEXT,
}
LABEL: Final[Json] = object_of({"zh": TEXT, "en": TEXT})
NAMED: Final[Json] = object_of({"name": SOME_TEXT, "label": LABEL})
SEEN: Final[Json] = {
    "last_seen": INSTANT,
    "types": {"type": "object", "additionalProperties": COUNT},
    "values": list_of(object_of({"value": {"type": ["string", "number", "boolean"]}, "count": COUNT})),
}
NAME_SEEN: Final[Json] = {
    "name": SOME_TEXT,
    "label": {"anyOf": [LABEL, {"type": "null"}]},
    "identifies": {"type": "boolean"},
    "type": SOME_TEXT,
}


def or_null(schema: Json) -> Json:
    """Return a shape that may be null instead."""
    return {"anyOf": [schema, {"type": "null"}]}


OPERATOR: Final[Json] = {
    "name": {"enum": [name for row in TABLE for name in row.names]},
    "positive": {"enum": [row.name for row in TABLE]},
    "operand": {"enum": [None, *sorted({row.operand for row in TABLE if row.operand is not None})]},
    "kinds": list_of(TEXT),
    "moves": {"type": "boolean"},
    "compares_text": {"type": "boolean"},
    "compares_numbers": {"type": "boolean"},
    "label": LABEL,
    "sentence": LABEL,
}
VOCABULARY: Final[Json] = {
    "timezone": SOME_TEXT,
    "operators": list_of(object_of(OPERATOR)),
    "count_operators": list_of(
        object_of({"name": SOME_TEXT, "operand": SOME_TEXT, "label": LABEL, "sentence": LABEL})
    ),
    "functions": list_of(NAMED),
    "units": list_of(NAMED),
    "calendar_parts": list_of(
        object_of(
            {"name": SOME_TEXT, "label": LABEL, "low": {"type": "integer"}, "high": {"type": "integer"}}
        )
    ),
    "conditions": list_of(object_of({"kind": SOME_TEXT, "label": LABEL})),
    "windows": list_of(object_of({"form": SOME_TEXT, "label": LABEL, "example": {"type": "object"}})),
    "attributes": list_of(
        object_of(
            {
                **NAME_SEEN,
                "standard": {"type": "boolean"},
                "seen": or_null(object_of({"contacts": COUNT, **SEEN})),
            }
        )
    ),
    "events": list_of(
        object_of(
            {
                "name": SOME_TEXT,
                "label": {"anyOf": [LABEL, {"type": "null"}]},
                "standard": {"type": "boolean"},
                "derived": {"type": "boolean"},
                "seen": or_null(object_of({"count": COUNT, "contacts": COUNT, "last_seen": INSTANT})),
                "properties": list_of(object_of({**NAME_SEEN, "seen": object_of({"count": COUNT, **SEEN})})),
            }
        )
    ),
    "sample": object_of({"contacts": COUNT}),
}
SESSION: Final[Json] = {
    "account": SOME_TEXT,
    "signed_in": {"enum": list(SIGNED_IN)},
    "role": {"enum": [role.value for role in Role]},
    "contacts": {"type": "boolean"},
    "expires_at": NULL_TEXT,
}
PREVIEWED: Final[Json] = {"contacts": COUNT, "sample": list_of(SOME_TEXT)}
_POSITION: Final[Json] = {"type": ["integer", "null"], "minimum": 0}
_REASON: Final[Json] = {
    "definition": {"enum": ["draft", "in_force"]},
    "part": COUNT,
    "cluster": _POSITION,
    "condition": _POSITION,
    "holds": {"type": "boolean"},
    "contacts": COUNT,
    "test": {"type": ["object", "null"]},
    "words": NULL_TEXT,
}
_MOVED: Final[Json] = {**PREVIEWED, "reasons": list_of(object_of(_REASON, optional=("words",)))}
_COUNTED_CONDITION: Final[Json] = {
    "condition": {"type": ["object", "null"]},
    "contacts": COUNT,
    "words": NULL_TEXT,
}
_COUNTED_CLUSTER: Final[Json] = {
    "match": {"enum": ["all", "any"]},
    "contacts": COUNT,
    "conditions": list_of(object_of(_COUNTED_CONDITION, optional=("words",))),
}
_COUNTED_PART: Final[Json] = {
    "name": NULL_TEXT,
    "relation": {"enum": ["include", "exclude"]},
    "contacts": COUNT,
    "clusters": list_of(object_of(_COUNTED_CLUSTER)),
}
COMPARED: Final[Json] = {
    "known": COUNT,
    "at": INSTANT,
    "with_version": {"type": ["integer", "null"], "minimum": 1},
    "entering": object_of(_MOVED),
    "leaving": object_of(_MOVED),
    "staying": object_of(PREVIEWED),
    "parts": list_of(object_of(_COUNTED_PART)),
    "differences": _LINES,
}
DIFFERENCE: Final[Json] = {
    "kept": {"enum": [kept.value for kept in Kept]},
    "contact_id": SOME_TEXT,
    "segment_id": NULL_TEXT,
    "found": TEXT,
    "expected": TEXT,
}
VERIFIED: Final[Json] = {
    "partitions": COUNT,
    "contacts": COUNT,
    "differences": list_of(object_of(DIFFERENCE)),
    "memberships": list_of(object_of({"segment_id": SOME_TEXT, **MEMBER})),
    "member_counts": {"type": "object", "additionalProperties": COUNT},
    "changes_before": COUNT,
    "changes": COUNT,
    "next_cursor": NULL_TEXT,
}
PROBLEM: Final[Json] = {
    "type": TEXT,
    "title": TEXT,
    "status": {"type": "integer"},
    "detail": TEXT,
    "code": {"enum": [str(code) for code in STATUSES]},
    "path": TEXT,
    "current_version": {"type": "integer"},
    "complete_since": INSTANT,
}

_PLACES: Final[Json] = list_of(SOME_TEXT)
_DONE: Final[Json] = {"anyOf": [object_of({"done": COUNT, "total": COUNT}), {"type": "null"}]}

WORKER: Final[Json] = {
    "version": SOME_TEXT,
    "form": {"enum": ["compiled", "plain"]},
    "ready": {"type": "boolean"},
    "reasons": list_of(SOME_TEXT),
    "since": INSTANT,
    "leader": {"type": "boolean"},
    "clock": INSTANT,
    "clock_doubt": NULL_TEXT,
    "partitions": list_of(
        object_of(
            {
                "partition": COUNT,
                "state": {"enum": ["assigned", "restoring", "at_work", "releasing", "gone"]},
                "restored": _DONE,
                "lag": {"type": "object", "additionalProperties": {"type": ["integer", "null"]}},
                "clock": {**INSTANT, "type": ["string", "null"]},
                "behind_ms": {"type": ["integer", "null"]},
                "swept": _DONE,
            }
        )
    ),
    "dead_letters": object_of(
        {
            "counts": {"type": "object", "additionalProperties": COUNT},
            "latest": list_of(
                object_of(
                    {
                        "at": INSTANT,
                        "code": SOME_TEXT,
                        "message": TEXT,
                        "path": TEXT,
                        "topic": SOME_TEXT,
                        "partition": COUNT,
                        "offset": COUNT,
                        "applied": {"enum": ["no", "partly"]},
                    }
                )
            ),
        }
    ),
    "settings": {"type": "object"},
}
"""The condition of one worker."""

_NULL_INSTANT: Final[Json] = {**INSTANT, "type": ["string", "null"]}
WINDOW: Final[Json] = {"now": INSTANT, "first": _NULL_INSTANT, "end": _NULL_INSTANT, "timezone": SOME_TEXT}
"""The instants of a window."""

WORKERS: Final[Json] = {
    "asked": SOME_TEXT,
    "workers": list_of(
        object_of(
            {
                "url": SOME_TEXT,
                "problem": NULL_TEXT,
                "condition": {"anyOf": [object_of(WORKER), {"type": "null"}]},
            }
        )
    ),
}

_STACKS: Final[Json] = list_of(object_of({"name": TEXT, "at": _PLACES}))

DIAGNOSIS: Final[Json] = {
    "errors": list_of(
        object_of(
            {
                "time": INSTANT,
                "level": SOME_TEXT,
                "logger": SOME_TEXT,
                "message": TEXT,
                "times": COUNT,
                "raised": list_of(object_of({"class": SOME_TEXT, "at": _PLACES})),
            }
        )
    ),
    "tasks": _STACKS,
    "threads": _STACKS,
}
