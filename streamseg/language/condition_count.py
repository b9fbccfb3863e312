"""How many conditions one definition may hold, at whatever depth.

Counted in the JSON itself, before a model of it is made: what is refused here costs no more than looking at
as many conditions as are allowed, however long the definition is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from schemas.paths import join_path
from streamseg.errors import Code, RejectedError

_CONDITIONS: Final = ("conditions", "sequence")
"""The lists of a definition whose entries count, by key: a step of a sequence is a condition."""
_GROUPS: Final = ("clusters", "parts")
"""The lists whose entries hold at least one condition each."""
_OBJECTS: Final = ("where", "has", "absent", "aggregate", "elements")
"""The keys below which conditions may stand, besides those lists."""


def check_condition_count(definition: Any, limit: int, *, at: str = "") -> None:
    """Raises RejectedError where a definition (as JSON, of whatever shape) has more than `limit` conditions,
    inner ones and the steps of sequences included, with the path of the first one too many.

    `at` is the path of the definition itself. Cost: O(limit)."""
    conditions = 0
    # Entries of a group may hold no condition, in what is of no shape: their number is bounded too.
    groups = 0
    waiting = [_entries(at, definition)]
    while waiting:
        entry = next(waiting[-1], None)
        if entry is None:
            waiting.pop()
            continue
        path, value, name = entry
        conditions += name in _CONDITIONS
        groups += name in _GROUPS
        if conditions > limit or groups > 2 * limit + 2:
            raise RejectedError(
                Code.INVALID_SCHEMA,
                f"more than {limit} conditions in one definition (max_conditions); "
                "divide it into several segments and refer to those",
                path,
            )
        waiting.append(_entries(path, value))


def _entries(path: str, value: Any) -> Iterator[tuple[str, Any, str]]:
    """What lies directly below a value, in the order written: path, value, and the key of its list."""
    for name, below in value.items() if isinstance(value, dict) else ():
        if name in _CONDITIONS or name in _GROUPS:
            for index, item in enumerate(below if isinstance(below, list) else ()):
                yield join_path(path, f"{name}[{index}]"), item, name
        elif name in _OBJECTS:
            yield join_path(path, name), below, name
