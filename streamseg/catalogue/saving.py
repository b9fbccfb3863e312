"""The row of a segment after its definition is saved."""

from __future__ import annotations

from schemas.catalogue import CatalogueRow
from streamseg.catalogue.formula import same_conditions
from streamseg.catalogue.state import Entry, row_of
from streamseg.json_text import Json


def new_row(definition: Json) -> CatalogueRow:
    """Return the row of a new segment. A standard one calculates at once, an advanced one waits for the
    command `calculate`, and a static one has nothing to calculate."""
    if definition["type"] == "static":
        return row_of(definition)
    status = "calculating" if definition["type"] == "standard" else "not_calculated"
    return row_of(definition, status=status, progress=0)


def edited(entry: Entry, definition: Json, fresh: CatalogueRow) -> CatalogueRow:
    """Return the row after `definition` replaced the entry's definition. `fresh` is the row that a new
    segment would have.

    The last completed memberships stay in force. If the conditions are the same, they are valid for the new
    version too, and the status stays.
    """
    row = entry.row
    if same_conditions(entry.definition, definition):
        return with_same_conditions(row, fresh)
    changed = with_other_conditions(row, fresh)
    if fresh.type == "static":
        return changed
    stands = row.live_version == row.version
    live = {
        "live_version": row.live_version,
        "live_definition": entry.definition if stands else row.live_definition,
    }
    return changed.model_copy(update=live)


def with_other_conditions(row: CatalogueRow, fresh: CatalogueRow) -> CatalogueRow:
    """Return the row after a definition with other conditions replaced one that is no longer known. It is
    `fresh` with the old count, which is shown until the next count. No version is in force until the segment
    is calculated."""
    return fresh.model_copy(update={"contacts": row.contacts, "command_offset": row.command_offset})


def with_same_conditions(row: CatalogueRow, fresh: CatalogueRow) -> CatalogueRow:
    """Return the row after a definition with the same conditions replaced the row's own."""
    changed = with_other_conditions(row, fresh)
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
