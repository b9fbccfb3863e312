"""Instants at which a condition could flip without input: rather too many than one too few."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from tests.oracle.conditions import Condition, Question
from tests.oracle.instants import duration_ms, local, midnight_ms, timestamp_ms, unit_number, unit_start_ms
from tests.oracle.operators import Setting, elements_of, lookup, tested_path

Span = tuple[int, int]


def flips(condition: Condition, question: Question, span: Span) -> Iterator[int]:
    """Candidates of one condition; `span` (after, until) only bounds what recurs for ever."""
    setting, history = question.setting, question.history
    if "attribute" in condition:
        value = lookup(condition["attribute"], history.root())
        yield from test_flips(condition, value, setting, span)
        for length in condition.get("held", {}).values():
            statements = [*history.tags, *(said for row in history.attributes.values() for said in row)]
            for at in [*history.record_times, *(said.at for said in statements)]:
                yield at + duration_ms(length)
    elif "event" in condition:
        groups = [group for group in (condition.get("where"), condition.get("has")) if group]
        for event in history.events:
            yield from window_flips(condition.get("window"), event.at, setting)
            for group in groups:
                yield from group_flips(group, event.properties, setting, span)
            inside = condition.get("aggregate", {})
            if "where" in inside:
                for element in elements_of(lookup(inside["elements"], event.properties)):
                    yield from group_flips(inside["where"], element, setting, span)
    elif "sequence" in condition:
        within = duration_ms(condition["within"])
        steps = [step.get("absent", step) for step in condition["sequence"]]
        groups = [step["where"] for step in steps if step.get("where")]
        for event in history.events:
            yield event.at + within
            for group in groups:
                yield from group_flips(group, event.properties, setting, span)
            for at in (event.at, event.at + within):
                yield from window_flips(condition.get("window"), at, setting)


def group_flips(group: dict[str, Any], root: Any, setting: Setting, span: Span) -> Iterator[int]:
    """When a group of property conditions could change its answer about an occurrence or an element."""
    for test in group["conditions"]:
        yield from test_flips(test, lookup(tested_path(test), root), setting, span)


def test_flips(test: Condition, value: Any, setting: Setting, span: Span) -> Iterator[int]:
    """When a test, of an operator or of elements, could change its answer about a value."""
    if "elements" not in test:
        yield from operator_flips(test, value, setting, span)
        return
    group = test["elements"] if isinstance(test["elements"], dict) else test
    for element in elements_of(value):
        yield from group_flips(group, element, setting, span)


def window_flips(window: dict[str, Any] | None, at: int, setting: Setting) -> Iterator[int]:
    """When something that happened at `at` comes into a window and leaves it."""
    if window is None or "between" in window:
        return
    if "period" in window:
        yield from _period_flips(window["period"], at, setting)
    elif "last" in window:
        yield at + duration_ms(window["last"])
    else:
        yield at - duration_ms(window["from"])
        yield at - duration_ms(window["to"])


def operator_flips(test: Condition, value: Any, setting: Setting, span: Span) -> Iterator[int]:
    """When a test that moves with the clock could change its answer about a value."""
    at = timestamp_ms(value, setting.data_zone, setting.zone)
    if at is None:
        return
    operand: Any = test.get("value")
    match test["operator"].removeprefix("not_"):
        case "within_last":
            yield from (at, at + duration_ms(operand))
        case "within_next":
            yield from (at - duration_ms(operand), at)
        case "relative_between":
            low, high = (duration_ms(bound) for bound in operand)
            yield from (at - high, at - low, at - low + 1)
        case "in_period":
            yield from _period_flips(operand, at, setting)
        case "anniversary":
            yield from _anniversary_flips(operand, at, setting, span)
        case "age_between":
            yield from _birthday_flips(at, setting, span)


def _period_flips(period: dict[str, Any], at: int, setting: Setting) -> Iterator[int]:
    unit, week_start = period["unit"], period.get("week_start", 1)
    number = unit_number(at, unit, setting.zone, week_start)
    for start in (number - period["to"], number - period["from"] + 1):
        yield unit_start_ms(start, unit, setting.zone, week_start)


def _birthday_flips(at: int, setting: Setting, span: Span) -> Iterator[int]:
    born = local(at, setting.zone).date()
    yield midnight_ms(born, setting.zone)
    first, last = (local(end, setting.zone).year for end in span)
    for year in range(first, last + 1):
        near = date(year, born.month, min(born.day, 28))
        for shift in range(4):
            yield midnight_ms(near + timedelta(days=shift), setting.zone)


def _anniversary_flips(operand: dict[str, str], at: int, setting: Setting, span: Span) -> Iterator[int]:
    born = local(at, setting.zone).date()
    days = duration_ms(operand["in_next"]) // 86_400_000
    first, last = (local(end, setting.zone).year for end in span)
    for year in range(first - 1, last + 2):
        near = date(year, born.month, min(born.day, 28))
        for shift in (0, 1, 2, 3, 4):
            for length in (0, days, days - 1):
                yield midnight_ms(near + timedelta(days=shift - length), setting.zone)
