"""Unsubscribing: registers of the two channels and the global one, and their batch windows.

A channel's member is whoever has an unsubscribe later than the last resubscribe whose batch window has
closed. That is a function of the sets of both and of now, so the order of arrival plays no part. Kept of a
channel: [[[occurred_ms, event_id], ...] later than the last resubscribe, last resubscribe ms or null].

Globally unsubscribed is whoever has an opt-out that is not earlier than the last statement that lifts one.
Forms say yes and no; the attribute `subscribed` says so where it turns. Kept of `global`: see Statements.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from schemas.durations import duration_ms
from schemas.scalars import BLANKS
from streamseg.contact.contact import Contact
from streamseg.language.conditions.base import Condition
from streamseg.records.inputs import Event
from streamseg.settings import BatchWindow, Settings
from streamseg.times import next_aligned_ms
from streamseg.values import is_number

GLOBAL_SEGMENT = "global-unsubscribed"
CHANNEL_SEGMENTS: Mapping[str, str] = {"email": "email-unsubscribed", "sms": "mobile-unsubscribed"}
BUILT_IN_SEGMENTS = (GLOBAL_SEGMENT, *CHANNEL_SEGMENTS.values())

_EVENTS: Mapping[str, tuple[str, bool]] = {
    "email_unsubscribe": ("email", True),
    "email_resubscribe": ("email", False),
    "sms_unsubscribe": ("sms", True),
    "sms_resubscribe": ("sms", False),
}
_FORM = "form_submit"
_NO = frozenset(("false", "no", "n", "off", "0", "否", "不", "不订阅"))
_YES = frozenset(("true", "yes", "y", "on", "1", "是", "订阅"))
_KEPT = 1_000
"""Unsubscribes of a channel that may wait at once where each has a window of its own."""


@dataclass(frozen=True, slots=True)
class ChannelWindow:
    """When a channel's batch windows close: aligned to the local clock, or one length after each event."""

    length_ms: int
    aligned: bool
    zone: ZoneInfo

    @classmethod
    def of(cls, window: BatchWindow, default_zone: str) -> ChannelWindow:
        return cls(
            duration_ms(window.length), window.alignment == "clock", ZoneInfo(window.timezone or default_zone)
        )

    def close_ms(self, at_ms: int) -> int:
        """The end of the window [start, end) that holds `at_ms`."""
        return next_aligned_ms(at_ms, self.length_ms, self.zone) if self.aligned else at_ms + self.length_ms


class ChannelCondition(Condition):
    """Membership of a channel's built-in segment."""

    __slots__ = ("channel", "window")

    def __init__(self, channel: str, window: ChannelWindow) -> None:
        super().__init__(("unsubscribed", channel), inert=True)
        self.channel = channel
        self.window = window

    def evaluate(self, contact: Contact, now_ms: int) -> tuple[bool, int | None]:
        register = contact.body.unsubscribes.get(self.channel)
        if not register or not register[0]:
            return False, None
        latest: dict[int, list[Any]] = {}
        for entry in register[0]:
            # Only the latest of a window, and of all that are closed, can outlive a resubscribe that is
            # still on its way.
            latest[max(self.window.close_ms(entry[0]), now_ms)] = entry
        closes = list(latest)
        register[0] = list(latest.values())
        return (True, None) if closes[0] <= now_ms else (False, closes[0])

    def entry_ref(self, contact: Contact) -> str | None:
        """The id of the unsubscribe event that the membership rests on."""
        register = contact.body.unsubscribes.get(self.channel)
        return register[0][0][1] if register and register[0] else None


class Statements(NamedTuple):
    """The latest of each kind of statement about subscribing to anything at all, epoch ms.

    was_no  whether the attribute's last value, true or false, was false
    """

    form_no_ms: int | None = None
    form_yes_ms: int | None = None
    attribute_no_ms: int | None = None
    attribute_yes_ms: int | None = None
    was_no: bool = False

    @classmethod
    def of(cls, contact: Contact) -> Statements:
        return cls(*contact.body.unsubscribes.get("global", ()))

    def keep(self, contact: Contact) -> None:
        contact.body.unsubscribes["global"] = list(self)

    def unsubscribed(self) -> bool:
        """Whether an opt-out stands; at the same instant it wins."""
        no_ms = _later(self.form_no_ms, self.attribute_no_ms)
        yes_ms = _later(self.form_yes_ms, self.attribute_yes_ms)
        return no_ms is not None and (yes_ms is None or no_ms >= yes_ms)


class GlobalCondition(Condition):
    """Membership of `global-unsubscribed`."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(("unsubscribed", "global"), inert=True)

    def evaluate(self, contact: Contact, now_ms: int) -> tuple[bool, int | None]:
        return Statements.of(contact).unsubscribed(), None


def form_answer(event: Event) -> bool | None:
    """What a form says about subscribing: yes, no, or None where it says nothing."""
    if event.name != _FORM:
        return None
    answer = event.properties.get("subscribed")
    if isinstance(answer, bool):
        return answer
    if is_number(answer):
        return bool(answer) if answer in (0, 1) else None
    if isinstance(answer, str):
        word = answer.strip(BLANKS).casefold()
        return False if word in _NO else True if word in _YES else None
    return None


def is_unclear(event: Event) -> bool:
    """Whether a form has an answer that says neither yes nor no."""
    return event.name == _FORM and "subscribed" in event.properties and form_answer(event) is None


def take_event(contact: Contact, event: Event) -> str | None:
    """Take a behaviour event, no derived one, into the registers; the channel (`email`, `sms`, `global`)
    that it changed."""
    if event.name == _FORM:
        return _take_form(contact, event)
    known = _EVENTS.get(event.name)
    if known is None:
        return None
    channel, leaving = known
    register = contact.body.unsubscribes.setdefault(channel, [[], None])
    entries, resubscribed_ms = register
    if leaving:
        entry = [event.occurred_ms, event.event_id]
        if (resubscribed_ms is not None and event.occurred_ms < resubscribed_ms) or entry in entries:
            return None
        insort(entries, entry)
        _bound(entries)
    else:
        if resubscribed_ms is not None and event.occurred_ms <= resubscribed_ms:
            return None
        register[0] = [entry for entry in entries if entry[0] >= event.occurred_ms]
        register[1] = event.occurred_ms
    return channel


def _take_form(contact: Contact, event: Event) -> str | None:
    answer = form_answer(event)
    if answer is None:
        return None
    said = Statements.of(contact)
    if answer:
        said = said._replace(form_yes_ms=_later(said.form_yes_ms, event.occurred_ms))
    else:
        said = said._replace(form_no_ms=_later(said.form_no_ms, event.occurred_ms))
    said.keep(contact)
    return "global"


def take_attribute(contact: Contact, value: bool, updated_ms: int) -> bool:
    """Take an accepted value of the attribute `subscribed` into the register; whether it turned. One that was
    not there counts as true."""
    said = Statements.of(contact)
    if said.was_no != value:
        return False
    if value:
        said = said._replace(attribute_yes_ms=_later(said.attribute_yes_ms, updated_ms), was_no=False)
    else:
        said = said._replace(attribute_no_ms=_later(said.attribute_no_ms, updated_ms), was_no=True)
    said.keep(contact)
    return True


def outlive_erasure(contact: Contact) -> dict[str, list[Any]]:
    """The registers as they are after an erasure that keeps opt-outs: the attribute's last value is
    forgotten, what its values did is not."""
    registers = dict(contact.body.unsubscribes)
    if "global" in registers:
        registers["global"] = list(Statements.of(contact)._replace(was_no=False))
    return registers


def end_with_erasure(contact: Contact, erased_ms: int) -> dict[str, list[Any]]:
    """The registers as they are after any other erasure: what events later than `erased_ms` said."""
    registers: dict[str, list[Any]] = {}
    for channel in CHANNEL_SEGMENTS:
        entries, resubscribed_ms = contact.body.unsubscribes.get(channel, ([], None))
        left = [entry for entry in entries if entry[0] > erased_ms]
        resubscribed_ms = _if_later(resubscribed_ms, erased_ms)
        if left or resubscribed_ms is not None:
            registers[channel] = [left, resubscribed_ms]
    said = Statements.of(contact)
    left_said = Statements(_if_later(said.form_no_ms, erased_ms), _if_later(said.form_yes_ms, erased_ms))
    if left_said != Statements():
        registers["global"] = list(left_said)
    return registers


def suppressed_channels(contact: Contact) -> list[str]:
    """The channels that nothing may be sent on from now, before any batch window closes."""
    if Statements.of(contact).unsubscribed():
        return list(CHANNEL_SEGMENTS)
    return [channel for channel in CHANNEL_SEGMENTS if contact.body.unsubscribes.get(channel, [[]])[0]]


def built_in_conditions(settings: Settings) -> dict[str, Condition]:
    """Built-in segment id -> the condition that it consists of."""
    windows = {"email": settings.email_window, "sms": settings.sms_window}
    conditions: dict[str, Condition] = {GLOBAL_SEGMENT: GlobalCondition()}
    for channel, segment_id in CHANNEL_SEGMENTS.items():
        window = ChannelWindow.of(windows[channel], settings.timezone)
        conditions[segment_id] = ChannelCondition(channel, window)
    return conditions


def _bound(entries: list[Any]) -> None:
    """Leave out what lies between the earliest and the latest where they are too many."""
    if len(entries) > _KEPT:
        del entries[1 : 1 - _KEPT]


def _later(one_ms: int | None, other_ms: int | None) -> int | None:
    return max((at_ms for at_ms in (one_ms, other_ms) if at_ms is not None), default=None)


def _if_later(at_ms: int | None, than_ms: int) -> int | None:
    return at_ms if at_ms is not None and at_ms > than_ms else None
