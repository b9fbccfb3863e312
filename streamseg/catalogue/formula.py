"""Whether two definitions, as JSON, ask for the same: by the rule of `streamseg.language.formula`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import ValidationError

from schemas.definitions import SegmentDefinition
from streamseg.json_text import Json, dumps
from streamseg.language.formula import canonical, formula, formula_as_written


def same_conditions(one: Json, other: Json) -> bool:
    """Whether two definitions of a segment ask for the same, so that one's memberships stand for both."""
    return _formula(one) == _formula(other)


def same_json(one: Any, other: Any) -> bool:
    """Whether two values are written alike, key order aside: in Python true equals 1, in JSON it does not."""
    return canonical(one) == canonical(other)


def formula_digest(definition: Json) -> str:
    """The same for the same conditions: SHA-256 in hexadecimal."""
    return hashlib.sha256(_formula(definition)).hexdigest()


def _formula(definition: Json) -> bytes:
    written = formula_as_written(definition)
    # Most are written as short as can be: to make a model of one takes thirty times as long as to look.
    if not any(text in written for text in _longer_forms()):
        return written
    try:
        return formula(SegmentDefinition.model_validate(definition))
    except ValidationError:
        # A built-in segment has no conditions; a draft may be of a release that took more.
        return written


@cache
def _longer_forms() -> tuple[bytes, ...]:
    """The texts by which a definition may be written otherwise than its shortest form: an optional field with
    its default, a number that may be a whole one."""
    return tuple(dict.fromkeys(_of_models(SegmentDefinition.model_json_schema())))


def _of_models(schema: Json) -> Iterator[bytes]:
    for model in (schema, *schema["$defs"].values()):
        for name, field in model.get("properties", {}).items():
            if "default" in field:
                yield dumps({name: field["default"]})[1:-1]
            elif field.get("type") == "number":
                yield dumps(name) + b":"
