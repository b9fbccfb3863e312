"""What every compiled condition can do.

Plan, engine, step and explanation ask a condition by the methods below and never by its class, so that a new
kind of condition is a new class in this package, and a case of the compiler."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import orjson

from streamseg.contact.contact import Contact
from streamseg.json_text import dumps
from streamseg.language.answer import Answer
from streamseg.language.operators import Demand
from streamseg.records.inputs import Event


def stable_id(*key: Any) -> int:
    """A stable 63-bit id of JSON values: the same for the same, in every process."""
    form = dumps(key, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return int.from_bytes(hashlib.blake2b(form, digest_size=8).digest(), "big") >> 1


def condition_id(*key: Any) -> int:
    """The id of a condition's canonical form; equal conditions are one condition.

    It outlives the process: contact states refer to conditions by it."""
    return stable_id(*key)


class Condition:
    """One shared condition. Immutable; all that varies is in the contact.

    id      see condition_id
    inert   false and never due for a contact that nothing is known of, so that a new contact need not
            be asked
    """

    __slots__ = ("id", "inert")

    def __init__(self, key: tuple[Any, ...], *, inert: bool) -> None:
        self.id = condition_id(*key)
        self.inert = inert

    def age(self, contact: Contact, now_ms: int) -> None:
        """Drop from what is kept of the contact what can matter to no answer at `now_ms` or later; here
        nothing is kept.

        Called by `settle` before it asks for the answer. May change what this condition keeps of the contact,
        and nothing else; no answer at `now_ms` or later becomes another by it, but an answer may then be sure
        for longer."""

    def answer(self, contact: Contact, now_ms: int) -> Answer:
        """Whether it holds at `now_ms`, and the next instant at which it may flip without input.

        Called by `settle` after `age`, and by whoever only wants to know, with no need to age the contact.
        Must not change the contact."""
        raise NotImplementedError

    def forecast(self, contact: Contact) -> Forecast:
        """Its answers at later and later instants, if nothing else happens to the contact.

        Called to find out when a membership ends. Must not change the contact, which must not change while
        the forecast is in use."""
        return Forecast(self, contact)

    def reaches(self, at_ms: int, now_ms: int) -> bool:
        """Whether an event at `at_ms` or before may matter to the answer at `now_ms` or later.

        Called by a recount, which leaves a condition alone that may rest on events no longer kept."""
        return False

    def register(self, dispatch: Dispatch) -> None:
        """Tell the dispatch which inputs may change the answer; here none of them.

        Called once by each new plan that the condition is in."""

    def refill(self, refill: Refill) -> None:
        """Tell the refill what of the contact's kept history makes the summary; here there is none.

        Called by the engine where the contact has no summary, be it because the condition is new or because
        nothing has mattered to it yet."""

    @property
    def frequency(self) -> int:
        """Of how many in a hundred contacts it holds, by its kind: a rough order, the less the better a guard
        (see `streamseg.plan.audience`)."""
        return 100

    @property
    def follows_definitions(self) -> bool:
        """Whether the answer may change because definitions do, so that each contact is asked again under
        every new plan."""
        return False

    @property
    def asks_known_since(self) -> bool:
        """Whether the answer follows from when the contact became known, too."""
        return False

    def entry_ref(self, contact: Contact) -> str | None:
        """The id of the event that the answer rests on, where a change by time has to name one.

        Called after an evaluation at the same instant; must not change the contact."""
        return None

    def evidence(self, contact: Contact, events: Iterable[Event], now_ms: int) -> dict[str, Any]:
        """What decides the answer: what was reached, what was left out and why, how a value was read. JSON,
        instants as RFC 3339; bounded, however many events there are.

        Called by `explain` with the contact's kept events, ascending, at the instant that the contact has
        been brought up to; must not change the contact."""
        return {}


class Forecast:
    """The answers of a condition at later and later instants.

    cost  about how many of the kept occurrences the last answer took to look at
    """

    __slots__ = ("_condition", "_contact", "cost")

    def __init__(self, condition: Condition, contact: Contact) -> None:
        self._condition = condition
        self._contact = contact
        self.cost = 1

    def at(self, now_ms: int) -> Answer:
        """The answer at an instant that is not earlier than the last one asked about."""
        return self._condition.answer(self._contact, now_ms)


class EventFed(Condition):
    """A condition that is told about occurrences as they come, and keeps a summary of them (JSON)."""

    __slots__ = ()

    def feed(self, contact: Contact, event: Event, now_ms: int) -> bool:
        """Take an occurrence into the summary; whether the condition has to be evaluated again.

        Called by the engine for each event that `register` asks for, once, in any order of `occurred_ms`. May
        change this condition's summary and `contact.capped`, and nothing else."""
        raise NotImplementedError

    def aged(self, summary: Any, now_ms: int) -> Any:
        """What of a summary can still matter to an answer at `now_ms` or later: the same one if that is all
        of it, None if nothing. Must not change the summary."""
        return summary

    def answer_from(self, summary: Any, now_ms: int) -> Answer:
        """The answer by a summary, aged or not; None: there is none. Must not change the summary."""
        raise NotImplementedError

    def age(self, contact: Contact, now_ms: int) -> None:
        summaries = contact.body.summaries
        summary = summaries.get(self.id)
        if summary is None:
            return
        aged = self.aged(summary, now_ms)
        if aged is None:
            del summaries[self.id]
        elif aged is not summary:
            summaries[self.id] = aged

    def answer(self, contact: Contact, now_ms: int) -> Answer:
        return self.answer_from(contact.body.summaries.get(self.id), now_ms)

    def forecast(self, contact: Contact) -> Forecast:
        return _SummaryForecast(self, contact)

    def reaches(self, at_ms: int, now_ms: int) -> bool:
        return True

    def refill(self, refill: Refill) -> None:
        refill.from_events(self)


class _SummaryForecast(Forecast):
    """Ages a summary of its own from instant to instant."""

    __slots__ = ("_fed", "_summary")

    def __init__(self, condition: EventFed, contact: Contact) -> None:
        super().__init__(condition, contact)
        self._fed = condition
        self._summary = contact.body.summaries.get(condition.id)

    def at(self, now_ms: int) -> Answer:
        summary = self._summary
        self.cost = len(summary) if isinstance(summary, list) else 1
        if summary is not None:
            summary = self._summary = self._fed.aged(summary, now_ms)
        return self._fed.answer_from(summary, now_ms)


class ChangeFed(Condition):
    """A condition that is told each change of an attribute as it comes, and keeps a summary of them."""

    __slots__ = ()

    def changed(self, contact: Contact, old: Any, new: Any, updated_ms: int) -> None:
        """Take a change of the whole attribute (None: not there) into the summary.

        Called by the engine when the new value is the contact's latest already; the condition is evaluated
        after it. May change this condition's summary, and nothing else."""
        raise NotImplementedError

    def look_back(self, contact: Contact, derived: Sequence[Event]) -> None:
        """Make the summary from the contact's kept derived events, latest first, and its latest attributes.

        Called by the engine for what `refill` asks for. May change this condition's summary, and nothing
        else."""
        raise NotImplementedError

    def refill(self, refill: Refill) -> None:
        refill.from_changes(self)


class Dispatch(Protocol):
    """Where conditions register for the inputs that may change their answers."""

    def on_event(self, condition: EventFed, name: str, *, prefix: bool, demand: Demand | None = None) -> None:
        """Feed it each occurrence with the name, or whose name begins with it (`prefix`); those that cannot
        meet the `demand` may be left out."""

    def on_attribute(
        self,
        condition: Condition,
        name: str,
        *,
        texts: tuple[str, ...] | None = None,
        threshold: float | None = None,
    ) -> None:
        """Evaluate it when the attribute's value changes; with `texts`, when one of them comes or goes; with
        a `threshold`, when the value gets to the other side of it."""

    def on_change(self, condition: ChangeFed, name: str) -> None:
        """Tell it each change of the attribute, and evaluate it."""


class Refill(Protocol):
    """Where conditions ask for what their summaries are made of, for one contact."""

    def from_events(self, condition: EventFed) -> None:
        """Feed it the kept events that it registered for."""

    def from_changes(self, condition: ChangeFed) -> None:
        """Have it look back over the kept derived events."""
