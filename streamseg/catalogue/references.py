"""The segments that a definition refers to, read off its JSON."""

from __future__ import annotations

from collections.abc import Iterator

from streamseg.catalogue.decision import Json


def references_of(definition: Json) -> Iterator[tuple[str, str]]:
    """Each segment condition of an accepted definition: the segment it asks for, and the condition's path.
    Repeats are included."""
    parts = definition.get("parts")
    named = (
        [("", definition)]
        if parts is None
        else [(f"parts[{index}].", part) for index, part in enumerate(parts)]
    )
    for prefix, part in named:
        for index, cluster in enumerate(part.get("clusters") or ()):
            for number, condition in enumerate(cluster["conditions"]):
                if "segment" in condition:
                    yield condition["segment"], f"{prefix}clusters[{index}].conditions[{number}].segment"
