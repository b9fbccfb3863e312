"""Foreign JSON text, and how deep it may be nested.

orjson reads 1,024 levels and writes 254, and what is read of a record is written with more around it: in a
contact's state, in the events derived from it, in answers and explanations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import accumulate
from typing import Any, Final

import orjson

from schemas.paths import error_path
from streamseg.errors import Code, RejectedError
from streamseg.json_text import loads

NESTING_LIMIT: Final = 100
"""How many objects and lists may lie in one another, the outermost counted."""

_SHORT: Final = 2 * NESTING_LIMIT
_NO_BRACKETS: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[^"\[\]{}]+', re.DOTALL)
_NAMED: Final = 2
"""Steps of the path that a refusal names: deeper ones would make it as long as the value is deep."""


def read_json(data: bytes) -> Any:
    """The value of a JSON text. Raises RejectedError for what is not JSON or is nested too deep."""
    try:
        value = loads(data)
    except orjson.JSONDecodeError as error:
        if exceeds_limit(data):
            raise nested_too_deep() from error
        raise not_json(error) from error
    # Each level takes two brackets: most texts are too short for too many, or have too few of them.
    if len(data) > _SHORT and data.count(b"{") + data.count(b"[") > NESTING_LIMIT:
        check_nesting(value)
    return value


def not_json(error: orjson.JSONDecodeError) -> RejectedError:
    """The refusal of a text that cannot be read."""
    return RejectedError(Code.INVALID_JSON, f"not JSON ({error.msg}); send UTF-8 JSON")


def exceeds_limit(data: bytes) -> bool:
    """Whether a text is nested too deep, also one that is too deep to be read or is no JSON."""
    brackets = _NO_BRACKETS.sub(b"", data)
    return max(accumulate(1 if byte in b"{[" else -1 for byte in brackets), default=0) > NESTING_LIMIT


def check_nesting(value: Any) -> None:
    """Raises RejectedError, with the path of the field at fault, where a value is nested too deep."""
    level: list[tuple[tuple[int | str, ...], Any]] = [((), value)]
    for _ in range(NESTING_LIMIT):
        level = [
            (path if len(path) == _NAMED else (*path, step), item)
            for path, container in level
            for step, item in _items(container)
            if isinstance(item, (dict, list))
        ]
        if not level:
            return
    raise nested_too_deep(error_path(level[0][0]))


def _items(container: Any) -> Iterable[tuple[int | str, Any]]:
    if isinstance(container, dict):
        return container.items()
    return enumerate(container) if isinstance(container, list) else ()


def nested_too_deep(path: str = "") -> RejectedError:
    """The refusal, for want of a better path that of the whole."""
    return RejectedError(
        Code.INVALID_SCHEMA, f"nested deeper than {NESTING_LIMIT} levels; make it flatter", path
    )
