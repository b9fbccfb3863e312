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


def differences(before: Json, after: Json, language: Language) -> list[tuple[str, str]] | None:
    """Return the lines of both definitions in their order, each with one of `CHANGES`; None if this release
    does not know one of them."""
    old, new = definition_outline(before, language), definition_outline(after, language)
    if old is None or new is None:
        return None
    found: list[tuple[str, str]] = []
    for kind, old_from, old_to, new_from, new_to in SequenceMatcher(
        a=old, b=new, autojunk=False
    ).get_opcodes():
        if kind == "equal":
            found += [(SAME, line) for line in old[old_from:old_to]]
        else:
            found += [(REMOVED, line) for line in old[old_from:old_to]]
            found += [(ADDED, line) for line in new[new_from:new_to]]
    return found
