"""How the changes of a contact in a segment are numbered, whatever crashed in between."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def assert_numbered_on(changes: Iterable[dict[str, Any]]) -> dict[tuple[str, str], int]:
    """Repeats have the same change id, and the others are numbered on, from 1 again once the contact was
    erased; the last (segment, contact) -> sequence, 0 of an erased one."""
    sequences: dict[tuple[str, str], int] = {}
    for change in {change["change_id"]: change for change in changes}.values():
        key = (change["segment_id"], change["contact_id"])
        assert change["sequence"] == sequences.get(key, 0) + 1, change
        sequences[key] = 0 if change["reason"]["kind"] == "deletion" else change["sequence"]
    return sequences
