"""Tests of occurrences: by event name, and by `where` on an occurrence or on the elements of a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamseg.language.answer import NO, YES, Answer, earliest_ms
from streamseg.language.operators import Demand, Test
from streamseg.records.inputs import Event
from streamseg.values import is_missing


class PropertyTest:
    """One test of one property. `path` holds the steps to the property; without steps, the element itself is
    tested."""

    __slots__ = ("negated", "path", "read", "test")

    def __init__(
        self, path: tuple[str, ...], read: Callable[[Any], Any], test: Test | ElementsTest, negated: bool
    ) -> None:
        self.path = path
        self.read = read
        self.test = test
        self.negated = negated

    @property
    def key(self) -> tuple[Any, ...]:
        return (self.path, self.test.key, self.test.negated != self.negated)

    def holds(self, container: Any) -> bool:
        """Return the answer of a test that does not depend on the clock."""
        return self.test.holds(self.read(container), 0) != self.negated

    def at_kept(self, kept: Any, now_ms: int) -> Answer:
        """Return the answer at `now_ms` for what the test kept of a value."""
        answer = self.test.at_kept(kept, now_ms)
        return answer.turned_round() if self.negated else answer

    def demand(self) -> Demand | None:
        """Return the demand on the tested occurrence or element, or None; see Demand."""
        demand = None if self.negated else self.test.demand()
        if demand is None:
            return None
        key, read, texts = demand
        if not key:
            return Demand((self.path,), self.read, texts)
        return Demand((self.path, *key), lambda container: read(self.read(container)), texts)


class Where:
    """Property tests joined by `all` (`every`) or `any`, for one occurrence or one element of a list.

    If a test depends on the clock (`moving`), the answer for an occurrence changes without input. Then the
    tested values of the occurrence are kept (`extract`) and evaluated again at every time (`at`).
    """

    __slots__ = ("demand", "every", "key", "moving", "tests")

    def __init__(self, every: bool, tests: tuple[PropertyTest, ...]) -> None:
        self.every = every
        self.tests = tests
        self.moving = any(test.test.moves for test in tests)
        self.key = (every, sorted((test.key for test in tests), key=repr))
        self.demand = self._find_demand()

    def _find_demand(self) -> Demand | None:
        """Return a demand that all tests together imply, or None. Occurrences that do not meet it do not have
        to be tested."""
        if not self.every and len(self.tests) > 1:
            return None
        found = (item.demand() for item in self.tests)
        return next((demand for demand in found if demand is not None), None)

    def extract(self, container: Any) -> list[Any]:
        """Return what the tests keep of their values, in the order of the tests."""
        return [test.test.keep(test.read(container)) for test in self.tests]

    def holds(self, container: Any) -> bool:
        """Return the answer of tests that do not depend on the clock."""
        if self.every:
            return all(test.holds(container) for test in self.tests)
        return any(test.holds(container) for test in self.tests)

    def at(self, kept: list[Any], now_ms: int) -> Answer:
        """Return the answer at `now_ms` for a result of `extract`, with the time at which a test next
        changes."""
        answers = [test.at_kept(value, now_ms) for test, value in zip(self.tests, kept, strict=True)]
        join = all if self.every else any
        return Answer(join(one.holds for one in answers), earliest_ms(*answers))


def elements_of(value: Any) -> list[Any]:
    """Return the elements of a value. A missing value has none; a value that is not a list is its only
    element."""
    if is_missing(value):
        return []
    return value if isinstance(value, list) else [value]


class ElementsTest:
    """The test whether at least one element of a list passes. It has the methods of `operators.Test`."""

    __slots__ = ("group", "negated")

    def __init__(self, group: Where, negated: bool = False) -> None:
        self.group = group
        self.negated = negated

    @property
    def key(self) -> tuple[Any, ...]:
        return ("elements", self.group.key)

    @property
    def moves(self) -> bool:
        """Whether the answer depends on the clock."""
        return self.group.moving

    def holds(self, value: Any, now_ms: int) -> bool:
        """Return the answer at `now_ms`."""
        if self.group.moving:
            return self.at(value, now_ms).holds
        return any(self.group.holds(element) for element in elements_of(value))

    def at(self, value: Any, now_ms: int) -> Answer:
        """Return the answer at `now_ms`, with the next time at which it may differ."""
        if not self.group.moving:
            return YES if self.holds(value, now_ms) else NO
        return self.at_kept(self.keep(value), now_ms)

    def positive(self) -> ElementsTest:
        """Return the test without the negation."""
        return ElementsTest(self.group)

    def keep(self, value: Any) -> list[Any]:
        """Return what the tests keep of each element, so that `at_kept` can test the value later."""
        return [self.group.extract(element) for element in elements_of(value)]

    def at_kept(self, kept: Any, now_ms: int) -> Answer:
        """Return the answer of `at` for a result of `keep`."""
        answers = [self.group.at(element, now_ms) for element in kept]
        return Answer(any(one.holds for one in answers), earliest_ms(*answers))

    def demand(self) -> Demand | None:
        """Return the demand that some element has to meet, or None; see Demand."""
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
        """The demand that an occurrence has to meet to match, or None; see Demand."""
        return None if self.where is None else self.where.demand

    def named(self, event: Event) -> bool:
        """Return whether the event has the name. Derived events never match a prefix."""
        if self.prefix:
            return not event.derived and event.name.startswith(self.name)
        return event.name == self.name

    def matches(self, event: Event) -> bool:
        """Return whether the occurrence may count. A `where` that depends on the clock is not tested yet."""
        if not self.named(event):
            return False
        return self.where is None or self.where.moving or self.where.holds(event.properties)

    def payload(self, event: Event) -> list[Any] | None:
        """Return the values to keep of an occurrence so that `at` can test it later; None if `where` does not
        depend on the clock."""
        if self.where is None or not self.where.moving:
            return None
        return self.where.extract(event.properties)

    def at(self, payload: list[Any] | None, now_ms: int) -> Answer:
        """Return whether a kept occurrence counts at `now_ms`, with the time at which this may change."""
        if payload is None or self.where is None:
            return YES
        return self.where.at(payload, now_ms)
