"""The old formulas that are in use during a transition, as JSON, so that they are used after a restart
too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from streamseg.language.compiler import compile_segment
from streamseg.language.segments import Segment
from streamseg.plan.definitions import read_definition
from streamseg.plan.plan import Plan, transition
from streamseg.settings import Settings


def standing_note(current: Plan, target: Plan) -> dict[str, Any]:
    """Return the formulas of `current` that `target` does not have, as JSON. `standing_plan` makes the plan
    of the transition from them and the target.

    The note also has all segments to which these formulas refer, changed or not, because they may have been
    changed or deleted by the time the note is read."""
    changed = _with_references(
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
            for segment_id, segment in sorted(changed.items())
            if segment.source is not None
        ],
    }


def standing_plan(note: Mapping[str, Any], target: Plan, settings: Settings) -> Plan | None:
    """Return the plan for the time until every contact is ready for `target`; None if the target has all
    formulas of the note. The target may be a later plan than the one for which the note was made. An old
    formula is dropped if a segment to which it refers is not known any more as it was."""
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
    # Segments that existed at the time of the note must be in the plan, or they would be taken for new ones.
    there = (segment_id for segment_id in (*known, *kept) if segment_id in target.segments)
    for segment_id, segment in _with_references(target, there).items():
        segments.setdefault(segment_id, segment)
    standing = Plan(segments, target.built_in, judged, lineage=target.lineage)
    target.lineage.add_passing(standing)
    return transition(standing, target)


def _with_references(plan: Plan, segment_ids: Iterable[str]) -> dict[str, Segment]:
    """Return segments of a plan and all segments that they refer to, also through others."""
    found: dict[str, Segment] = {}
    waiting = list(segment_ids)
    while waiting:
        segment_id = waiting.pop()
        if segment_id not in found:
            found[segment_id] = plan.segments[segment_id]
            waiting.extend(found[segment_id].references)
    return found


def _sound(segments: dict[str, Segment]) -> dict[str, Segment]:
    """Return the segments without those that refer, directly or through others, to a segment that is
    missing."""
    sound = dict(segments)
    while True:
        broken = [key for key, segment in sound.items() if segment.references - sound.keys()]
        if not broken:
            return sound
        for key in broken:
            del sound[key]
