"""Which occurrences count: event name, and the `where` tests on one occurrence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from streamseg.inputs import Event
from streamseg.operators import Test


@dataclass(frozen=True, slots=True)
class PropertyTest:
    """One test on one property; `path` are its steps."""

    path: tuple[str, ...]
    read: Callable[[Mapping[str, Any]], Any]
    test: Test
    negated: bool

    @property
    def key(self) -> tuple[Any, ...]:
        return (self.path, self.test.key, self.test.negated != self.negated)

    def at(self, value: Any, now_ms: int) -> tuple[bool, int | None]:
        answer, next_ms = self.test.at(value, now_ms)
        return answer != self.negated, next_ms


class Where:
    """Property tests joined by `all` or `any`, judged on one occurrence.

    Where a test moves with the clock, an occurrence's answer changes by itself: such an occurrence is kept
    as the list of the tested values (`extract`) and judged anew at every instant (`at`).
    """

    __slots__ = ("every", "index", "key", "moving", "tests")

    def __init__(self, every: bool, tests: tuple[PropertyTest, ...]) -> None:
        self.every = every
        self.tests = tests
        self.moving = any(test.test.moving is not None for test in tests)
        self.key = (every, sorted((test.key for test in tests), key=repr))
        self.index = self._find_index()

    def _find_index(self) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """A property path and the texts it must be one of, if some test demands that: occurrences with
        another value need not be shown to this `where` at all."""
        if not self.every and len(self.tests) > 1:
            return None
        for item in self.tests:
            texts = None if item.negated else item.test.texts()
            if texts is not None:
                return item.path, texts
        return None

    def extract(self, properties: Mapping[str, Any]) -> list[Any]:
        """The tested values, in the tests' order."""
        return [test.read(properties) for test in self.tests]

    def holds(self, properties: Mapping[str, Any]) -> bool:
        """The answer of tests that do not move."""
        if self.every:
            return all(item.test.holds(item.read(properties), 0) != item.negated for item in self.tests)
        return any(item.test.holds(item.read(properties), 0) != item.negated for item in self.tests)

    def at(self, values: list[Any], now_ms: int) -> tuple[bool, int | None]:
        """The answer on extracted values at `now_ms`, and when a test next changes."""
        answers = [test.at(value, now_ms) for test, value in zip(self.tests, values, strict=True)]
        join = all if self.every else any
        nexts = [next_ms for _, next_ms in answers if next_ms is not None]
        return join(answer for answer, _ in answers), min(nexts, default=None)


class Matcher:
    """An event name (or prefix, or every name) with its `where`."""

    __slots__ = ("key", "moving", "name", "prefix", "where")

    def __init__(self, pattern: str, where: Where | None) -> None:
        self.prefix = pattern.endswith("*")
        self.name = pattern[:-1] if self.prefix else pattern
        self.where = where
        self.moving = where is not None and where.moving
        self.key = (pattern, where.key if where is not None else None)

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

    def at(self, payload: list[Any] | None, now_ms: int) -> tuple[bool, int | None]:
        """Whether a kept occurrence counts at `now_ms`, and when that may change."""
        if payload is None or self.where is None:
            return True, None
        return self.where.at(payload, now_ms)
