"""`streamseg segments list` and `show`."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

import typer
from rich.live import Live

from schemas.pages import Sort
from streamseg.cli import words
from streamseg.cli.arguments import SegmentId
from streamseg.cli.definition_files import to_yaml, without_managed
from streamseg.cli.display import indented, segment_fields, segment_table
from streamseg.cli.session import Session
from streamseg.cli.terminal import echo
from streamseg.errors import Code, RejectedError
from streamseg.wording.bodies import definition_outline
from streamseg.wording.order import in_written_order

Kind = Literal["standard", "advanced", "static", "built_in"]
State = Literal["not_calculated", "calculating", "completed", "shared"]


def list_segments(
    session: Session,
    group: Annotated[str | None, typer.Option(help="Only segments of this group.")] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only segments that you made.")] = False,
    search: Annotated[str | None, typer.Option(help="Only segments whose name contains this text.")] = None,
    kind: Annotated[Kind | None, typer.Option("--type", help="Only segments of this type.")] = None,
    status: Annotated[State | None, typer.Option(help="Only segments with this status.")] = None,
    creator: Annotated[str | None, typer.Option(help="Only segments that this account made.")] = None,
    sort: Annotated[Sort, typer.Option(help="The order of the list.")] = "name",
    desc: Annotated[bool, typer.Option("--desc", help="Reverse the order.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show changes until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="The interval of --watch.")] = 2.0,
) -> None:
    """Show the segments that you see, with status and number of contacts.

    With --json --watch, one line of JSON whenever anything changed.

    Example: streamseg segments list --mine --sort updated_at --desc
    """

    def rows() -> list[dict[str, Any]]:
        order = "desc" if desc else "asc"
        filters = {"group": group, "mine": mine or None, "q": search, "created_by": creator}
        return list(session.api.segments(type=kind, status=status, sort=sort, order=order, **filters))

    if watch:
        _watch(session, rows, every)
        return
    found = rows()
    if session.as_json:
        session.print_json({"rows": found, "total": len(found)})
    elif not found:
        session.say(words.NO_SEGMENTS)
    else:
        session.out.print(segment_table(found, session.language, session.out.width))
        session.say(words.TOTAL, total=len(found))


def _watch(session: Session, rows: Any, every: float) -> None:
    """Show the rows whenever they have changed, until Ctrl-C."""
    shown: list[dict[str, Any]] | None = None
    live = Live(console=session.out, auto_refresh=False) if session.out.is_terminal else None
    try:
        if live is not None:
            live.start()
        while True:
            found = rows()
            if found != shown:
                shown = found
                if session.as_json:
                    session.print_line({"rows": found, "total": len(found)})
                elif live is not None:
                    live.update(segment_table(found, session.language, session.out.width), refresh=True)
                else:
                    session.out.print(segment_table(found, session.language, session.out.width))
            time.sleep(every)
    except KeyboardInterrupt:
        return
    finally:
        if live is not None:
            live.stop()


def show(
    session: Session,
    segment: SegmentId,
    definition: Annotated[
        bool,
        typer.Option("--definition", help="Print only the definition, in the form that edit and apply read."),
    ] = False,
) -> None:
    """Show one segment, with its conditions in words.

    Example: streamseg segments show cn-members --definition > segments/cn-members.yaml
    """
    found = session.api.get("segments", segment)
    kept = without_managed(in_written_order(found["definition"] or {}))
    if definition and not kept:
        raise RejectedError(Code.NOT_PERMITTED, "a built-in segment has no definition", segment)
    if session.as_json:
        session.print_json(
            kept
            if definition
            else {**found, "definition": found["definition"] and in_written_order(found["definition"])}
        )
        return
    if definition:
        echo(to_yaml(kept), nl=False)
        return
    session.out.print(segment_fields(found, session.language))
    if kept:
        session.out.print(f"\n{session.word(words.DEFINITION)}", style="bold")
        for line in definition_outline(kept, session.language) or to_yaml(kept).splitlines():
            session.out.print(indented(line))
