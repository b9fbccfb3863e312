"""Which occurrences count: event name, and the `where` tests on one occurrence or on a list's elements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from streamseg.language.answer import NO, YES, Answer, earliest_ms
from streamseg.language.operators import Demand, Test
from streamseg.records.inputs import Event
from streamseg.values import is_missing


@dataclass(frozen=True, slots=True)
class PropertyTest:
    """One test on one property; `path` are its steps, none for the tested element itself."""

    path: tuple[str, ...]
    read: Callable[[Any], Any]
    test: Test | ElementsTest
    negated: bool

    @property
    def key(self) -> tuple[Any, ...]:
        return (self.path, self.test.key, self.test.negated != self.negated)

    def holds(self, container: Any) -> bool:
        """The answer of a test that does not move."""
        return self.test.holds(self.read(container), 0) != self.negated

    def at_kept(self, kept: Any, now_ms: int) -> Answer:
        """The answer at `now_ms` on what the test kept of the value, and when that changes."""
        answer = self.test.at_kept(kept, now_ms)
        return answer.turned_round() if self.negated else answer

    def demand(self) -> Demand | None:
        """What the tested occurrence or element has to have for the answer to be true; see Demand."""
        demand = None if self.negated else self.test.demand()
        if demand is None:
            return None
        key, read, texts = demand
        if not key:
            return Demand((self.path,), self.read, texts)
        return Demand((self.path, *key), lambda container: read(self.read(container)), texts)


class Where:
    """Property tests joined by `all` or `any`, judged on one occurrence or on one element of a list.

    Where a test moves with the clock, an occurrence's answer changes by itself: such an occurrence is kept
    as the list of the tested values (`extract`) and judged anew at every instant (`at`).
    """

    __slots__ = ("demand", "every", "key", "moving", "tests")

    def __init__(self, every: bool, tests: tuple[PropertyTest, ...]) -> None:
        self.every = every
        self.tests = tests
        self.moving = any(test.test.moves for test in tests)
        self.key = (every, sorted((test.key for test in tests), key=repr))
        self.demand = self._find_demand()

    def _find_demand(self) -> Demand | None:
        """Texts of which one must be there, if some test demands that: occurrences with other values need not
        be shown to this `where` at all."""
        if not self.every and len(self.tests) > 1:
            return None
        found = (item.demand() for item in self.tests)
        return next((demand for demand in found if demand is not None), None)

    def extract(self, container: Any) -> list[Any]:
        """What the tests keep of their values, in the tests' order."""
        return [test.test.keep(test.read(container)) for test in self.tests]

    def holds(self, container: Any) -> bool:
        """The answer of tests that do not move."""
        if self.every:
            return all(test.holds(container) for test in self.tests)
        return any(test.holds(container) for test in self.tests)

    def at(self, kept: list[Any], now_ms: int) -> Answer:
        """The answer on what `extract` gave at `now_ms`, and when a test next changes."""
        answers = [test.at_kept(value, now_ms) for test, value in zip(self.tests, kept, strict=True)]
        join = all if self.every else any
        return Answer(join(one.holds for one in answers), earliest_ms(*answers))


def elements_of(value: Any) -> list[Any]:
    """The elements of a value: a missing one has none, one that is no list is a list of one."""
    if is_missing(value):
        return []
    return value if isinstance(value, list) else [value]


@dataclass(frozen=True, slots=True)
class ElementsTest:
    """Whether at least one element of a list passes; asked like an operator's test."""

    group: Where
    negated: bool = False

    @property
    def key(self) -> tuple[Any, ...]:
        return ("elements", self.group.key)

    @property
    def moves(self) -> bool:
        """Whether the answer moves with the clock."""
        return self.group.moving

    def holds(self, value: Any, now_ms: int) -> bool:
        """The answer at `now_ms`."""
        if self.group.moving:
            return self.at(value, now_ms).holds
        return any(self.group.holds(element) for element in elements_of(value))

    def at(self, value: Any, now_ms: int) -> Answer:
        """The answer at `now_ms`, and the next instant at which it may be another (None: never)."""
        if not self.group.moving:
            return YES if self.holds(value, now_ms) else NO
        return self.at_kept(self.keep(value), now_ms)

    def keep(self, value: Any) -> list[Any]:
        """What to keep of a value to test it later by `at_kept`: of each element what the tests keep."""
        return [self.group.extract(element) for element in elements_of(value)]

    def at_kept(self, kept: Any, now_ms: int) -> Answer:
        """As `at`, of what was kept of a value."""
        answers = [self.group.at(element, now_ms) for element in kept]
        return Answer(any(one.holds for one in answers), earliest_ms(*answers))

    def demand(self) -> Demand | None:
        """What some element has to have for the answer to be true; see Demand."""
        demand = self.group.demand
        if demand is None:
            return None
        key, read, texts = demand

        def read_all(value: Any) -> list[Any]:
            found: list[Any] = []
            for element in elements_of(value):
                item = read(element)
                found.extend(item if isinstance(item, list) else (item,))
            return found

        return Demand((None, *key), read_all, texts)


class Matcher:
    """An event name (or prefix, or every name) with its `where`."""

    __slots__ = ("key", "moving", "name", "prefix", "where")

    def __init__(self, pattern: str, where: Where | None) -> None:
        self.prefix = pattern.endswith("*")
        self.name = pattern[:-1] if self.prefix else pattern
        self.where = where
        self.moving = where is not None and where.moving
        self.key = (pattern, where.key if where is not None else None)

    @property
    def demand(self) -> Demand | None:
        """What an occurrence has to have to match; see Demand."""
        return None if self.where is None else self.where.demand

    def named(self, event: Event) -> bool:
        """Whether the event bears the name; derived events never match a prefix."""
        if self.prefix:
            return not event.derived and event.name.startswith(self.name)
        return event.name == self.name

    def matches(self, event: Event) -> bool:
        """Whether the occurrence counts, leaving tests that move with the clock open."""
        if not self.named(event):
            return False
        return self.where is None or self.where.moving or self.where.holds(event.properties)

    def payload(self, event: Event) -> list[Any] | None:
        """What to keep of an occurrence to judge it later; None where that is settled."""
        if self.where is None or not self.where.moving:
            return None
        return self.where.extract(event.properties)

    def at(self, payload: list[Any] | None, now_ms: int) -> Answer:
        """Whether a kept occurrence counts at `now_ms`, and when that may change."""
        if payload is None or self.where is None:
            return YES
        return self.where.at(payload, now_ms)
