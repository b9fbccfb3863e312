"""Standard attributes: the type of each, and the check of the operators and operands that fit it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from schemas import definitions as wire
from schemas import operands
from schemas.attributes import STANDARD_ATTRIBUTES
from schemas.property_conditions import (
    ElementGroup,
    ElementPropertyCondition,
    InnerElementsCondition,
    OperatorTest,
)
from streamseg.errors import Code, RejectedError
from streamseg.language.operators import positive
from streamseg.values import is_number

_NAMES = {
    "string": "text",
    "number": "a number",
    "boolean": "true or false",
    "time": "a time",
    "list": "a list of texts",
    "string_or_number": "text or a number",
}
_KINDS: Mapping[str, frozenset[operands.Kind]] = {
    "string": frozenset({"string"}),
    "number": frozenset({"number"}),
    "boolean": frozenset({"boolean"}),
    "time": frozenset({"time"}),
    "list": frozenset({"list"}),
    "string_or_number": frozenset({"string", "number"}),
}


def standard_kind(steps: tuple[str, ...]) -> str | None:
    """Return the kind of value of the standard attribute that a path names; None if it names none."""
    return STANDARD_ATTRIBUTES.get(steps[0]) if len(steps) == 1 else None


def is_standard_time(steps: tuple[str, ...]) -> bool:
    """Return whether a path names a standard attribute that is a time."""
    return standard_kind(steps) == "time"


def check_standard(steps: tuple[str, ...], test: OperatorTest, path: str) -> None:
    """Raises RejectedError if a standard attribute is compared with a value of another type."""
    kind = standard_kind(steps)
    if kind is not None:
        _check(steps[0], kind, test, path)


def check_standard_elements(
    steps: tuple[str, ...], condition: wire.AttributeElementsCondition, path: str
) -> None:
    """Raises RejectedError if a condition tests elements that a standard attribute cannot have. Only a list
    has elements, and they are texts."""
    kind = standard_kind(steps)
    if kind is None:
        return
    if kind != "list":
        raise _refusal(f"{steps[0]} is {_NAMES[kind]} and has no elements", f"{path}.elements")
    _check_items(steps[0], condition.elements, f"{path}.elements")


def _check_items(name: str, group: ElementGroup, path: str) -> None:
    for index, test in enumerate(group.conditions):
        _ITEM_CHECKS[type(test)](test, name, f"{path}.conditions[{index}]")


def _refuse_inner_elements(_: InnerElementsCondition, name: str, path: str) -> None:
    raise _refusal(f"an element of {name} is a text and has no elements", f"{path}.elements")


def _check_element_property(test: ElementPropertyCondition, name: str, path: str) -> None:
    if test.property:
        raise _refusal(
            f'an element of {name} is a text and has no properties; write "", the element itself',
            f"{path}.property",
        )
    _check(f"an element of {name}", "string", test, path)


_ITEM_CHECKS: Mapping[type[Any], Callable[[Any, str, str], None]] = {
    ElementPropertyCondition: _check_element_property,
    InnerElementsCondition: _refuse_inner_elements,
}


def _check(name: str, kind: str, test: OperatorTest, path: str) -> None:
    if test.as_ is not None:
        raise _refusal(f"{name} is {_NAMES[kind]} already; remove as", f"{path}.as")
    if _KINDS[kind].isdisjoint(operands.BY_NAME[test.operator].kinds):
        instead = operands.FOR_TIMES.get(test.operator) if kind == "time" else None
        advice = "" if instead is None else f"; use {instead}"
        raise _refusal(
            f"{name} is {_NAMES[kind]}; {test.operator} does not go with that{advice}", f"{path}.operator"
        )
    if kind != "time" and not _fits(kind, positive(test.operator)[0], test.value):
        raise _refusal(f"{name} is compared with {_NAMES[kind]} only", f"{path}.value")


def _refusal(message: str, path: str) -> RejectedError:
    return RejectedError(Code.INVALID_SCHEMA, message, path)


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
