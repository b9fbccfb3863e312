"""What decides a condition: what was reached, what was left out and why, and how a value was read.

Everything is asked of the compiled condition (its names, `where`, window and aggregate) over the contact's
kept events and its summary; nothing here changes the contact. Answers are bounded: of many occurrences the
latest are named, and what is left out is counted by its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from schemas.timestamps import EARLIEST_STATED_MS
from streamseg.contact.contact import Contact
from streamseg.engine.longest_chain import longest_chain
from streamseg.json_text import Json
from streamseg.language.conditions.aggregates import Aggregate, Result, Total
from streamseg.language.conditions.attribute import AttributeCondition, HeldCondition, latest
from streamseg.language.conditions.base import Condition
from streamseg.language.conditions.event import (
    AggregateCondition,
    CountCondition,
    LoggedCount,
    RunningCondition,
    SelectCondition,
)
from streamseg.language.conditions.matching import ElementsTest, Matcher, Where
from streamseg.language.conditions.sequence import SequenceCondition
from streamseg.language.conditions.windows import Window
from streamseg.language.numbers import compact, exact, number_in_text
from streamseg.language.operators import AS_NUMBER, Test, number_of
from streamseg.language.unsubscribe import ChannelCondition
from streamseg.records.inputs import Event
from streamseg.times import format_ms, timestamp_or_none
from streamseg.values import is_missing, is_number

MOST_OCCURRENCES: Final = 100
"""Occurrences that are named of one condition, the latest ones."""

_MOST_CHAINED: Final = 200
"""Occurrences among which a chain is looked for, the latest ones."""

_LONGEST_VALUE: Final = 100
"""Characters of a value that are shown."""

_TIME_TESTS: Final = ("before", "after", "calendar", "time_between")
_NUMBER_TESTS: Final = ("gt", "ge", "lt", "le", "between")


def evidence(contact: Contact, condition: Condition, events: Iterable[Event], now_ms: int) -> Json:
    """What the explanation of a condition holds besides whether it does; JSON, instants as RFC 3339.

    events  the contact's kept events, ascending
    now_ms  the instant that the contact has been brought up to
    """
    if isinstance(condition, AttributeCondition):
        value = latest(contact, condition.path)
        return {"value": value, **_reading(value, condition.test)}
    if isinstance(condition, HeldCondition):
        value = latest(contact, condition.path)
        held = condition.test.holds(value, now_ms)
        since = format_ms(condition.since(contact)) if held else None
        return {"value": value, **_reading(value, condition.test), "held_since": since}
    if isinstance(condition, SequenceCondition):
        return _sequence(condition, list(events), now_ms)
    if isinstance(condition, SelectCondition):
        return _selection(condition, events, now_ms)
    if isinstance(condition, (CountCondition, LoggedCount)):
        return _count(contact, condition, events, now_ms)
    if isinstance(condition, (RunningCondition, AggregateCondition)):
        return _aggregate(contact, condition, events, now_ms)
    if isinstance(condition, ChannelCondition):
        opt_outs = contact.body.unsubscribes.channel(condition.channel).opt_outs
        return {"occurrences": [_named(one.event_id, one.occurred_ms) for one in opt_outs]}
    return {}


def _named(event_id: str, occurred_ms: int) -> Json:
    return {"event_id": event_id, "occurred_at": format_ms(occurred_ms)}


# --- how a value was read ---------------------------------------------------------------------------


def _reading(value: Any, test: Test | ElementsTest) -> Json:
    """How the test read a value that is not plainly of the type that it asks for."""
    if is_missing(value) or isinstance(test, ElementsTest):
        return {}
    if test.key[0] == AS_NUMBER:
        number = number_of(value)
        if number is None:
            return {"read": {"why": "no_number"}}
        return {"read": {"number": compact(number), "from": "text"}} if isinstance(value, str) else {}
    if test.moving is not None or test.key[0] in _TIME_TESTS:
        return {"read": _read_time(value, test)}
    numeric = test.key[0] in _NUMBER_TESTS or (test.key[0] == "eq" and is_number(test.key[1]))
    return {"read": _no_number(value)} if numeric and not is_number(value) else {}


def _no_number(value: Any) -> Json:
    """Why a value is none; a text that `as` would make one says so."""
    might_be = isinstance(value, str) and number_in_text(value) is not None
    return {"why": "no_number", **({"perhaps": "number"} if might_be else {})}


def _read_time(value: Any, test: Test) -> Json:
    at_ms = timestamp_or_none(value, test.zone, test.day_zone)
    if at_ms is None:
        return {"why": "no_time"}
    read: Json = {"time": format_ms(at_ms)}
    if isinstance(value, str):
        read["from"] = "text" if ":" in value else "date"
    else:
        read["from"] = "milliseconds"
        if abs(value) < EARLIEST_STATED_MS:
            read["perhaps"] = "seconds"
    return read


# --- occurrences ------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Sorting:
    """The occurrences of an event, those that count and those that do not."""

    now_ms: int
    passed: list[Event] = field(default_factory=list)
    inside: list[Event] = field(default_factory=list)
    left_out: dict[str, Json] = field(default_factory=dict)

    def leave_out(self, why: str, event: Event, value: Any = None, **more: Any) -> None:
        entry = self.left_out.setdefault(why, {"why": why, "count": 0})
        entry["count"] += 1
        entry["latest"] = {**_named(event.event_id, event.occurred_ms), **more}
        if isinstance(value, (str, bool)):
            # Lists and objects may be long; that they are no numbers goes without saying.
            entry["latest"]["value"] = _cut(value)

    def sort(self, events: Iterable[Event], matcher: Matcher, window: Window) -> None:
        for event in events:
            if not matcher.named(event):
                continue
            passes, _ = matcher.at(matcher.payload(event), self.now_ms)
            if not (passes and matcher.matches(event)):
                self.leave_out("not_passed", event, failed=_failed(matcher.where, event, self.now_ms))
                continue
            self.passed.append(event)
            why = _outside(window, event.occurred_ms, self.now_ms)
            if why is None:
                self.inside.append(event)
            else:
                self.leave_out(why, event)

    def wire(self) -> Json:
        shown = self.passed[-MOST_OCCURRENCES:]
        told: Json = {"occurrences": [_named(one.event_id, one.occurred_ms) for one in shown]}
        if self.left_out:
            told["left_out"] = list(self.left_out.values())
        return told


def _failed(where: Where | None, event: Event, now_ms: int) -> list[int]:
    """Which tests an occurrence fails, by their places in `where`."""
    if where is None:
        return []
    kept = where.extract(event.properties)
    tests = enumerate(zip(where.tests, kept, strict=True))
    return [index for index, (test, value) in tests if not test.at_kept(value, now_ms)[0]]


def _cut(value: str | bool) -> str | bool:
    if isinstance(value, str) and len(value) > _LONGEST_VALUE:
        return value[:_LONGEST_VALUE] + "…"
    return value


def _outside(window: Window, at_ms: int, now_ms: int) -> str | None:
    """Why a time does not lie in a window now; None where it does."""
    span = window.span(at_ms)
    if span is None:
        return "outside_window"
    enter_ms, leave_ms = span
    if now_ms < enter_ms:
        return "not_yet"
    return "too_old" if leave_ms <= now_ms else None


def _count(
    contact: Contact, condition: CountCondition | LoggedCount, events: Iterable[Event], now_ms: int
) -> Json:
    sorting = _Sorting(now_ms)
    sorting.sort(events, condition.matcher, condition.window)
    count = len(sorting.inside)
    if condition.window.fixed and isinstance(condition, CountCondition):
        # What was counted stays counted, also when the events are no longer kept.
        count = max(count, contact.body.summaries.get(condition.id, 0))
    return {"reached": {"what": "count", "value": count}, **sorting.wire()}


def _aggregate(
    contact: Contact,
    condition: RunningCondition | AggregateCondition,
    events: Iterable[Event],
    now_ms: int,
) -> Json:
    sorting = _Sorting(now_ms)
    sorting.sort(events, condition.matcher, condition.window)
    aggregate: Aggregate
    if isinstance(condition, RunningCondition):
        aggregate = condition.running
        result = condition.running.result(contact.body.summaries.get(condition.id))
    else:
        aggregate = condition.aggregate
        kept = contact.body.summaries.get(condition.id, [])
        counted = [
            entry[2]
            for entry in kept
            if _outside(condition.window, entry[0], now_ms) is None and condition.counts(entry[3], now_ms)[0]
        ]
        result = aggregate.over(counted)
    for event in sorting.inside:
        if not any(True for _ in aggregate.values.of(event.properties)):
            value = aggregate.values.source(event.properties)
            if is_missing(value):
                sorting.leave_out("no_value", event)
            else:
                more = _no_number(value)
                sorting.leave_out(more.pop("why"), event, value, **more)
    return {"reached": {"what": aggregate.function, "value": _figure(result)}, **sorting.wire()}


def _figure(result: Result) -> int | float | str | None:
    """A result as JSON: a number, or the text of one that no JSON number is written as."""
    if isinstance(result, Total):
        return compact(exact(float(result.average())))
    return compact(result) if isinstance(result, Decimal) else result


def _selection(condition: SelectCondition, events: Iterable[Event], now_ms: int) -> Json:
    sorting = _Sorting(now_ms)
    sorting.sort(events, condition.matcher, condition.window)
    chosen = None if not sorting.passed else sorting.passed[-1 if condition.last else 0]
    reached: Json = {"what": "selected", "value": None}
    if chosen is not None:
        reached["value"] = _named(chosen.event_id, chosen.occurred_ms)
        why = _outside(condition.window, chosen.occurred_ms, now_ms)
        if why is not None:
            reached["why"] = why
        elif condition.has is not None:
            passes, _ = condition.has.at(condition.has.extract(chosen.properties), now_ms)
            if not passes:
                reached["why"] = "not_passed"
                reached["failed"] = _failed(condition.has, chosen, now_ms)
    return {"reached": reached, **sorting.wire()}


def _sequence(condition: SequenceCondition, events: Sequence[Event], now_ms: int) -> Json:
    matching = [event for event in events if any(one.matches(event) for one in condition.matchers)]
    matching.sort(key=lambda event: event.place)
    shown = [_named(one.event_id, one.occurred_ms) for one in matching[-MOST_OCCURRENCES:]]
    chain = longest_chain(condition, matching[-_MOST_CHAINED:], now_ms)
    reached: Json = {
        "what": "steps",
        "value": len(chain),
        "of": len(condition.steps),
        "chain": [_named(one.event_id, one.occurred_ms) for one in chain],
    }
    if condition.absent is not None and len(chain) == len(condition.steps):
        deadline_ms = chain[0].occurred_ms + condition.within_ms
        reached["deadline"] = format_ms(deadline_ms)
        last_ms = chain[-1].occurred_ms
        following = (
            event
            for event in matching
            if last_ms <= event.occurred_ms <= deadline_ms
            and event not in chain
            and condition.absent.matches(event)
        )
        followed = next(following, None)
        if followed is not None:
            reached["followed_by"] = _named(followed.event_id, followed.occurred_ms)
    elif 0 < len(chain) < len(condition.steps):
        deadline_ms = chain[0].occurred_ms + condition.within_ms
        if condition.step_within_ms is not None:
            deadline_ms = min(deadline_ms, chain[-1].occurred_ms + condition.step_within_ms)
        reached["deadline"] = format_ms(deadline_ms)
    return {"reached": reached, "occurrences": shown}
