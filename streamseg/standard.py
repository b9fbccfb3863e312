"""Standard attributes: what type each has, and which operators and operands go with it."""

from __future__ import annotations

from typing import Any

from schemas.attributes import STANDARD_ATTRIBUTES
from streamseg.errors import Code, RejectedError
from streamseg.operators import KIND_OPERATORS, positive
from streamseg.values import is_number

_NAMES = {
    "string": "text",
    "number": "a number",
    "boolean": "true or false",
    "time": "a time",
    "list": "a list of texts",
    "string_or_number": "text or a number",
}


def is_standard_time(steps: tuple[str, ...]) -> bool:
    """Whether a path names a standard time attribute."""
    return len(steps) == 1 and STANDARD_ATTRIBUTES.get(steps[0]) == "time"


def check_standard(steps: tuple[str, ...], operator: str, operand: Any, path: str) -> None:
    """Raises RejectedError where a standard attribute is compared with a value of another type."""
    kind = STANDARD_ATTRIBUTES.get(steps[0]) if len(steps) == 1 else None
    if kind is None:
        return
    name, _ = positive(operator)
    if name not in KIND_OPERATORS[kind]:
        raise RejectedError(
            Code.INVALID_SCHEMA,
            f"{steps[0]} is {_NAMES[kind]}; {operator} does not go with that",
            f"{path}.operator",
        )
    if kind != "time" and not _fits(kind, name, operand):
        raise RejectedError(
            Code.INVALID_SCHEMA, f"{steps[0]} is compared with {_NAMES[kind]} only", f"{path}.value"
        )


def _fits(kind: str, name: str, operand: Any) -> bool:
    if name == "is_set":
        return True
    if kind == "list" and name == "eq" and not isinstance(operand, list):
        return False
    values = operand if isinstance(operand, list) else [operand]
    if kind != "list" and name == "eq" and isinstance(operand, list):
        return False
    return all(_is_a(kind, name, value) for value in values)


def _is_a(kind: str, name: str, value: Any) -> bool:
    if kind in ("string", "list"):
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "number" or name == "between":
        return is_number(value)
    return isinstance(value, str) or is_number(value)
