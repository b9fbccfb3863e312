"""`streamseg segments versions`, `revert` and `restore`."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer
from rich.text import Text

from schemas.pages import MOST_ROWS
from streamseg.cli import words
from streamseg.cli.arguments import SegmentId
from streamseg.cli.definition_files import to_yaml
from streamseg.cli.display import indented, instant, plain_table
from streamseg.cli.segment_changes import show_saved
from streamseg.cli.session import Session
from streamseg.wording.bodies import definition_outline

_MARKS: Final = {"same": (" ", ""), "removed": ("-", "red"), "added": ("+", "green")}


def versions(
    session: Session,
    segment: SegmentId,
    version: Annotated[
        int | None, typer.Argument(min=1, metavar="[VERSION]", help="Show the conditions of this version.")
    ] = None,
    since: Annotated[
        int | None, typer.Option(min=1, metavar="VERSION", help="Show what changed since this version.")
    ] = None,
) -> None:
    """List the versions of a segment that are kept, or show one of them, with what changed since another.

    Example: streamseg segments versions buyers 4 --since 2
    """
    if version is None:
        _list_versions(session, session.api.get("segments", segment, "versions"))
        return
    shown = session.api.get(
        "segments", segment, "versions", str(version), words=session.language, since=since
    )
    if session.as_json:
        session.print_json(shown)
        return
    session.out.print(_versions_table(session, [shown]))
    session.out.print()
    if shown.get("differences") is not None:
        for line in shown["differences"]:
            mark, style = _MARKS[line["change"]]
            session.out.print(Text(f"{mark} {line['text']}", style=style))
        return
    definition = shown["definition"]
    for text in definition_outline(definition, session.language) or to_yaml(definition).splitlines():
        session.out.print(indented(text))


def _list_versions(session: Session, found: dict[str, Any]) -> None:
    if session.as_json:
        session.print_json(found)
    else:
        session.out.print(_versions_table(session, found["versions"]))


def _versions_table(session: Session, rows: list[dict[str, Any]]) -> Any:
    table = plain_table(*map(session.word, (words.VERSION, words.NAME, words.SAVED_BY, words.SAVED_AT)))
    for row in rows:
        table.add_row(str(row["version"]), row["name"], row["saved_by"] or "", instant(row["saved_at"]))
    return table


def revert(
    session: Session,
    segment: SegmentId,
    version: Annotated[int, typer.Argument(min=1, metavar="VERSION", help="The earlier version.")],
) -> None:
    """Make an earlier version of a segment the latest one again, as a new version.

    Example: streamseg segments revert buyers 2
    """
    show_saved(session, session.api.post("segments", segment, "versions", str(version), "revert"))


def restore(
    session: Session,
    segment: Annotated[
        str | None,
        typer.Argument(metavar="[SEGMENT]", help="The id of the deleted segment; without it, list them."),
    ] = None,
    new_id: Annotated[
        str | None, typer.Option("--as", metavar="ID", help="Another id, if its own is in use.")
    ] = None,
    deletion: Annotated[
        int | None,
        typer.Option(min=0, help="Which deletion of that id, as the list has it; default: the last one."),
    ] = None,
) -> None:
    """Make a segment again that you deleted in the last 30 days; without SEGMENT, list these segments.

    Example: streamseg segments restore buyers
    """
    if segment is None:
        _list_deleted(session)
        return
    given = {"new_segment_id": new_id, "deletion": deletion}
    body = {key: value for key, value in given.items() if value is not None}
    show_saved(session, session.api.post("deleted-segments", segment, "restore", body=body))


def _list_deleted(session: Session) -> None:
    rows: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = session.api.get("deleted-segments", cursor=cursor, limit=MOST_ROWS)
        rows += page["segments"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    if session.as_json:
        session.print_json({"segments": rows})
        return
    if not rows:
        session.say(words.NO_DELETED)
        return
    table = plain_table(
        *map(
            session.word,
            (words.SEGMENT_ID, words.NAME, words.DELETED_AT, words.RESTORABLE_UNTIL, words.DELETION),
        )
    )
    for row in rows:
        until = instant(row["restorable_until"])
        table.add_row(row["segment_id"], row["name"], instant(row["deleted_at"]), until, str(row["deletion"]))
    session.out.print(table)
