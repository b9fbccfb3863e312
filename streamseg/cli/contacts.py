"""`streamseg contacts`: which contacts there are, the state and the past of one, its export and erasure."""

from __future__ import annotations

import time
from typing import Annotated, Any, Final

import typer

from schemas.pages import MOST_ROWS
from streamseg.cli import words
from streamseg.cli.client import ApiError
from streamseg.cli.display import field_table, instant, plain_table
from streamseg.cli.session import Session, connected
from streamseg.json_text import dumps
from streamseg.wording.terms import ATTRIBUTES as ATTRIBUTE_NAMES

_LOOK_SECONDS: Final = 0.2


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


def search(
    session: Session,
    prefix: Annotated[str, typer.Argument(help="The beginning of the ids.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="The number of contacts to show.")] = 50,
    after: Annotated[str | None, typer.Option(help="Continue after this cursor of an earlier list.")] = None,
) -> None:
    """List the contacts whose ids begin with a text.

    Example: streamseg contacts search c1
    """
    found = session.api.get("contacts", q=prefix, after=after, limit=limit)
    if session.as_json:
        session.print_json(found)
        return
    if not found["contacts"]:
        session.say(words.NO_CONTACTS_FOUND)
        return
    headings = (words.CONTACT_ID.of(session.language), ATTRIBUTE_NAMES["name"].of(session.language))
    table = plain_table(*headings, session.word(words.KNOWN_SINCE))
    for one in found["contacts"]:
        table.add_row(one["contact_id"], one["name"] or "", instant(one["known_since"]))
    session.out.print(table)
    if found["next_cursor"] is not None:
        session.say(words.MORE_ROWS, option="--after", cursor=found["next_cursor"])


def timeline(
    session: Session,
    contact: Annotated[str, typer.Argument(metavar="CONTACT", help="The contact's id.")],
    limit: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="The number of rows to show.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Continue at this cursor of an earlier list.")] = None,
) -> None:
    """Show what happened to a contact, the latest first.

    Example: streamseg contacts timeline c1 --limit 20
    """
    found = session.api.get("contacts", contact, "timeline", cursor=cursor, limit=limit)
    if session.as_json:
        session.print_json(found)
        return
    table = plain_table(*(session.word(one) for one in (words.TIME, words.WHAT, words.DETAILS)))
    for row in found["rows"]:
        if "event" in row:
            what, details = row["label"] or row["event"], dumps(row["properties"]).decode()
        else:
            change = words.ENTERED if row["change"] == "entered" else words.LEFT
            what, details = session.word(change), row["segment_id"]
        table.add_row(instant(row["at"]), what, details)
    session.out.print(table)
    if found["next_cursor"] is not None:
        session.say(words.MORE_ROWS, option="--cursor", cursor=found["next_cursor"])


def segments(
    session: Session,
    contact: Annotated[str, typer.Argument(metavar="CONTACT", help="The contact's id.")],
    at: Annotated[str | None, typer.Option(metavar="TIME", help="The time; now without it.")] = None,
) -> None:
    """Show the segments that a contact was in at a time.

    Example: streamseg contacts segments c1 --at 2026-05-01
    """
    found = session.api.get("contacts", contact, "segments", at=at)
    if session.as_json:
        session.print_json(found)
        return
    headings = (words.SEGMENT_ID, words.ENTERED_AT, words.SEQUENCE, words.REASON)
    table = plain_table(*(session.word(heading) for heading in headings))
    for one in found["segments"]:
        reason = "" if one["reason"] is None else one["reason"]["kind"]
        table.add_row(one["segment_id"], instant(one["entered_at"]), str(one["sequence"]), reason)
    session.out.print(table)


def export(
    session: Session, contact: Annotated[str, typer.Argument(metavar="CONTACT", help="The contact's id.")]
) -> None:
    """Print all that is known of a contact, as JSON. For administrators.

    Example: streamseg contacts export c1
    """
    session.print_json(session.api.get("contacts", contact, "export"))


def erase(
    session: Session,
    contact: Annotated[str, typer.Argument(metavar="CONTACT", help="The contact's id.")],
    keep_suppressions: Annotated[
        bool, typer.Option("--keep-suppressions", help="Let its opt-outs outlive the erasure.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until it is done, and show where it is gone.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=0, help="How long to wait, in s.")] = 60.0,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Erase a contact: it exits all segments, and its data are dropped. For administrators.

    Example: streamseg contacts erase c1 --wait
    """
    if not yes:
        session.confirm(words.CONFIRM_ERASE, contact=contact)
    kept = "true" if keep_suppressions else None
    written = session.api.delete("contacts", contact, keep_suppressions=kept)
    found = _erasure(session, contact, written["offset"], timeout) if wait else None
    if session.as_json:
        session.print_json({**written, **(found or {})})
    elif found is None:
        session.say(words.ERASURE_WRITTEN, partition=written["partition"], offset=written["offset"])
    else:
        _show_erasure(session, found)


def _erasure(session: Session, contact: str, offset: int, seconds: float) -> Any:
    """Return the API's answer about an erasure once it is applied and its outputs were sent."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = session.api.get("contacts", contact, "erasure", offset=offset)
            if found["sent"]:
                return found
        except ApiError as error:
            if error.code != "not_found" or time.monotonic() >= deadline:
                raise
        time.sleep(_LOOK_SECONDS)


def _show_erasure(session: Session, found: dict[str, Any]) -> None:
    session.say(words.ERASED, contact=found["contact_id"], at=instant(found["erased_at"]))
    if found["known_again"]:
        session.say(words.KNOWN_AGAIN)
    if found["kept_suppressions"]:
        session.say(words.KEPT_SUPPRESSIONS, channels=", ".join(found["kept_suppressions"]))
    table = plain_table(session.word(words.PLACE), session.word(words.GONE))
    for one in found["places"]:
        by = one["gone_by"]
        label = words.PLACES.get(one["place"])
        name = one["place"] if label is None else session.word(label)
        gone = session.word(words.GONE_NOW) if by is None else session.word(words.GONE_BY, at=instant(by))
        table.add_row(name, gone)
    session.out.print(table)
    session.say(words.DEAD_LETTERS_NOW)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else dumps(value).decode()


contacts = typer.Typer(
    name="contacts",
    help="Look at contacts, export and erase them, over a worker's API.",
    no_args_is_help=True,
)
contacts.command("search")(connected(search))
contacts.command("show")(connected(show))
contacts.command("timeline")(connected(timeline))
contacts.command("segments")(connected(segments))
contacts.command("export")(connected(export))
contacts.command("erase")(connected(erase))
