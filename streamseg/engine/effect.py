"""What a draft of a segment would change: who enters, who leaves, who stays, and why."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from streamseg.contact.contact import Contact
from streamseg.json_text import Json
from streamseg.language.segments import Part, Segment
from streamseg.wording.order import in_written_order

MOST_REASONS: Final = 20
"""The largest number of reasons that are shown for those who enter, and for those who leave."""

Place = tuple[int, int | None, int | None]
"""The positions of a part, a cluster in it and a condition in that; None: the whole part or cluster."""


class Reason(NamedTuple):
    """What keeps contacts out of a segment: a condition that does not hold, or, with a whole part, an
    excluding part that does (`holds`)."""

    place: Place
    holds: bool


class Group:
    """Some contacts: their number, the first of them by id, and the reasons, each with how many contacts it
    applies to."""

    def __init__(self, sample: int) -> None:
        self._most = sample
        self.contacts = 0
        self.sample: list[str] = []
        self.reasons: Counter[Reason] = Counter()

    def add(self, contact_id: str) -> None:
        self.contacts += 1
        self._list(contact_id)

    def _list(self, contact_id: str) -> None:
        if len(self.sample) < self._most or (self.sample and contact_id < self.sample[-1]):
            insort(self.sample, contact_id)
            del self.sample[self._most :]

    def wire(self) -> Json:
        reasons = [((one.place, one.holds), contacts) for one, contacts in self.reasons.items()]
        return {"contacts": self.contacts, "sample": self.sample, "reasons": reasons}

    def merge(self, other: Json) -> None:
        """Add what `wire` returned for other contacts."""
        self.contacts += other["contacts"]
        for contact_id in other["sample"]:
            self._list(contact_id)
        for (place, holds), contacts in other["reasons"]:
            self.reasons[Reason(tuple(place), holds)] += contacts


class Effect:
    """Compares the members of a draft with the members of the segment that is in force.

    known     the number of contacts compared
    members   the members of the draft
    """

    def __init__(self, draft: Segment, in_force: Segment | None, sample: int) -> None:
        """`in_force` is the segment whose place the draft would take; None: it would be new. At most `sample`
        contacts are listed of each group."""
        self._draft = draft
        self._in_force = in_force
        self.known = 0
        self.members = Group(sample)
        self.entering, self.leaving, self.staying = Group(sample), Group(sample), Group(sample)
        self._holding: Counter[Place] = Counter()

    def take(self, kept: Contact, tried: Contact) -> None:
        """Count a contact. `kept` is its state now. `tried` is the same contact, evaluated with a plan that
        has the draft, and the conditions of the segment in force."""
        true = tried.body.true
        self.known += 1
        self._holding.update(_holding(self._draft, true))
        is_in, was_in = self._draft.member_id in true, self._is_member(kept)
        contact_id = kept.contact_id
        if is_in:
            self.members.add(contact_id)
        if is_in and was_in:
            self.staying.add(contact_id)
        elif is_in:
            self.entering.add(contact_id)
            if self._in_force is not None:
                self.entering.reasons.update(_reasons(self._in_force, true))
        elif was_in:
            self.leaving.add(contact_id)
            self.leaving.reasons.update(_reasons(self._draft, true))

    def _is_member(self, kept: Contact) -> bool:
        if self._in_force is None:
            return False
        membership = kept.body.members.get(self._draft.segment_id)
        return (
            membership is not None and membership.is_member and membership.born in (None, self._in_force.born)
        )

    def wire(self) -> Json:
        """Return the numbers as JSON, for `merge`."""
        return {
            "known": self.known,
            "members": self.members.wire(),
            "entering": self.entering.wire(),
            "leaving": self.leaving.wire(),
            "staying": self.staying.wire(),
            "holding": list(self._holding.items()),
        }

    def merge(self, other: Json) -> None:
        """Add what `wire` returned for other contacts."""
        self.known += other["known"]
        for name in ("members", "entering", "leaving", "staying"):
            getattr(self, name).merge(other[name])
        for place, contacts in other["holding"]:
            self._holding[tuple(place)] += contacts

    def shown(self) -> Json:
        """Return the comparison as the API has it, without sentences."""
        return {
            "known": self.known,
            "with_version": None if self._in_force is None else self._in_force.version,
            "entering": self._shown_group(self.entering, self._in_force, "in_force"),
            "leaving": self._shown_group(self.leaving, self._draft, "draft"),
            "staying": {"contacts": self.staying.contacts, "sample": self.staying.sample},
            "parts": [self._shown_part(index, part) for index, part in enumerate(self._draft.parts)],
        }

    def _shown_part(self, number: int, part: Part) -> Json:
        return {
            "name": part.name,
            "relation": "include" if part.include else "exclude",
            "contacts": self._holding[number, None, None],
            "clusters": [
                {
                    "match": "all" if cluster.every else "any",
                    "contacts": self._holding[number, index, None],
                    "conditions": [
                        {
                            "condition": _condition(part, (number, index, position)),
                            "contacts": self._holding[number, index, position],
                        }
                        for position in range(len(cluster.literals))
                    ],
                }
                for index, cluster in enumerate(part.clusters)
            ],
        }

    def _shown_group(self, group: Group, segment: Segment | None, definition: str) -> Json:
        ordered = sorted(group.reasons.items(), key=lambda item: (-item[1], _sortable(item[0].place)))
        reasons = []
        # Without a segment in force there is nothing that keeps contacts out, so there are no reasons.
        if segment is not None:
            reasons = [
                {
                    "definition": definition,
                    **dict(zip(("part", "cluster", "condition"), reason.place, strict=True)),
                    "holds": reason.holds,
                    "contacts": contacts,
                    "test": _condition(segment.parts[reason.place[0]], reason.place),
                }
                for reason, contacts in ordered[:MOST_REASONS]
            ]
        return {"contacts": group.contacts, "sample": group.sample, "reasons": reasons}


def _condition(part: Part, place: Place) -> Json | None:
    """Return the condition at a place as it was written; None for a whole part, and for a list."""
    _, cluster, condition = place
    if cluster is None or condition is None:
        return None
    source = part.clusters[cluster].literals[condition].source
    return None if source is None else in_written_order(source.model_dump(mode="json", exclude_unset=True))


def _sortable(place: Place) -> tuple[int, ...]:
    return tuple(-1 if step is None else step for step in place)


def _holding(segment: Segment, true: set[int]) -> Iterator[Place]:
    """Yield the places of all parts, clusters and conditions that hold."""
    for number, part in enumerate(segment.parts):
        if part.holds(true):
            yield number, None, None
        for index, cluster in enumerate(part.clusters):
            if cluster.holds(true):
                yield number, index, None
            for position, literal in enumerate(cluster.literals):
                if literal.holds(true):
                    yield number, index, position


def _reasons(segment: Segment, true: set[int]) -> Iterator[Reason]:
    """Yield what keeps a contact out: the excluding parts that hold; if no including part holds, also the
    conditions that do not hold in the clusters of these parts that do not hold."""
    included = any(part.include and part.holds(true) for part in segment.parts)
    for number, part in enumerate(segment.parts):
        if not part.include:
            if part.holds(true):
                yield Reason((number, None, None), True)
        elif not included:
            for index, cluster in enumerate(part.clusters):
                if not cluster.holds(true):
                    for position, literal in enumerate(cluster.literals):
                        if not literal.holds(true):
                            yield Reason((number, index, position), False)
