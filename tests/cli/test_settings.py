"""Settings from the environment: unset ones keep their defaults, and invalid ones give a one-line error."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from streamseg.cli import main
from streamseg.errors import ConfigurationError
from streamseg.settings import BatchWindow, Settings


@pytest.mark.parametrize(("channel", "length"), [("email", "P1D"), ("sms", "PT1H")])
def test_a_window_keeps_what_is_not_set(monkeypatch: pytest.MonkeyPatch, channel: str, length: str) -> None:
    monkeypatch.setenv(f"STREAMSEG_{channel.upper()}_WINDOW__ALIGNMENT", "event")
    windows = {
        "email": Settings.read().email_window,
        "sms": Settings.read().sms_window,
    }
    assert windows.pop(channel) == BatchWindow(length=length, alignment="event")
    ((other, window),) = windows.items()
    assert window == Settings.model_fields[f"{other}_window"].default


def test_so_does_one_that_is_set_in_two_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMSEG_SMS_WINDOW", '{"alignment": "event"}')
    monkeypatch.setenv("STREAMSEG_SMS_WINDOW__TIMEZONE", "UTC")
    assert Settings.read().sms_window == BatchWindow(length="PT1H", alignment="event", timezone="UTC")


def test_what_is_given_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMSEG_SMS_WINDOW__TIMEZONE", "UTC")
    monkeypatch.setenv("STREAMSEG_TIMEZONE", "UTC")
    given = Settings.read(sms_window=BatchWindow(length="PT2H"), timezone="Europe/London")
    assert (given.sms_window, given.timezone) == (BatchWindow(length="PT2H"), "Europe/London")


BAD = [
    ("PARTITIONS", "0", "PARTITIONS: must be greater than 0"),
    ("HISTORY_CAP", "many", "HISTORY_CAP: must be a valid integer, unable to parse string as an integer"),
    ("TIMEZONE", "Mars", "TIMEZONE: 'Mars' is not an IANA time zone, such as Asia/Shanghai"),
    (
        "EMAIL_WINDOW__TIMEZONE",
        "Mars",
        "EMAIL_WINDOW__TIMEZONE: 'Mars' is not an IANA time zone, such as Asia/Shanghai",
    ),
    ("SMS_WINDOW__ALIGNMENT", "soon", "SMS_WINDOW__ALIGNMENT: must be one of clock, event"),
    (
        "SMS_WINDOW__LENGTH",
        "P1M",
        "SMS_WINDOW__LENGTH: years and months have no fixed length; use weeks, days or hours, such as P30D",
    ),
    (
        "SMS_WINDOW__ALIGMENT",
        "event",
        "SMS_WINDOW__ALIGMENT: unknown key; remove it or correct its spelling",
    ),
    ("EMAIL_WINDOW", "P1D", "EMAIL_WINDOW: must be a JSON object"),
    ("EMAIL_WINDOW", "5", "EMAIL_WINDOW: must be a JSON object"),
    (
        "API_TOKENS",
        '{"tok-en": "ann"}',
        "API_TOKENS is not read any more; make each token with `streamseg tokens new`, and write the lines "
        "that it prints to STREAMSEG_API_TOKENS_FILE, then unset it",
    ),
    (
        "OPERATORS",
        '["ann"]',
        "OPERATORS is not read any more; give operators tokens of `streamseg tokens new --role admin`, then "
        "unset it",
    ),
]


@pytest.mark.parametrize(("name", "value", "told"), BAD)
@pytest.mark.parametrize("command", ["replay", "explain"])
def test_a_setting_that_cannot_be_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    command: str,
    name: str,
    value: str,
    told: str,
) -> None:
    file = tmp_path / "records.ndjson"
    file.touch()
    asked = ["--contact", "c1", "--segment", "s"] if command == "explain" else []
    monkeypatch.setattr(sys, "argv", ["streamseg", command, str(file), *asked])
    monkeypatch.setenv(f"STREAMSEG_{name}", value)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"error: STREAMSEG_{told}\n")
    assert "tok-en" not in captured.err


def test_all_that_cannot_be_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMSEG_PARTITIONS", "0")
    monkeypatch.setenv("STREAMSEG_HTTP_PORT", "-1")
    with pytest.raises(ConfigurationError) as refusal:
        Settings.read()
    assert str(refusal.value) == (
        "STREAMSEG_PARTITIONS: must be greater than 0; "
        "STREAMSEG_HTTP_PORT: must be greater than or equal to 0"
    )
