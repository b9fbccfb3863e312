"""`streamseg groups`: the groups in which segments are filed."""

from __future__ import annotations

from typing import Annotated

import typer

from streamseg.catalogue.labels import COLUMNS
from streamseg.cli import words
from streamseg.cli.arguments import Yes
from streamseg.cli.display import plain_table
from streamseg.cli.session import Session, connected

GroupName = Annotated[str, typer.Argument(metavar="GROUP", help="The group's name.")]


def list_groups(session: Session) -> None:
    """Show the groups with how many segments you see in them.

    Example: streamseg groups list --lang zh
    """
    answer = session.api.get("groups")
    if session.as_json:
        session.print_json(answer)
        return
    headings = (words.GROUP, words.SEGMENTS, COLUMNS["created_by"])
    table = plain_table(*(session.word(heading) for heading in headings))
    for group in answer["groups"]:
        label = group["label"]
        named = label if label == group["group"] else f"{label} ({group['group']})"
        table.add_row(named, str(group["segments"]), group["created_by"] or "")
    session.out.print(table)


def create(session: Session, group: GroupName) -> None:
    """Make an empty group.

    Example: streamseg groups create 2026
    """
    made = session.api.post("groups", body={"group": group})
    if session.as_json:
        session.print_json(made or {"group": group})
    else:
        session.say(words.GROUP_CREATED, group=group)


def rename(
    session: Session,
    group: GroupName,
    new: Annotated[str, typer.Argument(metavar="NEW", help="The new name.")],
) -> None:
    """Give a group another name; its segments stay in it.

    Example: streamseg groups rename 2026 spring-2026
    """
    renamed = session.api.patch("groups", group, body={"group": new})
    if session.as_json:
        session.print_json(renamed or {"group": new})
    else:
        session.say(words.GROUP_RENAMED, group=group, new=new)


def delete(session: Session, group: GroupName, yes: Yes = False) -> None:
    """Delete a group; its segments fall to the default group.

    Example: streamseg groups delete spring-2026 --yes
    """
    if not yes:
        session.confirm(words.CONFIRM_DELETE_GROUP, group=group)
    session.api.delete("groups", group)
    if session.as_json:
        session.print_json({"group": group})
    else:
        session.say(words.GROUP_DELETED, group=group)


groups = typer.Typer(
    name="groups", help="List and change groups of segments, over a worker's API.", no_args_is_help=True
)
groups.command("list")(connected(list_groups))
groups.command("create")(connected(create))
groups.command("rename")(connected(rename))
groups.command("delete")(connected(delete))
