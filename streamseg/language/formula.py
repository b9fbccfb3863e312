"""The formula of a definition: the part that decides memberships, without name, group and shares."""

from __future__ import annotations

from typing import Any

import orjson

from schemas.definitions import FORMULA, SegmentDefinition
from streamseg.json_text import dumps


def formula(definition: SegmentDefinition) -> bytes:
    """Return the formula of a definition. It is equal for definitions with the same conditions: the order of
    keys does not matter, nor does a default that is written out (`"not": false`)."""
    body = definition.model_dump(mode="json", include=set(FORMULA), exclude_defaults=True)
    return formula_as_written(body)


def formula_as_written(definition: dict[str, Any]) -> bytes:
    """Return the formula of a definition in JSON that leaves out all defaults."""
    return canonical([definition.get(key) for key in FORMULA])


def canonical(value: Any) -> bytes:
    """Return a JSON value as text with sorted keys. Compared as text, true and 1 differ, as they do in JSON;
    in Python they are equal."""
    return dumps(value, option=orjson.OPT_SORT_KEYS)
