"""Formulas that stand while changed ones are being filled, as JSON, so that a restart keeps to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from streamseg.language.compiler import compile_segment
from streamseg.language.segments import Segment
from streamseg.plan.definitions import read_definition
from streamseg.plan.plan import Plan, transition
from streamseg.settings import Settings


def standing_note(current: Plan, target: Plan) -> dict[str, Any]:
    """What `standing_plan` needs besides the target, to come to `current` again; JSON.

    All that a formula refers to goes with it, changed or not: by the time that the note is read it may have
    been changed or deleted too."""
    told = _with_references(
        current,
        (
            segment_id
            for segment_id, identity in current.identities.items()
            if identity != target.identities.get(segment_id)
        ),
    )
    return {
        "judged": current.judged,
        "segments": [
            [segment_id, segment.source.decode(), segment.version, segment.introduced, segment.born]
            for segment_id, segment in sorted(told.items())
            if segment.source is not None
        ],
    }


def standing_plan(note: Mapping[str, Any], target: Plan, settings: Settings) -> Plan | None:
    """The plan to work by until every contact is ready for `target`, or None where all formulas that stood
    are in it. The target may be a later one than that of the note: a formula that then refers to something
    that is not known any more as it was does not stand."""
    kept: dict[str, Segment] = {}
    for segment_id, source, version, introduced, born in note["segments"]:
        definition = read_definition(source.encode(), max_conditions=None)
        kept[segment_id] = compile_segment(
            definition,
            source=source.encode(),
            version=version,
            introduced=introduced,
            born=born,
            settings=settings,
        )
    judged: int = note["judged"]
    known = {key: segment for key, segment in target.segments.items() if segment.introduced <= judged}
    segments = _sound({**known, **kept})
    # What was there then is there now: else it would be taken for new.
    there = (segment_id for segment_id in (*known, *kept) if segment_id in target.segments)
    for segment_id, segment in _with_references(target, there).items():
        segments.setdefault(segment_id, segment)
    standing = Plan(segments, target.built_in, judged, lineage=target.lineage)
    target.lineage.add_passing(standing)
    return transition(standing, target)


def _with_references(plan: Plan, segment_ids: Iterable[str]) -> dict[str, Segment]:
    """Segments of a plan and all that they refer to, through others too."""
    found: dict[str, Segment] = {}
    waiting = list(segment_ids)
    while waiting:
        segment_id = waiting.pop()
        if segment_id not in found:
            found[segment_id] = plan.segments[segment_id]
            waiting.extend(found[segment_id].references)
    return found


def _sound(segments: dict[str, Segment]) -> dict[str, Segment]:
    """Those of which all is there that they refer to, through others too."""
    sound = dict(segments)
    while True:
        broken = [key for key, segment in sound.items() if segment.references - sound.keys()]
        if not broken:
            return sound
        for key in broken:
            del sound[key]
