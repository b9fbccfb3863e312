"""The rows inside a contact's body: their fields and their form in the bytes.

In the bytes a row is a JSON list of its fields, in the order in which they stand here. A row may grow at its
end. If a field was added after the bytes were written, it takes its default when they are read.

A contact has many rows and an input touches few of them. So a row stays a list until it is used. Rows are
never changed: a new row replaces the old one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, KeysView, Mapping, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

GLOBAL = "global"
"""The name of the register of opt-outs from all channels. Every other register is of one channel."""


class Membership(NamedTuple):
    """The membership of a contact in a segment, now or in the past. Times are epoch ms.

    sequence      the number of changes; odd: the contact is a member
    effective_ms  the time of the last change
    next_ms       when the membership ends without input; None: never or unknown
    version       the version of the segment with which the contact was last evaluated
    born          the birth of the segment; None: unknown
    at_once       the number of changes at `effective_ms`, the last one included
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
        """Return the row as it is in the bytes. `at_once` is left out if it is 1, which it nearly always
        is."""
        return list(self if self.at_once != 1 else self[:-1])


class ListEntry(NamedTuple):
    """The last change of a contact in a static segment.

    is_in       whether the contact was put in (True) or taken out (False)
    updated_ms  the time of that update, epoch ms
    born        the birth of the segment; None: unknown
    """

    is_in: bool
    updated_ms: int
    born: int | None

    def listed(self) -> list[Any]:
        """Return the row as it is in the bytes."""
        return list(self)


class Past(NamedTuple):
    """What a contact knows of its kept membership changes. Times are epoch ms.

    number    the number that the next change gets; changes are numbered from 0 in the order of their making
    kept      the number of changes that are kept now
    since_ms  changes later than this are kept; None: the head alone says since when
    dropped   segment id -> the time of the latest change that was dropped because of the cap; None: none was
    """

    number: int = 0
    kept: int = 0
    since_ms: int | None = None
    dropped: dict[str, int] | None = None

    def listed(self) -> list[Any]:
        """Return the row as it is in the bytes. It is empty for a contact whose membership never changed."""
        return [] if self == NO_PAST else list(self if self.dropped is not None else self[:-1])


NO_PAST = Past()


class GivenSequences(NamedTuple):
    """Sequences `first` to `last`, which were used at the time at which they ended; see ended_sequences.py.

    times  how often they were used
    """

    first: int
    last: int
    times: int


class OptOut(NamedTuple):
    """An unsubscribe event; `occurred_ms` is in epoch ms. Opt-outs are ordered by their fields."""

    occurred_ms: int
    event_id: str


class ChannelRegister(NamedTuple):
    """The opt-outs of one channel.

    opt_outs         the unsubscribe events that are not earlier than the last resubscribe event, ascending
    resubscribed_ms  the time of the last resubscribe event, epoch ms; None: there was none
    """

    opt_outs: Sequence[OptOut] = ()
    resubscribed_ms: int | None = None


class Statements(NamedTuple):
    """The time (epoch ms) of the latest statement of each kind about subscribing to all channels. A form
    states yes or no; the attribute `subscribed` does so when its value changes.

    was_no  whether the last value of the attribute that was not null was false
    """

    form_no_ms: int | None = None
    form_yes_ms: int | None = None
    attribute_no_ms: int | None = None
    attribute_yes_ms: int | None = None
    was_no: bool = False

    def unsubscribed(self) -> bool:
        """Return whether an opt-out is in force. An opt-out wins over a yes of the same time."""
        no_ms = later(self.form_no_ms, self.attribute_no_ms)
        yes_ms = later(self.form_yes_ms, self.attribute_yes_ms)
        return no_ms is not None and (yes_ms is None or no_ms >= yes_ms)


def later(one_ms: int | None, other_ms: int | None) -> int | None:
    """Return the later of two times; None stands for no time."""
    return max((at_ms for at_ms in (one_ms, other_ms) if at_ms is not None), default=None)


class _Row(Protocol):
    def listed(self) -> list[Any]: ...


_RowT = TypeVar("_RowT", bound=_Row)


class Rows(Generic[_RowT]):
    """A mapping of segment id -> row.

    lists  segment id -> the row as it is in the bytes
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

    __hash__ = None  # type: ignore[assignment]  # its content changes


class Unsubscribes:
    """The registers of opt-outs: one for each channel, and GLOBAL.

    lists  channel or GLOBAL -> the register as it is in the bytes; an empty register is left out
    """

    __slots__ = ("lists",)

    def __init__(self, lists: dict[str, list[Any]] | None = None) -> None:
        self.lists = {} if lists is None else lists

    def channel(self, channel: str) -> ChannelRegister:
        """Return the register of a channel."""
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
        """The statements about subscribing to all channels."""
        return Statements(*self.lists.get(GLOBAL, ()))

    def keep_statements(self, statements: Statements) -> None:
        self.lists[GLOBAL] = list(statements)

    def copy(self) -> Unsubscribes:
        """Return a copy; a change of one of the two does not change the other."""
        return Unsubscribes(self.lists.copy())

    def __len__(self) -> int:
        return len(self.lists)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unsubscribes) and self.lists == other.lists

    __hash__ = None  # type: ignore[assignment]  # its content changes


def given_lists(given: Mapping[str, Iterable[GivenSequences]]) -> dict[str, list[list[int]]]:
    """Return segment id -> given sequences, as they are in the bytes."""
    return {segment_id: [list(one) for one in rows] for segment_id, rows in given.items()}


def given_rows(lists: Mapping[str, Iterable[list[int]]]) -> dict[str, list[GivenSequences]]:
    """Return the rows of which `given_lists` made lists."""
    return {segment_id: [GivenSequences(*one) for one in rows] for segment_id, rows in lists.items()}
