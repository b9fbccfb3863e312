"""Unsubscribing: registers of the two channels and the global one, and their batch windows.

A channel's member is whoever has an unsubscribe later than the last resubscribe whose batch window has
closed. That is a function of the sets of both and of now, so the order of arrival plays no part. Kept of a
channel: [[[occurred_ms, event_id], ...] later than the last resubscribe, last resubscribe ms or null]; of
`global`: [last unsubscribing form's ms or null].
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from schemas.durations import duration_ms
from streamseg.conditions.base import Condition
from streamseg.contact import Contact
from streamseg.inputs import Event
from streamseg.settings import BatchWindow, Settings
from streamseg.times import next_aligned_ms

GLOBAL_SEGMENT = "global-unsubscribed"
CHANNEL_SEGMENTS: Mapping[str, str] = {"email": "email-unsubscribed", "sms": "mobile-unsubscribed"}
BUILT_IN_SEGMENTS = (GLOBAL_SEGMENT, *CHANNEL_SEGMENTS.values())

_EVENTS: Mapping[str, tuple[str, bool]] = {
    "email_unsubscribe": ("email", True),
    "email_resubscribe": ("email", False),
    "sms_unsubscribe": ("sms", True),
    "sms_resubscribe": ("sms", False),
}
_FORM_NO = ("false", "no", "否")
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
        if len(register[0]) > _KEPT:
            del register[0][1 : 1 - _KEPT]
        return (True, None) if closes[0] <= now_ms else (False, closes[0])

    def entry_ref(self, contact: Contact) -> str | None:
        """The id of the unsubscribe event that the membership rests on."""
        register = contact.body.unsubscribes.get(self.channel)
        return register[0][0][1] if register and register[0] else None


class GlobalCondition(Condition):
    """Membership of `global-unsubscribed`: the later of attribute statements and forms; ties unsubscribe."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(("unsubscribed", "global"), inert=True)

    def evaluate(self, contact: Contact, now_ms: int) -> tuple[bool, int | None]:
        return globally_unsubscribed(contact), None


def globally_unsubscribed(contact: Contact) -> bool:
    """Whether the latest statement about `subscribed` says no."""
    form_ms = contact.body.unsubscribes.get("global", [None])[0]
    stated = contact.attributes.get("subscribed")
    if stated is None:
        return form_ms is not None
    return stated[0] is False or (form_ms is not None and form_ms >= stated[1])


def take_event(contact: Contact, event: Event) -> str | None:
    """Take a behaviour event, no derived one, into the registers; the channel (`email`, `sms`, `global`)
    that it touched."""
    if event.name == "form_submit":
        return _take_form(contact, event)
    known = _EVENTS.get(event.name)
    if known is None:
        return None
    channel, leaving = known
    register = contact.body.unsubscribes.setdefault(channel, [[], None])
    entries, resubscribed_ms = register
    if leaving:
        if resubscribed_ms is not None and event.occurred_ms < resubscribed_ms:
            return None
        insort(entries, [event.occurred_ms, event.event_id])
    else:
        if resubscribed_ms is not None and event.occurred_ms <= resubscribed_ms:
            return None
        register[0] = [entry for entry in entries if entry[0] >= event.occurred_ms]
        register[1] = event.occurred_ms
    return channel


def _take_form(contact: Contact, event: Event) -> str | None:
    answer = event.properties.get("subscribed")
    if answer is not False and answer not in _FORM_NO:
        return None
    register = contact.body.unsubscribes.setdefault("global", [None])
    if register[0] is None or event.occurred_ms > register[0]:
        register[0] = event.occurred_ms
    return "global"


def suppressed_channels(contact: Contact) -> list[str]:
    """The channels that nothing may be sent on from now, before any batch window closes."""
    if globally_unsubscribed(contact):
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
