"""Whether a contact satisfies a condition at an instant, found by going through all of its history."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from streamseg.settings import Settings
from tests.oracle.definitions import Definition, Definitions
from tests.oracle.history import History, Occurrence, Statement
from tests.oracle.instants import duration_ms
from tests.oracle.operators import (
    Setting,
    elements_of,
    exact,
    group_passes,
    identity,
    in_half_open,
    in_period,
    is_missing,
    is_number,
    lookup,
    number_of,
    number_passes,
    passes,
    steps,
)

TIME_ATTRIBUTES = {
    "created_at",
    "imported_at",
    "member_day",
    "first_purchase_at",
    "last_purchase_at",
    "known_since",
}

Condition = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """A contact, an instant, and the definition whose conditions are asked about."""

    history: History
    now: int
    definition: Definition
    definitions: Definitions
    settings: Settings
    member_of: Callable[[str], bool]

    @property
    def setting(self) -> Setting:
        data_zone = ZoneInfo(self.settings.timezone)
        zone = ZoneInfo(self.definition["timezone"]) if "timezone" in self.definition else data_zone
        return Setting(self.now, zone, data_zone)


def is_satisfied(condition: Condition, question: Question) -> bool:
    satisfied = _satisfied_as_positive(condition, question)
    return not satisfied if condition.get("not", False) else satisfied


def _satisfied_as_positive(condition: Condition, question: Question) -> bool:
    if "attribute" in condition:
        return _attribute(condition, question)
    if "event" in condition:
        return _event(condition, question)
    if "sequence" in condition:
        return _sequence(condition, question)
    if "segment" in condition:
        member: bool = condition.get("member", True)
        return question.member_of(condition["segment"]) == member
    return _sample(condition, question)


def _sample(condition: Condition, question: Question) -> bool:
    salt = condition.get("salt", question.definition["segment_id"])
    digest = hashlib.sha256(f"{salt}\0{question.history.contact_id}".encode()).digest()
    return Fraction(int.from_bytes(digest[:8], "big"), 2**64) < exact(condition["sample"])


# --- attributes -----------------------------------------------------------------------------------


def _attribute(condition: Condition, question: Question) -> bool:
    if "held" not in condition:
        return attribute_test(condition, question.history.root(), question.setting)
    since = held_since(condition, question)
    if since is None:
        return False
    held = question.now - since
    if "at_least" in condition["held"]:
        return held >= duration_ms(condition["held"]["at_least"])
    return held < duration_ms(condition["held"]["less_than"])


def attribute_test(condition: Condition, root: dict[str, Any], setting: Setting) -> bool:
    path = condition["attribute"]
    return passes(condition, lookup(path, root), setting, always_time=path in TIME_ATTRIBUTES)


def held_since(condition: Condition, question: Question) -> int | None:
    """Since when the test is true without interruption, or None where it is not true now."""
    history = question.history
    name = steps(condition["attribute"])[0]

    def true_of(value: Any) -> bool:
        root = {} if value is None else {name: value}
        return attribute_test(condition, root, question.setting)

    if name == "contact_id":
        return history.known_since if true_of(history.contact_id) else None
    stated = history.tags if name == "tags" else history.attributes.get(name, [])
    # Real changes are kept as events. Of all other statements a new definition sees only the latest one: it
    # may say 1 where 1.0 was said, which is the same value and yet a time.
    age = question.definitions.age_of(condition, question.definition)
    before = [statement for statement in stated if statement.index <= age.index]

    def seen(statement: Statement) -> bool:
        is_missing = statement.value is None or statement.value == []
        return not is_missing and (statement.index > age.index or statement is before[-1])

    since = None
    for statement in reversed([statement for statement in stated if statement.real or seen(statement)]):
        if not true_of(statement.value):
            return since
        since = statement.at
    if not true_of(None):
        return since
    return history.known_since if since is None else min(history.known_since, since)


# --- events ---------------------------------------------------------------------------------------


def seen_events(condition: Condition, question: Question) -> list[Occurrence]:
    """The events that count for a condition: those kept when it came into force and all since."""
    history, settings = question.history, question.settings
    age = question.definitions.age_of(condition, question.definition)
    then = History(history.contact_id, events=[event for event in history.events if event.index <= age.index])
    kept = then.kept(age.clock, settings.history_retention_ms, settings.history_cap)
    return kept + [event for event in history.events if event.index > age.index]


def _matches(test: Condition, event: Occurrence, setting: Setting) -> bool:
    name = test["event"]
    if name.endswith("*"):
        named = event.name.startswith(name[:-1]) and not event.derived
    else:
        named = event.name == name
    return named and properties_pass(test.get("where"), event, setting)


def properties_pass(group: dict[str, Any] | None, event: Occurrence, setting: Setting) -> bool:
    """Whether one occurrence passes the property conditions of a `where` or `has`; no group: any does."""
    if group is None:
        return True
    return group_passes(group, event.properties, setting)


def in_window(window: dict[str, Any] | None, at: int, setting: Setting) -> bool:
    if window is None:
        return True
    if "last" in window:
        return setting.now - duration_ms(window["last"]) < at <= setting.now
    if "between" in window:
        return in_half_open(window["between"], at, setting.zone)
    if "period" in window:
        return in_period(at, window["period"], setting)
    return setting.now + duration_ms(window["from"]) < at <= setting.now + duration_ms(window["to"])


def _event(condition: Condition, question: Question) -> bool:
    setting, window = question.setting, condition.get("window")
    matching = [event for event in seen_events(condition, question) if _matches(condition, event, setting)]
    select = condition.get("select", "any")
    if select != "any":
        if not matching:
            return False
        choose = max if select == "last" else min
        chosen = choose(matching, key=lambda event: (event.at, event.event_id))
        return in_window(window, chosen.at, setting) and properties_pass(
            condition.get("has"), chosen, setting
        )
    inside = [event for event in matching if in_window(window, event.at, setting)]
    if "aggregate" in condition:
        return _aggregate(condition["aggregate"], inside, setting)
    count = condition.get("count", {"operator": "ge", "value": 1})
    return number_passes(count["operator"], count["value"], len(inside))


def _aggregate(aggregate: dict[str, Any], events: list[Occurrence], setting: Setting) -> bool:
    roots: list[Any] = [event.properties for event in events]
    if "elements" in aggregate:
        roots = [
            element
            for root in roots
            for element in elements_of(lookup(aggregate["elements"], root))
            if "where" not in aggregate or group_passes(aggregate["where"], element, setting)
        ]
    values = [lookup(aggregate["property"], root) for root in roots]
    if aggregate.get("as") == "number":
        values = [number_of(value) for value in values]
    numbers = [exact(value) for value in values if is_number(value) or isinstance(value, Fraction)]
    match aggregate["function"]:
        case "distinct":
            result = Fraction(len({_identity(value) for value in values if not is_missing(value)}))
        case "sum":
            result = sum(numbers, Fraction(0))
        case _ if not numbers:
            return False
        case "avg":
            result = sum(numbers, Fraction(0)) / len(numbers)
        case "min":
            result = min(numbers)
        case "max":
            result = max(numbers)
        case _:
            raise AssertionError(aggregate)
    return number_passes(aggregate["operator"], aggregate["value"], result)


def _identity(value: Any) -> Hashable:
    """Equal for equal values, those that text is a number of included."""
    if isinstance(value, Fraction) or is_number(value):
        return ("number", exact(value))
    return identity(value)


# --- sequences ------------------------------------------------------------------------------------


def _sequence(condition: Condition, question: Question) -> bool:
    """Whether any chain of occurrences satisfies the sequence: each is built, step by step, and looked at."""
    setting, window = question.setting, condition.get("window")
    within = duration_ms(condition["within"])
    gap = duration_ms(condition["step_within"]) if "step_within" in condition else within
    events = seen_events(condition, question)
    *before, last = condition["sequence"]
    happen = [*before, last] if "absent" not in last else before
    matching = [[event for event in events if _matches(step, event, setting)] for step in happen]
    absent = last.get("absent")
    spoilers = [event for event in events if absent and _matches(absent, event, setting)]

    def is_satisfied_by(chain: list[Occurrence]) -> bool:
        if len(chain) < len(happen):
            return any(
                is_satisfied_by([*chain, event])
                for event in matching[len(chain)]
                if not chain
                or (
                    place(chain[-1]) < place(event)
                    and event.at - chain[-1].at <= gap
                    and event.at - chain[0].at <= within
                )
            )
        if absent is None:
            return in_window(window, chain[-1].at, setting)
        deadline = chain[0].at + within
        followed = any(
            chain[-1].at <= event.at <= deadline and all(event is not step for step in chain)
            for event in spoilers
        )
        return deadline <= question.now and in_window(window, deadline, setting) and not followed

    return is_satisfied_by([])


def place(event: Occurrence) -> tuple[int, int, int]:
    """Where an occurrence stands among others: what was derived from updates comes before what was derived
    from forms, and that before behaviour events; then each topic's own order decides."""
    rank = 2 if not event.derived else 1 if event.from_form else 0
    return (event.at, rank, event.index)
