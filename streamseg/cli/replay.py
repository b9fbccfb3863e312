"""`streamseg replay`: run the engine over a file of records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import orjson
import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from streamseg.cli.inputs import (
    fail_unreadable,
    open_input,
    read_instant,
    read_settings,
    report_dead_letter,
)
from streamseg.cli.session import Lang, chosen_language
from streamseg.cli.terminal import TerminalConsole, json_output
from streamseg.engine.explain import explain_all
from streamseg.errors import FileFormatError
from streamseg.json_text import dumps
from streamseg.replay import Replay
from streamseg.store.opening import open_store
from streamseg.wording.explanations import with_words

_WRITE_EVERY = 5_000


class Emit(StrEnum):
    """The output of replay."""

    CHANGES = "changes"
    MEMBERS = "members"
    EXPLAIN = "explain"


def replay(
    file: Annotated[str, typer.Argument(help="NDJSON records in arrival order; - reads standard input.")],
    until: Annotated[
        str | None,
        typer.Option(help="Run the clock on to this time after the last line, e.g. 2026-06-01T00:00:00Z."),
    ] = None,
    emit: Annotated[
        Emit,
        typer.Option(
            help="changes: every membership change as it happens; members: the memberships at the end; "
            "explain: why each contact is in or out of each segment at the end."
        ),
    ] = Emit.CHANGES,
    timezone: Annotated[
        str | None,
        typer.Option(help="IANA time zone of naive timestamps and calendars; default Asia/Shanghai."),
    ] = None,
    lang: Annotated[
        Lang | None,
        typer.Option(help="With --emit explain: add a sentence for each condition, in this language."),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(help="Keep the state in RocksDB in this new folder instead of in memory."),
    ] = None,
) -> None:
    """Run the engine over FILE and print its output, one JSON object a line.

    Needs no Kafka. Refused records go to standard error as JSON lines with their line number. The exit status
    is 2 if FILE is not NDJSON.
    """
    settings = read_settings(timezone)
    until_ms = read_instant(until, settings, "--until") if until is not None else None
    out = json_output()
    with open_store(state) as store, open_input(file) as stream, _progress(stream) as lines:
        run = Replay(settings=settings, store=store, on_dead_letter=report_dead_letter)
        try:
            for number, line in enumerate(lines, start=1):
                run.line(line)
                _drain(run, out, emit)
                if number % _WRITE_EVERY == 0:
                    store.save()
        except FileFormatError as error:
            out.flush()
            fail_unreadable(file, error)
        run.settle_definitions()
        if until_ms is not None:
            run.run_to(until_ms)
        _drain(run, out, emit)
        if emit is Emit.MEMBERS:
            for member in run.members():
                _print(out, member)
        elif emit is Emit.EXPLAIN:
            for explanation in explain_all(run.contacts(), run.partition.plan, run.partition.clock_ms):
                _print(out, explanation if lang is None else with_words(explanation, chosen_language(lang)))
    out.flush()


@contextmanager
def _progress(stream: BinaryIO) -> Iterator[Iterator[bytes]]:
    """Yield the lines of a stream, with a progress bar on standard error if that is a terminal."""
    console = TerminalConsole(stderr=True)
    if not console.is_terminal or not stream.seekable():
        yield iter(stream)
        return
    columns = (TextColumn("replay"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("replay", total=Path(stream.name).stat().st_size)
        yield _counted(stream, progress, task)


def _counted(stream: BinaryIO, progress: Progress, task: Any) -> Iterator[bytes]:
    read = shown = 0
    for line in stream:
        yield line
        read += len(line)
        if read - shown > 1 << 20:
            progress.update(task, completed=read)
            shown = read


def _drain(run: Replay, out: BinaryIO, emit: Emit) -> None:
    while run.changes:
        change = run.changes.popleft()
        if emit is Emit.CHANGES:
            _print(out, change.wire())


def _print(out: BinaryIO, value: dict[str, Any]) -> None:
    out.write(dumps(value, option=orjson.OPT_APPEND_NEWLINE))
