"""`streamseg record`: write a replay file from an installation's topics."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agents.commands.frame import Bootstrap, Timeout, errors_shown, settings_from
from agents.commands.recording import Recording, Wanted
from agents.kafka.topic_records import TopicRecords
from streamseg.cli.inputs import read_instant
from streamseg.cli.terminal import TerminalConsole, echo, json_output
from streamseg.errors import ConfigurationError
from streamseg.times import format_ms

_SHOW_EVERY = 1_000
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
_OWNER_ONLY = 0o600
"""The file's permissions: only its owner may read it, since it contains personal data."""


def record(
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The file to write; it appears only when it is complete. - is standard output.",
        ),
    ] = "-",
    from_time: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="TIME", help="Only input from this time on, e.g. 2026-06-01T00:00:00Z."
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="Only records up to and including this time."),
    ] = None,
    contact: Annotated[
        str | None,
        typer.Option("--contact", metavar="ID", help="Only the input of this contact, and all definitions."),
    ] = None,
    bootstrap: Bootstrap = None,
    timeout: Timeout = 30.0,
) -> None:
    """Write the definitions and the input in the topics as a file that `streamseg replay` reads.

    The records are in the order in which workers apply them, up to now. The topics are those of
    STREAMSEG_TOPIC_PREFIX. Input may continue meanwhile, and nothing in the topics is changed. The file
    contains personal data, as the topics do.

    The exit status is 1 if Kafka cannot be read or the file cannot be written.

    Example: streamseg record --contact c1 -o c1.ndjson
    """
    with errors_shown():
        settings = settings_from(bootstrap)
        wanted = Wanted(
            now_ms=time.time_ns() // 1_000_000,
            from_ms=None if from_time is None else read_instant(from_time, settings, "--from"),
            until_ms=None if until is None else read_instant(until, settings, "--until"),
            contact_id=contact,
        )
        with TopicRecords(settings, client="record", timeout_seconds=timeout) as reader:
            recording = Recording(reader, settings, wanted)
            with _opened(output) as out:
                for text in _with_progress(recording):
                    out.write(text)
        _report(recording)


@contextmanager
def _opened(output: str) -> Iterator[BinaryIO]:
    """Yield standard output, or a file that gets its final name once everything is written."""
    if output == "-":
        out = json_output()
        yield out
        out.flush()
        return
    unfinished = Path(f"{output}.unfinished")
    try:
        with os.fdopen(os.open(unfinished, _NEW, _OWNER_ONLY), "wb") as file:
            yield file
        unfinished.replace(output)
    except OSError as error:
        raise ConfigurationError(f"{output} cannot be written: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _with_progress(recording: Recording) -> Iterator[bytes]:
    """Yield the lines, with a progress bar on standard error if that is a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = TerminalConsole(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("record", total=None)
        for number, text in enumerate(recording.lines()):
            yield text
            if number % _SHOW_EVERY == 0:
                progress.update(task, total=recording.reader.to_read, completed=recording.reader.read)


def _report(recording: Recording) -> None:
    numbers = ", ".join(f"{count:,} of {topic}" for topic, count in sorted(recording.written.items()))
    until = format_ms(recording.wanted.end_ms)
    echo(f"recorded up to {until}: {numbers or 'the topics hold no records'}", err=True)
    if recording.early:
        echo(f"{recording.early:,} left out: workers refused them, dated too far in the future", err=True)
    for topic, count in sorted(recording.gone.items()):
        if count:
            echo(
                f"Warning: {topic} no longer holds its first {count:,} offsets; their effects are not in "
                "the file",
                err=True,
            )
