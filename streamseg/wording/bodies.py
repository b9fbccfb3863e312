"""Sentences of definitions and explanations in JSON, the form that the API and the command line have."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from schemas.definitions import Condition, SegmentDefinition, Step
from schemas.property_conditions import OccurrenceCondition
from streamseg.catalogue.labels import Language
from streamseg.json_text import Json
from streamseg.wording.conditions import condition, property_test, step
from streamseg.wording.definitions import definition
from streamseg.wording.outline import outline

_CONDITION: TypeAdapter[Any] = TypeAdapter(Condition)
_PROPERTY: TypeAdapter[Any] = TypeAdapter(OccurrenceCondition)
_STEP: TypeAdapter[Any] = TypeAdapter(Step)


def definition_words(body: Json, language: Language) -> str | None:
    """Return the sentence of a definition; None for an empty body and for a definition that this release does
    not know."""
    read = _read(body)
    return None if read is None else definition(read, language)


def definition_outline(body: Json, language: Language) -> list[str] | None:
    """Return the definition as lines; None as in `definition_words`."""
    read = _read(body)
    return None if read is None else outline(read, language)


def _read(body: Json) -> SegmentDefinition | None:
    try:
        return SegmentDefinition.model_validate(body)
    except ValidationError:
        return None


def condition_words(body: Json, language: Language) -> str | None:
    """Return the sentence of a condition; None for a condition that this release does not know."""
    try:
        return condition(_CONDITION.validate_python(body), language)
    except ValidationError:
        return None


def step_words(body: Json, language: Language) -> str:
    """Return the sentence of a step of a sequence."""
    return step(_STEP.validate_python(body), language)


def property_words(body: Json, language: Language) -> str:
    """Return the sentence of a test on one occurrence."""
    return property_test(_PROPERTY.validate_python(body), language)
