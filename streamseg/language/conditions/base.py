"""The interface of all compiled conditions.

The plan, the engine and the explanation use a condition only through the methods below and never test its
class. So a new kind of condition needs a new class in this package and a case in the compiler."""

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
    """Return a 63-bit id of JSON values. It is the same for equal values in every process."""
    form = dumps(key, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return int.from_bytes(hashlib.blake2b(form, digest_size=8).digest(), "big") >> 1


def condition_id(*key: Any) -> int:
    """Return the id of a condition's canonical form. Equal conditions are one condition.

    The id must not change between releases, because the states of contacts refer to conditions by it."""
    return stable_id(*key)


class Condition:
    """One condition, which segments share. It never changes; all data about a contact are in the contact.

    id                 see condition_id
    false_for_unknown  whether the condition is false and never due for a contact of which nothing is known,
                       so that it does not have to be evaluated for a new contact
    """

    __slots__ = ("false_for_unknown", "id")

    def __init__(self, key: tuple[Any, ...], *, false_for_unknown: bool) -> None:
        self.id = condition_id(*key)
        self.false_for_unknown = false_for_unknown

    def age(self, contact: Contact, now_ms: int) -> None:
        """Drop the contact's data that cannot matter to any answer at `now_ms` or later. Here there are none.

        `settle` calls it before `answer`. It may change this condition's data of the contact, and nothing
        else. It must not change what any answer at `now_ms` or later says, but the answer may be certain for
        longer afterwards."""

    def answer(self, contact: Contact, now_ms: int) -> Answer:
        """Return whether the condition holds at `now_ms`, with the next time at which this may change without
        input.

        `settle` calls it after `age`. Other callers do not have to call `age` before. It must not change the
        contact."""
        raise NotImplementedError

    def forecast(self, contact: Contact) -> Forecast:
        """Return the future answers of the condition if no input comes.

        It is used to find out when a membership ends. It must not change the contact, and the contact must
        not change while the forecast is in use."""
        return Forecast(self, contact)

    def reaches(self, at_ms: int, now_ms: int) -> bool:
        """Return whether an event at `at_ms` or before may matter to the answer at `now_ms` or later.

        A recount calls it, because it does not evaluate conditions that may depend on events which are no
        longer kept."""
        return False

    def register(self, dispatch: Dispatch) -> None:
        """Register for the inputs that may change the answer. Here there are none.

        Each new plan that has the condition calls it once."""

    def refill(self, refill: Refill) -> None:
        """Request the part of the contact's kept history from which the summary is made. Here there is no
        summary.

        The engine calls it if the contact has no summary: the condition is new, or no input has mattered to
        it yet."""

    @property
    def frequency(self) -> int:
        """A rough measure, by the kind of condition, of how many in a hundred contacts it holds for. The less
        it is, the better the condition is as a guard (see `streamseg.plan.guards`)."""
        return 100

    @property
    def follows_definitions(self) -> bool:
        """Whether a change of definitions may change the answer, so that the condition is evaluated again for
        every contact under every new plan."""
        return False

    @property
    def depends_on_known_since(self) -> bool:
        """Whether the answer depends on when the contact became known."""
        return False

    def entry_ref(self, contact: Contact) -> str | None:
        """Return the id of the event that is the reference of a change by time; None: there is none.

        It is called after an evaluation at the same time. It must not change the contact."""
        return None

    def evidence(self, contact: Contact, events: Iterable[Event], now_ms: int) -> dict[str, Any]:
        """Return the evidence for the answer as JSON, with times in RFC 3339: what was reached, what was left
        out and why, how a value was read. Its size is bounded, however many events there are.

        `explain` calls it with the contact's kept events, ascending. The contact is up to date at `now_ms`.
        It must not change the contact."""
        return {}


class Forecast:
    """The future answers of a condition, at one time after the other.

    cost  about how many of the kept occurrences were read for the last answer
    """

    __slots__ = ("_condition", "_contact", "cost")

    def __init__(self, condition: Condition, contact: Contact) -> None:
        self._condition = condition
        self._contact = contact
        self.cost = 1

    def at(self, now_ms: int) -> Answer:
        """Return the answer at `now_ms`, which must not be earlier than in the call before."""
        return self._condition.answer(self._contact, now_ms)


class EventFed(Condition):
    """A condition that is fed each occurrence when it comes, and keeps a summary of the occurrences
    (JSON)."""

    __slots__ = ()

    def feed(self, contact: Contact, event: Event, now_ms: int) -> bool:
        """Add an occurrence to the summary. Return whether the condition has to be evaluated again.

        The engine calls it once for each event for which the condition registered, in any order of
        `occurred_ms`. It may change this condition's summary and `contact.capped`, and nothing else."""
        raise NotImplementedError

    def aged(self, summary: Any, now_ms: int) -> Any:
        """Return the part of a summary that can matter to an answer at `now_ms` or later: the same object if
        all of it can, None if no part can. It must not change the summary."""
        return summary

    def answer_from(self, summary: Any, now_ms: int) -> Answer:
        """Return the answer from a summary (None: there is none), whether `aged` was applied to it or not. It
        must not change the summary."""
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
    """A forecast that drops the part of the summary that no later answer needs."""

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
    """A condition that is fed each change of an attribute when it comes, and keeps a summary of the
    changes."""

    __slots__ = ()

    def changed(self, contact: Contact, old: Any, new: Any, updated_ms: int) -> None:
        """Add a change of the whole attribute to the summary; None stands for an attribute that is not set.

        The engine calls it when the new value is already the contact's latest one. It evaluates the condition
        afterwards. This method may change this condition's summary, and nothing else."""
        raise NotImplementedError

    def look_back(self, contact: Contact, derived: Sequence[Event]) -> None:
        """Make the summary from the contact's kept derived events, latest first, and its latest attributes.

        The engine calls it if `refill` requested it. It may change this condition's summary, and nothing
        else."""
        raise NotImplementedError

    def refill(self, refill: Refill) -> None:
        refill.from_changes(self)


class Dispatch(Protocol):
    """The registry in which conditions register for the inputs that may change their answers."""

    def on_event(self, condition: EventFed, name: str, *, prefix: bool, demand: Demand | None = None) -> None:
        """Feed the condition each occurrence with this name, or whose name begins with it (`prefix`).
        Occurrences that cannot meet the `demand` may be left out."""

    def on_attribute(
        self,
        condition: Condition,
        name: str,
        *,
        texts: tuple[str, ...] | None = None,
        threshold: int | float | None = None,
    ) -> None:
        """Evaluate the condition when the attribute's value changes. With `texts`, only changes to or from
        one of them matter; with a `threshold`, only changes from one side of it to the other."""

    def on_change(self, condition: ChangeFed, name: str) -> None:
        """Feed the condition each change of the attribute, and evaluate it."""


class Refill(Protocol):
    """The requests of conditions for the history from which their summaries of one contact are made."""

    def from_events(self, condition: EventFed) -> None:
        """Request that the condition is fed the kept events for which it registered."""

    def from_changes(self, condition: ChangeFed) -> None:
        """Request that `look_back` of the condition is called with the kept derived events."""
