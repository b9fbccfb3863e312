"""What commands over a replay file share: opening it, reading options, and its errors."""

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
"""Exit status where a file cannot be read as NDJSON."""


def read_settings(timezone: str | None) -> Settings:
    """The environment's settings, with `--timezone` before them. Raises ConfigurationError."""
    if timezone is None:
        return Settings.read()
    try:
        time_zone(timezone)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--timezone") from error
    return Settings.read(timezone=timezone)


def read_instant(text: str, settings: Settings, option: str) -> int:
    """Epoch ms of an option's RFC 3339 text or epoch milliseconds."""
    digits = text.removeprefix("-")
    value = int(text) if digits.isascii() and digits.isdigit() else text
    try:
        return parse_timestamp_ms(value, ZoneInfo(settings.timezone))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


@contextmanager
def open_input(file: str) -> Iterator[BinaryIO]:
    """The file's bytes, standard input for `-`; ends with status 2 where it cannot be opened. It may be a
    pipe too, such as /dev/stdin or what a shell puts in the place of a command."""
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
    """End with status 2 and the line that is wrong."""
    echo(f"{file}: {error}", err=True)
    raise typer.Exit(UNREADABLE) from error


def report_dead_letter(line: int, letter: DeadLetter) -> None:
    """A dead letter as a JSON line on standard error."""
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
