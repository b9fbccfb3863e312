"""What differs between two definitions, line by line."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import Final

from streamseg.catalogue.labels import Language
from streamseg.json_text import Json
from streamseg.wording.bodies import definition_outline

SAME: Final = "same"
REMOVED: Final = "removed"
ADDED: Final = "added"
CHANGES: Final = (SAME, REMOVED, ADDED)


def differences(before: Json, after: Json, language: Language) -> list[Json] | None:
    """Return the lines of both definitions in their order, each with its `text` and its `change`, one of
    `CHANGES`; None if this release does not know one of them."""
    old, new = definition_outline(before, language), definition_outline(after, language)
    if old is None or new is None:
        return None
    found: list[Json] = []
    for kind, old_from, old_to, new_from, new_to in SequenceMatcher(
        a=old, b=new, autojunk=False
    ).get_opcodes():
        if kind == "equal":
            found += _lines(SAME, old[old_from:old_to])
        else:
            found += _lines(REMOVED, old[old_from:old_to])
            found += _lines(ADDED, new[new_from:new_to])
    return found


def _lines(change: str, texts: list[str]) -> list[Json]:
    return [{"change": change, "text": text} for text in texts]
