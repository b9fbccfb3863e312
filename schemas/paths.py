"""Paths and messages for refused input: the field that is wrong, and how to correct it.

The tags of our unions are written `<tag>`, so that they can be told from keys and left out of a path.
"""

from __future__ import annotations

import re
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

_ADVICE: Final[dict[str, str]] = {
    "extra_forbidden": "unknown key; remove it or correct its spelling",
    "missing": "required; give it",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a JSON object",
    "model_type": "must be a JSON object",
    "model_attributes_type": "must be a JSON object",
    "string_too_short": "must not be empty",
    "none_required": "must be null",
}


_QUOTED: Final = re.compile(r"'([^']*)'")
"""Finds the values of a literal in pydantic's message."""


def problem(message: str, at: str = "") -> PydanticCustomError:
    """Return an error for a validator to raise. `at` names the field below the validated value, such as
    `value[1]`."""
    return PydanticCustomError("refused", "{problem}", {"problem": message, "at": at})


def join_path(base: str, rest: str) -> str:
    """Join two paths: `a` and `b[0]` give `a.b[0]`, `a` and `[0]` give `a[0]`."""
    if not base or not rest:
        return base or rest
    return base + rest if rest.startswith("[") else f"{base}.{rest}"


def condition_path(part: int | None, cluster: int, condition: int) -> str:
    """Return the path of a condition in a definition. `part` is None in a standard definition."""
    within = "" if part is None else f"parts[{part}]."
    return f"{within}clusters[{cluster}].conditions[{condition}]"


def error_path(loc: tuple[int | str, ...]) -> str:
    """Return a location of keys and indexes as a path, such as `clusters[0].conditions[1].operator`."""
    path = ""
    for step in loc:
        path = join_path(path, f"[{step}]" if isinstance(step, int) else step.replace(".", "\\."))
    return path


def _message(error: ErrorDetails) -> str:
    kind = error["type"]
    context: dict[str, Any] = error.get("ctx", {})
    if kind in _ADVICE:
        return _ADVICE[kind]
    if kind == "string_too_long":
        return f"must have at most {context['max_length']} characters"
    if kind == "too_short":
        return f"must have at least {context['min_length']} item(s)"
    if kind == "too_long":
        return f"must have at most {context['max_length']} items"
    if kind == "literal_error":
        names = _QUOTED.findall(context["expected"])
        return f"must be one of {', '.join(names)}" if len(names) > 1 else f"must be {context['expected']}"
    return error["msg"].replace("Input should be", "must be", 1)


def _located(error: ErrorDetails) -> str:
    """Return the path of an error, without the tags of unions."""
    loc = error["loc"]
    # An unknown key is whatever somebody wrote, and may look like a tag. All other keys are ours.
    unknown = loc[-1:] if error["type"] == "extra_forbidden" else ()
    steps = [step for step in loc[: len(loc) - len(unknown)] if not _is_tag(step)]
    return join_path(error_path((*steps, *unknown)), error.get("ctx", {}).get("at", ""))


def _is_tag(step: int | str) -> bool:
    return isinstance(step, str) and step.startswith("<") and step.endswith(">")


def all_errors(error: ValidationError) -> list[tuple[str, str]]:
    """Return the path and message of every error. The messages never contain the refused value."""
    details = error.errors(include_url=False, include_input=False)
    return [(_located(detail), _message(detail)) for detail in details]


def first_error(error: ValidationError) -> tuple[str, str]:
    """Return the path and message of the most useful error. That is the deepest error; among equally deep
    ones an unknown key, because a misspelt key explains a missing one; then the first. The message never
    contains the refused value."""
    details = error.errors(include_url=False, include_input=False)

    def usefulness(detail: ErrorDetails) -> tuple[int, bool]:
        path = _located(detail)
        return (path.count(".") + path.count("["), detail["type"] == "extra_forbidden")

    best = max(details, key=usefulness)
    return _located(best), _message(best)
