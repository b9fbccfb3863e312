"""Summaries that a contact lacks, made from its kept history."""

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
    """Make the summary of each condition that the contact has none of. The kept history is read once, and
    only if some condition asks for it; conditions that have a summary are left alone."""
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
    """Which conditions are to be filled, and from what."""

    __slots__ = ("fed", "looking_back")

    def __init__(self) -> None:
        self.fed: set[int] = set()
        self.looking_back: list[ChangeFed] = []

    def from_events(self, condition: EventFed) -> None:
        self.fed.add(condition.id)

    def from_changes(self, condition: ChangeFed) -> None:
        self.looking_back.append(condition)
