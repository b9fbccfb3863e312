"""Making the missing summaries of a contact from its kept history."""

from __future__ import annotations

from collections.abc import Iterable

from streamseg.contact.contact import Contact
from streamseg.engine.history import History
from streamseg.language.conditions.base import ChangeFed, Condition, EventFed
from streamseg.plan.dispatch import InputDispatch
from streamseg.records.inputs import Event


def refill(
    contact: Contact,
    conditions: Iterable[Condition],
    dispatch: InputDispatch,
    history: History,
    now_ms: int,
) -> None:
    """Make the summary of each condition for which the contact has none. Summaries that exist are not
    changed. The kept history is read once, and only if a condition needs it."""
    wanted = _Wanted()
    for condition in conditions:
        if condition.id not in contact.body.summaries:
            condition.refill(wanted)
    if not wanted.fed and not wanted.looking_back:
        return
    derived: list[Event] = []
    for event in history.kept(contact, now_ms):
        if wanted.fed:
            for fed in dispatch.conditions_for(event):
                if fed.id in wanted.fed:
                    fed.feed(contact, event, now_ms)
        if event.derived:
            derived.append(event)
    derived.reverse()
    for condition in wanted.looking_back:
        condition.look_back(contact, derived)


class _Wanted:
    """The conditions whose summaries are to be made: from events (`fed`) or from derived events in reverse
    order (`looking_back`)."""

    __slots__ = ("fed", "looking_back")

    def __init__(self) -> None:
        self.fed: set[int] = set()
        self.looking_back: list[ChangeFed] = []

    def from_events(self, condition: EventFed) -> None:
        self.fed.add(condition.id)

    def from_changes(self, condition: ChangeFed) -> None:
        self.looking_back.append(condition)
