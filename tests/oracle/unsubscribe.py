"""The three built-in segments: who unsubscribed, and when the batch window that holds it closes."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from streamseg.settings import BatchWindow, Settings
from tests.oracle.history import History
from tests.oracle.instants import duration_ms, local, midnight_ms, next_full_hour_ms

NO = (False, "false", "no", "否")
CHANNELS = {"email-unsubscribed": "email", "mobile-unsubscribed": "sms"}


def is_globally_unsubscribed(history: History) -> bool:
    """Whether the latest statement is "no": the attribute's, or that of a form."""
    said_no = [
        event.at
        for event in history.events
        if event.name == "form_submit" and any(_same(event.properties.get("subscribed"), no) for no in NO)
    ]
    said_yes = []
    if "subscribed" in history.attributes:
        latest = history.attributes["subscribed"][-1]
        (said_no if latest.value is False else said_yes).append(latest.at)
    return bool(said_no) and (not said_yes or max(said_no) >= max(said_yes))


def _same(value: object, wanted: object) -> bool:
    return type(value) is type(wanted) and value == wanted


def is_channel_unsubscribed(segment_id: str, history: History, now: int, settings: Settings) -> bool:
    """Whether the window of the earliest unsubscribe since the last resubscribe has closed."""
    closes = window_closes(segment_id, history, settings)
    return bool(closes) and closes[0] <= now


def window_closes(segment_id: str, history: History, settings: Settings) -> list[int]:
    """When the windows close that hold an unsubscribe since the last resubscribe, ascending."""
    channel = CHANNELS[segment_id]
    back = [event.at for event in history.events if event.name == f"{channel}_resubscribe"]
    gone = [event.at for event in history.events if event.name == f"{channel}_unsubscribe"]
    window = settings.email_window if channel == "email" else settings.sms_window
    zone = ZoneInfo(window.timezone or settings.timezone)
    return sorted(_close(window, at, zone) for at in gone if not back or at >= max(back))


def _close(window: BatchWindow, at: int, zone: ZoneInfo) -> int:
    if window.alignment == "event":
        return at + duration_ms(window.length)
    if window.length == "P1D":
        day = local(at, zone).date()
        return midnight_ms(day.fromordinal(day.toordinal() + 1), zone)
    assert window.length == "PT1H", "the reference knows days and hours only"
    return next_full_hour_ms(at, zone)
