"""The rows inside a contact's body: what their fields mean, and which of them lie in its bytes.

In the bytes a row is a JSON list of its fields in the order in which they stand here. A row may grow: a field
that was added at its end after the bytes were written takes its default when they are read.

A contact has many rows and an input touches few of them. So a row stays the list that it was read as until it
is asked for. Rows do not change: a changed one takes the place of the old one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, KeysView, Mapping, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

GLOBAL = "global"
"""The register of opt-outs from anything at all; every other one is of a channel."""


class Membership(NamedTuple):
    """What is kept of a contact and a segment that it is or was a member of. Times are epoch ms.

    sequence      how many changes there were; odd: it is a member
    effective_ms  when the last of them was
    next_ms       when the membership ends by itself; None: never
    version       the version of the segment that it is kept for
    born          the birth of that segment; None: unknown
    at_once       how many changes there were at `effective_ms`, the last included
    """

    sequence: int
    effective_ms: int
    next_ms: int | None
    version: int
    born: int | None
    at_once: int = 1

    @property
    def is_member(self) -> bool:
        return self.sequence % 2 == 1

    def listed(self) -> list[Any]:
        """The row as it lies in the bytes: `at_once` is left out where it is one, as it nearly always is."""
        return list(self if self.at_once != 1 else self[:-1])


class ListEntry(NamedTuple):
    """What an update said last about a contact and a static segment.

    is_in       whether the contact is in it
    updated_ms  when the update was made, epoch ms
    born        the birth of that segment; None: unknown
    """

    is_in: bool
    updated_ms: int
    born: int | None

    def listed(self) -> list[Any]:
        """The row as it lies in the bytes."""
        return list(self)


class GivenSequences(NamedTuple):
    """Sequences that were given out at the instant in which they last began anew, see ended_sequences.py.

    times  how often
    """

    first: int
    last: int
    times: int


class OptOut(NamedTuple):
    """An unsubscribe event; `occurred_ms` in epoch ms. The order of opt-outs is that of their fields."""

    occurred_ms: int
    event_id: str


class ChannelRegister(NamedTuple):
    """What is kept of one channel.

    opt_outs         those later than the last resubscribe, ascending
    resubscribed_ms  when that was, epoch ms; None: never
    """

    opt_outs: Sequence[OptOut] = ()
    resubscribed_ms: int | None = None


class Statements(NamedTuple):
    """The latest of each kind of statement about subscribing to anything at all, epoch ms.

    was_no  whether the attribute's last value, true or false, was false
    """

    form_no_ms: int | None = None
    form_yes_ms: int | None = None
    attribute_no_ms: int | None = None
    attribute_yes_ms: int | None = None
    was_no: bool = False

    def unsubscribed(self) -> bool:
        """Whether an opt-out stands; at the same instant it wins."""
        no_ms = later(self.form_no_ms, self.attribute_no_ms)
        yes_ms = later(self.form_yes_ms, self.attribute_yes_ms)
        return no_ms is not None and (yes_ms is None or no_ms >= yes_ms)


def later(one_ms: int | None, other_ms: int | None) -> int | None:
    """The later of two times, None being none."""
    return max((at_ms for at_ms in (one_ms, other_ms) if at_ms is not None), default=None)


class _Row(Protocol):
    def listed(self) -> list[Any]: ...


_RowT = TypeVar("_RowT", bound=_Row)


class Rows(Generic[_RowT]):
    """Segment id -> a row.

    lists  the rows as they lie in the bytes
    """

    __slots__ = ("_row", "lists")

    def __init__(self, row: type[_RowT], lists: dict[str, list[Any]] | None = None) -> None:
        self._row = row
        self.lists = {} if lists is None else lists

    def get(self, segment_id: str) -> _RowT | None:
        listed = self.lists.get(segment_id)
        return None if listed is None else self._row(*listed)

    def __getitem__(self, segment_id: str) -> _RowT:
        return self._row(*self.lists[segment_id])

    def __setitem__(self, segment_id: str, row: _RowT) -> None:
        self.lists[segment_id] = row.listed()

    def pop(self, segment_id: str) -> _RowT:
        return self._row(*self.lists.pop(segment_id))

    def keys(self) -> KeysView[str]:
        return self.lists.keys()

    def items(self) -> Iterator[tuple[str, _RowT]]:
        return ((segment_id, self._row(*listed)) for segment_id, listed in self.lists.items())

    def __iter__(self) -> Iterator[str]:
        return iter(self.lists)

    def __len__(self) -> int:
        return len(self.lists)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rows) and self.lists == other.lists

    __hash__ = None  # type: ignore[assignment]  # what it holds changes


class Unsubscribes:
    """The registers of opt-outs, by channel and GLOBAL.

    lists  the registers as they lie in the bytes; one of which nothing is known is left out
    """

    __slots__ = ("lists",)

    def __init__(self, lists: dict[str, list[Any]] | None = None) -> None:
        self.lists = {} if lists is None else lists

    def channel(self, channel: str) -> ChannelRegister:
        """What is kept of a channel."""
        listed = self.lists.get(channel)
        if listed is None:
            return ChannelRegister()
        opt_outs, resubscribed_ms = listed
        return ChannelRegister([OptOut(*one) for one in opt_outs], resubscribed_ms)

    def keep_channel(self, channel: str, register: ChannelRegister) -> None:
        opt_outs, resubscribed_ms = register
        self.lists[channel] = [[list(one) for one in opt_outs], resubscribed_ms]

    @property
    def statements(self) -> Statements:
        """What is kept about subscribing to anything at all."""
        return Statements(*self.lists.get(GLOBAL, ()))

    def keep_statements(self, statements: Statements) -> None:
        self.lists[GLOBAL] = list(statements)

    def copy(self) -> Unsubscribes:
        """The same: what is kept here or there is not kept in the other."""
        return Unsubscribes(self.lists.copy())

    def __len__(self) -> int:
        return len(self.lists)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unsubscribes) and self.lists == other.lists

    __hash__ = None  # type: ignore[assignment]  # what it holds changes


def given_lists(given: Mapping[str, Iterable[GivenSequences]]) -> dict[str, list[list[int]]]:
    """Segment id -> given sequences, as they lie in the bytes."""
    return {segment_id: [list(one) for one in rows] for segment_id, rows in given.items()}


def given_rows(lists: Mapping[str, Iterable[list[int]]]) -> dict[str, list[GivenSequences]]:
    """What `given_lists` gave, as rows."""
    return {segment_id: [GivenSequences(*one) for one in rows] for segment_id, rows in lists.items()}
