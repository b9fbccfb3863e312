"""`streamseg segments recount`: evaluate a segment again for every contact."""

from __future__ import annotations

from streamseg.cli import words
from streamseg.cli.arguments import SegmentId
from streamseg.cli.session import Session

_PAGE = 200


def recount(session: Session, segment: SegmentId) -> None:
    """Evaluate a segment again for every contact, from attributes and history, and emit the differences.

    Use it for a segment for which `streamseg verify` reports differences; if nothing is wrong, nothing
    changes. The changes have the reason `definition`. The command may be interrupted and run again. Events
    that are no longer kept stay in the counts that include them.

    Example: streamseg segments recount cn-members
    """
    contacts = changes = number = 0
    partitions = 1
    while number < partitions:
        after: str | None = None
        while True:
            body = {"partition": number, "limit": _PAGE, "after": after}
            page = session.api.post("segments", segment, "recount", body=body)
            partitions, after = page["partitions"], page["next_cursor"]
            contacts, changes = contacts + page["contacts"], changes + page["changes"]
            if after is None:
                break
        number += 1
    if session.as_json:
        session.print_json({"segment_id": segment, "contacts": contacts, "changes": changes})
    else:
        session.say(words.RECOUNTED, id=segment, contacts=f"{contacts:,}", changes=f"{changes:,}")
