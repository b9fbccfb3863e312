"""Sequences: occurrences in order, the last at most `within` after the first, or none in time.

Summary: one ordered list a step of [t, tested values]. An ending is the time of the last step, or of the
deadline where the last step is absence; the condition holds while some ending lies in the window.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import Any

from streamseg.conditions.base import EventFed
from streamseg.conditions.matching import Matcher
from streamseg.conditions.windows import ALL_HISTORY, Window
from streamseg.contact import Contact
from streamseg.inputs import Event
from streamseg.times import MAX_MS

_DONE = True
"""The summary of a sequence that has happened and cannot be undone."""


class SequenceCondition(EventFed):
    """Some chain of occurrences, each strictly later than the one before, ends in the window.

    absent  the matcher that must not follow the last of `steps` up to `within_ms` after the first, or None
    cap     occurrences kept a step, the oldest dropped first
    """

    __slots__ = ("absent", "cap", "steps", "window", "within_ms")

    def __init__(
        self, steps: tuple[Matcher, ...], absent: Matcher | None, within_ms: int, window: Window, cap: int
    ) -> None:
        super().__init__(
            (
                "sequence",
                [step.key for step in steps],
                absent.key if absent is not None else None,
                within_ms,
                window.key,
            ),
            inert=True,
        )
        self.steps = steps
        self.absent = absent
        self.within_ms = within_ms
        self.window = window
        self.cap = cap

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        """All steps, the absent one last."""
        return self.steps if self.absent is None else (*self.steps, self.absent)

    def prefix(self, count: int) -> SequenceCondition:
        """Its first `count` steps within the same time, over all history; nothing has to stay away."""
        return SequenceCondition(self.steps[:count], None, self.within_ms, ALL_HISTORY, self.cap)

    @property
    def _final(self) -> bool:
        """Whether a chain, once there, holds for good."""
        return self.window.fixed and self.absent is None and not any(step.moving for step in self.steps)

    def reaches(self, at_ms: int, now_ms: int) -> bool:
        # A chain with this occurrence ends by at + within.
        return self.window.reaches(at_ms + self.within_ms, now_ms)

    def feed(self, contact: Contact, event: Event, now_ms: int) -> bool:
        fed = False
        summaries = contact.body.summaries
        if summaries.get(self.id) == _DONE:
            return False
        for index, matcher in enumerate(self.matchers):
            if not matcher.matches(event):
                continue
            logs = summaries.get(self.id)
            if logs is None:
                logs = summaries[self.id] = [[] for _ in self.matchers]
            log = logs[index]
            payload = matcher.payload(event)
            place = bisect_left(log, event.occurred_ms, key=_time)
            if payload is None and place < len(log) and log[place][0] == event.occurred_ms:
                # Only times matter, and this one is there.
                continue
            log.insert(place, [event.occurred_ms, payload])
            fed = True
            if len(log) > self.cap:
                del log[0]
                contact.capped += 1
        return fed

    def evaluate(self, contact: Contact, now_ms: int) -> tuple[bool, int | None]:
        logs = contact.body.summaries.get(self.id)
        if logs is None:
            return False, None
        if logs == _DONE:
            return True, None
        self._prune(contact, logs, now_ms)
        next_ms = MAX_MS
        times: list[list[int]] = []
        for matcher, log in zip(self.matchers, logs, strict=True):
            matching = []
            for at_ms, payload in log:
                matches, flips_ms = matcher.at(payload, now_ms)
                next_ms = min(next_ms, flips_ms or MAX_MS)
                if matches:
                    matching.append(at_ms)
            times.append(matching)
        holds = False
        for ending_ms in self._endings(times):
            enter_ms, leave_ms = self.window.span(ending_ms) or (MAX_MS, 0)
            enter_ms = max(enter_ms, ending_ms)
            if enter_ms >= leave_ms or leave_ms <= now_ms:
                continue
            holds = holds or enter_ms <= now_ms
            next_ms = min(next_ms, leave_ms if enter_ms <= now_ms else enter_ms)
        if holds and self._final:
            contact.body.summaries[self.id] = _DONE
        return holds, next_ms if next_ms < MAX_MS else None

    def _prune(self, contact: Contact, logs: list[list[list[Any]]], now_ms: int) -> None:
        """Drop what can be part of no chain that ends in a window that slides."""
        if self.window.fixed:
            return
        for log in logs:
            gone = 0
            for at_ms, _ in log:
                # A chain with this occurrence ends by at + within, and `span` does not fall with t.
                span = self.window.span(at_ms + self.within_ms)
                if span is None or span[1] > now_ms:
                    break
                gone += 1
            del log[:gone]
        if not any(logs):
            del contact.body.summaries[self.id]

    def _endings(self, times: list[list[int]]) -> list[int]:
        """The times at which some chain ends, in no order. Cost: O(steps · occurrences · log)."""
        if self.absent is not None:
            return self._deadlines(times)
        # starts[i]: the latest start of a chain that reaches occurrence i of the step at hand.
        starts = times[0]
        for previous, current in pairwise(times):
            best: list[int | None] = []
            for at_ms in current:
                index = bisect_left(previous, at_ms) - 1
                best.append(starts[index] if index >= 0 else None)
            current[:] = [at_ms for at_ms, start in zip(current, best, strict=True) if start is not None]
            starts = [start for start in best if start is not None]
        return [
            at_ms for at_ms, start in zip(times[-1], starts, strict=True) if at_ms - start <= self.within_ms
        ]

    def _deadlines(self, times: list[list[int]]) -> list[int]:
        *steps, absences = times
        deadlines = []
        for first_ms in steps[0]:
            deadline_ms = first_ms + self.within_ms
            reached_ms = first_ms
            for step in steps[1:-1]:
                index = bisect_right(step, reached_ms)
                reached_ms = step[index] if index < len(step) else MAX_MS
            if len(steps) > 1:
                # The later the last step, the fewer occurrences can follow it.
                index = bisect_right(steps[-1], deadline_ms) - 1
                if index < 0 or steps[-1][index] <= reached_ms:
                    continue
                reached_ms = steps[-1][index]
            following = bisect_right(absences, reached_ms)
            if following == len(absences) or absences[following] > deadline_ms:
                deadlines.append(deadline_ms)
        return deadlines


def _time(entry: list[Any]) -> int:
    at_ms: int = entry[0]
    return at_ms
