"""The notes of the partitions of an import, made from the notes of the exported partitions.

Notes are about a partition and not about a contact: its clock, the offsets up to which input was applied, the
place of a sweep. With the same source topics and the same number of partitions they stay as they are.

With a new source topic its input begins at its first record. The state holds numbers of records (offsets, as
long as nothing was imported), and a contact may come from any old partition. So the records of the new topic
are counted on from the greatest number of the old one: no new record is taken for one that was applied, and
events of the same instant keep their order.

With another number of partitions

* the clock is the greatest of all clocks. The clock of a partition never goes back, and no contact may come
  into a partition whose clock is behind the contact's. What is due in between is evaluated at its own time;
* how many contacts entered and left segments is counted since the greatest time of all partitions;
* a sweep goes on if all partitions were in the same pass of the same sweep. It begins that pass again, since
  its place is the id of a contact in one partition; contacts that it has reached are skipped. Otherwise every
  contact is brought to the definitions at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from agents.partitions.checkpoint import counted_name, offset_name
from agents.partitions.sweep import PLACE, SWEPT, TRANSITION
from schemas.topics import SOURCES
from streamseg.store.kept_outputs import SENT
from streamseg.store.rocksdb import CLOCK, GROWTH_SINCE

Notes = Mapping[str, Any]


def next_numbers(notes: Mapping[int, Notes]) -> dict[str, int]:
    """Return source topic -> the least number that is greater than those of all records which the notes say
    were applied. A contact may be ahead of them."""
    return {
        topic: max(
            (counted_before(one, topic) + next_offset(one, topic) for one in notes.values()), default=0
        )
        for topic in SOURCES
    }


def next_offset(notes: Notes, topic: str) -> int:
    """Return the offset of the first record of a source topic that was not applied."""
    offset: int = notes.get(offset_name(topic)) or 0
    return offset


def counted_before(notes: Notes, topic: str) -> int:
    """Return how many records of a source topic are counted before its first offset."""
    counted: int = notes.get(counted_name(topic)) or 0
    return counted


def moved_notes(
    notes: Mapping[int, Notes], partitions: int, new: Collection[str], numbers: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Return the notes of each of `partitions` partitions. `notes` are those of the exported ones, by number.
    `new` are the source topics that are not the exported ones: all of them if the number of partitions
    differs. `numbers` are the least numbers that are greater than all in the state, by source topic."""
    if partitions == len(notes):
        made = [dict(notes[number]) for number in sorted(notes)]
    else:
        common = _common(list(notes.values()))
        made = [dict(common) for _ in range(partitions)]
    for one in made:
        # Outputs that may not have been sent are numbered 1 in the new changelog.
        one[SENT] = 0
        for topic in new:
            one.pop(offset_name(topic), None)
            one[counted_name(topic)] = numbers[topic]
    return made


def _common(notes: list[Notes]) -> dict[str, Any]:
    common: dict[str, Any] = {CLOCK: max((one.get(CLOCK) or 0 for one in notes), default=0)}
    since = [one[GROWTH_SINCE] for one in notes if one.get(GROWTH_SINCE) is not None]
    if since:
        common[GROWTH_SINCE] = max(since)
    passes = [(one.get(SWEPT), one.get(TRANSITION), _pass(one.get(PLACE))) for one in notes]
    if passes and all(one == passes[0] for one in passes):
        swept, transition, place = passes[0]
        common |= {SWEPT: swept, TRANSITION: transition, PLACE: place}
    return {name: value for name, value in common.items() if value is not None}


def _pass(place: Any) -> Any:
    """Return the place at the beginning of the same pass."""
    return None if place is None else {**place, "after": None, "swept": 0}
