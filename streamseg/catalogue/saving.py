"""What becomes of a segment's row when its definition is saved."""

from __future__ import annotations

from typing import Any

import orjson

from schemas.catalogue import CatalogueRow
from schemas.definitions import FORMULA
from streamseg.catalogue.decision import Json
from streamseg.catalogue.state import Entry, row_of


def same_conditions(one: Json, other: Json) -> bool:
    """Whether two definitions of a segment ask for the same, so that one's memberships stand for both."""
    return same_json([one.get(key) for key in FORMULA], [other.get(key) for key in FORMULA])


def same_json(one: Any, other: Any) -> bool:
    """Whether two values are written alike, key order aside: in Python true equals 1, in JSON it does not."""
    return orjson.dumps(one, option=orjson.OPT_SORT_KEYS) == orjson.dumps(other, option=orjson.OPT_SORT_KEYS)


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
    kept: Json = {"contacts": row.contacts, "command_offset": row.command_offset}
    if definition["type"] == "static":
        return fresh.model_copy(update=kept)
    stands = row.live_version == row.version
    if same_conditions(entry.definition, definition):
        kept |= {
            "status": row.status,
            "progress": row.progress,
            "generation": row.generation,
            "live_version": fresh.version if stands else row.live_version,
            "live_definition": row.live_definition,
        }
    else:
        kept |= {
            "live_version": row.live_version,
            "live_definition": entry.definition if stands else row.live_definition,
        }
    return fresh.model_copy(update=kept)
