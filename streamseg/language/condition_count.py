"""The limit of the number of conditions in one definition, at any depth.

Conditions are counted in the JSON, before a model is made from it. So the refusal of a definition, however
long it is, costs no more than reading as many conditions as are allowed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from schemas.paths import join_path
from streamseg.errors import Code, RejectedError

_CONDITIONS: Final = ("conditions", "sequence")
"""The keys of the lists whose entries count as conditions. A step of a sequence is a condition, too."""
_GROUPS: Final = ("clusters", "parts")
"""The keys of the lists whose entries have at least one condition each."""
_OBJECTS: Final = ("where", "has", "absent", "aggregate", "elements")
"""The other keys whose values may contain conditions."""


def check_condition_count(definition: Any, limit: int, *, at: str = "") -> None:
    """Raises RejectedError if a definition (JSON of any shape) has more than `limit` conditions, including
    inner conditions and steps of sequences. The path is that of the first condition beyond the limit.

    `at` is the path of the definition itself. Cost: O(limit)."""
    conditions = 0
    # In JSON of a wrong shape, entries of a group may have no condition, so the number of entries is bounded.
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
    """Yield the values directly below a value, in the order written: path, value, and the key under which it
    stands."""
    for name, below in value.items() if isinstance(value, dict) else ():
        if name in _CONDITIONS or name in _GROUPS:
            for index, item in enumerate(below if isinstance(below, list) else ()):
                yield join_path(path, f"{name}[{index}]"), item, name
        elif name in _OBJECTS:
            yield join_path(path, name), below, name
