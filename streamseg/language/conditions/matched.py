"""Conditions on the occurrences that one matcher matches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from streamseg.language.conditions.base import Dispatch, EventFed
from streamseg.language.conditions.matching import Matcher
from streamseg.language.conditions.occurrences import Sorting
from streamseg.language.conditions.windows import Window
from streamseg.records.inputs import Event


class MatchedCondition(EventFed):
    """A condition on the occurrences that one matcher matches, and on a window."""

    __slots__ = ("matcher", "window")

    def __init__(
        self, key: tuple[Any, ...], matcher: Matcher, window: Window, *, false_for_unknown: bool
    ) -> None:
        super().__init__(key, false_for_unknown=false_for_unknown)
        self.matcher = matcher
        self.window = window

    def register(self, dispatch: Dispatch) -> None:
        matcher = self.matcher
        dispatch.on_event(self, matcher.name, prefix=matcher.prefix, demand=matcher.demand)

    @property
    def frequency(self) -> int:
        return 10 if self.matcher.demand is None else 1

    def sorting(self, events: Iterable[Event], now_ms: int) -> Sorting:
        """Return the occurrences among the events, sorted for an explanation."""
        sorting = Sorting(now_ms)
        sorting.sort(events, self.matcher, self.window)
        return sorting


class WindowCondition(MatchedCondition):
    """A condition whose answer depends only on the occurrences in its window."""

    __slots__ = ()

    def reaches(self, at_ms: int, now_ms: int) -> bool:
        return self.window.reaches(at_ms, now_ms)
