"""`streamseg lists import`: put the contacts of a file into a static segment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from streamseg.cli import words
from streamseg.cli.arguments import SegmentId
from streamseg.cli.contact_ids import Line, read_contact_ids
from streamseg.cli.import_state import ImportState, digest, forget, keep, resume, state_path
from streamseg.cli.session import Session, connected

_BATCH_BYTES: Final = 512 * 1024
"""The most bytes of ids in a request; the API accepts 1 MiB."""
_SHOWN: Final = 20
"""The number of rejected lines that are listed in a terminal."""


def import_list(
    session: Session,
    segment: SegmentId,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Contact ids, one on each line, or CSV with a heading.")
    ],
    column: Annotated[
        str | None,
        typer.Option(
            help="The column with the ids, in a FILE with columns separated by commas, semicolons, tabs or "
            "|. Default: contact_id, if the first line has it and commas separate the columns."
        ),
    ] = None,
    batch: Annotated[int, typer.Option(min=1, max=5_000, help="Contacts in each request.")] = 1_000,
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove the contacts from the segment instead.")
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Start an interrupted import again from the first line.")
    ] = False,
) -> None:
    """Put contacts into a static segment.

    Lines that are empty, too long, not UTF-8, contain control characters or repeat an earlier one are left
    out and listed. A first line with several columns, or with a heading, is refused without --column. An
    interrupted import leaves a small file beside FILE; the same command then continues where it stopped.

    Example: streamseg lists import trade-fair-2026 visitors.csv --column contact_id
    """
    if restart:
        forget(file)
    fresh = ImportState(session.api.url, segment, column, remove, digest(file))
    state = resume(file, fresh)
    if state.line:
        session.note(words.RESUMED, line=state.line)
    rejected: list[Line] = []
    read = 0
    try:
        with _progress(session, file, column) as lines:
            for group in _batches(lines, batch):
                read += len(group)
                rejected += (line for line in group if line.rejection is not None)
                state = _send(session, file, state, group)
    except BaseException:
        if state_path(file).exists():
            session.note(words.INTERRUPTED, line=state.line)
        raise
    forget(file)
    _show(session, segment, file, read, state, rejected)


def _batches(lines: Iterable[Line], size: int) -> Iterator[list[Line]]:
    """Yield groups of lines with up to `size` ids."""
    group: list[Line] = []
    count = length = 0
    for line in lines:
        group.append(line)
        if line.rejection is None:
            count += 1
            length += len(line.contact_id.encode())
        if count == size or length > _BATCH_BYTES or len(group) >= 10 * size:
            yield group
            group, count, length = [], 0, 0
    if group:
        yield group


def _send(session: Session, file: Path, state: ImportState, group: list[Line]) -> ImportState:
    """Send the ids that were not sent before, and save the progress."""
    ids = [line.contact_id for line in group if line.rejection is None and line.number > state.line]
    if group[-1].number <= state.line:
        return state
    accepted = state.accepted
    if ids:
        body = {"segment_id": state.segment_id, "remove" if state.remove else "add": ids}
        accepted += session.api.post("contacts", "lists", body=body)["accepted"]
    state = replace(state, line=group[-1].number, accepted=accepted)
    keep(file, state)
    return state


@contextmanager
def _progress(session: Session, file: Path, column: str | None) -> Iterator[Iterator[Line]]:
    """Yield the lines, with a progress bar on standard error if that is a terminal."""
    lines = read_contact_ids(file, column)
    if session.as_json or not session.err.is_terminal:
        yield lines
        return
    with file.open("rb") as stream:
        total = sum(1 for _ in stream)
    columns = (
        TextColumn(session.word(words.IMPORTING)),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=session.err, transient=True) as progress:
        task = progress.add_task("", total=total)

        def counted() -> Iterator[Line]:
            for line in lines:
                progress.update(task, completed=line.number)
                yield line

        yield counted()


def _show(
    session: Session, segment: str, file: Path, read: int, state: ImportState, rejected: list[Line]
) -> None:
    if session.as_json:
        session.print_json(
            {
                "segment_id": segment,
                "file": str(file),
                "read": read,
                "accepted": state.accepted,
                "rejected": [{"line": line.number, "reason": line.rejection} for line in rejected],
            }
        )
        return
    for line in rejected[:_SHOWN]:
        reason = session.word(words.REJECTIONS[str(line.rejection)])
        session.note(words.REJECTED_LINE, line=line.number, reason=reason)
    if len(rejected) > _SHOWN:
        session.note(words.MORE_REJECTED, count=len(rejected) - _SHOWN)
    session.say(
        words.IMPORTED,
        file=file,
        segment=segment,
        read=read,
        accepted=state.accepted,
        rejected=len(rejected),
    )


lists = typer.Typer(name="lists", help="Fill static segments, over a worker's API.", no_args_is_help=True)
lists.command("import")(connected(import_list))
