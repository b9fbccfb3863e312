"""Unsubscribing: registers of the two channels and the global one, and their batch windows.

A channel's member is whoever has an unsubscribe later than the last resubscribe whose batch window has
closed. That is a function of the sets of both and of now, so the order of arrival plays no part.

Globally unsubscribed is whoever has an opt-out that is not earlier than the last statement that lifts one.
Forms say yes and no; the attribute `subscribed` says so where it turns. For what is kept see ChannelRegister
and Statements in streamseg.contact.rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from schemas.durations import duration_ms
from schemas.scalars import BLANKS
from streamseg.contact.contact import Contact
from streamseg.contact.rows import GLOBAL, ChannelRegister, OptOut, Statements, Unsubscribes, later
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
        unsubscribes = contact.body.unsubscribes
        register = unsubscribes.channel(self.channel)
        if not register.opt_outs:
            return False, None
        # Only the latest of a window, and of all that are closed, can outlive a resubscribe that is still on
        # its way.
        latest = {max(self.window.close_ms(one.occurred_ms), now_ms): one for one in register.opt_outs}
        closes = list(latest)
        unsubscribes.keep_channel(self.channel, register._replace(opt_outs=list(latest.values())))
        return (True, None) if closes[0] <= now_ms else (False, closes[0])

    def entry_ref(self, contact: Contact) -> str | None:
