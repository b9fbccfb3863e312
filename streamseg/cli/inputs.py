"""Functions for commands that read a replay file: opening it, reading options, and reporting errors."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NoReturn
from zoneinfo import ZoneInfo

import typer

from streamseg.cli.terminal import echo, echo_json
from streamseg.errors import FileFormatError
from streamseg.records.outputs import DeadLetter
from streamseg.settings import Settings
from streamseg.times import format_ms, parse_timestamp_ms, time_zone

UNREADABLE = 2
"""The exit status if a file cannot be read as NDJSON."""


def read_settings(timezone: str | None) -> Settings:
    """Return the environment's settings; `--timezone` takes precedence. Raises ConfigurationError."""
    if timezone is None:
        return Settings.read()
    try:
        time_zone(timezone)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--timezone") from error
    return Settings.read(timezone=timezone)


def read_instant(text: str, settings: Settings, option: str) -> int:
    """Return an option's RFC 3339 text or epoch milliseconds in epoch ms."""
    digits = text.removeprefix("-")
    value = int(text) if digits.isascii() and digits.isdigit() else text
    try:
        return parse_timestamp_ms(value, ZoneInfo(settings.timezone))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


@contextmanager
def open_input(file: str) -> Iterator[BinaryIO]:
    """Open the file, or standard input for `-`. Ends the command with status 2 if it cannot be opened. The
    file may be a pipe, such as /dev/stdin or a shell's process substitution."""
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = Path(file).open("rb")  # noqa: SIM115 - closed below, where its reader's errors are not ours
    except OSError as error:
        echo(f"{file} cannot be read: {error.strerror}", err=True)
        raise typer.Exit(UNREADABLE) from error
    with stream:
        yield stream


def fail_unreadable(file: str, error: FileFormatError) -> NoReturn:
    """End with status 2 and the number of the wrong line."""
    echo(f"{file}: {error}", err=True)
    raise typer.Exit(UNREADABLE) from error


def report_dead_letter(line: int, letter: DeadLetter) -> None:
    """Print a dead letter as a JSON line on standard error."""
    report: dict[str, Any] = {
        "line": line,
        "topic": letter.record.topic or None,
        "timestamp": format_ms(letter.record.timestamp_ms),
        "code": letter.code,
        "message": letter.message,
        "path": letter.path,
        "applied": letter.applied,
    }
    if letter.paths is not None:
        report["paths"] = letter.paths
    echo_json(report, err=True)
