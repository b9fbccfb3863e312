"""The operators of the contract and the shape of operand each of them takes."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import core_schema

from schemas.durations import Duration, SignedDuration, WholeDays, duration_ms
from schemas.paths import first_error, join_path, problem
from schemas.scalars import BOOLEAN, FLOAT, INTEGER, TEXT, Number, OneOf, Scalar
from schemas.timestamps import TIMESTAMP_PATTERN, Timestamp
from schemas.wire import WireModel

MAX_PATTERN_LENGTH: Final = 1_000

CalendarUnit = Literal["day", "week", "month", "quarter", "year"]
CalendarPart = Literal["minute", "hour", "day", "weekday", "month", "quarter"]

_PART_RANGES: Final[dict[str, tuple[int, int]]] = {
    "minute": (0, 59),
    "hour": (0, 23),
    "day": (1, 31),
    "weekday": (1, 7),
    "month": (1, 12),
    "quarter": (1, 4),
}


class Period(WireModel):
    """Whole local calendar units relative to the current one, both ends included: -1..-1 is the last one,
    0..0 this one. Weeks begin on Monday."""

    unit: CalendarUnit
    from_: int = Field(alias="from")
    """The first unit, counted from the current one."""
    to: int
    """The last unit, counted from the current one; not before `from`."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ > self.to:
            raise problem("must not be less than from", at="to")
        return self


class Calendar(WireModel):
    """A part of the local time and the values it may have: minute 0-59, hour 0-23, day 1-31, weekday 1-7
    from Monday, month 1-12, quarter 1-4."""

    unit: CalendarPart
    values: list[int] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        low, high = _PART_RANGES[self.unit]
        for index, value in enumerate(self.values):
            if not low <= value <= high:
                raise problem(
                    f"must lie between {low} and {high}, as a value of the unit {self.unit}",
                    at=f"values[{index}]",
                )
        return self


class Anniversary(WireModel):
    """The month and day come round within the next so many whole local days, today included."""

    in_next: WholeDays


def _range_in_order(bounds: list[str | int | float | None]) -> list[str | int | float | None]:
    low, high = bounds
    if low is None and high is None:
        raise problem("must have at least one bound")
    kinds = {type(bound) for bound in bounds if bound is not None}
    if str in kinds and float in kinds:
        raise problem("must have two numbers or two timestamps")
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low > high:
        raise problem("the bounds are the wrong way round", at="[1]")
    return bounds


def _numbers_in_order(bounds: list[int | float | None]) -> list[int | float | None]:
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
OffsetRange = Annotated[
    list[SignedDuration], Field(min_length=2, max_length=2), AfterValidator(_durations_in_order)
]
PatternText = Annotated[str, Field(max_length=MAX_PATTERN_LENGTH)]


def _rows(shape: Any, *operators: str) -> dict[str, TypeAdapter[Any]]:
    adapter: TypeAdapter[Any] = TypeAdapter(shape)
    return dict.fromkeys(operators, adapter)


_SHAPES: Final[dict[str, TypeAdapter[Any]]] = {
    **_rows(ScalarOrList, "eq", "ne"),
    **_rows(str, "contains", "not_contains", "starts_with", "not_starts_with", "ends_with", "not_ends_with"),
    **_rows(PatternText, "matches", "not_matches"),
    **_rows(ScalarList, "in", "not_in", "contains_any", "contains_all", "contains_none"),
    **_rows(Number, "gt", "ge", "lt", "le"),
    **_rows(Range, "between", "not_between"),
    **_rows(Timestamp, "before", "after"),
    **_rows(Duration, "within_last", "not_within_last", "within_next", "not_within_next"),
    **_rows(OffsetRange, "relative_between", "not_relative_between"),
    **_rows(Period, "in_period", "not_in_period"),
    **_rows(Calendar, "calendar", "not_calendar"),
    **_rows(Anniversary, "anniversary", "not_anniversary"),
}
_AGGREGATE_SHAPES: Final[dict[str, TypeAdapter[Any]]] = {
    **_rows(Number, "eq", "ne", "gt", "ge", "lt", "le"),
    **_rows(NumberRange, "between", "not_between"),
}

PRESENCE_OPERATORS: Final = frozenset({"is_set", "is_not_set"})
"""The operators without an operand."""

OPERATORS: Final = frozenset(_SHAPES) | PRESENCE_OPERATORS
"""Every operator name of the contract."""

TEXT_OPERATORS: Final = frozenset(
    [
        "eq",
        "ne",
        "contains",
        "not_contains",
        "starts_with",
        "not_starts_with",
        "ends_with",
        "not_ends_with",
        "matches",
        "not_matches",
        "in",
        "not_in",
    ]
)
"""The operators that compare text, and so may ignore its case."""

MOVING_OPERATORS: Final = frozenset(
    [
        "within_last",
        "not_within_last",
        "within_next",
        "not_within_next",
        "relative_between",
        "not_relative_between",
        "in_period",
        "not_in_period",
        "anniversary",
        "not_anniversary",
    ]
)
"""The operators whose outcome changes with the clock alone."""


def _known(name: str) -> str:
    if name not in OPERATORS:
        raise problem(f"no operator is called {name!r}; use one of {', '.join(sorted(OPERATORS))}")
    return name


OperatorName = Annotated[str, Field(json_schema_extra={"enum": [*sorted(OPERATORS)]}), AfterValidator(_known)]


def check_operand(operator: str, value: object, *, given: bool, ignore_case: bool) -> None:
    """Raises PydanticCustomError, located at `value` or `ignore_case`, where the operand of a known
    operator has the wrong shape. `given` tells an explicit null from no operand."""
    if ignore_case and operator not in TEXT_OPERATORS:
        raise problem(f"{operator} compares no text; remove ignore_case", at="ignore_case")
    if operator in PRESENCE_OPERATORS:
        if value is not None:
            raise problem(f"{operator} takes no value; remove it", at="value")
        return
    if not given:
        raise problem(f"{operator} needs a value; give it", at="value")
    _check_shape(_SHAPES[operator], value)


def check_aggregate_operand(operator: str, value: object) -> None:
    """Raises PydanticCustomError, located at `value`, where it is no number or, for between, no range."""
    _check_shape(_AGGREGATE_SHAPES[operator], value)


def _check_shape(shape: TypeAdapter[Any], value: object) -> None:
    try:
        shape.validate_python(value, strict=True)
    except ValidationError as error:
        path, message = first_error(error)
        raise problem(message, at=join_path("value", path)) from error


def add_operand_rules(schema: dict[str, Any]) -> None:
    """Adds to the JSON Schema of a test, for every operator, which shape its `value` has."""
    groups: dict[int, list[str]] = {}
    for name, adapter in _SHAPES.items():
        groups.setdefault(id(adapter), []).append(name)
    rules: list[dict[str, Any]] = [
        {
            "if": {"properties": {"operator": {"enum": names}}, "required": ["operator"]},
            "then": {"properties": {"value": _SHAPES[names[0]].json_schema()}, "required": ["value"]},
        }
        for names in groups.values()
    ]
    absent = {"properties": {"operator": {"enum": sorted(PRESENCE_OPERATORS)}}, "required": ["operator"]}
    schema["allOf"] = [*rules, {"if": absent, "then": {"properties": {"value": {"type": "null"}}}}]
