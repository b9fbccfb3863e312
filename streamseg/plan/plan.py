"""The plan: all definitions in force, compiled, so that an input costs only what it touches.

Immutable and swapped whole. Equal conditions are one; an input finds its conditions by the plan's dispatch,
a condition that flipped its segments by the plan's audience.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from streamseg.language.conditions.base import Condition, stable_id
from streamseg.language.conditions.membership import member_id
from streamseg.language.segments import Segment
from streamseg.plan.audience import Audience, guards_of
from streamseg.plan.dispatch import InputDispatch

_REMEMBERED = 8
"""Plans that a contact may have been brought up to last, before the present one."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """All that a membership rests on, references included: conditions, and segments in topological order,
    the one in question last."""

    condition_ids: frozenset[int]
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Dependents:
    """The segments whose membership rests on a condition, and the ids under which it stands."""

    member_ids: frozenset[int]
    segments: Mapping[int, Segment]


@dataclass(frozen=True, slots=True)
class News:
    """What a contact that was last brought up to an earlier plan has to be asked under a later one."""

    conditions: Mapping[int, Condition]
    segments: Sequence[Segment]


class _Known(NamedTuple):
    """The conditions and the segments of a plan, by their identities."""

    conditions: Set[int]
    segments: Set[int]


class Lineage:
    """The last plans that were in force here. Contacts remember theirs by its identity alone; of one that is
    not here, nothing is known."""

    def __init__(self) -> None:
        self.latest: Plan | None = None
        self._known: OrderedDict[int, _Known] = OrderedDict()

    def add(self, plan: Plan) -> None:
        """A plan has come into force."""
        self.latest = plan
        self.add_passing(plan)

    def add_passing(self, plan: Plan) -> None:
        """Contacts may be brought up to a plan that was made on the way to another."""
        self._known[plan.identity] = _Known(frozenset(plan.conditions), frozenset(plan.identities.values()))
        self._known.move_to_end(plan.identity)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def find(self, identity: int) -> _Known | None:
        """The plan of that identity, as far as it is remembered."""
        return self._known.get(identity)


class Plan:
    """Compiled definitions.

    identity    follows from the formulas, versions and births in force, and nothing else: a contact that was
                brought up to a plan with the same one is up to date
    identities  segment id -> `Segment.identity`
    generation  offset of the last record known that changed what is in force; for telling how far
                calculations are
    judged      offset of the last record that introduced one of its formulas; in a transition, one of those
                of the plan that it leads away from
    segments    by id, built-in ones included
    waiting     in a transition, by id, those that are in force but cannot be judged before its end: who is a
                member of one of them by what it asked for earlier stays one until then
    static_ids  the ids of those that are lists kept by hand
    newest      the segment that was introduced last, None where all are built in
    users       condition id (or member id) -> the segments whose formula asks for it, by id
    audience    condition id -> those of them that may turn round when it flips
    rank        segment id -> its place in topological order, referred ones first
    dispatch    which conditions an input may matter to
    following   conditions to ask of each contact that is brought up to this plan, new or not
    lively      conditions that a contact nothing is known of must be asked
    open        segments that such a contact is a member of before any condition flips
    """

    def __init__(
        self,
        segments: Mapping[str, Segment],
        built_in: Mapping[str, Condition],
        generation: int,
        previous: Plan | None = None,
        candidate: Plan | None = None,
        lineage: Lineage | None = None,
    ) -> None:
        """`previous` lends what it has compiled. With a `candidate`, this is the way to that plan: its
        conditions are filled, too."""
        self.generation = generation
        self.segments = dict(segments)
        self.waiting: dict[str, Segment] = {}
        if candidate is not None:
            self.waiting = {key: one for key, one in candidate.segments.items() if key not in segments}
        self.static_ids = frozenset(segment_id for segment_id, one in self.segments.items() if one.static)
        self.built_in = dict(built_in)
        self.lineage = Lineage() if lineage is None else lineage
        newest = max(self.segments.values(), key=lambda one: (one.introduced, one.segment_id))
        self.newest = None if newest.source is None else newest
        self.judged = min(newest.introduced, generation)
        if candidate is not None and previous is not None:
            self.judged = previous.judged
        self.conditions: dict[int, Condition] = {}
        self.identities: dict[str, int] = {}
        self.users: dict[int, dict[str, Segment]] = {}
        self.audience: dict[int, Audience] = {}
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
        self._grounds: dict[str, Grounds] = {}
        self._dependents: dict[int, Dependents] = {}
        self.member_ids = frozenset(
            segment.member_id for segment in (*self.segments.values(), *self.waiting.values())
        )
        self.dispatch = InputDispatch(self.conditions.values())
        self.lively = [condition for condition in self.conditions.values() if not condition.inert]
        self.open = [segment for segment in self.segments.values() if segment.holds(set())]
        self.known_since_dependent = [one for one in self.lively if one.asks_known_since]
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
            self.audience.setdefault(condition_id, Audience()).add(condition_id, segment, guards)
        needed.update(member_id(reference) for reference in segment.references)
        for condition_id in needed:
            self.users.setdefault(condition_id, {})[segment_id] = segment

    def grounds(self, segment_id: str) -> Grounds:
        """What membership of a segment rests on."""
        known = self._grounds.get(segment_id)
        if known is None:
            segments, found, waiting = self.segments, {segment_id}, [segment_id]
            while waiting:
                new = segments[waiting.pop()].references - found
                found |= new
                waiting.extend(new)
            ordered = tuple(segments[one_id] for one_id in sorted(found, key=self.rank.__getitem__))
            conditions = frozenset(condition.id for one in ordered for condition in one.conditions)
            known = self._grounds[segment_id] = Grounds(conditions, ordered)
        return known

    def dependents(self, condition_id: int) -> Dependents:
        """The segments whose membership rests on a condition, by way of references too."""
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
        """What is to be asked of a contact that was brought up to the plan of that identity: what has come or
        changed since, everything where that plan is not remembered."""
        known = self.lineage.find(identity)
        if known is None:
            identity, known = -1, _Known(frozenset(), frozenset())
        news = self._news.get(identity)
        if news is None:
            news = self._news[identity] = News(
                {key: one for key, one in self.conditions.items() if key not in known.conditions},
                [one for key, one in self.segments.items() if self.identities[key] not in known.segments],
            )
        return news


def transition(current: Plan, target: Plan) -> Plan | None:
    """The plan to work by until every contact is ready for `target`: segments that changed are judged by
    their old formula still, while the new one's conditions are filled and fed; new ones that refer to those
    wait, since nobody is to enter by a formula that is on its way out. None if none changed."""
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
        # In topological order: what refers to one that waits waits too.
        if new and any(one in kept or one not in segments for one in segment.references):
            del segments[segment_id]
    waiting = list(kept.values())
    while waiting:
        for reference in waiting.pop().references:
            if reference not in segments:
                segments[reference] = current.segments[reference]
                waiting.append(segments[reference])
    passing = Plan(segments, target.built_in, target.generation, current, target, target.lineage)
    target.lineage.add_passing(passing)
    return passing


def _topological(segments: Mapping[str, Segment]) -> dict[str, int]:
    """A place for every segment, after all that it refers to (references form a DAG)."""
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
