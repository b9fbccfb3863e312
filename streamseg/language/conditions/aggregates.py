"""Sum, average, minimum, maximum and distinct values of one property.

Numbers are added exactly as they are written in decimal (0.1 is a tenth). So a result depends neither on the
order of arrival nor on the rounding of binary floats.

A value is kept as JSON: a number, or its text if no JSON number is written as it (`numbers.compact`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import reduce
from typing import Any, NamedTuple, TypeVar

from streamseg.language.answer import YES, Answer
from streamseg.language.conditions.matching import Where, elements_of
from streamseg.language.numbers import compact, exact, exact_product, exact_sum, number_in_text, parse_sum
from streamseg.values import is_missing, is_number, value_key


class Total(NamedTuple):
    """A sum and the number of its values; the average is the sum divided by the number."""

    sum: Decimal
    values: int

    def average(self) -> Decimal:
        """Return the average, rounded to the default precision of Decimal."""
        return self.sum / self.values


Result = Total | Decimal | int | None
"""The result of an aggregate. An average is a Total of at least one value, so that it stays exact."""

Comparison = Callable[[Result], bool]
T = TypeVar("T")


def compile_comparison(operator: str, operand: Any) -> Comparison:
    """Return the comparison of a result with an operand. Without occurrences the result is None and the
    comparison is false.

    Raises ValueError for bounds in the wrong order."""
    if operator in ("between", "not_between"):
        low, high = (None if bound is None else exact(bound) for bound in operand)
        if low is not None and high is not None and low > high:
            raise ValueError("the lower bound comes first")
        inside = operator == "between"
        return lambda result: (
            result is not None
            and (
                (low is None or _compare(result, low) >= 0) and (high is None or _compare(result, high) <= 0)
            )
            == inside
        )
    bound = exact(operand)
    meets: Callable[[int], bool] = {
        "eq": lambda order: order == 0,
        "ne": lambda order: order != 0,
        "gt": lambda order: order > 0,
        "ge": lambda order: order >= 0,
        "lt": lambda order: order < 0,
        "le": lambda order: order <= 0,
    }[operator]
    return lambda result: result is not None and meets(_compare(result, bound))


def _compare(result: Total | Decimal | int, bound: Decimal) -> int:
    """Return -1, 0 or 1 if the result is less than the bound, equal to it or greater."""
    if isinstance(result, Total):
        number, bound = result.sum, exact_product(bound, result.values)
    else:
        number = Decimal(result)
    return (number > bound) - (number < bound)


def total_of(value: Any) -> Total:
    """Return the sum and the number of values of a kept value, which may be several values put together."""
    if isinstance(value, list):
        return Total(parse_sum(value[0]), value[1])
    return Total(exact(value), 1)


def _sum(numbers: Iterator[Decimal]) -> Decimal:
    return reduce(exact_sum, numbers, Decimal(0))


class Elements:
    """The list in an occurrence whose elements have the values.

    where  the test of the elements that count; None: all count
    """

    __slots__ = ("path", "read", "where")

    def __init__(
        self, path: tuple[str, ...], read: Callable[[Mapping[str, Any]], Any], where: Where | None
    ) -> None:
        self.path = path
        self.read = read
        self.where = where


class Value(NamedTuple):
    """A value of an occurrence.

    tested  the values of its element that have to be kept to test the element later; None: no later test
    """

    value: Any
    tested: list[Any] | None


class LeftOut(NamedTuple):
    """A value of an occurrence that does not count, or an occurrence without one.

    why  no_value, no_number, or no_element: no element of the list passes
    """

    why: str
    value: Any


class Values:
    """The reader of the values of an occurrence: at most one value, or one value of each element that passes.

    as_number  whether text that is a number counts as that number
    distinct   whether values of all types count, not only numbers
    """

    __slots__ = ("_as_number", "_distinct", "_read", "elements", "key", "moving")

    def __init__(
        self,
        path: tuple[str, ...],
        read: Callable[[Any], Any],
        *,
        as_number: bool = False,
        distinct: bool = False,
        elements: Elements | None = None,
    ) -> None:
        self._read = read
        self._as_number = as_number
        self._distinct = distinct
        self.elements = elements
        where = None if elements is None else elements.where
        self.moving = where is not None and where.moving
        # Ids of conditions outlive this version, so an option that is not used must not change them.
        self.key: tuple[Any, ...] = (path,)
        if as_number:
            self.key = (*self.key, "as number")
        if elements is not None:
            self.key = (*self.key, "elements", elements.path, None if where is None else where.key)

    def of(self, properties: Mapping[str, Any]) -> Iterator[Value]:
        """Yield the values of an occurrence. Tests that depend on the clock are not applied yet."""
        if self.elements is None:
            value = self._value(self._read(properties))
            if value is not None:
                yield Value(value, None)
            return
        where = self.elements.where
        for element in elements_of(self.elements.read(properties)):
            if where is not None and not where.moving and not where.holds(element):
                continue
            value = self._value(self._read(element))
            if value is not None:
                yield Value(value, where.extract(element) if where is not None and where.moving else None)

    def left_out(self, properties: Mapping[str, Any], now_ms: int) -> Iterator[LeftOut]:
        """Yield what of an occurrence does not count at `now_ms`, for an explanation: its value, or values of
        the elements that pass; elements that do not pass only if none of them does."""
        if self.elements is None:
            yield from self._left_out(self._read(properties))
            return
        found = elements_of(self.elements.read(properties))
        where = self.elements.where
        passing = [
            element for element in found if where is None or where.at(where.extract(element), now_ms).holds
        ]
        if not found:
            yield LeftOut("no_value", None)
        elif not passing:
            yield LeftOut("no_element", None)
        for element in passing:
            yield from self._left_out(self._read(element))

    def _left_out(self, value: Any) -> Iterator[LeftOut]:
        if self._value(value) is None:
            yield LeftOut("no_value" if is_missing(value) else "no_number", value)

    def at(self, tested: list[Any] | None, now_ms: int) -> Answer:
        """Return whether a value counts at `now_ms`, with the time at which this may change. `tested` is what
        was kept of its element."""
        if tested is None or self.elements is None or self.elements.where is None:
            return YES
        return self.elements.where.at(tested, now_ms)

    def _value(self, value: Any) -> Any:
        """Return the value as it counts; None if it does not count."""
        if self._as_number and isinstance(value, str):
            number = number_in_text(value)
            if number is not None:
                return compact(number)
        if self._distinct:
            return None if is_missing(value) else value
        return value if is_number(value) else None


class Aggregate:
    """One function of values, with the comparison of its result."""

    __slots__ = ("function", "key", "meets_bound", "values")

    def __init__(self, function: str, values: Values, operator: str, operand: Any) -> None:
        self.function = function
        self.values = values
        path, *options = values.key
        self.key = (function, path, operator, operand, *options)
        self.meets_bound = compile_comparison(operator, operand)

    @property
    def adds(self) -> bool:
        """Whether several values can be put together to one without a change of the result."""
        return self.function in ("sum", "avg")

    def together(self, one: Any, other: Any) -> list[Any]:
        """Return two values put together: [sum, number of values]."""
        first, second = total_of(one), total_of(other)
        return [str(exact_sum(first.sum, second.sum)), first.values + second.values]

    def over(self, values: list[Any]) -> Result:
        """Return the result over values of `Values` or `together`. Without values a sum or a distinct count
        is 0, and the other results are None."""
        if self.function == "distinct":
            return len({value_key(value) for value in values})
        if self.adds:
            totals = [total_of(value) for value in values]
            return self.of_total(
                Total(_sum(part.sum for part in totals), sum(part.values for part in totals))
            )
        if not values:
            return None
        best = min if self.function == "min" else max
        return best(exact(value) for value in values)

    def of_total(self, total: Total) -> Result:
        """Return the result of `sum` or `avg` over values with this total."""
        if self.function == "sum":
            return total.sum
        return total if total.values else None

    def thin(self, entries: list[T], value_of: Callable[[T], Any]) -> list[T]:
        """Return the entries without those that a later entry makes superfluous for good. The entries must
        leave the window in their order."""
        if self.adds:
            return entries
        kept: list[T] = []
        seen: set[Any] = set()
        best: Decimal | None = None
        for entry in reversed(entries):
            value = value_of(entry)
            if self.function == "distinct":
                superfluous = value_key(value) in seen
                seen.add(value_key(value))
            else:
                number = exact(value)
                superfluous = best is not None and (
                    number >= best if self.function == "min" else number <= best
                )
                best = best if superfluous else number
            if not superfluous:
                kept.append(entry)
        kept.reverse()
        return kept


class RunningAggregate(Aggregate):
    """An aggregate over a set of values that only grows. The summary is JSON:

    sum: the number as text · avg: [sum, count] · min, max: the value · distinct: the values
    """

    __slots__ = ()

    def add(self, summary: Any, value: Any) -> Any:
        """Return the summary with one more value."""
        if self.function == "sum":
            return str(exact_sum(parse_sum(summary or "0"), exact(value)))
        if self.function == "avg":
            total, count = summary or ("0", 0)
            return [str(exact_sum(parse_sum(total), exact(value))), count + 1]
        if self.function == "distinct":
            known = summary if summary is not None else []
            if value_key(value) not in {value_key(item) for item in known}:
                known.append(value)
            return known
        if summary is None:
            return value
        return min(summary, value, key=exact) if self.function == "min" else max(summary, value, key=exact)

    def result(self, summary: Any) -> Result:
        """Return the result of a summary; None stands for no values."""
        if summary is None:
            return Decimal(0) if self.function == "sum" else 0 if self.function == "distinct" else None
        if self.function == "sum":
            return parse_sum(summary)
        if self.function == "avg":
            return Total(parse_sum(summary[0]), summary[1])
        return len(summary) if self.function == "distinct" else exact(summary)
