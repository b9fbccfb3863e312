"""Whether two definitions in JSON have the same members, by the rule of `streamseg.language.formula`."""

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
    """Return whether two definitions of a segment have the same conditions, so that the memberships of one
    are valid for the other."""
    return _formula(one) == _formula(other)


def same_json(one: Any, other: Any) -> bool:
    """Return whether two values are the same JSON, key order aside. In Python true equals 1; in JSON it does
    not."""
    return canonical(one) == canonical(other)


def formula_digest(definition: Json) -> str:
    """Return SHA-256 of a definition's conditions, in hexadecimal. Equal conditions give equal digests."""
    return hashlib.sha256(_formula(definition)).hexdigest()


def _formula(definition: Json) -> bytes:
    written = formula_as_written(definition)
    # Most definitions are in their shortest form already, and validating a model takes thirty times as long
    # as this search.
    if not any(text in written for text in _longer_forms()):
        return written
    try:
        return formula(SegmentDefinition.model_validate(definition))
    except ValidationError:
        # A built-in segment has no conditions, and a draft may come from a release that accepted more.
        return written


@cache
def _longer_forms() -> tuple[bytes, ...]:
    """Return the texts that occur only in definitions longer than their shortest form: an optional field with
    its default, and a number field that may hold a whole number."""
    return tuple(dict.fromkeys(_of_models(SegmentDefinition.model_json_schema())))


def _of_models(schema: Json) -> Iterator[bytes]:
    for model in (schema, *schema["$defs"].values()):
        for name, field in model.get("properties", {}).items():
            if "default" in field:
                yield dumps({name: field["default"]})[1:-1]
            elif field.get("type") == "number":
                yield dumps(name) + b":"
