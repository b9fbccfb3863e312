"""Segment definitions: the value on `segment-definitions`.

Some rules need the other definitions and the configuration: references resolve, patterns compile, times are
in order, windows fit the kept history. They are checked when a definition is accepted, not here.
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
"""The fields of a definition that decide who is a member. The other fields name, file and share the
segment."""


class Held(WireModel):
    """The time for which a test has been true without interruption. It has exactly one bound."""

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
    """The time for which the test must have been true; refused with operators that move with the clock."""

    @model_validator(mode="after")
    def _held_fits(self) -> Self:
        _check_held(self.held, operators(self))
        return self


class AttributeElementsCondition(WireModel):
    """At least one element of the list in the attribute's latest value passes. A value that is not a list
    counts as a list of one."""

    attribute: PathText
    """An attribute name or a dotted path into nested objects; a literal dot is written `\\.`."""
    elements: ElementGroup
    held: Held | None = None
    """The time for which the test must have been true; refused with operators that move with the clock."""
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
    """The required number of occurrences. `eq 0` and `lt 1` mean that there were none."""

    operator: Literal["eq", "ne", "gt", "ge", "lt", "le"]
    value: int = Field(ge=0, le=LARGEST_COUNT)


class Aggregate(WireModel):
    """A figure over a numeric property of the occurrences (`distinct`: over any property)."""

    function: Literal["sum", "avg", "min", "max", "distinct"]
    property: ElementPath
    """A property of the occurrence, or of the element if `elements` is given. Inside an element `""` is the
    element itself."""
    elements: PathText | None = None
    """The path of a list in the occurrence. Every element that passes `where` counts as a value."""
    where: ElementGroup | None = None
    """The test that elements must pass to count; only with `elements`. If absent, all elements count."""
    as_: Literal["number"] | None = Field(None, alias="as")
    """`number`: text that is a number counts as that number."""
    operator: Literal["eq", "ne", "gt", "ge", "lt", "le", "between", "not_between"]
    value: Any
    """A number. For between and not_between: a list of two numbers, one of which may be null."""

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
    """The time with now - last < t <= now."""

    last: Duration


class BetweenWindow(WireModel):
    """The time with from <= t < to."""

    between: list[Timestamp | None] = Field(min_length=2, max_length=2)
    """[from, to]; one of them may be null, which means no bound."""

    @model_validator(mode="after")
    def _some_bound(self) -> Self:
        if self.between == [None, None]:
            raise problem("must have at least one bound", at="between")
        return self


class OffsetWindow(WireModel):
    """The time with now + from < t <= now + to; the offsets are signed."""

    from_: SignedDuration = Field(alias="from")
    to: SignedDuration

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if duration_ms(self.from_) > duration_ms(self.to):
            raise problem("must not be earlier than from", at="to")
        return self


class PeriodWindow(WireModel):
    """Whole local calendar units, counted from the current one."""

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
    """An event name. A trailing * makes it a prefix, and * alone matches any event. Only full names match
    derived events."""
    where: Where | None = None
    count: Count | None = None
    """The required number of occurrences; if absent, at least one."""
    window: Window | None = None
    """The time in which occurrences count; if absent, all history."""
    select: Literal["any", "first", "last"] = "any"
    """first, last: only the earliest (latest) of the occurrences that pass `where` is evaluated."""
    has: Where | None = None
    """The test that the selected occurrence must pass; only with select first or last."""
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
    """Membership of another segment. Built-in and static segments are allowed."""

    segment: SegmentId
    member: bool = True
    """False is the complement, for every known contact."""
    not_: bool = Field(False, alias="not")
    """True turns the condition into its complement."""


class SequenceStep(WireModel):
    """A step of a sequence: an occurrence of an event."""

    event: NonEmptyText
    """An event name. A trailing * makes it a prefix, and * alone matches any event."""
    where: Where | None = None


class AbsentStep(WireModel):
    """A step that requires absence: no occurrence of the event after the step before it, up to the sequence's
    deadline, and the deadline has passed."""

    absent: SequenceStep


Step = Annotated[
    Annotated[SequenceStep, Tag("<event>")] | Annotated[AbsentStep, Tag("<absent>")],
    by_key(
        {"event": ("event", SequenceStep), "absent": ("absent", AbsentStep)},
        message="a step is an object with exactly one of event and absent",
    ),
]


class SequenceCondition(WireModel):
    """Occurrences in the order of the steps, each later than the one before it. Occurrences of the same
    instant keep the order in which they arrived."""

    sequence: list[Step] = Field(min_length=1, max_length=8)
    """The steps. If there are several, the last one may be an absent step."""
    within: Duration
    """The longest time from the first step to the last one."""
    step_within: Duration | None = None
    """The longest time from one step to the next; it does not apply to an absent step."""
    window: Window | None = None
    """The time in which the last step must lie; for an absent step, its deadline."""
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

    @property
    def required_steps(self) -> list[SequenceStep]:
        """The steps whose events must occur, in order: all steps but an absent one."""
        return [step for step in self.sequence if isinstance(step, SequenceStep)]

    @property
    def absent_step(self) -> SequenceStep | None:
        """The event that must not occur, which is the last step; None if all steps must occur."""
        last = self.sequence[-1]
        return last.absent if isinstance(last, AbsentStep) else None


class SampleCondition(WireModel):
    """A stable pseudo-random share of contacts."""

    sample: float = Field(gt=0, le=1)
    """The share of contacts; 1 means all contacts."""
    salt: str | None = None
    """The text that, together with the contact_id, decides the draw; if absent, the segment_id."""
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
    """Conditions of which all (any) must hold."""

    match: Match
    conditions: list[Condition] = Field(min_length=1)


class Part(WireModel):
    """A part of an advanced segment: clusters joined by AND, whose contacts are included or excluded."""

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
    """The definition of a segment's members. `standard`: clusters joined by AND. `advanced`: members are in
    at least one included part and in no excluded part. `static`: a list kept by hand, without conditions."""

    model_config = ConfigDict(json_schema_extra=_add_type_rules)

    segment_id: SegmentId
    name: NonEmptyText
    type: Literal["standard", "advanced", "static"]
    clusters: list[Cluster] | None = Field(None, min_length=1)
    """The clusters of a standard segment."""
    parts: list[Part] | None = Field(None, min_length=1, max_length=20)
    """The parts of an advanced segment; at least one of them is included."""
    group: GroupText = "default"
    """The group in which the segment is filed."""
    version: int | None = Field(None, ge=1, le=LARGEST_COUNT)
    """The version number; if absent, the previous version plus one."""
    created_by: str | None = None
    created_at: Timestamp | None = None
    updated_by: str | None = None
    updated_at: Timestamp | None = None
    shared_with: list[str] = Field(default_factory=list)
    """The accounts that may see and copy the segment."""
    timezone: NonEmptyText | None = None
    """An IANA name, used for every calendar calculation in the definition; if absent, the configured
    timezone."""

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
