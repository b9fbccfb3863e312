"""Segment definitions: the value on `segment-definitions`.

Whether references resolve, patterns compile, times lie in order and windows fit the kept history is
judged when a definition is taken, where the other definitions and the configuration are known.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal, Self

from pydantic import ConfigDict, Field, Tag, model_validator

from schemas.durations import Duration, SignedDuration, duration_ms
from schemas.operands import MOVING_OPERATORS, Period, add_operand_rules, check_aggregate_operand
from schemas.paths import problem
from schemas.property_conditions import ElementGroup, Match, OperatorTest, Where, operators
from schemas.scalars import LARGEST_COUNT, ElementPath, GroupText, NonEmptyText, PathText, SegmentId
from schemas.timestamps import Timestamp
from schemas.unions import by_key
from schemas.wire import WireModel

FORMULA: Final = ("type", "clusters", "parts", "timezone")
"""The fields of a definition that say who is a member; the others name, file and share it."""


class Held(WireModel):
    """How long a test has been true without interruption; exactly one bound."""

    at_least: Duration | None = None
    less_than: Duration | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.at_least is None) == (self.less_than is None):
            raise problem("give exactly one of at_least and less_than")
        return self


class AttributeCondition(OperatorTest):
    """A test on the latest value of a contact's attribute."""

    model_config = ConfigDict(json_schema_extra=add_operand_rules)

    attribute: PathText
    """An attribute name or a dotted path into nested objects; a literal dot is written `\\.`."""
    held: Held | None = None
    """For how long the test has to have been true; not with operators that move with the clock."""

    @model_validator(mode="after")
    def _held_fits(self) -> Self:
        _check_held(self.held, operators(self))
        return self


class AttributeElementsCondition(WireModel):
    """At least one element of the list that a contact's attribute is now passes; a value that is no list is a
    list of one."""

    attribute: PathText
    """An attribute name or a dotted path into nested objects; a literal dot is written `\\.`."""
    elements: ElementGroup
    held: Held | None = None
    """For how long the test has to have been true; not with operators that move with the clock."""
    not_: bool = Field(False, alias="not")
    """True turns the condition into its complement: no element passes."""

    @model_validator(mode="after")
    def _held_fits(self) -> Self:
        _check_held(self.held, operators(self.elements))
        return self


def _check_held(held: Held | None, names: Iterable[str]) -> None:
    moving = next((name for name in names if name in MOVING_OPERATORS), None)
    if held is not None and moving is not None:
        raise problem(f"{moving} moves with the clock; remove held", at="held")


class Count(WireModel):
    """How many occurrences there have to be; `eq 0` and `lt 1` mean that there were none."""

    operator: Literal["eq", "ne", "gt", "ge", "lt", "le"]
    value: int = Field(ge=0, le=LARGEST_COUNT)


class Aggregate(WireModel):
    """A figure over a numeric property of the occurrences (`distinct`: over any property)."""

    function: Literal["sum", "avg", "min", "max", "distinct"]
    property: ElementPath
    """Of the occurrence; with `elements` inside the element, where `""` is the element itself."""
    elements: PathText | None = None
    """The path of a list in the occurrence: every element that passes `where` counts as a value."""
    where: ElementGroup | None = None
    """Which elements count; only with `elements`. Absent, all of them."""
    as_: Literal["number"] | None = Field(None, alias="as")
    """`number` takes text that is a number as that number."""
    operator: Literal["eq", "ne", "gt", "ge", "lt", "le", "between", "not_between"]
    value: Any
    """A number; for between and not_between a list of two, either of which may be null."""

    @model_validator(mode="after")
    def _fields_fit(self) -> Self:
        check_aggregate_operand(self.operator, self.value)
        if self.elements is None:
            if self.where is not None:
                raise problem("only with elements; put it beside the event for whole occurrences", at="where")
            if not self.property:
                raise problem("must not be empty", at="property")
        return self


class LastWindow(WireModel):
    """now - last < t <= now"""

    last: Duration


class BetweenWindow(WireModel):
    """from <= t < to"""

    between: list[Timestamp | None] = Field(min_length=2, max_length=2)
    """[from, to]; either of them may be null, for no bound."""

    @model_validator(mode="after")
    def _some_bound(self) -> Self:
        if self.between == [None, None]:
            raise problem("must have at least one bound", at="between")
        return self


class OffsetWindow(WireModel):
    """now + from < t <= now + to, the offsets being signed"""

    from_: SignedDuration = Field(alias="from")
    to: SignedDuration

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if duration_ms(self.from_) > duration_ms(self.to):
            raise problem("must not be earlier than from", at="to")
        return self


class PeriodWindow(WireModel):
    """Whole local calendar units relative to the current one."""

    period: Period


_WINDOWS = by_key(
    {
        "last": ("last", LastWindow),
        "between": ("between", BetweenWindow),
        "from": ("offset", OffsetWindow),
        "to": ("offset", OffsetWindow),
        "period": ("period", PeriodWindow),
    },
    message="a window is one of last, between, from with to, or period",
)
Window = Annotated[
    Annotated[LastWindow, Tag("<last>")]
    | Annotated[BetweenWindow, Tag("<between>")]
    | Annotated[OffsetWindow, Tag("<offset>")]
    | Annotated[PeriodWindow, Tag("<period>")],
    _WINDOWS,
]


class EventCondition(WireModel):
    """A test on a contact's history of behaviour events."""

    event: NonEmptyText
    """An event name; a trailing * makes it a prefix, * alone is any event, and derived events are only
    matched by their full names."""
    where: Where | None = None
    count: Count | None = None
    """How many occurrences; absent, at least one."""
    window: Window | None = None
    """The time in which occurrences count; absent, all history."""
    select: Literal["any", "first", "last"] = "any"
    """first, last: of the occurrences that pass `where`, only the earliest (latest) is judged."""
    has: Where | None = None
    """What the selected occurrence has to pass; only with select first or last."""
    aggregate: Aggregate | None = None
    not_: bool = Field(False, alias="not")
    """True turns the condition into its complement."""

    @model_validator(mode="after")
    def _one_way_of_judging(self) -> Self:
        if self.count is not None and self.aggregate is not None:
            raise problem("not together with count; keep one of them", at="aggregate")
        if self.select == "any":
            if self.has is not None:
                raise problem("only with select first or last", at="has")
        elif self.count is not None:
            raise problem("not together with select first or last", at="count")
        elif self.aggregate is not None:
            raise problem("not together with select first or last", at="aggregate")
        return self


class SegmentCondition(WireModel):
    """Membership of another segment, built-in and static ones included."""

    segment: SegmentId
    member: bool = True
    """False is the complement, for every known contact."""
    not_: bool = Field(False, alias="not")
    """True turns the condition into its complement."""


class SequenceStep(WireModel):
    """An occurrence of an event."""

    event: NonEmptyText
    """An event name; a trailing * makes it a prefix, * alone is any event."""
    where: Where | None = None


class AbsentStep(WireModel):
    """No such occurrence after the step before, up to the sequence's deadline, which has passed."""

    absent: SequenceStep


Step = Annotated[
    Annotated[SequenceStep, Tag("<event>")] | Annotated[AbsentStep, Tag("<absent>")],
    by_key(
        {"event": ("event", SequenceStep), "absent": ("absent", AbsentStep)},
        message="a step is an object with exactly one of event and absent",
    ),
]


class SequenceCondition(WireModel):
    """Occurrences in that order, each later than the one before; what happened at one instant keeps the order
    in which it arrived."""

    sequence: list[Step] = Field(min_length=1, max_length=8)
    """The steps; the last of several may be an absent one."""
    within: Duration
    """How long after the first step the last one may be."""
    step_within: Duration | None = None
    """How long after the one before it each step may be, an absent one excepted."""
    window: Window | None = None
    """The time in which the last step (of an absent one, the deadline) has to lie."""
    not_: bool = Field(False, alias="not")
    """True turns the condition into its complement."""

    @model_validator(mode="after")
    def _absent_comes_last(self) -> Self:
        for index, step in enumerate(self.sequence):
            if isinstance(step, AbsentStep):
                if index == 0:
                    raise problem("an absent step needs a step before it", at="sequence[0]")
                if index < len(self.sequence) - 1:
                    raise problem("only the last step may be absent", at=f"sequence[{index}]")
        return self


class SampleCondition(WireModel):
    """A stable pseudo-random share of contacts."""

    sample: float = Field(gt=0, le=1)
    """The share, 1 being everybody."""
    salt: str | None = None
    """What the draw depends on, with the contact_id; absent, the segment_id."""
    not_: bool = Field(False, alias="not")
    """True turns the condition into its complement."""


Condition = Annotated[
    Annotated[AttributeCondition, Tag("<attribute>")]
    | Annotated[AttributeElementsCondition, Tag("<attribute elements>")]
    | Annotated[EventCondition, Tag("<event>")]
    | Annotated[SegmentCondition, Tag("<segment>")]
    | Annotated[SequenceCondition, Tag("<sequence>")]
    | Annotated[SampleCondition, Tag("<sample>")],
    by_key(
        {
            "attribute": ("attribute", AttributeCondition),
            ("attribute", "elements"): ("attribute elements", AttributeElementsCondition),
            "event": ("event", EventCondition),
            "segment": ("segment", SegmentCondition),
            "sequence": ("sequence", SequenceCondition),
            "sample": ("sample", SampleCondition),
        },
        message="a condition is an object with exactly one of attribute, event, segment, sequence and sample",
    ),
]


class Cluster(WireModel):
    """Conditions of which all (any) have to hold."""

    match: Match
    conditions: list[Condition] = Field(min_length=1)


class Part(WireModel):
    """A part of an advanced segment: clusters joined by AND, taken in or left out."""

    name: str | None = None
    relation: Literal["include", "exclude"]
    clusters: list[Cluster] = Field(min_length=1)


_NEEDED: Final[dict[str, str | None]] = {"standard": "clusters", "advanced": "parts", "static": None}


def _add_type_rules(schema: dict[str, Any]) -> None:
    schema["allOf"] = [
        {
            "if": {"properties": {"type": {"const": kind}}, "required": ["type"]},
            "then": {
                "properties": {name: {"type": "null"} for name in ("clusters", "parts") if name != needed},
                "required": [needed] if needed else [],
            },
        }
        for kind, needed in _NEEDED.items()
    ]


class SegmentDefinition(WireModel):
    """Who belongs to a segment. `standard`: clusters joined by AND. `advanced`: in at least one included
    part and in no excluded one. `static`: a list kept by hand, without conditions."""

    model_config = ConfigDict(json_schema_extra=_add_type_rules)

    segment_id: SegmentId
    name: NonEmptyText
    type: Literal["standard", "advanced", "static"]
    clusters: list[Cluster] | None = Field(None, min_length=1)
    """Of a standard segment."""
    parts: list[Part] | None = Field(None, min_length=1, max_length=20)
    """Of an advanced segment; at least one of them is included."""
    group: GroupText = "default"
    """The group it is filed in."""
    version: int | None = Field(None, ge=1, le=LARGEST_COUNT)
    """Absent, it counts on by one."""
    created_by: str | None = None
    created_at: Timestamp | None = None
    updated_by: str | None = None
    updated_at: Timestamp | None = None
    shared_with: list[str] = Field(default_factory=list)
    """The accounts that may see and copy it."""
    timezone: NonEmptyText | None = None
    """An IANA name, used by every calendar notion in the definition; absent, the configured one."""

    @model_validator(mode="after")
    def _conditions_fit_type(self) -> Self:
        needed = _NEEDED[self.type]
        for name in ("clusters", "parts"):
            if name == needed and getattr(self, name) is None:
                raise problem(f"a segment of type {self.type} needs {name}; give them", at=name)
            if name != needed and getattr(self, name) is not None:
                raise problem(f"a segment of type {self.type} has no {name}; remove them", at=name)
        if self.parts is not None and not any(part.relation == "include" for part in self.parts):
            raise problem("at least one part must have the relation include", at="parts")
        return self
