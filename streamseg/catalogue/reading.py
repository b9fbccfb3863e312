"""What an account may build a definition upon: whoever refers to a segment learns who is in it."""

from __future__ import annotations

from streamseg.catalogue.decision import Json
from streamseg.catalogue.references import references_of
from streamseg.catalogue.state import Catalogue


def check_references_readable(definition: Json, catalogue: Catalogue, account: str) -> None:
    """Whether the account sees each segment that its definition refers to. What a segment under the same id
    refers to already, the account sees through that: a copy of a shared one can be edited.

    Raises RejectedError `not_permitted` with the condition's path. All references exist."""
    entry = catalogue.segments.get(definition["segment_id"])
    seen = entry.references if entry is not None and entry.readable_by(account) else frozenset()
    for segment_id, path in references_of(definition):
        if segment_id not in seen:
            catalogue.segments[segment_id].check_readable_by(account, path)
