"""The segments to which a definition refers, read from its JSON."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.paths import condition_path, join_path
from streamseg.json_text import Json


def references_of(definition: Json) -> Iterator[tuple[str, str]]:
    """Yield, for each segment condition of an accepted definition, the id of the segment that it names and
    the condition's path. Repeats are included."""
    parts = definition.get("parts")
    numbered = [(None, definition)] if parts is None else enumerate(parts)
    for part_index, part in numbered:
        for cluster_index, cluster in enumerate(part.get("clusters") or ()):
            for index, condition in enumerate(cluster["conditions"]):
                if "segment" in condition:
                    path = condition_path(part_index, cluster_index, index)
                    yield condition["segment"], join_path(path, "segment")
