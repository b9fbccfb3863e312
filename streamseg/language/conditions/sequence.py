"""Sequences of occurrences in order, the last at most `within` after the first or absent until then.

The summary is one list of all occurrences that some step matches, in the order of their places:
[t, rank, offset, event id of a derived event or "", the steps as bits, tested values]. A chain ends at the
time of its last step, or at the deadline if the last step is an absence. The condition holds while the end of
some chain is in the window.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import Any

from streamseg.contact.contact import Contact
from streamseg.language.answer import NO, YES, Answer
from streamseg.language.conditions.base import Dispatch, EventFed, Forecast
from streamseg.language.conditions.chains import Absence, Occurrence, chain_ends
from streamseg.language.conditions.longest_chain import longest_chain
from streamseg.language.conditions.matching import Matcher
from streamseg.language.conditions.occurrences import MOST_OCCURRENCES, named
from streamseg.language.conditions.windows import ALL_HISTORY, Window
from streamseg.records.inputs import Event
from streamseg.times import MAX_MS, NEVER_MS, format_ms

_DONE = True
"""The summary of a sequence that has happened and cannot be undone."""
_MOST_CHAINED = 200
"""Among how many occurrences an explanation searches for a chain, the latest ones."""
_IDENTITY = 4
"""How many fields of an entry identify its occurrence; the first three are its place."""


class SequenceCondition(EventFed):
    """The condition that some chain of occurrences, each later than the one before, ends in the window.

    absent          the matcher that must not follow the last of `steps` up to `within_ms` after the first
    step_within_ms  how long after the one before it each of `steps` may be; None: `within_ms` alone counts
    cap             occurrences kept per step; the summary keeps `cap` times the number of steps, the absent
                    one included, and drops the oldest occurrence first
    """

    __slots__ = ("_final", "_moving", "absent", "cap", "step_within_ms", "steps", "window", "within_ms")

    def __init__(
        self,
        steps: tuple[Matcher, ...],
        absent: Matcher | None,
        within_ms: int,
        window: Window,
        cap: int,
        step_within_ms: int | None = None,
    ) -> None:
        super().__init__(
            (
                # A new name was needed when places came into the summaries, so that they were made again.
                "sequence of places",
                [step.key for step in steps],
                absent.key if absent is not None else None,
                within_ms,
                step_within_ms,
                window.key,
            ),
            false_for_unknown=True,
        )
        self.steps = steps
        self.absent = absent
        self.within_ms = within_ms
        self.step_within_ms = step_within_ms
        self.window = window
        self.cap = cap
        self._moving = any(matcher.moving for matcher in self.matchers)
        # Whether a chain that has happened makes the condition hold for good.
        self._final = window.fixed and absent is None and not self._moving

    def register(self, dispatch: Dispatch) -> None:
        for name, prefix in {(matcher.name, matcher.prefix) for matcher in self.matchers}:
            dispatch.on_event(self, name, prefix=prefix)

    @property
    def frequency(self) -> int:
        return 10

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        """The matchers of all steps; the absent one is the last."""
        return self.steps if self.absent is None else (*self.steps, self.absent)

    def prefix(self, count: int) -> SequenceCondition:
        """Return the sequence of the first `count` steps within the same time, over all history and without
        the absent step."""
        return SequenceCondition(
            self.steps[:count], None, self.within_ms, ALL_HISTORY, self.cap, self.step_within_ms
        )

    def reaches(self, at_ms: int, now_ms: int) -> bool:
        # A chain with this occurrence ends by at + within.
        return self.window.reaches(at_ms + self.within_ms, now_ms)

    def feed(self, contact: Contact, event: Event, now_ms: int) -> bool:
        summaries = contact.body.summaries
        if summaries.get(self.id) == _DONE:
            return False
        steps, tested = 0, []
        for index, matcher in enumerate(self.matchers):
            if matcher.matches(event):
                steps |= 1 << index
                payload = matcher.payload(event)
                if payload is not None:
                    tested.append([index, payload])
        if not steps:
            return False
        log = summaries.setdefault(self.id, [])
        entry = [*event.place, event.event_id if event.derived else "", steps, tested]
        index = bisect_left(log, entry[:_IDENTITY], key=_identity)
        if index < len(log) and _identity(log[index]) == entry[:_IDENTITY]:
            return False
        log.insert(index, entry)
        if len(log) > self.cap * len(self.matchers):
            del log[0]
            contact.capped += 1
        return True

    def aged(self, summary: Any, now_ms: int) -> Any:
        """Return the summary without the part that cannot matter. In a sliding window this part is the first
        occurrences, if no chain with them can end in the window. In a fixed window the summary becomes
        `_DONE` once a chain has happened that cannot be undone."""
        if summary == _DONE:
            return summary
        if self.window.fixed:
            return _DONE if self._final and self.answer_from(summary, now_ms).holds else summary
        gone = 0
        for entry in summary:
            # A chain with this occurrence ends by at + within, and `span` does not fall with t.
            span = self.window.span(entry[0] + self.within_ms)
            if span is None or span[1] > now_ms:
                break
            gone += 1
        return (summary[gone:] or None) if gone else summary

    def answer_from(self, summary: Any, now_ms: int) -> Answer:
        if summary is None:
            return NO
        if summary == _DONE:
            return YES
        endings, next_ms = self._endings(summary, now_ms)
        return _within(self._spans(endings), now_ms, next_ms)

    def forecast(self, contact: Contact) -> Forecast:
        summary = contact.body.summaries.get(self.id)
        if self._moving or summary is None or summary == _DONE:
            return super().forecast(contact)
        endings, _ = self._endings(summary, 0)
        return _EndingsForecast(self, contact, self._spans(endings))

    def _spans(self, endings: Iterable[int]) -> list[tuple[int, int]]:
        """Return the spans of now [start, end) in which the ends of chains are in the window."""
        spans = ((at_ms, self.window.span(at_ms)) for at_ms in endings)
        found = ((max(at_ms, span[0]), span[1]) for at_ms, span in spans if span is not None)
        return [(enter_ms, leave_ms) for enter_ms, leave_ms in found if enter_ms < leave_ms]

    def _endings(self, log: list[list[Any]], now_ms: int) -> tuple[list[int], int]:
        """Return when the chains in a log end, by the steps that its occurrences match at `now_ms`, and when
        these ends may change."""
        if not self._moving and not self._has_each_step(log):
            return [], NEVER_MS
        occurrences, next_ms = self._occurrences(log, now_ms)
        if self.absent is None:
            return chain_ends(occurrences, len(self.steps), self.within_ms, self.step_within_ms), next_ms
        absence = Absence(occurrences, len(self.steps), self.within_ms, self.step_within_ms)
        return absence.deadlines(), next_ms

    def _has_each_step(self, log: list[list[Any]]) -> bool:
        """Return whether each step has occurred, in any order. This is much cheaper than the search for a
        chain."""
        missing = (1 << len(self.steps)) - 1
        for entry in log:
            missing &= ~entry[4]
            if not missing:
                return True
        return False

    def evidence(self, contact: Contact, events: Iterable[Event], now_ms: int) -> dict[str, Any]:
        matching = [event for event in events if any(one.matches(event) for one in self.matchers)]
        matching.sort(key=lambda event: event.place)
        shown = [named(one.event_id, one.occurred_ms) for one in matching[-MOST_OCCURRENCES:]]
        chain = longest_chain(matching[-_MOST_CHAINED:], len(self.steps), self._happened(now_ms))
        reached: dict[str, Any] = {
            "what": "steps",
            "value": len(chain),
            "of": len(self.steps),
            "chain": [named(one.event_id, one.occurred_ms) for one in chain],
        }
        deadline_ms = self._deadline_ms(chain)
        if deadline_ms is not None:
            if deadline_ms <= MAX_MS:
                reached["deadline"] = format_ms(deadline_ms)
            followed = self._following(chain, matching, deadline_ms)
            if followed is not None:
                reached["followed_by"] = named(followed.event_id, followed.occurred_ms)
        return {"reached": reached, "occurrences": shown}

    def _deadline_ms(self, chain: list[Event]) -> int | None:
        """Return until when the step after the longest chain has to occur or to be absent; None if there is
        no chain or no further step."""
        if not chain:
            return None
        deadline_ms = chain[0].occurred_ms + self.within_ms
        if len(chain) == len(self.steps):
            return None if self.absent is None else deadline_ms
        if self.step_within_ms is None:
            return deadline_ms
        return min(deadline_ms, chain[-1].occurred_ms + self.step_within_ms)

    def _following(self, chain: list[Event], events: list[Event], deadline_ms: int) -> Event | None:
        """Return the first event of the absent step that follows a whole chain, or None."""
        if self.absent is None or len(chain) < len(self.steps):
            return None
        last_ms = chain[-1].occurred_ms
        following = (
            event
            for event in events
            if last_ms <= event.occurred_ms <= deadline_ms
            and event not in chain
            and self.absent.matches(event)
        )
        return next(following, None)

    def _happened(self, now_ms: int) -> Callable[[int, list[Event]], bool]:
        """Return a function (number of steps, ascending events) -> whether the first steps have happened."""
        prefixes = {}

        def happened(count: int, events: list[Event]) -> bool:
            if count not in prefixes:
                prefixes[count] = self.prefix(count)
            nobody = Contact("")
            for event in events:
                prefixes[count].feed(nobody, event, now_ms)
            return prefixes[count].answer(nobody, now_ms).holds

        return happened

    def _occurrences(self, log: list[list[Any]], now_ms: int) -> tuple[list[Occurrence], int]:
        """Return the occurrences in a log with the steps that they match at `now_ms`, and when this may
        change."""
        found: list[Occurrence] = []
        next_ms = NEVER_MS
        rank, place = -1, None
        for entry in log:
            if entry[:3] != place:
                rank, place = rank + 1, entry[:3]
            steps = entry[4]
            for index, payload in entry[5]:
                matches, flips_ms = self.matchers[index].at(payload, now_ms)
                next_ms = min(next_ms, NEVER_MS if flips_ms is None else flips_ms)
                if not matches:
                    steps &= ~(1 << index)
            if steps:
                found.append(Occurrence(entry[0], rank, steps))
        return found, next_ms


class _EndingsForecast(Forecast):
    """A forecast that searches for chains once, since no test depends on the clock."""

    __slots__ = ("_spans",)

    def __init__(self, condition: SequenceCondition, contact: Contact, spans: list[tuple[int, int]]) -> None:
        super().__init__(condition, contact)
        self._spans = spans

    def at(self, now_ms: int) -> Answer:
        self.cost = len(self._spans) or 1
        self._spans = [span for span in self._spans if span[1] > now_ms]
        return _within(self._spans, now_ms, NEVER_MS)


def _within(spans: Iterable[tuple[int, int]], now_ms: int, next_ms: int) -> Answer:
    """Return whether now is in one of the spans [start, end), with the next time at which this may change:
    `next_ms` (NEVER_MS: never) or an earlier start or end."""
    holds = False
    for enter_ms, leave_ms in spans:
        if leave_ms <= now_ms:
            continue
        holds = holds or enter_ms <= now_ms
        next_ms = min(next_ms, leave_ms if enter_ms <= now_ms else enter_ms)
    return Answer(holds, next_ms if next_ms < NEVER_MS else None)


def _identity(entry: list[Any]) -> list[Any]:
    return entry[:_IDENTITY]
