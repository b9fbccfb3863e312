"""What an account may build a definition upon: whoever refers to a segment learns who is in it."""

from __future__ import annotations

from streamseg.catalogue.references import references_of
from streamseg.catalogue.state import Catalogue
from streamseg.errors import Code, RejectedError
from streamseg.json_text import Json


def check_references_readable(definition: Json, catalogue: Catalogue, account: str) -> None:
    """Whether the account sees each segment that its definition refers to. What a segment under the same id
    refers to already, the account sees through that: a copy of a shared one can be edited.

    Raises RejectedError `not_permitted` with the condition's path. All references exist."""
    entry = catalogue.segments.get(definition["segment_id"])
    seen = entry.references if entry is not None and entry.readable_by(account) else frozenset()
    for segment_id, path in references_of(definition):
        if segment_id not in seen:
            catalogue.segments[segment_id].check_readable_by(account, path)


def check_references_calculated(definition: Json, catalogue: Catalogue) -> None:
    """Whether all that a definition refers to is in force: an advanced segment is from its first calculation
    on. What there is not at all is not looked at. Raises RejectedError with the reference's path."""
    for segment_id, path in references_of(definition):
        entry = catalogue.segments.get(segment_id)
        if entry is not None and entry.in_force is None and not entry.built_in:
            raise RejectedError(
                Code.UNKNOWN_REFERENCE,
                f"segment {segment_id} was never calculated; calculate it first",
                path,
            )
