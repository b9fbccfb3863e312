"""What every compiled condition can do."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from streamseg.contact.contact import Contact
from streamseg.json_text import dumps
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

    def evaluate(self, contact: Contact, now_ms: int) -> tuple[bool, int | None]:
        """Whether it holds at `now_ms`, and the next instant > now at which it may flip without input
        (None: never). The contact's summary may be pruned on the way."""
        raise NotImplementedError

    def forecast(self, contact: Contact) -> Forecast:
        """Its answers at later and later instants, if nothing else happens to the contact. Its summary may
        be pruned on the way."""
        return Forecast(self, contact)

    def reaches(self, at_ms: int, now_ms: int) -> bool:
        """Whether an event at `at_ms` or before may matter to the answer at `now_ms` or later."""
        return False


class Forecast:
    """The answers of a condition at later and later instants.

    cost  about how many of the kept occurrences the last answer took to look at
    """

    __slots__ = ("_condition", "_contact", "cost")

    def __init__(self, condition: Condition, contact: Contact) -> None:
        self._condition = condition
        self._contact = contact
        self.cost = 0

    def at(self, now_ms: int) -> tuple[bool, int | None]:
        """As `Condition.evaluate`."""
        summary = self._contact.body.summaries.get(self._condition.id)
        self.cost = len(summary) if isinstance(summary, list) else 1
        return self._condition.evaluate(self._contact, now_ms)


class EventFed(Condition):
    """A condition that is told about occurrences as they come, and keeps a summary of them."""

    __slots__ = ()

    def feed(self, contact: Contact, event: Event, now_ms: int) -> bool:
        """Take an occurrence into the summary; whether the condition has to be evaluated again."""
        raise NotImplementedError

    def reaches(self, at_ms: int, now_ms: int) -> bool:
        return True
