"""The three built-in segments: who unsubscribed, and when the batch window that holds it closes."""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo

from streamseg.settings import BatchWindow, Settings
from tests.oracle.history import History
from tests.oracle.instants import DAY_MS, duration_ms, local, midnight_ms

MINUTE_MS = 60_000
CHANNELS = {"email-unsubscribed": "email", "mobile-unsubscribed": "sms"}


def is_globally_unsubscribed(history: History) -> bool:
    """Whether the latest statement is "no"; at the same instant it wins."""
    said = [answer for answer in history.answers if answer.channel == "global"]
    no = [answer.at for answer in said if answer.leaves]
    yes = [answer.at for answer in said if not answer.leaves]
    return bool(no) and (not yes or max(no) >= max(yes))


def suppressed_channels(history: History) -> set[str]:
    """The channels that nothing may be sent on."""
    if is_globally_unsubscribed(history):
        return set(CHANNELS.values())
    return {channel for channel in CHANNELS.values() if _standing(channel, history)}


def _standing(channel: str, history: History) -> list[int]:
    """The times of the unsubscribes since the last resubscribe."""
    back = [answer.at for answer in history.answers if answer.channel == channel and not answer.leaves]
    gone = [answer.at for answer in history.answers if answer.channel == channel and answer.leaves]
    return [at for at in gone if not back or at >= max(back)]


def is_channel_unsubscribed(segment_id: str, history: History, now: int, settings: Settings) -> bool:
    """Whether the window of the earliest unsubscribe since the last resubscribe has closed."""
    closes = window_closes(segment_id, history, settings)
    return bool(closes) and closes[0] <= now


def window_closes(segment_id: str, history: History, settings: Settings) -> list[int]:
    """When the windows close that hold an unsubscribe since the last resubscribe, ascending."""
    channel = CHANNELS[segment_id]
    window = settings.email_window if channel == "email" else settings.sms_window
    zone = ZoneInfo(window.timezone or settings.timezone)
    return sorted(_close(window, at, zone) for at in _standing(channel, history))


def _close(window: BatchWindow, at: int, zone: ZoneInfo) -> int:
    if window.alignment == "event":
        return at + duration_ms(window.length)
    if window.length == "P1D":
        day = local(at, zone).date()
        return midnight_ms(day.fromordinal(day.toordinal() + 1), zone)
    length = duration_ms(window.length)
    assert 0 < length < DAY_MS, "the reference knows days and parts of a day only"
    return _next_part_of_the_day_ms(at, length, zone)


@cache
def _next_part_of_the_day_ms(at: int, length: int, zone: ZoneInfo) -> int:
    """The first minute after `at` that begins a local day or at which the local clock shows a multiple of the
    length."""
    day, minute = local(at, zone).date(), at // MINUTE_MS * MINUTE_MS
    tomorrow = midnight_ms(day.fromordinal(day.toordinal() + 1), zone)
    while True:
        minute += MINUTE_MS
        clock = local(minute, zone)
        if minute == tomorrow or (clock.hour * 60 + clock.minute) * MINUTE_MS % length == 0:
            return minute
