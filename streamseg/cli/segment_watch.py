"""`streamseg segments changes`: membership changes as they happen."""

from __future__ import annotations

from typing import Annotated

import typer

from streamseg.cli import words
from streamseg.cli.arguments import MaybeSegmentId
from streamseg.cli.display import instant
from streamseg.cli.session import Session

_MOST_RECENT = 1_000


def changes(
    session: Session,
    segment: MaybeSegmentId = None,
    contact: Annotated[str | None, typer.Option(help="Only changes of this contact.")] = None,
    recent: Annotated[
        int, typer.Option(min=0, max=_MOST_RECENT, help="First the last changes that workers keep, so many.")
    ] = 0,
) -> None:
    """Show membership changes as they happen, until Ctrl-C; with --json as NDJSON.

    Example: streamseg segments changes cn-members --recent 10
    """
    given = {"segment_id": segment, "contact_id": contact, "recent": recent or None}
    try:
        for name, event in session.api.events("changes", **given, words=session.language):
            if session.as_json:
                session.print_line(event)
            elif name == "skipped" and event["changes"] is None:
                session.note(words.SOME_SKIPPED)
            elif name == "skipped":
                session.note(words.SKIPPED, changes=f"{event['changes']:,}")
            else:
                label = words.WATCHED_ENTERED if event["change"] == "entered" else words.WATCHED_LEFT
                ids = {"contact": event["contact_id"], "segment": event["segment_id"]}
                session.say(label, at=instant(event["effective_at"]), **ids, reason=event["words"])
    except KeyboardInterrupt:
        return
