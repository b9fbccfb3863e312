"""Definitions that operators write straight to `segment-definitions`, past all commands.

They calculate at once, advanced ones too. One without `created_by` belongs to nobody: every account sees it
as shared. Judge the record by `streamseg.plan.definitions` first; leave out records that a Decision wrote.
"""

from __future__ import annotations

from typing import Final

from schemas.catalogue import CatalogueRow
from streamseg.catalogue.decision import NOTHING, Decision
from streamseg.catalogue.formula import same_conditions, same_json
from streamseg.catalogue.saving import anew, edited, renewed
from streamseg.catalogue.state import Catalogue
from streamseg.json_text import Json

_SAID: Final = {
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
"""What a row has from the definition that it was made from."""


def adopt(catalogue: Catalogue, segment_id: str, definition: Json | None) -> Decision:
    """What an accepted record means: `definition` is `Definitions.in_force` as an object, None a tombstone.

    Apply the whole decision to the catalogue, write its rows only: the definition is on the topic already."""
    entry = catalogue.segments.get(segment_id)
    if definition is None:
        row = catalogue.rows.get(segment_id)
        if entry is None and row is None:
            return NOTHING
        return Decision(((segment_id, None),), ((segment_id, None),) if row is not None else ())
    if entry is not None and entry.in_force is not None and same_json(entry.in_force, definition):
        return NOTHING
    row = catalogue.waiting_row(definition)
    if entry is not None and entry.row.draft is None:
        row = edited(entry, definition, row)
    elif entry is not None:
        # It takes the place of the draft too.
        stay = ("contacts", "command_offset", "live_version", "live_definition")
        row = row.model_copy(update={name: getattr(entry.row, name) for name in stay})
    return Decision(((segment_id, definition),), ((segment_id, row.wire()),))


def counted_version(catalogue: Catalogue, segment_id: str, definition: Json) -> int:
    """The version of a definition on the topic that gives none, for a worker that starts; of the catalogue
    only rows and groups are needed.

    That of its row where the row was made from it, else the next one: the same whether or not the leader has
    adopted it by now."""
    row = catalogue.rows.get(segment_id)
    if row is None:
        return 1
    if row.draft is not None:
        live = row.live_definition
        if live is not None and same_conditions(live, definition):
            return int(live["version"])
        # The row's version is that of the draft, which counted on from at least this one.
        return max(1, row.version - 1)
    fresh = catalogue.waiting_row({**definition, "version": row.version})
    if row.formula_digest is None:
        fresh = fresh.model_copy(update={"formula_digest": None})
    return row.version if _says(row, fresh) else row.version + 1


def catch_up(catalogue: Catalogue) -> Decision:
    """After `Catalogue.load`: rows for the definitions that came, changed or went while nobody looked.

    What a changed one was before is not known: none of its versions stands until it is calculated. A draft
    stays, whatever came under its id."""
    rows: list[tuple[str, Json | None]] = []
    for segment_id, entry in catalogue.segments.items():
        if entry.built_in:
            continue
        row = catalogue.rows.get(segment_id)
        if row is None:
            rows.append((segment_id, entry.row.wire()))
        elif row.draft is None:
            fresh = catalogue.waiting_row(entry.definition)
            if not _says(row, fresh):
                took_place = renewed if _same_conditions(row, fresh) else anew
                rows.append((segment_id, took_place(row, fresh).wire()))
    rows.extend((key, None) for key in catalogue.rows if key not in catalogue.segments)
    return Decision(rows=tuple(rows))


def _says(row: CatalogueRow, fresh: CatalogueRow) -> bool:
    """Whether a row was made from the definition that `fresh` is made from."""
    return row.model_dump(include=_SAID) == fresh.model_dump(include=_SAID)


def _same_conditions(row: CatalogueRow, fresh: CatalogueRow) -> bool:
    if row.formula_digest is None:
        # Of an earlier release, which went by the version.
        return row.version == fresh.version
    return row.formula_digest == fresh.formula_digest
