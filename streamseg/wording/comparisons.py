"""An operator with its operand and options, as the predicate of a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from schemas.property_conditions import OperatorTest
from streamseg.catalogue.labels import Language
from streamseg.language.operators import positive
from streamseg.wording import terms
from streamseg.wording.tokens import duration, filled, instant, number, offset, quoted, value


def comparison(test: OperatorTest, language: Language, *, is_time: bool) -> str:
    """Return the predicate, without `not`. `is_time`: the value is a standard time, so numbers in bounds are
    times."""
    name, _ = positive(test.operator)
    written = {"value": _operand(name, test.value, language, is_time=is_time)}
    if name == "calendar":
        written["part"] = terms.CALENDAR_PARTS[test.value["unit"]].of(language)
    text = filled(terms.OPERATORS[test.operator], language, **written)
    options = [label.of(language) for label in _options(test)]
    if not options:
        return text
    return filled(terms.OPTIONS, language, test=text, options=terms.SEPARATOR.of(language).join(options))


def _options(test: OperatorTest) -> list[Any]:
    given = (
        (test.ignore_case, terms.IGNORE_CASE),
        (test.normalize, terms.NORMALIZE),
        (test.as_ == "number", terms.AS_NUMBER),
    )
    return [label for is_given, label in given if is_given]


def _operand(name: str, operand: Any, language: Language, *, is_time: bool) -> str:
    if name == "between" and (is_time or any(isinstance(bound, str) for bound in operand)):
        return time_range(operand, language)
    return _OPERANDS.get(name, value)(operand, language)


def _offset_range(bounds: list[Any], language: Language) -> str:
    low, high = (offset(bound, language) for bound in bounds)
    return filled(terms.OFFSET_RANGE, language, low=low, high=high)


def number_range(bounds: list[Any], language: Language) -> str:
    """Return a number range. Both ends are included; null means no bound."""
    low, high = (terms.NO_NUMBER.of(language) if one is None else number(one) for one in bounds)
    return filled(terms.NUMBER_RANGE, language, low=low, high=high)


def time_range(bounds: list[Any], language: Language) -> str:
    """Return a time range. The first bound is included, the second is not; null means no bound."""
    low, high = (
        terms.NO_BOUND.of(language)
        if bound is None
        else filled(label, language, bound=instant(bound, language))
        for bound, label in zip(bounds, (terms.INCLUDED, terms.NOT_INCLUDED), strict=True)
    )
    return filled(terms.TIME_RANGE, language, low=low, high=high)


def period(operand: dict[str, Any], language: Language) -> str:
    """Return whole calendar units, by name if they have one, such as "yesterday"."""
    unit, first, last = operand["unit"], operand["from"], operand["to"]
    text = _unit_at(unit, first, language)
    if first != last:
        text = filled(terms.PERIOD_RANGE, language, first=text, last=_unit_at(unit, last, language))
    week_start = operand.get("week_start")
    if week_start is not None:
        day = terms.WEEKDAYS[week_start - 1].of(language)
        text = filled(terms.WEEK_START, language, period=text, day=day)
    return text


def _unit_at(unit: str, distance: int, language: Language) -> str:
    label = terms.PERIODS.get((unit, distance))
    if label is not None:
        return label.of(language)
    away = terms.PERIOD_BACK if distance < 0 else terms.PERIOD_AHEAD
    return filled(away, language, count=abs(distance), unit=terms.UNITS[unit].of(language))


def _calendar_values(operand: dict[str, Any], language: Language) -> str:
    unit, values = operand["unit"], operand["values"]
    named = [terms.WEEKDAYS[one - 1].of(language) if unit == "weekday" else str(one) for one in values]
    return f"[{terms.SEPARATOR.of(language).join(named)}]"


_OPERANDS: Mapping[str, Callable[[Any, Language], str]] = {
    "matches": quoted,
    "before": instant,
    "after": instant,
    "within_last": duration,
    "within_next": duration,
    "between": number_range,
    "relative_between": _offset_range,
    "in_period": period,
    "calendar": _calendar_values,
    "anniversary": lambda operand, language: duration(operand["in_next"], language),
    "age_between": number_range,
}
"""Positive operator -> function that writes its operand, for operands that `value` cannot write."""
