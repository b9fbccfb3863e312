"""Sum, average, minimum, maximum and distinct values of one property.

Numbers are added exactly as they are written in decimal (0.1 is a tenth), so a result depends neither on
the order of arrival nor on the rounding of binary floats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

from streamseg.values import is_missing, is_number, value_key

Result = Fraction | int | float | None
Judge = Callable[[Result], bool]
T = TypeVar("T")


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


def _total(value: Any) -> tuple[Fraction, int]:
    """The sum and count that a value or several put together stand for."""
    if isinstance(value, list):
        return Fraction(value[0]), value[1]
    return exact(value), 1


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

    @property
    def adds(self) -> bool:
        """Whether values can be put together without losing what they count for."""
        return self.function in ("sum", "avg")

    def together(self, one: Any, other: Any) -> list[Any]:
        """Two values as one: [sum as "numerator/denominator", how many]."""
        totals = [_total(value) for value in (one, other)]
        return [str(sum((total for total, _ in totals), Fraction())), sum(count for _, count in totals)]

    def over(self, values: list[Any]) -> Result:
        """The result over values that `read` or `together` gave; None over none, save sums and distinct
        counts."""
        if self.function == "distinct":
            return len({value_key(value) for value in values})
        if self.adds:
            totals = [_total(value) for value in values]
            total = sum((part for part, _ in totals), Fraction())
            if self.function == "sum":
                return total
            return total / sum(count for _, count in totals) if totals else None
        if not values:
            return None
        return exact(min(values) if self.function == "min" else max(values))

    def thin(self, entries: list[T], value_of: Callable[[T], Any]) -> list[T]:
        """Without the entries that a later one makes superfluous for good; entries end in their order."""
        if self.adds:
            return entries
        kept: list[T] = []
        seen: set[Any] = set()
        for entry in reversed(entries):
            value = value_of(entry)
            if self.function == "distinct":
                superfluous = value_key(value) in seen
                seen.add(value_key(value))
            else:
                best = value_of(kept[-1]) if kept else None
                superfluous = best is not None and (
                    value >= best if self.function == "min" else value <= best
                )
            if not superfluous:
                kept.append(entry)
        kept.reverse()
        return kept


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
