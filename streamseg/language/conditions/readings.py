"""The reading of a value by a test, for explanations of values that may not have the type the test needs."""

from __future__ import annotations

from typing import Any, Final

from schemas.timestamps import EARLIEST_STATED_MS
from streamseg.json_text import Json
from streamseg.language.conditions.matching import ElementsTest
from streamseg.language.numbers import compact, number_in_text
from streamseg.language.operators import AS_NUMBER, Test, number_of
from streamseg.times import format_ms, timestamp_or_none
from streamseg.values import is_missing, is_number

_TIME_TESTS: Final = ("before", "after", "calendar", "time_between")
_NUMBER_TESTS: Final = ("gt", "ge", "lt", "le", "between")


def reading(value: Any, test: Test | ElementsTest) -> Json:
    """Return how the test read a value, as JSON. The object is empty if the value has the type that the test
    needs, or the test needs no type."""
    if is_missing(value) or isinstance(test, ElementsTest):
        return {}
    if test.key[0] == AS_NUMBER:
        number = number_of(value)
        if number is None:
            return {"read": {"why": "no_number"}}
        return {"read": {"number": compact(number), "from": "text"}} if isinstance(value, str) else {}
    if test.moving is not None or test.key[0] in _TIME_TESTS:
        return {"read": _read_time(value, test)}
    numeric = test.key[0] in _NUMBER_TESTS or (test.key[0] == "eq" and is_number(test.key[1]))
    return {"read": no_number(value)} if numeric and not is_number(value) else {}


def no_number(value: Any) -> Json:
    """Return why a value is not a number. If it is a text that would be a number with `as`, `perhaps` says
    so."""
    might_be = isinstance(value, str) and number_in_text(value) is not None
    return {"why": "no_number", **({"perhaps": "number"} if might_be else {})}


def _read_time(value: Any, test: Test) -> Json:
    at_ms = timestamp_or_none(value, test.zone, test.day_zone)
    if at_ms is None:
        return {"why": "no_time"}
    read: Json = {"time": format_ms(at_ms)}
    if isinstance(value, str):
        read["from"] = "text" if ":" in value else "date"
    else:
        read["from"] = "milliseconds"
        if abs(value) < EARLIEST_STATED_MS:
            read["perhaps"] = "seconds"
    return read
