"""`streamseg contacts`: the state of a contact."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from streamseg.cli import words
from streamseg.cli.display import field_table, instant, plain_table
from streamseg.cli.session import Session, connected
from streamseg.json_text import dumps


def show(
    session: Session, contact: Annotated[str, typer.Argument(metavar="CONTACT", help="The contact's id.")]
) -> None:
    """Show a contact's attributes, tags and lists, and the segments that it is in.

    Example: streamseg contacts show c1
    """
    found = session.api.get("contacts", contact)
    if session.as_json:
        session.print_json(found)
        return
    session.out.print(
        field_table(
            {
                session.word(words.CONTACT_ID): found["contact_id"],
                session.word(words.KNOWN_SINCE): instant(found["known_since"]),
                session.word(words.TAGS): ", ".join(found["tags"]),
                session.word(words.LISTS): ", ".join(found["lists"]),
            }
        )
    )
    if found["attributes"]:
        session.out.print(f"\n{session.word(words.ATTRIBUTES)}", style="bold")
        session.out.print(field_table({name: _text(value) for name, value in found["attributes"].items()}))
    session.out.print(f"\n{session.word(words.MEMBER_OF)}", style="bold")
    headings = (words.SEGMENT_ID, words.ENTERED_AT, words.SEQUENCE, words.NEXT_CHANGE_AT)
    table = plain_table(*(session.word(heading) for heading in headings))
    for one in found["segments"]:
        table.add_row(
            one["segment_id"],
            instant(one["entered_at"]),
            str(one["sequence"]),
            instant(one.get("next_change_at")),
        )
    session.out.print(table)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else dumps(value).decode()


contacts = typer.Typer(name="contacts", help="Look at contacts, over a worker's API.", no_args_is_help=True)
contacts.command("show")(connected(show))
