"""The plan: all definitions in force, compiled so that an input costs only the work for what it touches.

A plan never changes; a new plan replaces it as a whole. Equal conditions of several segments are one. The
plan's dispatch finds the conditions of an input, and its guard indexes find the segments of a changed
condition.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from streamseg.language.conditions.base import Condition, stable_id
from streamseg.language.conditions.membership import member_id
from streamseg.language.segments import Segment
from streamseg.plan.dispatch import InputDispatch
from streamseg.plan.guards import GuardIndex, guards_of

_REMEMBERED = 8
"""How many of the last plans are remembered, the present one included."""


class Dependencies:
    """The conditions and segments on which the membership of a segment depends, also through references. The
    segments are in topological order; the segment itself is the last one."""

    __slots__ = ("condition_ids", "segments")

    def __init__(self, condition_ids: frozenset[int], segments: tuple[Segment, ...]) -> None:
        self.condition_ids = condition_ids
        self.segments = segments


class Dependents:
    """The segments whose membership depends on a condition.

    member_ids  the member ids of these segments
    segments    member id -> segment
    """

    __slots__ = ("member_ids", "segments")

    def __init__(self, member_ids: frozenset[int], segments: Mapping[int, Segment]) -> None:
        self.member_ids = member_ids
        self.segments = segments


class News:
    """The conditions and segments to evaluate for a contact that was last evaluated with an earlier plan."""

    __slots__ = ("conditions", "segments")

    def __init__(self, conditions: Mapping[int, Condition], segments: Sequence[Segment]) -> None:
        self.conditions = conditions
        self.segments = segments


class _Known(NamedTuple):
    """The ids of the conditions of a plan, and the identities of its segments."""

    conditions: Set[int]
    segments: Set[int]


class RecentPlans:
    """The last plans that were in force in this process. A contact keeps only the identity of its plan. If
    the plan is not remembered here, nothing is known about it."""

    def __init__(self) -> None:
        self.latest: Plan | None = None
        self._known: OrderedDict[int, _Known] = OrderedDict()

    def add(self, plan: Plan) -> None:
        """Add a plan that has come into force."""
        self.latest = plan
        self.add_passing(plan)

    def add_passing(self, plan: Plan) -> None:
        """Add a plan with which contacts may be evaluated during a transition to another plan."""
        self._known[plan.identity] = _Known(frozenset(plan.conditions), frozenset(plan.identities.values()))
        self._known.move_to_end(plan.identity)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def find(self, identity: int) -> _Known | None:
        """Return the conditions and segments of the plan with this identity; None if it is not remembered."""
        return self._known.get(identity)


class Plan:
    """The compiled definitions.

    identity    a hash of only the formulas, versions and births in force. A contact that was evaluated with a
                plan of the same identity does not have to be evaluated again.
    identities  segment id -> `Segment.identity`
    generation  offset of the last known record that changed the definitions in force; calculations report
                their progress with it
    judged      offset of the last record that introduced one of the formulas; in a transition, the `judged`
                of the plan before it
    segments    segment id -> segment, including the built-in ones
    waiting     segment id -> segment: in a transition, the segments that are in force but cannot be evaluated
                before its end. Members by an earlier formula stay members until then.
    static_ids  the ids of the static segments
    newest      the segment that was introduced last; None if all segments are built in
    users       condition id or member id -> the segments whose formula contains it, by segment id
    guard_indexes  condition id -> finds the segments to evaluate after the condition changed
    rank        segment id -> its place in topological order; referred segments come first
    dispatch    finds the conditions to which an input may matter
    following   conditions to evaluate for every contact that is evaluated with this plan for the first time,
                also if the conditions are not new
    new_contact_conditions  conditions to evaluate for a contact of which nothing is known yet
    new_contact_segments    segments whose formula holds when no condition holds
    """

    def __init__(
        self,
        segments: Mapping[str, Segment],
        built_in: Mapping[str, Condition],
        generation: int,
        previous: Plan | None = None,
        candidate: Plan | None = None,
        recent: RecentPlans | None = None,
    ) -> None:
        """Compiled parts of `previous` are used again. With a `candidate`, this is the plan of the transition
        to it, and the summaries of the candidate's conditions are made, too."""
        self.generation = generation
        self.segments = dict(segments)
        self.waiting: dict[str, Segment] = {}
        if candidate is not None:
            self.waiting = {key: one for key, one in candidate.segments.items() if key not in segments}
        self.static_ids = frozenset(segment_id for segment_id, one in self.segments.items() if one.static)
        self.built_in = dict(built_in)
        self.recent = RecentPlans() if recent is None else recent
        newest = max(self.segments.values(), key=lambda one: (one.introduced, one.segment_id))
        self.newest = None if newest.source is None else newest
        self.judged = min(newest.introduced, generation)
        if candidate is not None and previous is not None:
            self.judged = previous.judged
        self.conditions: dict[int, Condition] = {}
        self.identities: dict[str, int] = {}
        self.users: dict[int, dict[str, Segment]] = {}
        self.guard_indexes: dict[int, GuardIndex] = {}
        self._guards: dict[str, frozenset[int]] = {}
        self.rank = _topological(self.segments)
        for segment in sorted(self.segments.values(), key=lambda one: (one.introduced, one.segment_id)):
            self._add(segment, previous)
        if candidate is not None:
            self.conditions = {**candidate.conditions, **self.conditions}
        self.identity = stable_id(
            "plan",
            sorted(self.identities.values()),
            sorted(self.conditions),
            *sorted(one.identity for one in self.waiting.values()),
        )
        self._news: dict[int, News] = {}
        self._dependencies: dict[str, Dependencies] = {}
        self._dependents: dict[int, Dependents] = {}
        self.member_ids = frozenset(
            segment.member_id for segment in (*self.segments.values(), *self.waiting.values())
        )
        self.dispatch = InputDispatch(self.conditions.values())
        self.new_contact_conditions = [
            condition for condition in self.conditions.values() if not condition.false_for_unknown
        ]
        self.new_contact_segments = [segment for segment in self.segments.values() if segment.holds(set())]
        self.known_since_dependent = [
            one for one in self.new_contact_conditions if one.depends_on_known_since
        ]
        self.following = [one for one in self.conditions.values() if one.follows_definitions]

    def _add(self, segment: Segment, previous: Plan | None) -> None:
        segment_id = segment.segment_id
        for condition in segment.conditions:
            if condition.id not in self.conditions:
                shared = None if previous is None else previous.conditions.get(condition.id)
                self.conditions[condition.id] = shared or condition
        if previous is not None and previous.segments.get(segment_id) is segment:
            guards, identity = previous._guards[segment_id], previous.identities[segment_id]
        else:
            guards, identity = guards_of(segment), segment.identity
        self._guards[segment_id] = guards
        self.identities[segment_id] = identity
        needed = {condition.id for condition in segment.conditions}
        for condition_id in needed:
            self.guard_indexes.setdefault(condition_id, GuardIndex()).add(condition_id, segment, guards)
        needed.update(member_id(reference) for reference in segment.references)
        for condition_id in needed:
            self.users.setdefault(condition_id, {})[segment_id] = segment

    def dependencies(self, segment_id: str) -> Dependencies:
        """Return the conditions and segments on which the membership of a segment depends."""
        known = self._dependencies.get(segment_id)
        if known is None:
            segments, found, waiting = self.segments, {segment_id}, [segment_id]
            while waiting:
                new = segments[waiting.pop()].references - found
                found |= new
                waiting.extend(new)
            ordered = tuple(segments[one_id] for one_id in sorted(found, key=self.rank.__getitem__))
            conditions = frozenset(condition.id for one in ordered for condition in one.conditions)
            known = self._dependencies[segment_id] = Dependencies(conditions, ordered)
        return known

    def dependents(self, condition_id: int) -> Dependents:
        """Return the segments whose membership depends on a condition, also through references."""
        known = self._dependents.get(condition_id)
        if known is None:
            found: dict[str, Segment] = {}
            waiting = list(self.users.get(condition_id, {}).values())
            while waiting:
                segment = waiting.pop()
                if segment.segment_id not in found:
                    found[segment.segment_id] = segment
                    waiting.extend(self.users.get(segment.member_id, {}).values())
            by_member_id = {segment.member_id: segment for segment in found.values()}
            known = self._dependents[condition_id] = Dependents(frozenset(by_member_id), by_member_id)
        return known

    def news_since(self, identity: int) -> News:
        """Return what to evaluate for a contact that was last evaluated with the plan of this identity: the
        conditions and segments that are new or changed; all of them if that plan is not remembered."""
        known = self.recent.find(identity)
        if known is None:
            identity, known = -1, _Known(frozenset(), frozenset())
        news = self._news.get(identity)
        if news is None:
            news = self._news[identity] = News(
                {key: one for key, one in self.conditions.items() if key not in known.conditions},
                [one for key, one in self.segments.items() if self.identities[key] not in known.segments],
            )
        return news


def _topological(segments: Mapping[str, Segment]) -> dict[str, int]:
    """Return a place for every segment, after all segments that it refers to. References have no cycles."""
    rank: dict[str, int] = {}
    stack = sorted(segments, reverse=True)
    while stack:
        segment_id = stack[-1]
        if segment_id in rank:
            stack.pop()
            continue
        waiting = [reference for reference in segments[segment_id].references if reference not in rank]
        if waiting:
            stack.extend(sorted(waiting, reverse=True))
        else:
            rank[segment_id] = len(rank)
            stack.pop()
    return rank
