"""What a definition asks for, with nothing around it: name, group and shares leave memberships alone."""

from __future__ import annotations

from typing import Any

import orjson

from schemas.definitions import FORMULA, SegmentDefinition
from streamseg.json_text import dumps


def formula(definition: SegmentDefinition) -> bytes:
    """The same for two definitions that ask for the same. Key order plays no part, nor does a default that is
    written out (`"not": false`)."""
    body = definition.model_dump(mode="json", include=set(FORMULA), exclude_defaults=True)
    return formula_as_written(body)


def formula_as_written(definition: dict[str, Any]) -> bytes:
    """The formula of a definition in JSON that writes nothing which may be left out."""
    return canonical([definition.get(key) for key in FORMULA])


def canonical(value: Any) -> bytes:
    """A JSON value as text, keys sorted. In Python true equals 1, in JSON it does not."""
    return dumps(value, option=orjson.OPT_SORT_KEYS)
