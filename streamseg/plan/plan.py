"""The plan: all definitions in force, compiled, so that an input costs only what it touches.

Immutable and swapped whole. Equal conditions are one; an event finds its conditions by name and then by
the one text value that they demand, an attribute likewise; a flipped condition knows its segments.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from schemas.attributes import KNOWN_SINCE
from streamseg.language.conditions.attribute import AttributeCondition, HeldCondition
from streamseg.language.conditions.base import Condition, EventFed, stable_id
from streamseg.language.conditions.membership import member_id
from streamseg.language.conditions.sequence import SequenceCondition
from streamseg.language.segments import Segment
from streamseg.plan.audience import Audience, guards_of
from streamseg.records.inputs import Event
from streamseg.values import is_number

T = TypeVar("T")

_REMEMBERED = 8
"""Plans that a contact may have been brought up to last, before the present one."""


class TextIndex(Generic[T]):
    """Conditions that demand one of some texts, found by the value at hand."""

    __slots__ = ("_by_text",)

    def __init__(self) -> None:
        self._by_text: dict[str, list[T]] = {}

    def add(self, texts: Iterable[str], condition: T) -> None:
        for text in dict.fromkeys(texts):
            self._by_text.setdefault(text, []).append(condition)

    def find(self, value: Any) -> Iterable[T]:
        """The conditions that may hold of a value, each once; a list counts by the texts in it."""
        if isinstance(value, str):
            return self._by_text.get(value, ())
        if isinstance(value, list):
            texts = [text for text in value if isinstance(text, str)]
            return {id(one): one for text in texts for one in self._by_text.get(text, ())}.values()
        return ()


class EventDispatch:
    """The conditions on one event name or prefix: those to ask always, and those that demand a text."""

    __slots__ = ("always", "by_text")

    def __init__(self) -> None:
        self.always: list[EventFed] = []
        self.by_text: dict[tuple[Any, ...], tuple[Callable[[Any], Any], TextIndex[EventFed]]] = {}

    def add(self, condition: EventFed) -> None:
        matcher = getattr(condition, "matcher", None)
        demand = matcher.where.demand if matcher is not None and matcher.where is not None else None
        if demand is None:
            self.always.append(condition)
            return
        key, read, texts = demand
        if key not in self.by_text:
            self.by_text[key] = (read, TextIndex())
        self.by_text[key][1].add(texts, condition)

    def find(self, event: Event) -> list[EventFed]:
        """The conditions that an occurrence may matter to."""
        found = self.always
        for read, index in self.by_text.values():
            listed = index.find(read(event.properties))
            if listed:
                found = [*found, *listed]
        return found


class Thresholds:
    """Conditions that compare a number with one bound, ordered by it: a change of value only matters to
    those whose bound lies between the old and the new one."""

    __slots__ = ("_bounds", "_conditions")

    def __init__(self) -> None:
        self._bounds: list[float] = []
        self._conditions: list[Condition] = []

    def add(self, bound: float, condition: Condition) -> None:
        place = bisect_right(self._bounds, bound)
        self._bounds.insert(place, bound)
        self._conditions.insert(place, condition)

    def find(self, old: Any, new: Any) -> list[Condition]:
        """The conditions that may differ between two values; one that is no number is beyond all bounds."""
        conditions = self._conditions
        if not conditions:
            return conditions
        numbers = [value for value in (old, new) if is_number(value)]
        if not numbers:
            return []
        if len(numbers) == 1:
            return conditions
        start, end = bisect_left(self._bounds, min(numbers)), bisect_right(self._bounds, max(numbers))
        return conditions[start:end]


class AttributeDispatch:
    """The conditions on one attribute: those to ask always, those that demand a text, and thresholds."""

    __slots__ = ("always", "by_text", "held", "thresholds")

    def __init__(self) -> None:
        self.always: list[Condition] = []
        self.by_text: TextIndex[Condition] = TextIndex()
        self.held: list[HeldCondition] = []
        self.thresholds = Thresholds()

    def add(self, condition: AttributeCondition | HeldCondition) -> None:
        if isinstance(condition, HeldCondition):
            self.held.append(condition)
            self.always.append(condition)
            return
        bound = condition.threshold()
        if bound is not None:
            self.thresholds.add(bound, condition)
            return
        texts = condition.texts()
        if texts is None:
            self.always.append(condition)
            return
        self.by_text.add(texts, condition)

    def find(self, old: Any, new: Any) -> list[Condition]:
        """The conditions that a change of value may matter to, some twice."""
        found = self.always
        for listed in (self.thresholds.find(old, new), self.by_text.find(old), self.by_text.find(new)):
            if listed:
                found = [*found, *listed]
        return found


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
        self._by_event: dict[str, EventDispatch] = {}
        self._prefixes: list[tuple[str, EventDispatch]] = []
        self.by_attribute: dict[str, AttributeDispatch] = {}
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
        for condition in self.conditions.values():
            self._dispatch(condition)
        self.lively = [condition for condition in self.conditions.values() if not condition.inert]
        self.open = [segment for segment in self.segments.values() if segment.holds(set())]
        self.known_since_dependent = [condition for condition in self.lively if _asks_known_since(condition)]

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

    def _dispatch(self, condition: Condition) -> None:
        if isinstance(condition, (AttributeCondition, HeldCondition)):
            self.by_attribute.setdefault(condition.path[0], AttributeDispatch()).add(condition)
        elif isinstance(condition, SequenceCondition):
            for name, prefix in {(matcher.name, matcher.prefix) for matcher in condition.matchers}:
                self._event_dispatch(name, prefix).add(condition)
        elif isinstance(condition, EventFed):
            matcher = condition.matcher  # type: ignore[attr-defined]
            self._event_dispatch(matcher.name, matcher.prefix).add(condition)

    def _event_dispatch(self, name: str, prefix: bool) -> EventDispatch:
        if not prefix:
            return self._by_event.setdefault(name, EventDispatch())
        for known, dispatch in self._prefixes:
            if known == name:
                return dispatch
        dispatch = EventDispatch()
        self._prefixes.append((name, dispatch))
        return dispatch

    @property
    def event_names(self) -> Set[str]:
        """The names, prefixes left out, that conditions ask for."""
        return self._by_event.keys()

    def conditions_for(self, event: Event) -> Iterable[EventFed]:
        """The conditions that an occurrence may matter to, each once."""
        exact = self._by_event.get(event.name)
        found = exact.find(event) if exact is not None else []
        if event.derived or not self._prefixes:
            return found
        merged = {condition.id: condition for condition in found}
        for prefix, dispatch in self._prefixes:
            if event.name.startswith(prefix):
                merged.update((condition.id, condition) for condition in dispatch.find(event))
        return merged.values()

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


def _asks_known_since(condition: Condition) -> bool:
    """Whether its answer follows from when the contact became known, too."""
    if isinstance(condition, HeldCondition):
        return True
    return isinstance(condition, AttributeCondition) and condition.path[0] == KNOWN_SINCE


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
