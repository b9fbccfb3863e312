"""The operators of the contract and the shape of each operator's operand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import core_schema

from schemas.durations import Duration, SignedDuration, WholeDays, duration_ms
from schemas.paths import first_error, join_path, problem
from schemas.scalars import BOOLEAN, FLOAT, INTEGER, LARGEST_COUNT, TEXT, Number, OneOf, Scalar, by_value
from schemas.timestamps import TIMESTAMP_PATTERN, Timestamp
from schemas.wire import WireModel

_TIMESTAMP: Final = re.compile(TIMESTAMP_PATTERN.removeprefix("^").removesuffix("$"))
MAX_PATTERN_LENGTH: Final = 1_000

CalendarUnit = Literal["day", "week", "month", "quarter", "year"]
CalendarPart = Literal["minute", "hour", "day", "weekday", "month", "quarter"]

PART_RANGES: Final[dict[str, tuple[int, int]]] = {
    "minute": (0, 59),
    "hour": (0, 23),
    "day": (1, 31),
    "weekday": (1, 7),
    "month": (1, 12),
    "quarter": (1, 4),
}
"""Part of the local time -> its least and its greatest value."""


class Period(WireModel):
    """Whole local calendar units, counted from the current one, both ends included. -1..-1 is the previous
    unit, 0..0 the current one. Weeks begin on Monday unless `week_start` names another day."""

    unit: CalendarUnit
    from_: int = Field(alias="from")
    """The first unit, counted from the current one."""
    to: int
    """The last unit, counted from the current one; not before `from`."""
    week_start: int | None = Field(None, ge=1, le=7)
    """The day on which weeks begin, 1-7 from Monday; only with the unit week. Absent, Monday."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ > self.to:
            raise problem("must not be less than from", at="to")
        if self.week_start is not None and self.unit != "week":
            raise problem("only with the unit week; remove it", at="week_start")
        return self


class Calendar(WireModel):
    """A part of the local time and the values it may have: minute 0-59, hour 0-23, day 1-31, weekday 1-7
    from Monday, month 1-12, quarter 1-4."""

    unit: CalendarPart
    values: list[int] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        low, high = PART_RANGES[self.unit]
        for index, value in enumerate(self.values):
            if not low <= value <= high:
                raise problem(
                    f"must lie between {low} and {high}, as a value of the unit {self.unit}",
                    at=f"values[{index}]",
                )
        return self


class Anniversary(WireModel):
    """The month and day of the time come round within the given number of whole local days, today
    included."""

    in_next: WholeDays


def _range_in_order(bounds: list[str | int | float | None]) -> list[str | int | float | None]:
    low, high = bounds
    if low is None and high is None:
        raise problem("must have at least one bound")
    kinds = {type(bound) for bound in bounds if bound is not None}
    if str in kinds and float in kinds:
        raise problem("must have two numbers or two timestamps")
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and by_value(low) > by_value(high):
        raise problem("the bounds are the wrong way round", at="[1]")
    return bounds


def _numbers_in_order(bounds: list[int | float | None]) -> list[int | float | None]:
    _range_in_order([*bounds])
    return bounds


def _ages_in_order(bounds: list[int | None]) -> list[int | None]:
    _range_in_order([*bounds])
    return bounds


def _durations_in_order(bounds: list[str]) -> list[str]:
    if duration_ms(bounds[0]) > duration_ms(bounds[1]):
        raise problem("the bounds are the wrong way round", at="[1]")
    return bounds


_SCALARS = core_schema.list_schema(
    core_schema.union_schema([TEXT, INTEGER, FLOAT, BOOLEAN], mode="left_to_right"), strict=True
)

ScalarOrList = Annotated[
    Any,
    OneOf(
        TEXT,
        INTEGER,
        FLOAT,
        BOOLEAN,
        _SCALARS,
        message="must be text, a number, true or false, or a list of these",
        json_schema={
            "type": ["string", "number", "boolean", "array"],
            "items": {"type": ["string", "number", "boolean"]},
        },
    ),
]
ScalarList = Annotated[list[Scalar], Field(min_length=1)]
Bound = Annotated[
    str | int | float | None,
    OneOf(
        core_schema.none_schema(),
        INTEGER,
        FLOAT,
        core_schema.str_schema(strict=True, pattern=TIMESTAMP_PATTERN),
        message="must be a number, a timestamp or null",
        json_schema={"type": ["number", "string", "null"], "pattern": TIMESTAMP_PATTERN},
    ),
]
Range = Annotated[list[Bound], Field(min_length=2, max_length=2), AfterValidator(_range_in_order)]
NumberRange = Annotated[
    list[Number | None], Field(min_length=2, max_length=2), AfterValidator(_numbers_in_order)
]
Age = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]
AgeRange = Annotated[list[Age | None], Field(min_length=2, max_length=2), AfterValidator(_ages_in_order)]
"""[from, to] in full years, both included; one of them may be null."""
OffsetRange = Annotated[
    list[SignedDuration], Field(min_length=2, max_length=2), AfterValidator(_durations_in_order)
]
PatternText = Annotated[str, Field(max_length=MAX_PATTERN_LENGTH)]


Kind = Literal["string", "number", "boolean", "time", "list"]

Operand = Literal[
    "text",
    "pattern",
    "number",
    "time",
    "duration",
    "list",
    "scalar_or_list",
    "range",
    "offset_range",
    "period",
    "calendar",
    "anniversary",
    "age_range",
]

_SHAPES: Final[dict[Operand, TypeAdapter[Any]]] = {
    "text": TypeAdapter(str),
    "pattern": TypeAdapter(PatternText),
    "number": TypeAdapter(Number),
    "time": TypeAdapter(Timestamp),
    "duration": TypeAdapter(Duration),
    "list": TypeAdapter(ScalarList),
    "scalar_or_list": TypeAdapter(ScalarOrList),
    "range": TypeAdapter(Range),
    "offset_range": TypeAdapter(OffsetRange),
    "period": TypeAdapter(Period),
    "calendar": TypeAdapter(Calendar),
    "anniversary": TypeAdapter(Anniversary),
    "age_range": TypeAdapter(AgeRange),
}


class Operator(NamedTuple):
    """A row of the operator table.

    name        the name of the positive operator
    complement  the name of the negative operator, true where the positive one is false; None if none
    operand     the name of the operand's shape; None if the operator takes no operand
    kinds       the kinds of stored values that the operator accepts
    moves       whether the result changes with the clock alone
    """

    name: str
    complement: str | None
    operand: Operand | None
    kinds: frozenset[Kind]
    moves: bool = False

    @property
    def shape(self) -> TypeAdapter[Any] | None:
        """The validator for the operand; None if the operator takes no operand."""
        return None if self.operand is None else _SHAPES[self.operand]

    @property
    def names(self) -> tuple[str, ...]:
        """The name of the operator and, if there is one, of its complement."""
        return (self.name,) if self.complement is None else (self.name, self.complement)

    @property
    def compares_text(self) -> bool:
        """Whether the operator compares text, by itself or in a list. Only such operators take ignore_case
        and normalize."""
        return self.shape is not None and not self.kinds.isdisjoint(("string", "list"))

    @property
    def compares_numbers(self) -> bool:
        """Whether the operator compares numbers. Only such operators take `as: number`."""
        return self.shape is not None and "number" in self.kinds


def _row(
    name: str, complement: str | None, operand: Operand | None, *kinds: Kind, moves: bool = False
) -> Operator:
    return Operator(name, complement, operand, frozenset(kinds), moves)


TABLE: Final[tuple[Operator, ...]] = (
    _row("is_set", "is_not_set", None, "string", "number", "boolean", "time", "list"),
    _row("eq", "ne", "scalar_or_list", "string", "number", "boolean", "list"),
    _row("in", "not_in", "list", "string", "number", "list"),
    _row("contains", "not_contains", "text", "string"),
    _row("starts_with", "not_starts_with", "text", "string"),
    _row("ends_with", "not_ends_with", "text", "string"),
    _row("matches", "not_matches", "pattern", "string"),
    _row("gt", None, "number", "number"),
    _row("ge", None, "number", "number"),
    _row("lt", None, "number", "number"),
    _row("le", None, "number", "number"),
    _row("between", "not_between", "range", "number", "time"),
    _row("before", None, "time", "time"),
    _row("after", None, "time", "time"),
    _row("within_last", "not_within_last", "duration", "time", moves=True),
    _row("within_next", "not_within_next", "duration", "time", moves=True),
    _row("relative_between", "not_relative_between", "offset_range", "time", moves=True),
    _row("in_period", "not_in_period", "period", "time", moves=True),
    _row("calendar", "not_calendar", "calendar", "time"),
    _row("anniversary", "not_anniversary", "anniversary", "time", moves=True),
    _row("age_between", "not_age_between", "age_range", "time", moves=True),
    _row("contains_any", "contains_none", "list", "list"),
    _row("contains_all", None, "list", "list"),
)
"""Every operator of the contract. All facts about an operator are in its row or follow from it."""

BY_NAME: Final[dict[str, Operator]] = {name: row for row in TABLE for name in row.names}
"""Operator name, negative ones included -> the operator's row."""

_AGGREGATE_SHAPES: Final[dict[str, TypeAdapter[Any]]] = {
    **dict.fromkeys(("eq", "ne", "gt", "ge", "lt", "le"), _SHAPES["number"]),
    **dict.fromkeys(("between", "not_between"), TypeAdapter(NumberRange)),
}

OPERATORS: Final = frozenset(BY_NAME)
"""Every operator name of the contract."""

PRESENCE_OPERATORS: Final = frozenset(name for name, row in BY_NAME.items() if row.shape is None)
"""The operators without an operand."""

MOVING_OPERATORS: Final = frozenset(name for name, row in BY_NAME.items() if row.moves)
"""The operators whose result changes with the clock alone."""


def _known(name: str) -> str:
    if name not in OPERATORS:
        raise problem(f"no operator is called {name!r}; use one of {', '.join(sorted(OPERATORS))}")
    return name


OperatorName = Annotated[str, Field(json_schema_extra={"enum": [*sorted(OPERATORS)]}), AfterValidator(_known)]


FOR_TIMES: Final[Mapping[str, str]] = {
    "gt": "after",
    "ge": "after, which is strict, or between",
    "lt": "before",
    "le": "before, which is strict, or between",
    "eq": "between",
    "ne": "not_between",
}
"""Number operator -> the operator to use instead with a time."""


class TestOptions(NamedTuple):
    """The options beside an operator that change how it reads values."""

    ignore_case: bool
    normalize: bool
    as_number: bool


def check_test(operator: str, value: object, options: TestOptions, *, given: bool) -> None:
    """Raise PydanticCustomError, located at the wrong field, if the operand of a known operator has the wrong
    shape or an option does not fit the operator. `given` is false if there is no operand at all, and true for
    an explicit null."""
    row = BY_NAME[operator]
    for name in ("ignore_case", "normalize"):
        if getattr(options, name) and not row.compares_text:
            raise problem(f"{operator} compares no text; remove {name}", at=name)
    if options.as_number:
        _check_as_number(row, operator, options)
    if row.shape is None:
        if value is not None:
            raise problem(f"{operator} takes no value; remove it", at="value")
        return
    if not given:
        raise problem(f"{operator} needs a value; give it", at="value")
    if row.operand == "number" and isinstance(value, str) and _TIMESTAMP.fullmatch(value):
        raise problem(f"{operator} compares numbers; for a time use {FOR_TIMES[operator]}", at="value")
    _check_shape(row.shape, value)
    if options.as_number:
        _check_numbers(value)


def _check_as_number(row: Operator, operator: str, options: TestOptions) -> None:
    if not row.compares_numbers:
        raise problem(f"{operator} compares no numbers; remove as", at="as")
    for name in ("ignore_case", "normalize"):
        if getattr(options, name):
            raise problem(f"not beside {name}; keep one of them", at="as")


def _check_numbers(operand: object) -> None:
    """Refuse an operand that is not a number: `as: number` compares text as numbers, so no value could ever
    match it."""
    for index, item in enumerate(operand if isinstance(operand, list) else [operand]):
        if item is not None and (isinstance(item, bool) or not isinstance(item, (int, float))):
            place = f"value[{index}]" if isinstance(operand, list) else "value"
            raise problem("must be a number, since as makes numbers of the values", at=place)


def check_aggregate_operand(operator: str, value: object) -> None:
    """Raise PydanticCustomError, located at `value`, if the operand is not a number or, for between, not a
    range."""
    _check_shape(_AGGREGATE_SHAPES[operator], value)


def _check_shape(shape: TypeAdapter[Any], value: object) -> None:
    try:
        shape.validate_python(value, strict=True)
    except ValidationError as error:
        path, message = first_error(error)
        raise problem(message, at=join_path("value", path)) from error


def add_operand_rules(schema: dict[str, Any]) -> None:
    """Add to the JSON Schema of a test the shape of `value` for every operator."""
    groups: dict[int, list[str]] = {}
    for name, row in BY_NAME.items():
        if row.shape is not None:
            groups.setdefault(id(row.shape), []).append(name)
    rules: list[dict[str, Any]] = []
    for names in groups.values():
        shape = BY_NAME[names[0]].shape
        rules.append(
            {
                "if": {"properties": {"operator": {"enum": names}}, "required": ["operator"]},
                "then": {
                    "properties": {"value": {} if shape is None else shape.json_schema()},
                    "required": ["value"],
                },
            }
        )
    absent = {"properties": {"operator": {"enum": sorted(PRESENCE_OPERATORS)}}, "required": ["operator"]}
    schema["allOf"] = [*rules, {"if": absent, "then": {"properties": {"value": {"type": "null"}}}}]
