"""The list of segments and groups, as one account sees it.

An account sees its own segments, those shared with it, those without an owner, and the built-in ones. Every
account sees all groups; a group's count includes only the segments that the account sees.
"""

from __future__ import annotations

import base64
import binascii
import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import orjson

from schemas.pages import DEFAULT_ROWS, MOST_ROWS, Sort
from streamseg.catalogue.labels import BUILT_IN_NAMES, DEFAULT_LANGUAGE, GROUPS, STATUSES, TYPES, Language
from streamseg.catalogue.state import ALL_GROUP, CHANNEL_GROUP, DEFAULT_GROUP, MINE_GROUP, Catalogue, Entry
from streamseg.errors import Code, RejectedError
from streamseg.times import parse_timestamp_ms

_UTC = ZoneInfo("UTC")
_NEVER: Final = -(1 << 62)


@dataclass(frozen=True, slots=True)
class ListedSegment:
    """A row as an account sees it.

    status       `shared` if the segment is not the account's own
    shared_with  empty unless the segment is the account's own
    operations   the operations that the account may use, keys of `labels.OPERATIONS`
    """

    segment_id: str
    name: str
    type: str
    group: str
    version: int
    status: str
    progress: float
    contacts: int
    created_by: str | None
    created_at: str | int | None
    updated_by: str | None
    updated_at: str | int | None
    shared_with: tuple[str, ...]
    operations: tuple[str, ...]

    def wire(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ListedGroup:
    """A group with the number of its segments that the account sees. `operations` are `rename` and
    `delete`."""

    group: str
    name: str
    count: int
    created_by: str | None
    operations: tuple[str, ...]

    def wire(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the list.

    total        the number of rows on all pages
    next_cursor  the start of the next page; None on the last page
    """

    rows: tuple[ListedSegment, ...]
    total: int
    next_cursor: str | None


def rows(
    catalogue: Catalogue,
    account: str,
    *,
    group: str | None = None,
    mine: bool = False,
    search: str | None = None,
    kind: str | None = None,
    status: str | None = None,
    created_by: str | None = None,
    sort: Sort = "name",
    descending: bool = False,
    cursor: str | None = None,
    limit: int = DEFAULT_ROWS,
    language: Language = DEFAULT_LANGUAGE,
) -> Page:
    """Return a page of the list.

    `search` selects rows whose name contains it, ignoring case. `kind` and `status` are keys of
    `labels.TYPES` and `labels.STATUSES`, which also give the order of types and statuses. Names sort by code
    point, ignoring case; equal rows sort by id. A cursor continues after the last row seen, even if rows were
    added or removed since.

    Raises RejectedError, whose path is the argument's name, for an unknown group or sort, a limit outside 1
    to `MOST_ROWS`, and a cursor that is invalid or belongs to another sort. Cost: O(segments).
    """
    if not 1 <= limit <= MOST_ROWS:
        raise RejectedError(Code.INVALID_SCHEMA, f"must be from 1 to {MOST_ROWS}", "limit")
    if sort not in _SORTS:
        raise RejectedError(Code.INVALID_SCHEMA, f"must be one of {', '.join(_SORTS)}", "sort")
    holds = _filter(catalogue, account, group)
    wanted = "" if search is None else search.casefold()
    views = (
        _View(entry, account, language)
        for entry in _visible(catalogue, account)
        if holds(entry)
        and not (mine and entry.owner != account)
        and kind in (None, entry.row.type)
        and created_by in (None, entry.owner)
    )
    key = _SORTS[sort]
    keyed = [
        (key(view), view.entry.row.segment_id, view)
        for view in views
        if status in (None, view.status) and (not wanted or wanted in view.name.casefold())
    ]
    total = len(keyed)
    if cursor is not None:
        last = _read_cursor(cursor, sort, descending)
        keyed = [item for item in keyed if (item[:2] < last if descending else item[:2] > last)]
    # No two rows have the same id, so views are never compared. A page is a small part of a long list.
    first = (heapq.nlargest if descending else heapq.nsmallest)(limit + 1, keyed)
    page = first[:limit]
    more = len(first) > limit
    return Page(
        tuple(_listed(view) for _, _, view in page),
        total,
        _write_cursor(sort, descending, page[-1][0], page[-1][1]) if more else None,
    )


def row(
    catalogue: Catalogue, account: str, segment_id: str, *, language: Language = DEFAULT_LANGUAGE
) -> ListedSegment:
    """Return one segment as the account sees it. Raises RejectedError: `unknown_reference` if there is no
    such segment, `not_permitted` if the account may not see it."""
    entry = catalogue.segments.get(segment_id)
    if entry is None:
        raise RejectedError(Code.UNKNOWN_REFERENCE, "there is no such segment", "segment_id")
    entry.check_readable_by(account, "segment_id")
    return _listed(_View(entry, account, language))


def groups(
    catalogue: Catalogue, account: str, *, language: Language = DEFAULT_LANGUAGE
) -> tuple[ListedGroup, ...]:
    """Return all groups: the built-in ones, `default`, then those that accounts made, by name."""
    seen = list(_visible(catalogue, account))

    def listed(name: str, label: str, created_by: str | None) -> ListedGroup:
        holds = _filter(catalogue, account, name)
        operations = ("rename", "delete") if created_by == account else ()
        return ListedGroup(name, label, sum(map(holds, seen)), created_by, operations)

    built_in = tuple(listed(name, label.of(language), None) for name, label in GROUPS.items())
    return built_in + tuple(
        listed(name, name, made.created_by) for name, made in sorted(catalogue.groups.items())
    )


def _visible(catalogue: Catalogue, account: str) -> Iterator[Entry]:
    return (entry for entry in catalogue.segments.values() if entry.readable_by(account))


def _filter(catalogue: Catalogue, account: str, group: str | None) -> Callable[[Entry], bool]:
    if group is None or group == ALL_GROUP:
        return lambda _: True
    if group == MINE_GROUP:
        return lambda entry: entry.owner == account
    if group not in (CHANNEL_GROUP, DEFAULT_GROUP) and group not in catalogue.groups:
        raise RejectedError(Code.UNKNOWN_REFERENCE, "there is no such group", "group")
    return lambda entry: entry.row.group == group


class _View(NamedTuple):
    """A segment, and who looks at it in which language."""

    entry: Entry
    account: str
    language: Language

    @property
    def own(self) -> bool:
        return self.entry.owner == self.account

    @property
    def name(self) -> str:
        row = self.entry.row
        return BUILT_IN_NAMES[row.segment_id].of(self.language) if self.entry.built_in else row.name

    @property
    def status(self) -> str:
        return self.entry.row.status if self.own or self.entry.built_in else "shared"


def _listed(view: _View) -> ListedSegment:
    one, own = view.entry.row, view.own
    return ListedSegment(
        segment_id=one.segment_id,
        name=view.name,
        type=one.type,
        group=one.group,
        version=one.version,
        status=view.status,
        progress=one.progress,
        contacts=one.contacts,
        created_by=one.created_by,
        created_at=one.created_at,
        updated_by=one.updated_by,
        updated_at=one.updated_at,
        shared_with=tuple(one.shared_with) if own else (),
        operations=tuple(_operations(view.entry, own=own)),
    )


def _operations(entry: Entry, *, own: bool) -> Iterator[str]:
    if entry.row.status != "not_calculated":
        yield "view_contacts"
    if entry.built_in:
        return
    if entry.row.type != "static":
        yield "view_conditions"
    if own:
        yield "edit"
    yield "copy"
    if own:
        yield from ("delete", "move", "share")
        if entry.row.type != "static":
            yield "calculate"


def users(catalogue: Catalogue, account: str, segment_id: str) -> tuple[tuple[str, ...], int]:
    """Return the segments that refer to a segment: the ids of those that the account sees, sorted, and the
    number of the others. Cost: O(segments)."""
    found = catalogue.referrers(segment_id)
    seen = tuple(one for one in found if catalogue.segments[one].readable_by(account))
    return seen, len(found) - len(seen)


@lru_cache(maxsize=50_000)
def _ms(stated: str | int | None) -> int:
    # A definition that an operator wrote may have no time, or a time that no calendar has.
    try:
        return parse_timestamp_ms(stated, _UTC)
    except ValueError:
        return _NEVER


_TYPE_ORDER: Final = {name: order for order, name in enumerate(TYPES)}
_STATUS_ORDER: Final = {name: order for order, name in enumerate(STATUSES)}
_SORTS: Final[Mapping[Sort, Callable[[_View], str | int]]] = {
    "name": lambda view: view.name.casefold(),
    "type": lambda view: _TYPE_ORDER[view.entry.row.type],
    "status": lambda view: _STATUS_ORDER[view.status],
    "contacts": lambda view: view.entry.row.contacts,
    "created_by": lambda view: view.entry.owner or "",
    "created_at": lambda view: _ms(view.entry.row.created_at),
    "updated_by": lambda view: view.entry.row.updated_by or "",
    "updated_at": lambda view: _ms(view.entry.row.updated_at),
}
_TEXT_SORTS: Final = ("name", "created_by", "updated_by")
"""The sort orders by a text; all others are by a number."""


def _write_cursor(sort: str, descending: bool, key: str | int, segment_id: str) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([sort, descending, key, segment_id])).decode()


def _read_cursor(cursor: str, sort: str, descending: bool) -> tuple[str | int, str]:
    try:
        written_sort, written_descending, key, segment_id = orjson.loads(
            base64.b64decode(cursor, altchars=b"-_", validate=True)
        )
    except (binascii.Error, ValueError, TypeError) as error:
        raise _bad_cursor() from error
    kind = str if sort in _TEXT_SORTS else int
    fits = (written_sort, written_descending) == (sort, descending)
    if not fits or type(key) is not kind or not isinstance(segment_id, str):
        raise _bad_cursor()
    return key, segment_id


def _bad_cursor() -> RejectedError:
    return RejectedError(
        Code.INVALID_SCHEMA, "no cursor of this list in this order; begin at the first page", "cursor"
    )
