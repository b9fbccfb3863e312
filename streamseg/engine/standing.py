"""The memberships that were in force at an earlier instant, from kept changes and the memberships of now.

What was in force at an instant are the changes that were emitted up to it. If several of a segment were, the
one that was emitted last decides. A late event changes nothing before the stream time of its arrival.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from streamseg.contact.contact import Contact
from streamseg.contact.kept_changes import KeptChange
from streamseg.times import MIN_MS


class Standing(NamedTuple):
    """A membership at an instant.

    sequence    of the change with which it began
    entered_ms  when it began, epoch ms; None: that is not kept
    entry       the change with which it began; None: it is not kept
    """

    sequence: int
    entered_ms: int | None
    entry: KeptChange | None


def standing_at(changes: Sequence[KeptChange], now: tuple[int, int] | None, at_ms: int) -> Standing | None:
    """Return the membership of a contact in a segment at `at_ms`; None: it was not a member.

    `changes` are its kept changes in this segment, `now` is (`sequence`, `entered_ms`) of its membership now.
    All changes later than `at_ms` must be among the kept ones."""
    before = [change for change in changes if change.effective_ms <= at_ms]
    if before:
        last = max(before, key=_number)
        return Standing(last.sequence, last.effective_ms, last) if last.entered else None
    if changes:
        first = min(changes, key=_number)
        return None if first.entered else Standing(first.sequence - 1, None, None)
    return None if now is None else Standing(now[0], now[1], None)


def segments_at(contact: Contact, changes: Iterable[KeptChange], at_ms: int) -> dict[str, Standing]:
    """Return segment id -> the contact's membership at `at_ms`, sorted by segment id. `changes` are all its
    kept changes."""
    by_segment: dict[str, list[KeptChange]] = {}
    for change in changes:
        by_segment.setdefault(change.segment_id, []).append(change)
    found: dict[str, Standing] = {}
    for segment_id in sorted(by_segment.keys() | contact.body.members.keys()):
        row = contact.body.members.get(segment_id)
        now = None if row is None or not row.is_member else (row.sequence, row.effective_ms)
        standing = standing_at(by_segment.get(segment_id, ()), now, at_ms)
        if standing is not None:
            found[segment_id] = standing
    return found


def is_kept_at(change: KeptChange, now_ms: int, retention_ms: int) -> bool:
    """Return whether a change counts as kept at `now_ms`: the same rule as for events."""
    return change.effective_ms > now_ms - retention_ms


def complete_since_ms(contact: Contact, now_ms: int, retention_ms: int) -> int:
    """Return the earliest instant (epoch ms) for which the kept changes tell the contact's memberships."""
    return latest(now_ms - retention_ms, contact.unkept_ms, contact.body.past.since_ms)


def latest(at_ms: int, *others: int | None) -> int:
    """Return the latest of some instants (epoch ms), but none before the calendar. None stands for none."""
    return max(MIN_MS, at_ms, *(one for one in others if one is not None))


def _number(change: KeptChange) -> int:
    return change.number
