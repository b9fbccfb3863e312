"""The operators: the test of each operator, and when its answer may change without input.

A negative operator is its positive operator with the answer negated, so it has no row of its own.
Instants are epoch ms; spans of *now* are half-open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import eq, ge, gt, le, lt
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import re2

from schemas.durations import duration_ms
from schemas.operands import BY_NAME, TestOptions
from schemas.scalars import EXACT_FLOATS, by_value
from streamseg.language.answer import NO, YES, Answer
from streamseg.language.calendar import AgeRange, Anniversary, calendar_part
from streamseg.language.numbers import exact, number_in_text
from streamseg.language.text_forms import TextForm, text_form
from streamseg.times import DAY_MS, MONDAY, Period, parse_timestamp_ms, timestamp_or_none
from streamseg.values import is_missing, is_number, value_key

AS_NUMBER = "as number"
"""The first part of the key of a test that reads texts as numbers."""

Check = Callable[[Any], bool]
Moving = Callable[[int, int], Answer]
Plain = Callable[[Any, TestOptions], Check]
TimeCheck = Callable[[int], bool]
Key = tuple[Any, ...]


class Demand(NamedTuple):
    """The demand of a test: the test is true only if `read` of the tested value returns one of `texts`, or a
    list that contains one of them.

    key  identifies `read`: functions with equal keys read the same
    """

    key: tuple[Any, ...]
    read: Callable[[Any], Any]
    texts: tuple[str, ...]


def _itself(value: Any) -> Any:
    return value


class Test:
    """One operator with its operand, compiled to a test of values.

    key       canonical form of the positive test: equal keys mean equal answers
    negated   whether the answer is negated
    check     value -> the positive answer, if the answer does not depend on the clock; else None
    moving    (value as epoch ms, now) -> the positive answer and when it next changes, if it depends on the
              clock; else None
    zone      the time zone of stored texts without an offset
    day_zone  the time zone in which the day of a stored date without a time begins
    """

    __slots__ = ("check", "day_zone", "key", "moving", "negated", "zone")

    def __init__(
        self,
        key: tuple[Any, ...],
        negated: bool,
        check: Check | None,
        moving: Moving | None,
        zone: ZoneInfo,
        day_zone: ZoneInfo,
    ) -> None:
        self.key = key
        self.negated = negated
        self.check = check
        self.moving = moving
        self.zone = zone
        self.day_zone = day_zone

    def holds(self, value: Any, now_ms: int) -> bool:
        """Return the answer at `now_ms`, negated if `negated`."""
        if self.check is not None:
            return self.check(value) != self.negated
        return self.at(value, now_ms)[0]

    @property
    def moves(self) -> bool:
        """Whether the answer depends on the clock."""
        return self.moving is not None

    def positive(self) -> Test:
        """Return the test without the negation."""
        return Test(self.key, False, self.check, self.moving, self.zone, self.day_zone)

    def keep(self, value: Any) -> Any:
        """Return what has to be kept of a value so that `at_kept` can test it later."""
        return value

    def at_kept(self, kept: Any, now_ms: int) -> Answer:
        """Return the answer of `at` for a result of `keep`."""
        return self.at(kept, now_ms)

    def demand(self) -> Demand | None:
        """Return the demand of the test, with the texts of which a value has to be or contain one; None if
        the test has no demand."""
        if self.negated or self.check is None:
            return None
        match self.key:
            case ("eq", str(text), False):
                return Demand((), _itself, (text,))
            case ("in", [*texts], False) if all(isinstance(text, str) for text in texts):
                return Demand((), _itself, tuple(texts))
        return None

    def at(self, value: Any, now_ms: int) -> Answer:
        """Return the answer at `now_ms`, with the next time at which it may differ."""
        if self.check is not None:
            return YES if self.check(value) != self.negated else NO
        at_ms = timestamp_or_none(value, self.zone, self.day_zone)
        if at_ms is None or self.moving is None:
            return YES if self.negated else NO
        answer = self.moving(at_ms, now_ms)
        return answer.turned_round() if self.negated else answer


def positive(operator: str) -> tuple[str, bool]:
    """Return the positive form of an operator, and whether the operator is negative."""
    name = BY_NAME[operator].name
    return name, operator != name


def compile_test(
    operator: str, operand: Any, options: TestOptions, *, zone: ZoneInfo, value_zone: ZoneInfo, is_time: bool
) -> Test:
    """Return the test of `operator` with `operand`, whose shape the schema has checked.

    zone        the segment's time zone, for calendar units, for operands without an offset and for stored
                dates without a time
    value_zone  the configured time zone, for stored times without an offset
    is_time     whether the value is a standard time attribute; then an operator for both numbers and times
                tests times

    Raises ValueError for bounds in the wrong order, texts that are not timestamps and patterns that do not
    compile.
    """
    name, negated = positive(operator)
    if name in MOVING:
        key, moving = MOVING[name](operand, zone)
        return Test(_key_in_zone((name, *key), zone, value_zone), negated, None, moving, value_zone, zone)
    if name in TIMES and (name not in PLAIN or _means_times(operand, is_time)):
        key, time_check = TIMES[name](operand, zone)

        def check(value: Any) -> bool:
            at_ms = timestamp_or_none(value, value_zone, zone)
            return at_ms is not None and time_check(at_ms)

        return Test(_key_in_zone(key, zone, value_zone), negated, check, None, value_zone, zone)
    if options.as_number:
        as_number = _compile_as_number(name, operand)
        return Test((AS_NUMBER, name, operand), negated, as_number, None, value_zone, zone)
    plain_check = PLAIN[name](operand, options)
    return Test(_plain_key(name, operand, options), negated, plain_check, None, value_zone, zone)


def _key_in_zone(key: tuple[Any, ...], zone: ZoneInfo, value_zone: ZoneInfo) -> tuple[Any, ...]:
    """Return the key of a test of times. It has the segment's zone if that is not the configured one, because
    a date without a time is another instant there."""
    return key if zone.key == value_zone.key else (*key, "days in", zone.key)


def _means_times(operand: Any, is_time: bool) -> bool:
    return is_time or any(isinstance(bound, str) for bound in operand)


def _plain_key(name: str, operand: Any, options: TestOptions) -> tuple[Any, ...]:
    # Ids of conditions outlive this version, so an option that is not used must not change them.
    row = BY_NAME[name]
    if row.shape is None:
        return (name,)
    plain = not options.ignore_case and not options.normalize
    if not row.compares_text or (name == "contains_all" and plain):
        return (name, operand)
    key = (name, operand, options.ignore_case)
    return (*key, "normalized") if options.normalize else key


def _number_range(operand: Any) -> tuple[Any, Any]:
    low, high = operand
    if low is None or high is None:
        raise ValueError("both bounds of a number range are needed")
    return low, high


def _compile_as_number(name: str, operand: Any) -> Check:
    """Return a check of numbers, and of texts that are numbers, by their exact value. Texts in lists are not
    read as numbers."""
    if name == "in":
        wanted = frozenset(exact(item) for item in operand)
        in_list = _in(operand, str, scalars=False)
        return lambda value: in_list(value) or number_of(value) in wanted
    if name == "eq" and isinstance(operand, list):
        return _equals(operand, str)
    if name == "between":
        low, high = (exact(bound) for bound in _number_range(operand))
        return _number_check(lambda number: low <= number <= high)
    bound, compare = exact(operand), {"eq": eq, "gt": gt, "ge": ge, "lt": lt, "le": le}[name]
    return _number_check(lambda number: compare(number, bound))


def number_of(value: Any) -> Decimal | None:
    """Return the number that a value is with `as: number`: a number, or a text that is one; else None."""
    if isinstance(value, str):
        return number_in_text(value)
    return exact(value) if is_number(value) else None


def _number_check(compare: Callable[[Decimal], bool]) -> Check:
    def check(value: Any) -> bool:
        number = number_of(value)
        return number is not None and compare(number)

    return check


def _between(operand: Any, _: TestOptions) -> Check:
    low, high = (by_value(bound) for bound in _number_range(operand))
    if low > -EXACT_FLOATS and high < EXACT_FLOATS:
        return lambda value: is_number(value) and low <= value <= high
    return lambda value: is_number(value) and low <= by_value(value) <= high


def _compares(compare: Callable[[Any, Any], bool]) -> Plain:
    def compiled(operand: Any, _: TestOptions) -> Check:
        bound = by_value(operand)
        if -EXACT_FLOATS < bound < EXACT_FLOATS:
            return lambda value: is_number(value) and compare(value, bound)
        return lambda value: is_number(value) and compare(by_value(value), bound)

    return compiled


def _is_set(_operand: Any, _: TestOptions) -> Check:
    return lambda value: not is_missing(value)


def _keys(values: list[Any], form: TextForm) -> set[Any]:
    return {value_key(form(item) if isinstance(item, str) else item) for item in values}


def _form(options: TestOptions) -> TextForm:
    return text_form(ignore_case=options.ignore_case, normalized=options.normalize)


def _equals(operand: Any, form: TextForm) -> Check:
    if isinstance(operand, list):
        members = _keys(operand, form)
        return lambda value: isinstance(value, list) and bool(value) and _keys(value, form) == members
    if isinstance(operand, str):
        wanted = form(operand)
        return lambda value: isinstance(value, str) and value != "" and form(value) == wanted
    if isinstance(operand, bool):
        return lambda value: value is operand
    number = by_value(operand)
    if -EXACT_FLOATS < number < EXACT_FLOATS:
        return lambda value: is_number(value) and value == number
    return lambda value: is_number(value) and by_value(value) == number


def _in(operand: list[Any], form: TextForm, *, scalars: bool) -> Check:
    wanted = _keys(operand, form)

    def check(value: Any) -> bool:
        if isinstance(value, list):
            return not wanted.isdisjoint(_keys(value, form))
        if not scalars or isinstance(value, (bool, dict)) or is_missing(value):
            return False
        return value_key(form(value) if isinstance(value, str) else value) in wanted

    return check


def _contains_all(operand: list[Any], options: TestOptions) -> Check:
    form = _form(options)
    wanted = _keys(operand, form)
    return lambda value: isinstance(value, list) and wanted <= _keys(value, form)


def _looks(look: Callable[[str, str], bool]) -> Plain:
    def compiled(operand: str, options: TestOptions) -> Check:
        form = _form(options)
        wanted = form(operand)
        return lambda value: isinstance(value, str) and value != "" and look(form(value), wanted)

    return compiled


def _matches(operand: str, options: TestOptions) -> Check:
    search = _compile_pattern(operand, options.ignore_case).search
    # A pattern cannot be case-folded. So the pattern ignores case itself, and the text is only normalised.
    unfolded = text_form(ignore_case=False, normalized=options.normalize)
    return lambda value: isinstance(value, str) and value != "" and search(unfolded(value)) is not None


def _compile_pattern(pattern: str, ignore_case: bool) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not ignore_case
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise ValueError(f"the pattern does not compile as RE2: {_readable(error)}") from error


def _readable(error: Exception) -> str:
    """Return the message of an error of RE2 as text. RE2 gives it as bytes, of which `str` would make
    `b'…'`."""
    message = error.args[0] if error.args else ""
    return message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)


def _calendar(operand: Any, zone: ZoneInfo) -> tuple[Key, TimeCheck]:
    unit, values = operand["unit"], frozenset(operand["values"])
    key = ("calendar", unit, tuple(sorted(values)), zone.key)
    return key, lambda at_ms: calendar_part(at_ms, unit, zone) in values


def _time_between(operand: Any, zone: ZoneInfo) -> tuple[Key, TimeCheck]:
    low, high = (None if bound is None else parse_timestamp_ms(bound, zone) for bound in operand)
    if low is not None and high is not None and low > high:
        raise ValueError("the earlier bound comes first")
    return (
        "time_between",
        low,
        high,
    ), lambda at_ms: (low is None or low <= at_ms) and (high is None or at_ms < high)


def _before(operand: Any, zone: ZoneInfo) -> tuple[Key, TimeCheck]:
    bound = parse_timestamp_ms(operand, zone)
    return ("before", bound), lambda at_ms: at_ms < bound


def _after(operand: Any, zone: ZoneInfo) -> tuple[Key, TimeCheck]:
    bound = parse_timestamp_ms(operand, zone)
    return ("after", bound), lambda at_ms: at_ms > bound


def _within_last(operand: Any, _: ZoneInfo) -> tuple[Key, Moving]:
    length = duration_ms(operand)
    return (length,), lambda at_ms, now_ms: in_span(at_ms, at_ms + length, now_ms)


def _within_next(operand: Any, _: ZoneInfo) -> tuple[Key, Moving]:
    length = duration_ms(operand)
    return (length,), lambda at_ms, now_ms: in_span(at_ms - length, at_ms, now_ms)


def _relative_between(operand: Any, _: ZoneInfo) -> tuple[Key, Moving]:
    low, high = duration_ms(operand[0]), duration_ms(operand[1])
    return (low, high), lambda at_ms, now_ms: in_span(at_ms - high, at_ms - low + 1, now_ms)


def _in_period(operand: Any, zone: ZoneInfo) -> tuple[Key, Moving]:
    week_start = operand.get("week_start") or MONDAY
    period = Period(operand["unit"], operand["from"], operand["to"], week_start, zone)
    return period.key, lambda at_ms, now_ms: in_span(*period.span(at_ms), now_ms)


def _age_between(operand: Any, zone: ZoneInfo) -> tuple[Key, Moving]:
    youngest, oldest = operand
    return (*operand, zone.key), AgeRange(youngest, oldest, zone).at


def _anniversary(operand: Any, zone: ZoneInfo) -> tuple[Key, Moving]:
    days = duration_ms(operand["in_next"]) // DAY_MS
    return (days, zone.key), Anniversary(days, zone).at


PLAIN: Mapping[str, Plain] = {
    "is_set": _is_set,
    "eq": lambda operand, options: _equals(operand, _form(options)),
    "in": lambda operand, options: _in(operand, _form(options), scalars=True),
    "contains_any": lambda operand, options: _in(operand, _form(options), scalars=False),
    "contains_all": _contains_all,
    "contains": _looks(lambda text, part: part in text),
    "starts_with": _looks(str.startswith),
    "ends_with": _looks(str.endswith),
    "matches": _matches,
    "gt": _compares(gt),
    "ge": _compares(ge),
    "lt": _compares(lt),
    "le": _compares(le),
    "between": _between,
}
"""Positive operator -> its check of a value that is not a time."""

TIMES: Mapping[str, Callable[[Any, ZoneInfo], tuple[Key, TimeCheck]]] = {
    "before": _before,
    "after": _after,
    "between": _time_between,
    "calendar": _calendar,
}
"""Positive operator -> the key and the check of its test of times."""

MOVING: Mapping[str, Callable[[Any, ZoneInfo], tuple[Key, Moving]]] = {
    "within_last": _within_last,
    "within_next": _within_next,
    "relative_between": _relative_between,
    "in_period": _in_period,
    "anniversary": _anniversary,
    "age_between": _age_between,
}
"""Positive operator -> its operand's key, and the function of its answer, which depends on the clock."""


def in_span(start_ms: int, end_ms: int, now_ms: int) -> Answer:
    """Return whether start <= now < end, with the next time at which this changes (None: never)."""
    if now_ms < start_ms:
        return Answer(False, start_ms) if start_ms < end_ms else NO
    return Answer(True, end_ms) if now_ms < end_ms else NO
