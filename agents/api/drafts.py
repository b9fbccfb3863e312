"""Plans with a draft of a definition, to evaluate contacts with it without saving it."""

from __future__ import annotations

from typing import NamedTuple

from agents.api.catalogue_view import CatalogueView
from agents.api.slices import in_thread
from agents.catalogue.definition_topic import DefinitionTopic
from schemas.definitions import SegmentDefinition
from streamseg.catalogue.reading import check_references_calculated, check_references_readable
from streamseg.errors import Code, RejectedError, located_below
from streamseg.json_text import Json, dumps
from streamseg.language.compiler import compile_segment
from streamseg.language.condition_count import check_condition_count
from streamseg.language.conditions.membership import member_id
from streamseg.language.reference_checks import check_references
from streamseg.language.segments import Segment
from streamseg.language.unsubscribe import BUILT_IN_SEGMENTS
from streamseg.plan.plan import Plan
from streamseg.records.messages import checked
from streamseg.settings import Settings


class Draft(NamedTuple):
    """A compiled draft.

    plan      contains the draft, the segments to which it refers directly or through others, and the built-in
              segments; to compare, also the segment in force under another id
    segment   the draft
    in_force  the segment whose place it would take; None: it would be new
    """

    plan: Plan
    segment: Segment
    in_force: Segment | None


class Drafts:
    """Compiles drafts."""

    def __init__(self, settings: Settings, view: CatalogueView, definition_topic: DefinitionTopic) -> None:
        self._settings = settings
        self._view = view
        self._definition_topic = definition_topic

    async def compiled(self, body: Json, account: str | None = None, *, compared: bool = False) -> Draft:
        """Compile a definition. If `account` is given, its rights are checked; for a question of another
        worker they were checked there. With `compared`, the plan also evaluates the segment in force.

        Raises RejectedError whose path begins with `definition`."""
        current = self._definition_topic.definitions.plan
        return await in_thread(
            lambda _: self._compiled({"name": "preview", **body}, current, account, compared)
        )

    def _compiled(self, body: Json, current: Plan, account: str | None, compared: bool) -> Draft:
        check_condition_count(body, self._settings.max_conditions, at="definition")
        definition = checked(SegmentDefinition, body, at="definition")
        segment_id = definition.segment_id
        with located_below("definition"):
            if segment_id in BUILT_IN_SEGMENTS:
                raise RejectedError(Code.NOT_PERMITTED, "a built-in segment cannot be changed", "segment_id")
            in_force = current.segments.get(segment_id)
            generation = current.generation + 1
            segment = compile_segment(
                definition,
                source=dumps(body),
                version=1,
                introduced=generation,
                born=-1 if in_force is None else in_force.born,
                settings=self._settings,
            )
            if account is not None:
                self._check_seen(segment, body, account)
            check_references(segment, current.segments)
        segments: dict[str, Segment] = {}
        waiting = [segment]
        if compared and in_force is not None:
            # No id of a segment contains `|`.
            other_id = f"{segment_id}|"
            waiting.append(in_force.named(other_id, member_id(other_id)))
        while waiting:
            one = waiting.pop()
            segments[one.segment_id] = one
            waiting += [current.segments[key] for key in one.references if key not in segments]
        for built_in in BUILT_IN_SEGMENTS:
            segments.setdefault(built_in, current.segments[built_in])
        plan = Plan(segments, current.built_in, generation, current, recent=current.recent)
        return Draft(plan, segment, in_force)

    def _check_seen(self, segment: Segment, body: Json, account: str) -> None:
        """Check that the account may see everything that the definition's members would reveal."""
        catalogue = self._view.catalogue
        # A static definition selects a list by its id alone.
        if segment.segment_id in catalogue.segments:
            catalogue.segments[segment.segment_id].check_readable_by(account, "segment_id")
        check_references(segment, catalogue.segments)
        check_references_readable(body, catalogue, account)
        check_references_calculated(body, catalogue)
