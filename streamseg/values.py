"""JSON values: missing ones, equality by value, and dotted paths into nested objects."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from schemas.scalars import by_value


def is_missing(value: object) -> bool:
    """Return whether a value is absent, null, or an empty string, list or object."""
    return value is None or (isinstance(value, (str, list, dict)) and not value)


def is_number(value: object) -> bool:
    """Return whether a value is a JSON number; booleans are not numbers."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def value_key(value: Any) -> Hashable:
    """Return a hashable key that is equal for equal JSON values: 1 and 1.0 are equal, 1 and true are not."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return ("constant", value)
    if isinstance(value, (int, float)):
        return ("number", by_value(value))
    if isinstance(value, list):
        return ("list", tuple(value_key(item) for item in value))
    return ("object", frozenset((name, value_key(item)) for name, item in value.items()))


def same_value(one: Any, other: Any) -> bool:
    """Return whether two JSON values are equal. For speed, `value_key` is used only if it is needed."""
    if isinstance(one, str) or isinstance(other, str):
        return bool(one == other)
    if one is None or other is None:
        return one is other
    return value_key(one) == value_key(other)


def same_number_types(one: Any, other: Any) -> bool:
    """Return whether two JSON values that are equal have integers in the same places. 1 and 1.0 are equal,
    but only the first of them can be a time."""
    if isinstance(one, dict):
        return all(same_number_types(item, other[name]) for name, item in one.items())
    if isinstance(one, list):
        return all(map(same_number_types, one, other))
    return isinstance(one, float) is isinstance(other, float)


def split_path(path: str) -> tuple[str, ...]:
    r"""Return the steps of a dotted path. A literal dot is written `\.` and a literal bracket `\[`. Any other
    character stands for itself, also a bracket that does not look like an index.

    Raises ValueError for an empty step.

    >>> split_path(r"order.net\.amount"), split_path(r"lines\[0]")
    (('order', 'net.amount'), ('lines[0]',))
    """
    steps: list[str] = []
    step: list[str] = []
    index = 0
    while index < len(path):
        if path.startswith(("\\.", "\\["), index):
            step.append(path[index + 1])
            index += 2
            continue
        if path[index] == ".":
            steps.append("".join(step))
            step = []
        else:
            step.append(path[index])
        index += 1
    steps.append("".join(step))
    if not all(steps):
        raise ValueError(f"{path!r} has an empty step; write a literal dot as \\.")
    return tuple(steps)


def walk(value: Any, steps: tuple[str, ...]) -> Any:
    """Return the value to which `steps` lead from `value`; None if there is none."""
    for step in steps:
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)
    return value


def element_path(path: str) -> tuple[str, ...]:
    """Return the steps of a path inside an element of a list. An empty path has no steps: it is the
    element."""
    return split_path(path) if path else ()


def element_getter(steps: tuple[str, ...]) -> Callable[[Any], Any]:
    """Return a function that reads one path in an element of a list, which may be any value; it returns None
    if there is no value."""
    return lambda element: walk(element, steps)


def getter(steps: tuple[str, ...]) -> Callable[[Mapping[str, Any]], Any]:
    """Return a function that reads one path in an object; it returns None if there is no value."""
    if len(steps) == 1:
        name = steps[0]
        return lambda properties: properties.get(name)
    return lambda properties: walk(properties, steps)
