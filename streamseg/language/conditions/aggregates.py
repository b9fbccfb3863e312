"""Sum, average, minimum, maximum and distinct values of one property.

Numbers are added exactly as they are written in decimal (0.1 is a tenth), so a result depends neither on
the order of arrival nor on the rounding of binary floats.

A value is kept as JSON: a number, or the text of one that no JSON float is written as (`numbers.compact`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from typing import Any, NamedTuple, TypeVar

from streamseg.language.answer import YES, Answer
from streamseg.language.conditions.matching import Where, elements_of
from streamseg.language.numbers import compact, exact, exact_product, exact_sum, number_in_text, parse_sum
from streamseg.values import is_missing, is_number, value_key


class Total(NamedTuple):
    """A sum and of how many values it is; the average is the one divided by the other."""

    sum: Decimal
    values: int

    def average(self) -> Decimal:
        """The average, rounded to the digits that Decimal has by default."""
        return self.sum / self.values


Result = Total | Decimal | int | None
"""An average is a Total with at least one value, so that no digit of it is lost."""

Judge = Callable[[Result], bool]
T = TypeVar("T")


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
    """-1, 0 or 1, as the result is less than the bound, equal or greater."""
    if isinstance(result, Total):
        number, bound = result.sum, exact_product(bound, result.values)
    else:
        number = Decimal(result)
    return (number > bound) - (number < bound)


def _total(value: Any) -> Total:
    """The sum and count that a value or several put together stand for."""
    if isinstance(value, list):
        return Total(parse_sum(value[0]), value[1])
    return Total(exact(value), 1)


def _sum(numbers: Iterator[Decimal]) -> Decimal:
    return reduce(exact_sum, numbers, Decimal(0))


@dataclass(frozen=True, slots=True)
class Elements:
    """The elements of a list in an occurrence, and which of them count; None: all."""

    path: tuple[str, ...]
    read: Callable[[Mapping[str, Any]], Any]
    where: Where | None


class Value(NamedTuple):
    """A value of an occurrence; `tested` is what to keep of its element to test it later, None where that is
    settled."""

    value: Any
    tested: list[Any] | None


class Values:
    """Which values an occurrence has: one or none, or one of every element that passes.

    as_number  text that is a number is that number
    distinct   values of any type count, not only numbers
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
        # Ids of conditions outlive this version: what is not used does not show in them.
        self.key: tuple[Any, ...] = (path,)
        if as_number:
            self.key = (*self.key, "as number")
        if elements is not None:
            self.key = (*self.key, "elements", elements.path, None if where is None else where.key)

    def of(self, properties: Mapping[str, Any]) -> Iterator[Value]:
        """The values of an occurrence; tests that move with the clock are left open."""
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

    def source(self, properties: Mapping[str, Any]) -> Any:
        """What an occurrence has where the values, or the list of elements, are looked for."""
        return self._read(properties) if self.elements is None else self.elements.read(properties)

    def at(self, tested: list[Any] | None, now_ms: int) -> Answer:
        """Whether a value counts at `now_ms` by what was kept of its element, and when that may change."""
        if tested is None or self.elements is None or self.elements.where is None:
            return YES
        return self.elements.where.at(tested, now_ms)

    def _value(self, value: Any) -> Any:
        """What counts of a value; None where it is left out."""
        if self._as_number and isinstance(value, str):
            number = number_in_text(value)
            if number is not None:
                return compact(number)
        if self._distinct:
            return None if is_missing(value) else value
        return value if is_number(value) else None


class Aggregate:
    """One function of the values, with the comparison of its result."""

    __slots__ = ("function", "judge", "key", "values")

    def __init__(self, function: str, values: Values, operator: str, operand: Any) -> None:
        self.function = function
        self.values = values
        path, *options = values.key
        self.key = (function, path, operator, operand, *options)
        self.judge = compile_judge(operator, operand)

    @property
    def adds(self) -> bool:
        """Whether values can be put together without losing what they count for."""
        return self.function in ("sum", "avg")

    def together(self, one: Any, other: Any) -> list[Any]:
        """Two values as one: [sum, how many]."""
        first, second = _total(one), _total(other)
        return [str(exact_sum(first.sum, second.sum)), first.values + second.values]

    def over(self, values: list[Any]) -> Result:
        """The result over values that `Values` or `together` gave; None over none, save sums and distinct
        counts."""
        if self.function == "distinct":
            return len({value_key(value) for value in values})
        if self.adds:
            totals = [_total(value) for value in values]
            total = _sum(part.sum for part in totals)
            if self.function == "sum":
                return total
            return Total(total, sum(part.values for part in totals)) if totals else None
        if not values:
            return None
        best = min if self.function == "min" else max
        return best(exact(value) for value in values)

    def thin(self, entries: list[T], value_of: Callable[[T], Any]) -> list[T]:
        """Without the entries that a later one makes superfluous for good; entries end in their order."""
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
    """The same over a fixed set that only grows; the summary is JSON.

    sum: the number as text · avg: [sum, count] · min, max: the value · distinct: the values
    """

    __slots__ = ()

    def add(self, summary: Any, value: Any) -> Any:
        """The summary with one more value."""
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
        """The result so far."""
        if summary is None:
            return Decimal(0) if self.function == "sum" else 0 if self.function == "distinct" else None
        if self.function == "sum":
            return parse_sum(summary)
        if self.function == "avg":
            return Total(parse_sum(summary[0]), summary[1])
        return len(summary) if self.function == "distinct" else exact(summary)
