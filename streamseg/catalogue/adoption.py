"""Definitions that operators write straight to `segment-definitions`, without a command.

Such a segment calculates at once, an advanced one too. Without `created_by` it has no owner, and every
account sees it as shared. Callers must check the record by `streamseg.plan.definitions` first, and must leave
out records that a Decision wrote.
"""

from __future__ import annotations

from typing import Final

from schemas.catalogue import CatalogueRow
from streamseg.catalogue.decision import NOTHING, Decision
from streamseg.catalogue.formula import same_conditions, same_json
from streamseg.catalogue.saving import edited, with_other_conditions, with_same_conditions
from streamseg.catalogue.state import Catalogue
from streamseg.catalogue.versions import dropping, replacing, version_of
from streamseg.json_text import Json

_FROM_DEFINITION: Final = {
    "name",
    "type",
    "group",
    "version",
    "created_by",
    "created_at",
    "updated_by",
    "updated_at",
    "shared_with",
    "formula_digest",
}
"""The fields of a row that come from its definition."""


def adopt(catalogue: Catalogue, segment_id: str, definition: Json | None) -> Decision:
    """Return the Decision for an accepted record. `definition` is `Definitions.in_force` as an object; None
    is a tombstone.

    Apply the whole decision to the catalogue, but write only its rows: the definition is on the topic
    already.
    """
    entry = catalogue.segments.get(segment_id)
    if definition is None:
        row = catalogue.rows.get(segment_id)
        if entry is None and row is None:
            return NOTHING
        rows = dropping(catalogue, segment_id)
        if row is not None:
            rows[segment_id] = None
        return Decision(((segment_id, None),), tuple(rows.items()))
    if entry is not None and entry.in_force is not None and same_json(entry.in_force, definition):
        return NOTHING
    row = catalogue.waiting_row(definition)
    if entry is not None and entry.row.draft is None:
        row = edited(entry, definition, row)
    elif entry is not None:
        # The definition replaces the draft too.
        stay = ("contacts", "command_offset", "live_version", "live_definition")
        row = row.model_copy(update={name: getattr(entry.row, name) for name in stay})
    kept = replacing(catalogue, segment_id, row.version)
    return Decision(((segment_id, definition),), (*kept.items(), (segment_id, row.wire())))


def counted_version(catalogue: Catalogue, segment_id: str, definition: Json) -> int:
    """Return the version of a definition on the topic that gives none. A worker uses this at start; the
    catalogue needs only rows and groups.

    If the definition's row was made from it, its version is the row's version; otherwise the next one. So the
    result does not depend on whether the leader has adopted the definition yet.
    """
    row = catalogue.rows.get(segment_id)
    if row is None:
        return 1
    if row.draft is not None:
        live = row.live_definition
        if live is not None and same_conditions(live, definition):
            return int(live["version"])
        # The row's version is the draft's version, which is at least one more than this definition's.
        return max(1, row.version - 1)
    fresh = catalogue.waiting_row({**definition, "version": row.version})
    if row.formula_digest is None:
        fresh = fresh.model_copy(update={"formula_digest": None})
    return row.version if _made_from_same(row, fresh) else row.version + 1


def catch_up(catalogue: Catalogue) -> Decision:
    """Return the Decision after `Catalogue.load`: it writes rows for definitions that appeared, changed or
    were deleted while no leader ran.

    The earlier definition of a changed segment is not known, so none of its versions is in force until it is
    calculated. A draft stays, even if a definition appeared under its id. Versions that are not earlier ones
    of a segment are dropped.
    """
    rows: list[tuple[str, Json | None]] = []
    for segment_id, entry in catalogue.segments.items():
        if entry.built_in:
            continue
        row = catalogue.rows.get(segment_id)
        if row is None:
            rows.append((segment_id, entry.row.wire()))
        elif row.draft is None:
            fresh = catalogue.waiting_row(entry.definition)
            if not _made_from_same(row, fresh):
                successor = with_same_conditions if _same_conditions(row, fresh) else with_other_conditions
                rows.append((segment_id, successor(row, fresh).wire()))
    rows.extend((key, None) for key in catalogue.rows if key not in catalogue.segments)
    for segment_id in catalogue.with_versions:
        known = catalogue.segments.get(segment_id) if segment_id in catalogue.rows else None
        since = 1 if known is None else version_of(known).version
        rows.extend(dropping(catalogue, segment_id, since).items())
    return Decision(rows=tuple(rows))


def _made_from_same(row: CatalogueRow, fresh: CatalogueRow) -> bool:
    """Return whether a row was made from the same definition as `fresh`."""
    return row.model_dump(include=_FROM_DEFINITION) == fresh.model_dump(include=_FROM_DEFINITION)


def _same_conditions(row: CatalogueRow, fresh: CatalogueRow) -> bool:
    if row.formula_digest is None:
        # The row comes from an earlier release, which compared versions instead of digests.
        return row.version == fresh.version
    return row.formula_digest == fresh.formula_digest
