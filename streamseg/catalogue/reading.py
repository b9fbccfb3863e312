"""Checks of the segments that a definition refers to. An account that refers to a segment learns its members,
so it must be allowed to see that segment."""

from __future__ import annotations

from streamseg.catalogue.references import references_of
from streamseg.catalogue.state import Catalogue
from streamseg.errors import Code, RejectedError
from streamseg.json_text import Json


def check_references_readable(definition: Json, catalogue: Catalogue, account: str) -> None:
    """Check that the account sees each segment to which its definition refers. A reference is also allowed if
    the account may read the segment under the same id and that segment has the reference already: so a copy
    of a shared segment can be edited.

    Raises RejectedError `not_permitted` with the condition's path. All references must exist.
    """
    entry = catalogue.segments.get(definition["segment_id"])
    seen = entry.references if entry is not None and entry.readable_by(account) else frozenset()
    for segment_id, path in references_of(definition):
        if segment_id not in seen:
            catalogue.segments[segment_id].check_readable_by(account, path)


def check_references_calculated(definition: Json, catalogue: Catalogue) -> None:
    """Check that every segment to which a definition refers is in force; an advanced segment is in force from
    its first calculation. References to segments that do not exist are not checked. Raises RejectedError with
    the reference's path."""
    for segment_id, path in references_of(definition):
        entry = catalogue.segments.get(segment_id)
        if entry is not None and entry.in_force is None and not entry.built_in:
            raise RejectedError(
                Code.UNKNOWN_REFERENCE,
                f"segment {segment_id} was never calculated; calculate it first",
                path,
            )
