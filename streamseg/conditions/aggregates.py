"""Sum, average, minimum, maximum and distinct values of one property.

Numbers are added exactly as they are written in decimal (0.1 is a tenth), so a result depends neither on
the order of arrival nor on the rounding of binary floats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from streamseg.values import is_missing, is_number, value_key

Result = Fraction | int | float | None
Judge = Callable[[Result], bool]


def exact(value: float) -> Fraction:
    """A JSON number as the decimal it is written as."""
    return Fraction(value) if isinstance(value, int) else Fraction(Decimal(repr(value)))


def compile_judge(operator: str, operand: Any) -> Judge:
    """The comparison of a result; over no occurrences (None) nothing matches.

    Raises ValueError for bounds the wrong way round."""
    if operator in ("between", "not_between"):
        low, high = (None if bound is None else exact(bound) for bound in operand)
        if low is not None and high is not None and low > high:
            raise ValueError("the lower bound comes first")
        inside = operator == "between"
        return lambda result: (
            result is not None
            and ((low is None or low <= result) and (high is None or result <= high)) == inside
        )
    bound = exact(operand)
    compare: Callable[[Any], bool] = {
        "eq": lambda result: result == bound,
        "ne": lambda result: result != bound,
        "gt": lambda result: result > bound,
        "ge": lambda result: result >= bound,
        "lt": lambda result: result < bound,
        "le": lambda result: result <= bound,
    }[operator]
    return lambda result: result is not None and compare(result)


class Aggregate:
    """One function of one property, with the comparison of its result."""

    __slots__ = ("function", "judge", "key", "read_property")

    def __init__(
        self,
        function: str,
        path: tuple[str, ...],
        read: Callable[[Mapping[str, Any]], Any],
        operator: str,
        operand: Any,
    ) -> None:
        self.function = function
        self.key = (function, path, operator, operand)
        self.read_property = read
        self.judge = compile_judge(operator, operand)

    def read(self, properties: Mapping[str, Any]) -> Any:
        """The value of an occurrence, or None where it is left out."""
        value = self.read_property(properties)
        if self.function == "distinct":
            return None if is_missing(value) else value
        return value if is_number(value) else None

    def over(self, values: list[Any]) -> Result:
        """The result over values that `read` gave; None over none, save sums and distinct counts."""
        if self.function == "distinct":
            return len({value_key(value) for value in values})
        numbers = [exact(value) for value in values]
        if self.function == "sum":
            return sum(numbers, Fraction())
        if not numbers:
            return None
        if self.function == "avg":
            return sum(numbers, Fraction()) / len(numbers)
        return min(numbers) if self.function == "min" else max(numbers)


class RunningAggregate(Aggregate):
    """The same over a fixed set that only grows; the summary is JSON.

    sum: "numerator/denominator" · avg: [sum, count] · min, max: the number · distinct: the values
    """

    __slots__ = ()

    def add(self, summary: Any, value: Any) -> Any:
        """The summary with one more value."""
        if self.function == "sum":
            return str(Fraction(summary or 0) + exact(value))
        if self.function == "avg":
            total, count = summary or ("0", 0)
            return [str(Fraction(total) + exact(value)), count + 1]
        if self.function == "distinct":
            known = summary if summary is not None else []
            if value_key(value) not in {value_key(item) for item in known}:
                known.append(value)
            return known
        if summary is None:
            return value
        return min(summary, value) if self.function == "min" else max(summary, value)

    def result(self, summary: Any) -> Result:
        """The result so far."""
        if summary is None:
            return 0 if self.function in ("sum", "distinct") else None
        if self.function == "sum":
            return Fraction(summary)
        if self.function == "avg":
            count: int = summary[1]
            return Fraction(summary[0]) / count
        return len(summary) if self.function == "distinct" else exact(summary)
