"""Reading JSON of other programs, with a limit of its nesting.

orjson reads 1,024 levels but writes only 254. The values of a record are later written inside other values:
in a contact's state, in derived events, in answers and in explanations.
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
"""How many levels of objects and lists a value may have; the outermost one counts."""

_SHORT: Final = 2 * NESTING_LIMIT
_NO_BRACKETS: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[^"\[\]{}]+', re.DOTALL)
_NAMED: Final = 2
"""How many steps of the path a refusal shows. The whole path would be as long as the value is deep."""


def read_json(data: bytes) -> Any:
    """Return the value of a JSON text. Raises RejectedError if it is not JSON or is nested too deep."""
    try:
        value = loads(data)
    except orjson.JSONDecodeError as error:
        if exceeds_limit(data):
            raise nested_too_deep() from error
        raise not_json(error) from error
    # Each level needs two brackets. Most texts are too short for too many levels, or have too few brackets.
    if len(data) > _SHORT and data.count(b"{") + data.count(b"[") > NESTING_LIMIT:
        check_nesting(value)
    return value


def not_json(error: orjson.JSONDecodeError) -> RejectedError:
    """Return the refusal of a text that is not JSON."""
    return RejectedError(Code.INVALID_JSON, f"not JSON ({error.msg}); send UTF-8 JSON")


def exceeds_limit(data: bytes) -> bool:
    """Return whether a text is nested too deep. The text may be too deep to be read, or not be JSON at
    all."""
    brackets = _NO_BRACKETS.sub(b"", data)
    return max(accumulate(1 if byte in b"{[" else -1 for byte in brackets), default=0) > NESTING_LIMIT


def check_nesting(value: Any) -> None:
    """Raises RejectedError, with the first steps of the path to the fault, if a value is nested too deep."""
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
    """Return the refusal of a value that is nested too deep; without `path` it concerns the whole value."""
    return RejectedError(
        Code.INVALID_SCHEMA, f"nested deeper than {NESTING_LIMIT} levels; make it flatter", path
    )
