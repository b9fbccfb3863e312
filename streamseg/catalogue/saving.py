"""What becomes of a segment's row when its definition is saved."""

from __future__ import annotations

from schemas.catalogue import CatalogueRow
from streamseg.catalogue.formula import same_conditions
from streamseg.catalogue.state import Entry, row_of
from streamseg.json_text import Json


def new_row(definition: Json) -> CatalogueRow:
    """The row of a segment that was not there before: a standard one calculates, an advanced one waits to be
    told to, a static one has nothing to calculate."""
    if definition["type"] == "static":
        return row_of(definition)
    status = "calculating" if definition["type"] == "standard" else "not_calculated"
    return row_of(definition, status=status, progress=0)


def edited(entry: Entry, definition: Json, fresh: CatalogueRow) -> CatalogueRow:
    """The row once `definition` took the place of the entry's; `fresh` is what it would be for a new segment.

    The last completed memberships stand. Where the conditions are the same they stand for the new version
    too, and the status stays."""
    row = entry.row
    if same_conditions(entry.definition, definition):
        return renewed(row, fresh)
    changed = anew(row, fresh)
    if fresh.type == "static":
        return changed
    stands = row.live_version == row.version
    live = {
        "live_version": row.live_version,
        "live_definition": entry.definition if stands else row.live_definition,
    }
    return changed.model_copy(update=live)


def anew(row: CatalogueRow, fresh: CatalogueRow) -> CatalogueRow:
    """The row once a definition with other conditions took the place of one that nobody knows any more:
    `fresh`, with the count until there is another. None of the versions stands until it is calculated."""
    return fresh.model_copy(update={"contacts": row.contacts, "command_offset": row.command_offset})


def renewed(row: CatalogueRow, fresh: CatalogueRow) -> CatalogueRow:
    """The row once a definition with the same conditions took the place of its own."""
    changed = anew(row, fresh)
    if fresh.type == "static":
        return changed
    stands = row.live_version == row.version
    kept: Json = {
        "status": row.status,
        "progress": row.progress,
        "generation": row.generation,
        "live_version": fresh.version if stands else row.live_version,
        "live_definition": row.live_definition,
    }
    return changed.model_copy(update=kept)
