"""Unsubscribing: registers of the two channels and the global one, and their batch windows.

A channel's member is whoever has an unsubscribe later than the last resubscribe whose batch window has
closed. That is a function of the sets of both and of now, so the order of arrival plays no part.

Globally unsubscribed is whoever has an opt-out that is not earlier than the last statement that lifts one.
Forms say yes and no; the attribute `subscribed` says so where it turns. For what is kept see ChannelRegister
and Statements in streamseg.contact.rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from schemas.durations import duration_ms
from schemas.scalars import BLANKS
from streamseg.contact.contact import Contact
from streamseg.contact.rows import GLOBAL, ChannelRegister, OptOut, Statements, Unsubscribes, later
from streamseg.json_text import Json
from streamseg.language.answer import NO, YES, Answer
from streamseg.language.conditions.base import Condition
from streamseg.language.conditions.occurrences import named
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

    def age(self, contact: Contact, now_ms: int) -> None:
        unsubscribes = contact.body.unsubscribes
        register = unsubscribes.channel(self.channel)
        if len(register.opt_outs) < 2:
            return
        # Only the latest of a window, and of all that are closed, can outlive a resubscribe that is still on
        # its way.
        latest = {max(self.window.close_ms(one.occurred_ms), now_ms): one for one in register.opt_outs}
        if len(latest) < len(register.opt_outs):
            unsubscribes.keep_channel(self.channel, register._replace(opt_outs=list(latest.values())))

    def answer(self, contact: Contact, now_ms: int) -> Answer:
        opt_outs = contact.body.unsubscribes.channel(self.channel).opt_outs
        if not opt_outs:
            return NO
        close_ms = self.window.close_ms(opt_outs[0].occurred_ms)
        return YES if close_ms <= now_ms else Answer(False, close_ms)

    def entry_ref(self, contact: Contact) -> str | None:
        opt_outs = contact.body.unsubscribes.channel(self.channel).opt_outs
        return opt_outs[0].event_id if opt_outs else None

    def evidence(self, contact: Contact, events: Iterable[Event], now_ms: int) -> Json:
        opt_outs = contact.body.unsubscribes.channel(self.channel).opt_outs
        return {"occurrences": [named(one.event_id, one.occurred_ms) for one in opt_outs]}


class GlobalCondition(Condition):
    """Membership of `global-unsubscribed`."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(("unsubscribed", "global"), inert=True)

    def answer(self, contact: Contact, now_ms: int) -> Answer:
        return YES if contact.body.unsubscribes.statements.unsubscribed() else NO


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
    unsubscribes, at_ms = contact.body.unsubscribes, event.occurred_ms
    opt_outs, resubscribed_ms = unsubscribes.channel(channel)
    if leaving:
        opt_out = OptOut(at_ms, event.event_id)
        if (resubscribed_ms is not None and at_ms < resubscribed_ms) or opt_out in opt_outs:
            return None
        register = ChannelRegister(_bounded(sorted([*opt_outs, opt_out])), resubscribed_ms)
    else:
        if resubscribed_ms is not None and at_ms <= resubscribed_ms:
            return None
        register = ChannelRegister([one for one in opt_outs if one.occurred_ms >= at_ms], at_ms)
    unsubscribes.keep_channel(channel, register)
    return channel


def _take_form(contact: Contact, event: Event) -> str | None:
    answer = form_answer(event)
    if answer is None:
        return None
    said = contact.body.unsubscribes.statements
    if answer:
        said = said._replace(form_yes_ms=later(said.form_yes_ms, event.occurred_ms))
    else:
        said = said._replace(form_no_ms=later(said.form_no_ms, event.occurred_ms))
    contact.body.unsubscribes.keep_statements(said)
    return GLOBAL


def take_attribute(contact: Contact, value: bool, updated_ms: int) -> bool:
    """Take an accepted value of the attribute `subscribed` into the register; whether it turned. One that was
    not there counts as true."""
    said = contact.body.unsubscribes.statements
    if said.was_no != value:
        return False
    if value:
        said = said._replace(attribute_yes_ms=later(said.attribute_yes_ms, updated_ms), was_no=False)
    else:
        said = said._replace(attribute_no_ms=later(said.attribute_no_ms, updated_ms), was_no=True)
    contact.body.unsubscribes.keep_statements(said)
    return True


def outlive_erasure(contact: Contact) -> Unsubscribes:
    """The registers as they are after an erasure that keeps opt-outs: the attribute's last value is
    forgotten, what its values did is not."""
    registers = contact.body.unsubscribes.copy()
    said = registers.statements
    if said != Statements():
        registers.keep_statements(said._replace(was_no=False))
    return registers


def end_with_erasure(contact: Contact, erased_ms: int) -> Unsubscribes:
    """The registers as they are after any other erasure: what events later than `erased_ms` said."""
    registers = Unsubscribes()
    for channel in CHANNEL_SEGMENTS:
        opt_outs, resubscribed_ms = contact.body.unsubscribes.channel(channel)
        left = [one for one in opt_outs if one.occurred_ms > erased_ms]
        resubscribed_ms = _if_later(resubscribed_ms, erased_ms)
        if left or resubscribed_ms is not None:
            registers.keep_channel(channel, ChannelRegister(left, resubscribed_ms))
    said = contact.body.unsubscribes.statements
    left_said = Statements(_if_later(said.form_no_ms, erased_ms), _if_later(said.form_yes_ms, erased_ms))
    if left_said != Statements():
        registers.keep_statements(left_said)
    return registers


def suppressed_channels(contact: Contact) -> list[str]:
    """The channels that nothing may be sent on from now, before any batch window closes."""
    unsubscribes = contact.body.unsubscribes
    if unsubscribes.statements.unsubscribed():
        return list(CHANNEL_SEGMENTS)
    return [channel for channel in CHANNEL_SEGMENTS if unsubscribes.channel(channel).opt_outs]


def built_in_conditions(settings: Settings) -> dict[str, Condition]:
    """Built-in segment id -> the condition that it consists of."""
    windows = {"email": settings.email_window, "sms": settings.sms_window}
    conditions: dict[str, Condition] = {GLOBAL_SEGMENT: GlobalCondition()}
    for channel, segment_id in CHANNEL_SEGMENTS.items():
        window = ChannelWindow.of(windows[channel], settings.timezone)
        conditions[segment_id] = ChannelCondition(channel, window)
    return conditions


def _bounded(opt_outs: list[OptOut]) -> list[OptOut]:
    """Without those between the earliest and the latest where they are too many."""
    return opt_outs if len(opt_outs) <= _KEPT else [opt_outs[0], *opt_outs[1 - _KEPT :]]


def _if_later(at_ms: int | None, than_ms: int) -> int | None:
    return at_ms if at_ms is not None and at_ms > than_ms else None
