"""Unsubscribing: the registers of the two channels, the global register, and the batch windows.

A contact is a member of a channel's segment if it has an unsubscribe event that is not earlier than the last
resubscribe event, and the batch window of the unsubscribe event has ended. This depends only on the sets of
these events and on now, so the order of arrival does not matter.

A contact is globally unsubscribed if it has an opt-out that is not earlier than the last statement that ends
one. A form states yes or no. The attribute `subscribed` makes a statement when its value changes. The kept
data are ChannelRegister and Statements in streamseg.contact.rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
SUBSCRIBING_EVENTS = frozenset((*_EVENTS, _FORM))
"""The names of all events to which `take_event` and `form_answer` may respond."""
_NO = frozenset(("false", "no", "n", "off", "0", "否", "不", "不订阅"))
_YES = frozenset(("true", "yes", "y", "on", "1", "是", "订阅"))
_KEPT = 1_000
"""How many unsubscribe events of a channel are kept at most."""


class ChannelWindow:
    """The batch windows of a channel. A window ends at a boundary of the local clock (`aligned`), or one
    length after each event."""

    __slots__ = ("aligned", "length_ms", "zone")

    def __init__(self, length_ms: int, aligned: bool, zone: ZoneInfo) -> None:
        self.length_ms = length_ms
        self.aligned = aligned
        self.zone = zone

    @classmethod
    def of(cls, window: BatchWindow, default_zone: str) -> ChannelWindow:
        return cls(
            duration_ms(window.length), window.alignment == "clock", ZoneInfo(window.timezone or default_zone)
        )

    def close_ms(self, at_ms: int) -> int:
        """Return the end (epoch ms) of the window [start, end) that contains `at_ms`."""
        return next_aligned_ms(at_ms, self.length_ms, self.zone) if self.aligned else at_ms + self.length_ms


class ChannelCondition(Condition):
    """The condition of a channel's built-in segment."""

    __slots__ = ("channel", "window")

    def __init__(self, channel: str, window: ChannelWindow) -> None:
        super().__init__(("unsubscribed", channel), false_for_unknown=True)
        self.channel = channel
        self.window = window

    def age(self, contact: Contact, now_ms: int) -> None:
        unsubscribes = contact.body.unsubscribes
        register = unsubscribes.channel(self.channel)
        if len(register.opt_outs) < 2:
            return
        # A resubscribe event may still arrive. After it, only the latest unsubscribe event of each open
        # window can matter, and the latest one of all ended windows together. The others are dropped.
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
    """The condition of the built-in segment `global-unsubscribed`."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(("unsubscribed", "global"), false_for_unknown=True)

    def answer(self, contact: Contact, now_ms: int) -> Answer:
        return YES if contact.body.unsubscribes.statements.unsubscribed() else NO


def form_answer(event: Event) -> bool | None:
    """Return the answer of a form about subscribing: yes (True) or no (False); None if it has no clear answer
    or the event is not a form."""
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
    """Return whether a form has an answer that is neither yes nor no."""
    return event.name == _FORM and "subscribed" in event.properties and form_answer(event) is None


def take_event(contact: Contact, event: Event) -> str | None:
    """Apply a behaviour event (not a derived one) to the registers. Return the channel (`email`, `sms` or
    `global`) that it changed; None if it changed none."""
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
    statements = contact.body.unsubscribes.statements
    if answer:
        statements = statements._replace(form_yes_ms=later(statements.form_yes_ms, event.occurred_ms))
    else:
        statements = statements._replace(form_no_ms=later(statements.form_no_ms, event.occurred_ms))
    contact.body.unsubscribes.keep_statements(statements)
    return GLOBAL


def take_attribute(contact: Contact, value: bool, updated_ms: int) -> bool:
    """Apply a valid value of the attribute `subscribed` to the global register. Return whether the value
    changed. An attribute that was not set before counts as true."""
    statements = contact.body.unsubscribes.statements
    if statements.was_no != value:
        return False
    if value:
        statements = statements._replace(
            attribute_yes_ms=later(statements.attribute_yes_ms, updated_ms), was_no=False
        )
    else:
        statements = statements._replace(
            attribute_no_ms=later(statements.attribute_no_ms, updated_ms), was_no=True
        )
    contact.body.unsubscribes.keep_statements(statements)
    return True


def outlive_erasure(contact: Contact) -> Unsubscribes:
    """Return the registers after an erasure that keeps opt-outs. The last value of the attribute is
    forgotten; the statements that it made are kept."""
    registers = contact.body.unsubscribes.copy()
    statements = registers.statements
    if statements != Statements():
        registers.keep_statements(statements._replace(was_no=False))
    return registers


def end_with_erasure(contact: Contact, erased_ms: int) -> Unsubscribes:
    """Return the registers after an erasure that does not keep opt-outs: only the effects of events later
    than `erased_ms` are kept."""
    registers = Unsubscribes()
    for channel in CHANNEL_SEGMENTS:
        opt_outs, resubscribed_ms = contact.body.unsubscribes.channel(channel)
        left = [one for one in opt_outs if one.occurred_ms > erased_ms]
        resubscribed_ms = _if_later(resubscribed_ms, erased_ms)
        if left or resubscribed_ms is not None:
            registers.keep_channel(channel, ChannelRegister(left, resubscribed_ms))
    statements = contact.body.unsubscribes.statements
    later_statements = Statements(
        _if_later(statements.form_no_ms, erased_ms), _if_later(statements.form_yes_ms, erased_ms)
    )
    if later_statements != Statements():
        registers.keep_statements(later_statements)
    return registers


def suppressed_channels(contact: Contact) -> list[str]:
    """Return the channels on which nothing may be sent from now on; this does not wait for the end of a batch
    window."""
    unsubscribes = contact.body.unsubscribes
    if not len(unsubscribes):
        return []
    if unsubscribes.statements.unsubscribed():
        return list(CHANNEL_SEGMENTS)
    return [channel for channel in CHANNEL_SEGMENTS if unsubscribes.channel(channel).opt_outs]


def built_in_conditions(settings: Settings) -> dict[str, Condition]:
    """Return built-in segment id -> its condition."""
    windows = {"email": settings.email_window, "sms": settings.sms_window}
    conditions: dict[str, Condition] = {GLOBAL_SEGMENT: GlobalCondition()}
    for channel, segment_id in CHANNEL_SEGMENTS.items():
        window = ChannelWindow.of(windows[channel], settings.timezone)
        conditions[segment_id] = ChannelCondition(channel, window)
    return conditions


def _bounded(opt_outs: list[OptOut]) -> list[OptOut]:
    """Return the opt-outs; if there are too many, only the earliest one and the latest ones."""
    return opt_outs if len(opt_outs) <= _KEPT else [opt_outs[0], *opt_outs[1 - _KEPT :]]


def _if_later(at_ms: int | None, than_ms: int) -> int | None:
    return at_ms if at_ms is not None and at_ms > than_ms else None
