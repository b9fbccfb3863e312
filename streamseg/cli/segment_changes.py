"""`streamseg segments create`, `edit`, `copy`, `delete`, `move`, `share` and `calculate`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from streamseg.cli import words
from streamseg.cli.arguments import DefinitionFile, SegmentId, SegmentIds, Yes
from streamseg.cli.definition_files import read_definition
from streamseg.cli.display import status
from streamseg.cli.session import Session
from streamseg.errors import Code, RejectedError


def create(session: Session, file: DefinitionFile) -> None:
    """Make a segment from a definition. Without segment_id, its id is made from the name.

    Example: streamseg segments create cn-members.yaml
    """
    show_saved(session, session.api.post("segments", body=read_definition(file)))


def edit(session: Session, segment: SegmentId, file: DefinitionFile) -> None:
    """Replace a segment's definition.

    A version in the file is the version that you edited: if somebody has changed the segment since, the edit
    is refused. Without a version, the definition replaces the current one in any case.

    Example: streamseg segments edit cn-members cn-members.yaml
    """
    definition = {"segment_id": segment, **read_definition(file)}
    if definition["segment_id"] != segment:
        raise RejectedError(
            Code.CONFLICT, f"the file defines {definition['segment_id']}, not {segment}", "segment_id"
        )
    if definition.get("version") is None:
        definition["version"] = session.api.get("segments", segment)["version"]
    show_saved(session, session.api.put("segments", segment, body=definition))


def copy(
    session: Session,
    segment: SegmentId,
    new_id: Annotated[
        str | None,
        typer.Option("--as", metavar="ID", help="The copy's id; default: made from the original's."),
    ] = None,
) -> None:
    """Make a segment of your own with the same conditions.

    Example: streamseg segments copy cn-members --as cn-members-2026
    """
    body = {} if new_id is None else {"new_segment_id": new_id}
    made = session.api.post("segments", segment, "copy", body=body)
    if session.as_json:
        session.print_json(made)
    else:
        session.say(words.COPIED, name=made["name"], id=made["segment_id"])
        if made["type"] == "static":
            session.note(words.NOT_COPIED)


def delete(session: Session, segments: SegmentIds, yes: Yes = False) -> None:
    """Delete segments; their members leave them. Either all of them are deleted or none.

    Example: streamseg segments delete trial-2024 trial-2025 --yes
    """
    if not yes:
        session.confirm(words.CONFIRM_DELETE, ids=", ".join(segments))
    if len(segments) == 1:
        session.api.delete("segments", segments[0])
    else:
        session.api.post("batch", "delete", body={"segment_ids": segments})
    if session.as_json:
        session.print_json({"segment_ids": segments})
    else:
        session.say(words.DELETED, ids=", ".join(segments))


def move(
    session: Session,
    segments: SegmentIds,
    group: Annotated[str, typer.Option(help="The group to file them in; `default` for none.")],
) -> None:
    """File segments in another group.

    Example: streamseg segments move cn-members push --group 2026
    """
    answer = session.api.post("batch", "move", body={"segment_ids": segments, "group": group})
    if session.as_json:
        session.print_json(answer)
    else:
        session.say(words.MOVED, group=group, ids=", ".join(segments))


def share(
    session: Session,
    segments: SegmentIds,
    accounts: Annotated[
        list[str],
        typer.Option(
            "--with", metavar="ACCOUNT", help="An account that may see and copy them; may be repeated."
        ),
    ],
) -> None:
    """Let other accounts see and copy segments.

    Example: streamseg segments share cn-members --with li@x.cn --with han@x.cn
    """
    if len(segments) == 1:
        answer = session.api.post("segments", segments[0], "share", body={"accounts": accounts})
    else:
        body = {"segment_ids": segments, "accounts": accounts}
        answer = session.api.post("batch", "share", body=body)
    if session.as_json:
        session.print_json(answer)
    else:
        session.say(words.SHARED, accounts=", ".join(accounts), ids=", ".join(segments))


def calculate(session: Session, segments: SegmentIds) -> None:
    """Start the calculation of segments. Advanced segments need this after each change.

    `streamseg segments list --watch` shows the progress.

    Example: streamseg segments calculate push
    """
    if len(segments) == 1:
        answer = session.api.post("segments", segments[0], "calculate")
    else:
        answer = session.api.post("batch", "calculate", body={"segment_ids": segments})
    if session.as_json:
        session.print_json(answer)
    else:
        session.say(words.CALCULATING, ids=", ".join(segments))


def show_saved(session: Session, segment: dict[str, Any]) -> None:
    """Print a segment that was saved."""
    if session.as_json:
        session.print_json(segment)
        return
    session.say(
        words.SAVED,
        name=segment["name"],
        id=segment["segment_id"],
        version=segment["version"],
        status=status(segment, session.language),
    )
