"""Formulas that stand while changed ones are being filled, as JSON, so that a restart keeps to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamseg.compiler import compile_segment
from streamseg.definitions import parse_definition
from streamseg.plan import Plan, transition
from streamseg.segments import Segment
from streamseg.settings import Settings


def standing_note(current: Plan, target: Plan) -> dict[str, Any]:
    """What `standing_plan` needs besides the target, to come to `current` again; JSON."""
    return {
        "judged": current.judged,
        "segments": [
            [segment_id, segment.source.decode(), segment.version, segment.introduced, segment.born]
            for segment_id, segment in sorted(current.segments.items())
            if segment.source is not None
            and current.identities[segment_id] != target.identities.get(segment_id)
        ],
    }


def standing_plan(note: Mapping[str, Any], target: Plan, settings: Settings) -> Plan | None:
    """The plan to work by until every contact is ready for `target`, or None where all formulas that stood
    are in it. The target may be a later one than that of the note."""
    kept: dict[str, Segment] = {}
    for segment_id, source, version, introduced, born in note["segments"]:
        definition = parse_definition(source.encode(), max_conditions=None)
        kept[segment_id] = compile_segment(
            definition,
            source=source.encode(),
            version=version,
            introduced=introduced,
            born=born,
            settings=settings,
        )
    known = {
        segment_id: segment
        for segment_id, segment in target.segments.items()
        if segment.introduced <= note["judged"]
    }
    standing = Plan({**known, **kept}, target.built_in, note["judged"], lineage=target.lineage)
    target.lineage.add_passing(standing)
    return transition(standing, target)
