"""The search for the conditions to which an input may matter.

The conditions of an event are found by its name, and then by the text value that they demand. The conditions
of an attribute are found by its name, and then by the text value that they demand, or by a bound between its
old and its new value.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Set
from typing import Any, Generic, TypeVar

from schemas.scalars import by_value
from streamseg.language.conditions.base import ChangeFed, Condition, EventFed
from streamseg.language.operators import Demand
from streamseg.records.inputs import Event
from streamseg.values import is_number

T = TypeVar("T")


class TextIndex(Generic[T]):
    """An index of conditions that can hold only for certain texts."""

    __slots__ = ("_by_text",)

    def __init__(self) -> None:
        self._by_text: dict[str, list[T]] = {}

    def add(self, texts: Iterable[str], condition: T) -> None:
        for text in dict.fromkeys(texts):
            self._by_text.setdefault(text, []).append(condition)

    def find(self, value: Any) -> Iterable[T]:
        """Return the conditions that may hold for a value, each once. For a list, every text in it counts."""
        if isinstance(value, str):
            return self._by_text.get(value, ())
        if isinstance(value, list):
            texts = [text for text in value if isinstance(text, str)]
            return {id(one): one for text in texts for one in self._by_text.get(text, ())}.values()
        return ()


class EventDispatch:
    """The conditions on one event name or prefix: those that every such event may matter to (`always`), and
    those that demand a text (`by_text`)."""

    __slots__ = ("always", "by_text")

    def __init__(self) -> None:
        self.always: list[EventFed] = []
        self.by_text: dict[tuple[Any, ...], tuple[Callable[[Any], Any], TextIndex[EventFed]]] = {}

    def add(self, condition: EventFed, demand: Demand | None) -> None:
        if demand is None:
            self.always.append(condition)
            return
        key, read, texts = demand
        if key not in self.by_text:
            self.by_text[key] = (read, TextIndex())
        self.by_text[key][1].add(texts, condition)

    def find(self, event: Event) -> list[EventFed]:
        """Return the conditions to which an occurrence may matter."""
        found = self.always
        for read, index in self.by_text.values():
            listed = index.find(read(event.properties))
            if listed:
                found = [*found, *listed]
        return found


class Thresholds:
    """Conditions that compare a number with one bound, ordered by their bounds. A change of the value matters
    only to conditions whose bound lies between the old and the new value."""

    __slots__ = ("_bounds", "_conditions")

    def __init__(self) -> None:
        self._bounds: list[int | float] = []
        self._conditions: list[Condition] = []

    def add(self, bound: int | float, condition: Condition) -> None:
        bound = by_value(bound)
        place = bisect_right(self._bounds, bound)
        self._bounds.insert(place, bound)
        self._conditions.insert(place, condition)

    def find(self, old: Any, new: Any) -> list[Condition]:
        """Return the conditions whose answers for the two values may differ. If only one of the values is a
        number, these are all conditions."""
        conditions = self._conditions
        if not conditions:
            return conditions
        numbers = [by_value(value) for value in (old, new) if is_number(value)]
        if not numbers:
            return []
        if len(numbers) == 1:
            return conditions
        start, end = bisect_left(self._bounds, min(numbers)), bisect_right(self._bounds, max(numbers))
        return conditions[start:end]


class AttributeDispatch:
    """The conditions on one attribute.

    always      conditions to which every change may matter
    by_text     conditions that demand a text
    fed         conditions of `always` that are fed each change before they are evaluated
    thresholds  conditions with one bound
    """

    __slots__ = ("always", "by_text", "fed", "thresholds")

    def __init__(self) -> None:
        self.always: list[Condition] = []
        self.by_text: TextIndex[Condition] = TextIndex()
        self.fed: list[ChangeFed] = []
        self.thresholds = Thresholds()

    def add_fed(self, condition: ChangeFed) -> None:
        self.fed.append(condition)
        self.always.append(condition)

    def add(self, condition: Condition, texts: Iterable[str] | None, threshold: int | float | None) -> None:
        if threshold is not None:
            self.thresholds.add(threshold, condition)
        elif texts is not None:
            self.by_text.add(texts, condition)
        else:
            self.always.append(condition)

    def find(self, old: Any, new: Any) -> list[Condition]:
        """Return the conditions to which a change of the value may matter; some are returned twice."""
        found = self.always
        for listed in (self.thresholds.find(old, new), self.by_text.find(old), self.by_text.find(new)):
            if listed:
                found = [*found, *listed]
        return found


class InputDispatch:
    """All conditions of a plan, indexed by the inputs for which they registered."""

    __slots__ = ("_by_event", "_prefixes", "by_attribute")

    def __init__(self, conditions: Iterable[Condition]) -> None:
        self._by_event: dict[str, EventDispatch] = {}
        self._prefixes: list[tuple[str, EventDispatch]] = []
        self.by_attribute: dict[str, AttributeDispatch] = {}
        for condition in conditions:
            condition.register(self)

    def on_event(self, condition: EventFed, name: str, *, prefix: bool, demand: Demand | None = None) -> None:
        self._event_dispatch(name, prefix).add(condition, demand)

    def on_attribute(
        self,
        condition: Condition,
        name: str,
        *,
        texts: tuple[str, ...] | None = None,
        threshold: int | float | None = None,
    ) -> None:
        self._attribute_dispatch(name).add(condition, texts, threshold)

    def on_change(self, condition: ChangeFed, name: str) -> None:
        self._attribute_dispatch(name).add_fed(condition)

    def _attribute_dispatch(self, name: str) -> AttributeDispatch:
        return self.by_attribute.setdefault(name, AttributeDispatch())

    def _event_dispatch(self, name: str, prefix: bool) -> EventDispatch:
        if not prefix:
            return self._by_event.setdefault(name, EventDispatch())
        for known, dispatch in self._prefixes:
            if known == name:
                return dispatch
        dispatch = EventDispatch()
        self._prefixes.append((name, dispatch))
        return dispatch

    @property
    def event_names(self) -> Set[str]:
        """The event names that conditions test, without the prefixes."""
        return self._by_event.keys()

    def conditions_for(self, event: Event) -> Iterable[EventFed]:
        """Return the conditions to which an occurrence may matter, each once."""
        exact = self._by_event.get(event.name)
        found = exact.find(event) if exact is not None else []
        if event.derived or not self._prefixes:
            return found
        merged = {condition.id: condition for condition in found}
        for prefix, dispatch in self._prefixes:
            if event.name.startswith(prefix):
                merged.update((condition.id, condition) for condition in dispatch.find(event))
        return merged.values()
