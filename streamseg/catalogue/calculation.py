"""The course of a calculation, as the worker that runs it tells it; and counts.

`decide` sets a row to `calculating`; the worker calls `begin`, then `advance` any number of times and
`complete`. Each returns the rows to write, nothing where nothing changes.
"""

from __future__ import annotations

from collections.abc import Mapping

from schemas.catalogue import CatalogueRow
from streamseg.catalogue.decision import NOTHING, Decision
from streamseg.catalogue.state import Catalogue


def begin(catalogue: Catalogue, segment_id: str, *, generation: int) -> Decision:
    """The calculation of a segment's latest version runs for that generation. Begins anew where one for
    another generation ran; nothing where the segment is not `calculating`."""
    row = _calculating(catalogue, segment_id)
    if row is None or row.generation == generation:
        return NOTHING
    return _write(row.model_copy(update={"generation": generation, "progress": 0.0}))


def advance(catalogue: Catalogue, segment_id: str, *, generation: int, progress: float) -> Decision:
    """So much of it is done, 0 to 1. Nothing where the calculation is not for that generation (any more)."""
    row = _calculating(catalogue, segment_id)
    if row is None or row.generation != generation or row.progress == progress:
        return NOTHING
    return _write(row.model_copy(update={"progress": progress}))


def complete(catalogue: Catalogue, segment_id: str, *, generation: int, contacts: int) -> Decision:
    """It is done: the latest version's memberships stand from now on. Nothing where the calculation is not
    for that generation (any more)."""
    row = _calculating(catalogue, segment_id)
    if row is None or row.generation != generation:
        return NOTHING
    return _write(
        row.model_copy(
            update={
                "status": "completed",
                "progress": 1.0,
                "contacts": contacts,
                "generation": None,
                "live_version": row.version,
                "live_definition": None,
            }
        )
    )


def count(catalogue: Catalogue, members: Mapping[str, int]) -> Decision:
    """Rows of all segments with memberships, whose count differs from `members`; a segment that is not in
    it has none."""
    changed = [
        entry.row.model_copy(update={"contacts": members.get(segment_id, 0)})
        for segment_id, entry in catalogue.segments.items()
        if entry.row.live_version is not None and entry.row.contacts != members.get(segment_id, 0)
    ]
    return Decision(rows=tuple((row.segment_id, row.wire()) for row in changed))


def _calculating(catalogue: Catalogue, segment_id: str) -> CatalogueRow | None:
    entry = catalogue.segments.get(segment_id)
    return entry.row if entry is not None and entry.row.status == "calculating" else None


def _write(row: CatalogueRow) -> Decision:
    return Decision(rows=((row.segment_id, row.wire()),))
