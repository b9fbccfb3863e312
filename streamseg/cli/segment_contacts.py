"""`streamseg segments contacts`, `explain` and `preview`: the members of a segment or a definition, and
why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer

from schemas.pages import MOST_CONTACTS
from streamseg.cli import words
from streamseg.cli.arguments import DefinitionFile, SegmentId
from streamseg.cli.definition_files import read_definition
from streamseg.cli.display import indented, instant, plain_table
from streamseg.cli.explain import render
from streamseg.cli.session import Session
from streamseg.cli.terminal import echo
from streamseg.wording.bodies import condition_words, definition_words


class By(StrEnum):
    HOUR = "hour"
    DAY = "day"


def contacts(
    session: Session,
    segment: SegmentId,
    prefix: Annotated[
        str | None, typer.Option(help="Only contacts whose ids begin so; case matters.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="The number of contacts to show.")] = 50,
    after: Annotated[str | None, typer.Option(help="Continue after this cursor of an earlier list.")] = None,
    everyone: Annotated[
        bool, typer.Option("--all", help="All contacts, one on each line; with --json as NDJSON.")
    ] = False,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="The members at this time.")] = None,
    entered_since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only members that entered at this time or later.")
    ] = None,
    entered_before: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only members that entered before this time.")
    ] = None,
    left_since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Those who left at this time or later instead.")
    ] = None,
) -> None:
    """List the contacts of a segment, by contact id.

    Example: streamseg segments contacts cn-members --all --json > members.ndjson
    """
    filters = {
        "q": prefix,
        "at": at,
        "entered_since": entered_since,
        "entered_before": entered_before,
        "left_since": left_since,
    }
    if everyone:
        for page in _pages(session, segment, after, None, filters):
            for contact in page["contacts"]:
                if session.as_json:
                    session.print_line(contact)
                else:
                    echo("\t".join(_cells(contact, lambda at: at or "")))
        return
    found: list[dict[str, Any]] = []
    cursor = None
    for page in _pages(session, segment, after, limit, filters):
        found += page["contacts"]
        cursor = page["next_cursor"]
    if session.as_json:
        session.print_json({"contacts": found, "next_cursor": cursor})
        return
    if not found:
        session.say(words.NO_CONTACTS)
        return
    headings = [words.CONTACT_ID, words.ENTERED_AT, words.SEQUENCE]
    if left_since is not None:
        headings += [words.LEFT_AT, words.REASON]
    table = plain_table(*(session.word(heading) for heading in headings))
    for contact in found:
        table.add_row(*_cells(contact, instant))
    session.out.print(table)
    if cursor is not None:
        session.say(words.MORE_CONTACTS, cursor=cursor)


def _cells(contact: dict[str, Any], shown: Callable[[str | None], str]) -> list[str]:
    cells = [contact["contact_id"], shown(contact["entered_at"]), str(contact["sequence"])]
    if "left_at" in contact:
        cells += [shown(contact["left_at"]), contact["reason"]["kind"]]
    return cells


def _pages(
    session: Session, segment: str, after: str | None, limit: int | None, filters: dict[str, str | None]
) -> Iterator[dict[str, Any]]:
    """Yield the API's pages until `limit` contacts, or all of them if it is None."""
    wanted = limit
    while True:
        size = MOST_CONTACTS if wanted is None else min(wanted, MOST_CONTACTS)
        page = session.api.get("segments", segment, "contacts", after=after, limit=size, **filters)
        yield page
        after = page["next_cursor"]
        if wanted is not None:
            wanted -= len(page["contacts"])
        if after is None or wanted == 0:
            return


def growth(
    session: Session,
    segment: SegmentId,
    by: Annotated[By, typer.Option(help="The length of a row.")] = By.DAY,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="The first row has this time.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="The last row has this time.")] = None,
    timezone: Annotated[
        str | None, typer.Option(help="The IANA time zone of days and hours; default: that of the workers.")
    ] = None,
) -> None:
    """Show how many contacts entered and left a segment, and how many were in it at the end.

    Example: streamseg segments growth cn-members --by hour
    """
    found = session.api.get(
        "segments", segment, "growth", by=by.value, since=since, until=until, timezone=timezone
    )
    if session.as_json:
        session.print_json(found)
        return
    headings = (
        words.BEGINS_AT,
        words.CONTACTS_AT_END,
        words.ENTERED_NUMBER,
        words.LEFT_NUMBER,
        words.REASONS,
    )
    table = plain_table(*(session.word(heading) for heading in headings))
    for bucket in found["buckets"]:
        entered, left = bucket["entered"], bucket["left"]
        reasons = [f"+{number} {kind}" for kind, number in entered.items()]
        reasons += [f"-{number} {kind}" for kind, number in left.items()]
        table.add_row(
            instant(bucket["start"]),
            f"{bucket['contacts']:,}",
            f"{sum(entered.values()):,}",
            f"{sum(left.values()):,}",
            ", ".join(reasons),
        )
    session.out.print(table)
    session.say(words.COMPLETE_SINCE, at=instant(found["complete_since"]))


def explain(
    session: Session,
    segment: SegmentId,
    contact: Annotated[str, typer.Argument(metavar="CONTACT", help="The contact's id.")],
) -> None:
    """Show what decides whether a contact is in a segment, since when, and when time alone will change it.

    Example: streamseg segments explain cn-members c1
    """
    explanation = session.api.get("segments", segment, "contacts", contact, "explain")
    if session.as_json:
        session.print_json(explanation)
    else:
        session.out.print(render(explanation, session.language, instant=instant))


def preview(
    session: Session,
    file: DefinitionFile,
    sample: Annotated[int, typer.Option(min=0, max=100, help="The number of contact ids to show.")] = 10,
    compare: Annotated[
        bool, typer.Option("--compare", help="Show who would enter, leave and stay, and why.")
    ] = False,
    contact: Annotated[
        str | None, typer.Option(help="Explain the definition for this contact instead.")
    ] = None,
) -> None:
    """Count the contacts that a definition would have now; nothing is saved.

    Example: streamseg segments preview cn-members.yaml --compare
    """
    definition = read_definition(file)
    body: dict[str, Any] = {"definition": definition}
    body |= {"sample": sample} if contact is None else {"contact_id": contact}
    if compare:
        body["compare"] = True
    answer = session.api.post("preview", body=body)
    if session.as_json:
        session.print_json(answer)
        return
    if contact is not None:
        session.out.print(render(answer["explanation"], session.language, instant=instant))
        return
    sentence = definition_words({"segment_id": "preview", "name": "preview", **definition}, session.language)
    if sentence is not None:
        session.out.print(sentence)
    session.say(words.PREVIEWED, contacts=f"{answer['contacts']:,}")
    if answer["sample"]:
        session.say(words.SAMPLE, ids=", ".join(answer["sample"]))
    if compare:
        _show_comparison(session, answer["compared"])


def _show_comparison(session: Session, compared: dict[str, Any]) -> None:
    if compared["with_version"] is None:
        session.say(words.NOTHING_IN_FORCE)
    groups = (("entering", words.ENTERING), ("leaving", words.LEAVING), ("staying", words.STAYING))
    for name, label in groups:
        group = compared[name]
        session.say(label, contacts=f"{group['contacts']:,}")
        if group["sample"]:
            session.out.print(indented(f"  {session.word(words.SAMPLE, ids=', '.join(group['sample']))}"))
        for reason in group.get("reasons", ()):
            session.out.print(indented(f"  {_reason(session, reason)}"))


def _reason(session: Session, reason: dict[str, Any]) -> str:
    label = words.REASON_IN_FORCE if reason["definition"] == "in_force" else words.REASON_DRAFT
    test = reason["test"] and condition_words(reason["test"], session.language)
    if test is None:
        test = session.word(words.EXCLUDING_PART, number=reason["part"] + 1)
    return session.word(label, contacts=f"{reason['contacts']:,}", test=test)
