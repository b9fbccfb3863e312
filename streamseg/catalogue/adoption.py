"""Definitions that operators write straight to `segment-definitions`, past all commands.

They calculate at once, advanced ones too. One without `created_by` belongs to nobody: every account sees it
as shared. Judge the record by `streamseg.definitions` first; leave out records that a Decision wrote.
"""

from __future__ import annotations

from streamseg.catalogue.decision import NOTHING, Decision, Json
from streamseg.catalogue.saving import edited, same_json
from streamseg.catalogue.state import Catalogue


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


def catch_up(catalogue: Catalogue) -> Decision:
    """After `Catalogue.load`: rows for the definitions that came, changed or went while nobody looked.

    What a changed one was before is not known: none of its versions stands until it is calculated."""
    rows: list[tuple[str, Json | None]] = []
    for segment_id, entry in catalogue.segments.items():
        if entry.built_in:
            continue
        row = catalogue.rows.get(segment_id)
        if row is None:
            rows.append((segment_id, entry.row.wire()))
        elif row.version != entry.definition.get("version", row.version):
            waiting = catalogue.waiting_row(entry.definition)
            more = {"contacts": row.contacts, "command_offset": row.command_offset}
            rows.append((segment_id, waiting.model_copy(update=more).wire()))
    rows.extend((key, None) for key in catalogue.rows if key not in catalogue.segments)
    return Decision(rows=tuple(rows))
