"""The body of a contact: what only inputs that touch a condition need.

Its bytes are an orjson list of its fields in a fixed order. The list may grow at its end: if a field was
added after the bytes were written, it is empty or unknown when they are read. The rows inside the body may
grow in the same way. Layouts 4 to 6 lack the last two fields.
"""

from __future__ import annotations

from typing import Any

from streamseg.contact.rows import (
    NO_PAST,
    GivenSequences,
    ListEntry,
    Membership,
    Past,
    Rows,
    Unsubscribes,
    given_lists,
    given_rows,
)
from streamseg.contact.state_version import FIRST_WITH_CHANGES, STATE_VERSION
from streamseg.json_text import dumps_own, loads_own

Summary = Any
"""The data of a contact's past from which a condition can answer at any later time. It is JSON; each kind of
condition has its own form."""


class Body:
    """The results of a contact's inputs, in the order of the bytes. Times are epoch milliseconds. The rows
    are in streamseg.contact.rows.

    lists        static segment id -> the last change of the contact in this list
    true         ids of the conditions that hold now, and member ids of the segments that the contact is in
    flips        condition id -> when its answer last changed
    summaries    condition id -> see Summary
    due          condition id -> when its answer may change without input
    members      segment id -> the contact's membership of it
    unsubscribes the registers of opt-outs
    suppressed   the channels for which a suppression was emitted and is in force
    ended        segment id -> see streamseg.contact.ended_sequences
    past         which of its membership changes are kept
    never_set    the attributes that were stated as missing and never had a value; None: an earlier layout did
                 not keep which
    """

    __slots__ = (
        "due",
        "ended",
        "flips",
        "lists",
        "members",
        "never_set",
        "past",
        "summaries",
        "suppressed",
        "true",
        "unsubscribes",
    )

    def __init__(
        self,
        lists: Rows[ListEntry] | None = None,
        true: set[int] | None = None,
        flips: dict[int, int] | None = None,
        summaries: dict[int, Summary] | None = None,
        due: dict[int, int] | None = None,
        members: Rows[Membership] | None = None,
        unsubscribes: Unsubscribes | None = None,
        suppressed: list[str] | None = None,
        ended: dict[str, list[GivenSequences]] | None = None,
        past: Past = NO_PAST,
    ) -> None:
        """Make the body of a contact of which every field is known."""
        self.lists: Rows[ListEntry] = Rows(ListEntry) if lists is None else lists
        self.true: set[int] = set() if true is None else true
        self.flips: dict[int, int] = {} if flips is None else flips
        self.summaries: dict[int, Summary] = {} if summaries is None else summaries
        self.due: dict[int, int] = {} if due is None else due
        self.members: Rows[Membership] = Rows(Membership) if members is None else members
        self.unsubscribes: Unsubscribes = Unsubscribes() if unsubscribes is None else unsubscribes
        self.suppressed: list[str] = [] if suppressed is None else suppressed
        self.ended: dict[str, list[GivenSequences]] = {} if ended is None else ended
        self.past = past
        self.never_set: set[str] | None = set()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Body) and self._values() == other._values()

    __hash__ = None  # type: ignore[assignment]  # its content changes

    def _values(self) -> tuple[Any, ...]:
        return (
            self.lists,
            self.true,
            self.flips,
            self.summaries,
            self.due,
            self.members,
            self.unsubscribes,
            self.suppressed,
            self.ended,
            self.past,
            self.never_set,
        )

    def to_bytes(self, layout: int = STATE_VERSION) -> bytes:
        fields: list[Any] = [
            self.lists.lists,
            list(self.true),
            list(self.flips.items()),
            list(self.summaries.items()),
            list(self.due.items()),
            self.members.lists,
            self.unsubscribes.lists,
            self.suppressed,
            given_lists(self.ended),
        ]
        if layout >= FIRST_WITH_CHANGES:
            fields.append(self.past.listed())
            fields.append(None if self.never_set is None else sorted(self.never_set))
        return dumps_own(fields)

    @classmethod
    def from_bytes(cls, data: bytes) -> Body:
        read = _filled(loads_own(data))
        lists, true, flips, summaries, due, members, unsubscribes, suppressed, ended, past, never_set = read
        body = cls(
            lists=Rows(ListEntry, lists),
            true=set(true),
            flips=dict(flips),
            summaries=dict(summaries),
            due=dict(due),
            members=Rows(Membership, members),
            unsubscribes=Unsubscribes(unsubscribes),
            suppressed=suppressed,
            ended=given_rows(ended),
            past=Past(*past) if past else NO_PAST,
        )
        body.never_set = None if never_set is None else set(never_set)
        return body

    def forget_unknown_births(self) -> None:
        """Replace the births of layout 4 that say nothing by None. In layout 4 a birth is the offset of a
        segment's first record, or -1 if the segment existed before the worker began to read."""
        for segment_id, entry in self.lists.items():
            if entry.born == -1:
                self.lists[segment_id] = entry._replace(born=None)
        for segment_id, membership in self.members.items():
            if membership.born == -1:
                self.members[segment_id] = membership._replace(born=None)


def _filled(read: list[Any]) -> list[Any]:
    """Return all fields of a body. Those that the list which was read lacks are taken from `_UNFILLED`."""
    if len(read) < _BODY_FIELDS:
        read += loads_own(_UNFILLED)[len(read) :]
    return read


def _unfilled() -> bytes:
    body = Body()
    body.never_set = None
    return body.to_bytes()


_UNFILLED = _unfilled()
_BODY_FIELDS = len(loads_own(_UNFILLED))
