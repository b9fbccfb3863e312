"""The lines of a partition, and what they amount to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES
from streamseg.export.contact_line import contact_json, line_of
from streamseg.export.gathering import Gathering
from streamseg.json_text import Json

Published = Callable[[str, Json], Json]
"""Contact id and its line -> what the output topics hold of the contact, or an empty object."""


@dataclass(slots=True)
class Counted:
    """The numbers of what was written.

    contacts  lines
    events    kept events, those derived from one record counted as one
    unsent    contacts with outputs that may not have been sent
    numbers   source topic -> the least number that is greater than those of all records in these contacts
    """

    contacts: int = 0
    events: int = 0
    unsent: int = 0
    numbers: dict[str, int] = field(default_factory=lambda: {BEHAVIOR_EVENTS: 0, CONTACT_UPDATES: 0})

    def add(self, contact: Json) -> None:
        """Count a contact's line."""
        self.contacts += 1
        self.events += len(contact.get("events", ()))
        self.unsent += "unsent" in contact
        head = contact.get("head")
        if head is not None:
            applied = {BEHAVIOR_EVENTS: head["event_offset"], CONTACT_UPDATES: head["update_offset"]}
            for topic, number in applied.items():
                self.numbers[topic] = max(self.numbers[topic], number + 1)


def partition_lines(
    gathering: Gathering,
    partition: int,
    counted: Counted,
    published: Published | None = None,
) -> Iterator[bytes]:
    """Yield the lines of a partition's contacts, in the order of their ids; count them in `counted`.

    `unsent` of a line holds the outputs about the contact that may not have been sent. A contact may have
    nothing else."""
    unsent: dict[str, list[Any]] = {}
    for output in gathering.unsent(partition):
        kept = orjson.loads(output)
        unsent.setdefault(kept[0], []).append(kept)
    for contact_id, records in gathering.contacts(partition):
        contact = contact_json(contact_id, records)
        if contact_id in unsent:
            contact["unsent"] = unsent.pop(contact_id)
        if published is not None:
            contact |= published(contact_id, contact)
        counted.add(contact)
        yield line_of(contact)
    for contact_id, outputs in unsent.items():
        alone: Json = {"contact_id": contact_id, "unsent": outputs}
        counted.add(alone)
        yield line_of(alone)


def unsent_outputs(contact: Json) -> bytes | None:
    """Return the outputs in a contact's line as one output of a changelog; None if there are none. Of several
    ones, the changes follow one another, and the latest value of a key counts."""
    outputs: list[Any] = contact.get("unsent") or []
    if not outputs:
        return None
    contact_id, changes, memberships, suppressions = outputs[0]
    for _, more, latest, latest_suppressions in outputs[1:]:
        changes, memberships = [*changes, *more], {**memberships, **latest}
        suppressions = {**suppressions, **latest_suppressions}
    return orjson.dumps([contact_id, changes, memberships, suppressions])
