"""The course of a calculation, as reported by the worker that runs it; and member counts.

`decide` sets a row to `calculating`. Then the worker calls `begin`, `advance` any number of times, and
`complete`. Each returns the rows to write, or NOTHING if nothing changes.
"""

from __future__ import annotations

from collections.abc import Mapping

from schemas.catalogue import CatalogueRow
from streamseg.catalogue.decision import NOTHING, Decision
from streamseg.catalogue.state import Catalogue


def begin(catalogue: Catalogue, segment_id: str, *, generation: int) -> Decision:
    """Start the calculation of a segment's latest version for `generation`. A calculation for another
    generation is started again from 0. Return NOTHING if the segment is not `calculating`."""
    row = _calculating(catalogue, segment_id)
    if row is None or row.generation == generation:
        return NOTHING
    return _write(row.model_copy(update={"generation": generation, "progress": 0.0}))


def advance(catalogue: Catalogue, segment_id: str, *, generation: int, progress: float) -> Decision:
    """Set the progress, 0 to 1. Return NOTHING if the calculation is not, or no longer, for `generation`."""
    row = _calculating(catalogue, segment_id)
    if row is None or row.generation != generation or row.progress == progress:
        return NOTHING
    return _write(row.model_copy(update={"progress": progress}))


def complete(catalogue: Catalogue, segment_id: str, *, generation: int, contacts: int) -> Decision:
    """Complete the calculation: the latest version's memberships are in force from now on. Return NOTHING if
    the calculation is not, or no longer, for `generation`."""
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
    """Return the rows of all segments in force whose count differs from `members`. A segment that is absent
    from `members` has no members."""
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
