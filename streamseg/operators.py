"""The operator table: what each operator takes, and when its answer may change by itself.

A negative operator is its positive one with the answer turned round, so it needs no row of its own.
Instants are epoch ms; spans of *now* are half-open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import re2

from schemas.durations import duration_ms
from streamseg.calendar import Anniversary, calendar_part
from streamseg.times import (
    DAY_MS,
    parse_timestamp_ms,
    timestamp_or_none,
    unit_boundary_ms,
)
from streamseg.values import is_missing, is_number, value_key

COMPLEMENTS: Mapping[str, str] = {
    "is_not_set": "is_set",
    "ne": "eq",
    "not_contains": "contains",
    "not_starts_with": "starts_with",
    "not_ends_with": "ends_with",
    "not_matches": "matches",
    "not_in": "in",
    "not_between": "between",
    "not_within_last": "within_last",
    "not_within_next": "within_next",
    "not_relative_between": "relative_between",
    "not_in_period": "in_period",
    "not_calendar": "calendar",
    "not_anniversary": "anniversary",
    "contains_none": "contains_any",
}
"""Negative operator -> the positive one that it is the exact complement of."""

MOVING = frozenset({"within_last", "within_next", "relative_between", "in_period", "anniversary"})
"""Positive operators whose answer moves with the clock."""

_TIME = frozenset({"before", "after", "calendar"}) | MOVING
_STRING = frozenset({"contains", "starts_with", "ends_with", "matches"})
_NUMBER = frozenset({"gt", "ge", "lt", "le"})
_LIST = frozenset({"contains_any", "contains_all"})
_ANY_LIST = _LIST | {"eq", "in", "is_set"}

KIND_OPERATORS: Mapping[str, frozenset[str]] = {
    "string": _STRING | {"eq", "in", "is_set"},
    "number": _NUMBER | {"eq", "in", "between", "is_set"},
    "boolean": frozenset({"eq", "is_set"}),
    "time": _TIME | {"between", "is_set"},
    "list": _ANY_LIST,
    "string_or_number": _STRING | _NUMBER | {"eq", "in", "between", "is_set"},
}
"""Kind of a standard attribute -> the positive operators it takes."""

Check = Callable[[Any], bool]
Moving = Callable[[int, int], tuple[bool, int | None]]


@dataclass(frozen=True, slots=True)
class Test:
    """One operator with its operand, ready to judge values.

    key       canonical form of the positive test: equal keys mean equal answers
    negated   whether the answer is turned round
    check     the positive answer where the clock plays no part
    moving    else (value as epoch ms, now) -> the positive answer and when it next changes
    zone      where stored texts without an offset are local
    day_zone  where a stored date alone begins
    """

    key: tuple[Any, ...]
    negated: bool
    check: Check | None
    moving: Moving | None
    zone: ZoneInfo
    day_zone: ZoneInfo

    def holds(self, value: Any, now_ms: int) -> bool:
        """The answer at `now_ms`, complement applied."""
        if self.check is not None:
            return self.check(value) != self.negated
        return self.at(value, now_ms)[0]

    def texts(self) -> tuple[str, ...] | None:
        """The texts of which a value has to be one, or as a list to hold one, for the test to be true, if
        it demands that."""
        if self.negated or self.check is None:
            return None
        name, *operands = self.key
        if name == "eq" and isinstance(operands[0], str) and not operands[1]:
            return (operands[0],)
        if name == "in" and not operands[1] and all(isinstance(text, str) for text in operands[0]):
            return tuple(operands[0])
        return None

    def at(self, value: Any, now_ms: int) -> tuple[bool, int | None]:
        """The answer at `now_ms`, and the next instant at which it may be another (None: never)."""
        if self.check is not None:
            return self.check(value) != self.negated, None
        at_ms = timestamp_or_none(value, self.zone, self.day_zone)
        if at_ms is None or self.moving is None:
            return self.negated, None
        answer, next_ms = self.moving(at_ms, now_ms)
        return answer != self.negated, next_ms


def positive(operator: str) -> tuple[str, bool]:
    """The positive form of an operator, and whether it was negative."""
    complement = COMPLEMENTS.get(operator)
    return (operator, False) if complement is None else (complement, True)


def compile_test(
    operator: str, operand: Any, *, ignore_case: bool, zone: ZoneInfo, value_zone: ZoneInfo, is_time: bool
) -> Test:
    """The test of `operator` with `operand` (shape already checked by the schema).

    zone        the segment's: calendar notions, operands without an offset, and stored dates alone
    value_zone  the configured one: stored times without an offset
    is_time     the value is a standard time attribute, so that shared operators mean times

    Raises ValueError for bounds the wrong way round, texts that are no timestamps and patterns that do
    not compile.
    """
    name, negated = positive(operator)
    if name in MOVING:
        key, moving = _compile_moving(name, operand, zone)
        return Test(_asked_in(key, zone, value_zone), negated, None, moving, value_zone, zone)
    if name in ("before", "after", "calendar") or (name == "between" and _means_times(operand, is_time)):
        key, time_check = _compile_time(name, operand, zone)

        def check(value: Any) -> bool:
            at_ms = timestamp_or_none(value, value_zone, zone)
            return at_ms is not None and time_check(at_ms)

        return Test(_asked_in(key, zone, value_zone), negated, check, None, value_zone, zone)
    key, plain_check = _compile_plain(name, operand, ignore_case)
    return Test(key, negated, plain_check, None, value_zone, zone)


def _asked_in(key: tuple[Any, ...], zone: ZoneInfo, value_zone: ZoneInfo) -> tuple[Any, ...]:
    """The key of a test of times: a date alone is another instant in another zone than the configured one."""
    return key if zone.key == value_zone.key else (*key, "days in", zone.key)


def _means_times(operand: Any, is_time: bool) -> bool:
    return is_time or any(isinstance(bound, str) for bound in operand)


def _compile_plain(name: str, operand: Any, ignore_case: bool) -> tuple[tuple[Any, ...], Check]:
    key = (name, operand, ignore_case)
    if name == "is_set":
        return ("is_set",), lambda value: not is_missing(value)
    if name == "eq":
        return key, _equals(operand, ignore_case)
    if name in ("in", "contains_any"):
        return (name, operand, ignore_case), _in(operand, ignore_case, scalars=name == "in")
    if name == "contains_all":
        wanted = frozenset(value_key(item) for item in operand)
        return (name, operand), lambda value: isinstance(value, list) and wanted <= _keys(value, False)
    if name in _STRING:
        return key, _string_check(name, operand, ignore_case)
    if name == "between":
        low, high = operand
        if low is None or high is None:
            raise ValueError("both bounds of a number range are needed")
        if low > high:
            raise ValueError("the lower bound comes first")
        return (name, operand), lambda value: is_number(value) and low <= value <= high
    return (name, operand), _NUMBER_CHECKS[name](operand)


_NUMBER_CHECKS: Mapping[str, Callable[[Any], Check]] = {
    "gt": lambda bound: lambda value: is_number(value) and value > bound,
    "ge": lambda bound: lambda value: is_number(value) and value >= bound,
    "lt": lambda bound: lambda value: is_number(value) and value < bound,
    "le": lambda bound: lambda value: is_number(value) and value <= bound,
}


def _fold(value: Any, ignore_case: bool) -> Any:
    return value.casefold() if ignore_case and isinstance(value, str) else value


def _keys(values: list[Any], ignore_case: bool) -> set[Any]:
    return {value_key(_fold(item, ignore_case)) for item in values}


def _equals(operand: Any, ignore_case: bool) -> Check:
    if isinstance(operand, list):
        members = _keys(operand, ignore_case)
        return lambda value: isinstance(value, list) and bool(value) and _keys(value, ignore_case) == members
    wanted = _fold(operand, ignore_case)
    if isinstance(wanted, str):
        if ignore_case:
            return lambda value: isinstance(value, str) and value != "" and value.casefold() == wanted
        return lambda value: isinstance(value, str) and value != "" and value == wanted
    if isinstance(wanted, bool):
        return lambda value: value is wanted
    return lambda value: is_number(value) and value == wanted


def _in(operand: list[Any], ignore_case: bool, *, scalars: bool) -> Check:
    wanted = _keys(operand, ignore_case)

    def check(value: Any) -> bool:
        if isinstance(value, list):
            return not wanted.isdisjoint(_keys(value, ignore_case))
        if not scalars or isinstance(value, (bool, dict)) or is_missing(value):
            return False
        return value_key(_fold(value, ignore_case)) in wanted

    return check


def _string_check(name: str, operand: str, ignore_case: bool) -> Check:
    if name == "matches":
        search = _compile_pattern(operand, ignore_case).search
        return lambda value: isinstance(value, str) and value != "" and search(value) is not None
    wanted = _fold(operand, ignore_case)
    look: Callable[[str, str], bool] = {
        "contains": lambda text, part: part in text,
        "starts_with": str.startswith,
        "ends_with": str.endswith,
    }[name]
    if ignore_case:
        return lambda value: isinstance(value, str) and value != "" and look(value.casefold(), wanted)
    return lambda value: isinstance(value, str) and value != "" and look(value, wanted)


def _compile_pattern(pattern: str, ignore_case: bool) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not ignore_case
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise ValueError(f"the pattern does not compile as RE2: {error}") from error


def _compile_time(name: str, operand: Any, zone: ZoneInfo) -> tuple[tuple[Any, ...], Callable[[int], bool]]:
    if name == "calendar":
        unit, values = operand["unit"], frozenset(operand["values"])
        return (
            (name, unit, tuple(sorted(values)), zone.key),
            lambda at_ms: calendar_part(at_ms, unit, zone) in values,
        )
    if name == "between":
        low, high = (None if bound is None else parse_timestamp_ms(bound, zone) for bound in operand)
        if low is not None and high is not None and low > high:
            raise ValueError("the earlier bound comes first")
        return (
            ("time_between", low, high),
            lambda at_ms: (low is None or low <= at_ms) and (high is None or at_ms < high),
        )
    bound = parse_timestamp_ms(operand, zone)
    if name == "before":
        return (name, bound), lambda at_ms: at_ms < bound
    return (name, bound), lambda at_ms: at_ms > bound


def _compile_moving(name: str, operand: Any, zone: ZoneInfo) -> tuple[tuple[Any, ...], Moving]:
    if name == "within_last":
        length = duration_ms(operand)
        return (name, length), lambda at_ms, now_ms: in_span(at_ms, at_ms + length, now_ms)
    if name == "within_next":
        length = duration_ms(operand)
        return (name, length), lambda at_ms, now_ms: in_span(at_ms - length, at_ms, now_ms)
    if name == "relative_between":
        low, high = duration_ms(operand[0]), duration_ms(operand[1])
        if low > high:
            raise ValueError("the earlier bound comes first")
        return (name, low, high), lambda at_ms, now_ms: in_span(at_ms - high, at_ms - low + 1, now_ms)
    if name == "in_period":
        unit, first, last = operand["unit"], operand["from"], operand["to"]
        if first > last:
            raise ValueError("the earlier unit comes first")
        return (
            (name, unit, first, last, zone.key),
            lambda at_ms, now_ms: in_span(
                unit_boundary_ms(at_ms, unit, -last, zone),
                unit_boundary_ms(at_ms, unit, 1 - first, zone),
                now_ms,
            ),
        )
    days = duration_ms(operand["in_next"]) // DAY_MS
    return (name, days, zone.key), Anniversary(days, zone).at


def in_span(start_ms: int, end_ms: int, now_ms: int) -> tuple[bool, int | None]:
    """Whether start <= now < end, and the next instant at which that changes (None: never again)."""
    if now_ms < start_ms:
        return False, start_ms if start_ms < end_ms else None
    if now_ms < end_ms:
        return True, end_ms
    return False, None
