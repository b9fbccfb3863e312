"""The operator table of the contract: whether a stored JSON value passes a test at an instant."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.instants import BLANKS, duration_ms, local, timestamp_ms, unit_number

COMPLEMENT_OF = {
    "is_not_set": "is_set",
    "ne": "eq",
    "not_contains": "contains",
    "not_starts_with": "starts_with",
    "not_ends_with": "ends_with",
    "not_matches": "matches",
    "not_in": "in",
    "contains_none": "contains_any",
    "not_between": "between",
    "not_within_last": "within_last",
    "not_within_next": "within_next",
    "not_relative_between": "relative_between",
    "not_in_period": "in_period",
    "not_calendar": "calendar",
    "not_anniversary": "anniversary",
    "not_age_between": "age_between",
}


@dataclass(frozen=True)
class Setting:
    """What a test needs to know beside the value: the instant, the segment's zone, the data's zone."""

    now: int
    zone: ZoneInfo
    data_zone: ZoneInfo


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_missing(value: Any) -> bool:
    return value is None or value in ("", [], {})


def identity(value: Any) -> Hashable:
    """Equal for equal JSON values and for no others: 1 is 1.0, true is not 1."""
    if isinstance(value, list):
        return ("list", tuple(identity(item) for item in value))
    if isinstance(value, dict):
        return ("object", frozenset((name, identity(item)) for name, item in value.items()))
    if is_number(value):
        return ("number", exact(value))
    return (type(value).__name__, value)


def exact(value: float | Fraction) -> Fraction:
    """The number as it is written in JSON."""
    return value if isinstance(value, Fraction) else Fraction(Decimal(repr(value)))


def number_of(value: Any) -> Any:
    """With `as: number`, what a value is: text that is a number is that number, everything else itself."""
    if not isinstance(value, str):
        return value
    text = value.strip(BLANKS)
    sign = text[:1] if text[:1] in ("+", "-") else ""
    mantissa, _, exponent = text.removeprefix(sign).lower().partition("e")
    if "e" in text.lower() and not _is_digits(exponent[1:] if exponent[:1] in ("+", "-") else exponent):
        return value
    whole, _, fraction = mantissa.partition(".")
    if not (_is_digits(whole) or (whole == "" and _is_digits(fraction))) or not (
        fraction == "" or _is_digits(fraction)
    ):
        return value
    as_double = float(text)
    if abs(as_double) == float("inf") or (as_double == 0 and set(mantissa) - {"0", "."}):
        return value
    return Fraction(Decimal(text if set(mantissa) - {"0", "."} else "0"))


def _is_digits(text: str) -> bool:
    return text != "" and set(text) <= set("0123456789")


def lookup(path: str, root: Any) -> Any:
    """The value at a dotted path (`\\.` is a literal dot), None where there is none; an empty path leads to
    the root itself."""
    value: Any = root
    for step in steps(path) if path else []:
        if not isinstance(value, dict) or step not in value:
            return None
        value = value[step]
    return value


def steps(path: str) -> list[str]:
    """The steps of a dotted path: cut at the dots that have no backslash right before them."""
    return [step.replace("\\.", ".").replace("\\[", "[") for step in re.split(r"(?<!\\)\.", path)]


def passes(test: dict[str, Any], value: Any, setting: Setting, *, always_time: bool = False) -> bool:
    """Whether `value` passes the test; a negative operator is the complement of its positive one."""
    if "elements" in test:
        return some_element_passes(test, value, setting)
    operator = test["operator"]
    if operator in COMPLEMENT_OF:
        return not passes(
            {**test, "operator": COMPLEMENT_OF[operator]}, value, setting, always_time=always_time
        )
    if is_missing(value):
        return False
    if operator == "is_set":
        return True
    operand = test["value"]
    if operator == "between" and (always_time or any(isinstance(bound, str) for bound in operand)):
        return _time_between(operand, value, setting)
    if operator in TIME_TESTS:
        at = timestamp_ms(value, setting.data_zone, setting.zone)
        return at is not None and TIME_TESTS[operator](at, operand, setting)
    if test.get("as") == "number":
        value = number_of(value)
    form = text_form(test)
    if isinstance(value, str):
        return _text_passes(test, value)
    if is_number(value) or isinstance(value, Fraction):
        return number_passes(operator, operand, value)
    if isinstance(value, bool):
        return operator == "eq" and isinstance(operand, bool) and operand == value
    if isinstance(value, list):
        return _list_passes(operator, operand, value, form)
    return False


def elements_of(value: Any) -> list[Any]:
    """What a value has of elements: none where it is missing, itself where it is no list."""
    if is_missing(value):
        return []
    return value if isinstance(value, list) else [value]


def some_element_passes(test: dict[str, Any], value: Any, setting: Setting) -> bool:
    """Whether an element of the value passes the group, which stands under `elements` on an attribute and
    beside it in a list of property conditions."""
    group = test["elements"] if isinstance(test["elements"], dict) else test
    return any(group_passes(group, element, setting) for element in elements_of(value))


def group_passes(group: dict[str, Any], root: Any, setting: Setting) -> bool:
    """Whether an occurrence's properties, or an element of a list, pass all (any) of a group's conditions."""
    results = [
        passes(test, lookup(tested_path(test), root), setting) != test.get("not", False)
        for test in group["conditions"]
    ]
    return all(results) if group["match"] == "all" else any(results)


def tested_path(test: dict[str, Any]) -> str:
    """The path that a property condition is about."""
    path: str = test["property"] if "property" in test else test["elements"]
    return path


def text_form(test: dict[str, Any]) -> Callable[[str], str]:
    """What a text becomes before it is compared."""
    ignore_case, normalized = test.get("ignore_case", False), test.get("normalize", False)

    def form(text: str) -> str:
        if normalized:
            text = unicodedata.normalize("NFKC", text)
        if ignore_case:
            text = text.casefold()
        if not normalized:
            return text
        words = "".join(" " if one in BLANKS else one for one in unicodedata.normalize("NFKC", text)).split(
            " "
        )
        return " ".join(word for word in words if word)

    return form


def number_passes(operator: str, operand: Any, value: float | Fraction) -> bool:
    if operator in COMPLEMENT_OF:
        return not number_passes(COMPLEMENT_OF[operator], operand, value)
    number = exact(value)
    match operator:
        case "in":
            return any(is_number(item) and exact(item) == number for item in operand)
        case "between":
            low, high = operand
            return exact(low) <= number <= exact(high)
    if not is_number(operand):
        return False
    other = exact(operand)
    match operator:
        case "eq":
            return number == other
        case "gt":
            return number > other
        case "ge":
            return number >= other
        case "lt":
            return number < other
        case "le":
            return number <= other
    return False


def _text_passes(test: dict[str, Any], value: str) -> bool:
    operator, operand, form = test["operator"], test["value"], text_form(test)
    if operator == "matches":
        text = text_form({**test, "ignore_case": False})(value)
        if not test.get("ignore_case", False):
            return re.search(operand, text) is not None
        # Python takes the Turkish letters for forms of `i`, RE2 and Unicode's simple case folding do not.
        apart = {ord("İ"): "\ue000", ord("ı"): "\ue001"}
        return re.search(operand.translate(apart), text.translate(apart), re.IGNORECASE) is not None
    text = form(value)
    if operator == "in":
        return any(isinstance(item, str) and form(item) == text for item in operand)
    if not isinstance(operand, str):
        return False
    match operator:
        case "eq":
            return text == form(operand)
        case "contains":
            return form(operand) in text
        case "starts_with":
            return text.startswith(form(operand))
        case "ends_with":
            return text.endswith(form(operand))
    return False


def _list_passes(operator: str, operand: Any, value: list[Any], form: Callable[[str], str]) -> bool:
    if not isinstance(operand, list):
        return False
    held = {identity(form(item) if isinstance(item, str) else item) for item in value}
    wanted = {identity(form(item) if isinstance(item, str) else item) for item in operand}
    match operator:
        case "eq":
            return held == wanted
        case "in" | "contains_any":
            return bool(held & wanted)
        case "contains_all":
            return wanted <= held
    return False


def _time_between(operand: list[Any], value: Any, setting: Setting) -> bool:
    at = timestamp_ms(value, setting.data_zone, setting.zone)
    return at is not None and in_half_open(operand, at, setting.zone)


def in_half_open(bounds: list[Any], at: int, zone: ZoneInfo) -> bool:
    """Whether `at` lies in [from, to); a null end is open for ever."""
    start, end = (timestamp_ms(bound, zone) for bound in bounds)
    return (start is None or start <= at) and (end is None or at < end)


def _within_last(at: int, operand: str, setting: Setting) -> bool:
    return setting.now - duration_ms(operand) < at <= setting.now


def _within_next(at: int, operand: str, setting: Setting) -> bool:
    return setting.now < at <= setting.now + duration_ms(operand)


def _relative_between(at: int, operand: list[str], setting: Setting) -> bool:
    low, high = (duration_ms(bound) for bound in operand)
    return setting.now + low <= at <= setting.now + high


def _before(at: int, operand: Any, setting: Setting) -> bool:
    bound = timestamp_ms(operand, setting.zone)
    return bound is not None and at < bound


def _after(at: int, operand: Any, setting: Setting) -> bool:
    bound = timestamp_ms(operand, setting.zone)
    return bound is not None and at > bound


def in_period(at: int, operand: dict[str, Any], setting: Setting) -> bool:
    unit, week_start = operand["unit"], operand.get("week_start", 1)
    then, today = (unit_number(one, unit, setting.zone, week_start) for one in (at, setting.now))
    distance = then - today
    return bool(operand["from"] <= distance <= operand["to"])


def _calendar(at: int, operand: dict[str, Any], setting: Setting) -> bool:
    moment = local(at, setting.zone)
    parts = {
        "minute": moment.minute,
        "hour": moment.hour,
        "day": moment.day,
        "weekday": moment.isoweekday(),
        "month": moment.month,
        "quarter": (moment.month + 2) // 3,
    }
    return parts[operand["unit"]] in operand["values"]


def _anniversary(at: int, operand: dict[str, str], setting: Setting) -> bool:
    born = local(at, setting.zone).date()
    today = local(setting.now, setting.zone).date()
    days = duration_ms(operand["in_next"]) // 86_400_000
    for ahead in range(min(days, 366)):
        day = today + timedelta(days=ahead)
        if (day.month, day.day) == (born.month, born.day):
            return True
        leap = day.year % 4 == 0 and (day.year % 100 != 0 or day.year % 400 == 0)
        if (born.month, born.day) == (2, 29) and not leap and (day.month, day.day) == (2, 28):
            return True
    return False


def _age_between(at: int, operand: list[int | None], setting: Setting) -> bool:
    born = local(at, setting.zone).date()
    today = local(setting.now, setting.zone).date()
    if born > today:
        return False
    # A year is complete once month and day have come; 29 February has come on 1 March at the latest.
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    youngest, oldest = operand
    return (youngest is None or youngest <= age) and (oldest is None or age <= oldest)


TIME_TESTS: dict[str, Callable[[int, Any, Setting], bool]] = {
    "before": _before,
    "after": _after,
    "within_last": _within_last,
    "within_next": _within_next,
    "relative_between": _relative_between,
    "in_period": in_period,
    "calendar": _calendar,
    "anniversary": _anniversary,
    "age_between": _age_between,
}
