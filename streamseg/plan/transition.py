"""The transition from one plan to the next: the plan that is used until every contact is ready for the next
one. Its old formulas are kept as JSON, so that they are used after a restart too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from streamseg.language.compiler import compile_segment
from streamseg.language.segments import Segment
from streamseg.plan.definition_records import read_definition
from streamseg.plan.plan import Plan
from streamseg.settings import Settings


def transition(current: Plan, target: Plan) -> Plan | None:
    """Return the plan for the time until every contact is ready for `target`; None if no formula changed.

    Segments that changed are still evaluated with their old formula, while the summaries for the new formula
    are made and fed. New segments that refer to a changed one wait, because no contact may enter by a formula
    that is about to be replaced."""
    kept = {
        segment_id: old
        for segment_id, old in current.segments.items()
        if segment_id in target.segments
        and target.identities[segment_id] != current.identities[segment_id]
        and target.segments[segment_id].born == old.born
    }
    if not kept:
        return None
    segments = {**target.segments, **kept}
    for segment_id in sorted(target.segments, key=target.rank.__getitem__):
        segment, known = target.segments[segment_id], current.segments.get(segment_id)
        new = known is None or known.born != segment.born
        # The order is topological, so a segment that refers to a waiting segment waits too.
        if new and any(one in kept or one not in segments for one in segment.references):
            del segments[segment_id]
    waiting = list(kept.values())
    while waiting:
        for reference in waiting.pop().references:
            if reference not in segments:
                segments[reference] = current.segments[reference]
                waiting.append(segments[reference])
    passing = Plan(segments, target.built_in, target.generation, current, target, target.recent)
    target.recent.add_passing(passing)
    return passing


def transition_note(current: Plan, target: Plan) -> dict[str, Any]:
    """Return the formulas of `current` that `target` does not have, as JSON. `restored_transition` makes the
    plan of the transition from them and the target.

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


def restored_transition(note: Mapping[str, Any], target: Plan, settings: Settings) -> Plan | None:
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
    current = Plan(segments, target.built_in, judged, recent=target.recent)
    target.recent.add_passing(current)
    return transition(current, target)


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
