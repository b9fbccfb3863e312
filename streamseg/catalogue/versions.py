"""Earlier versions of definitions, and deleted segments: what is kept, for how long, and who sees it.

A version is kept when another one replaces it. So the versions of a segment are those that are kept and the
latest one, which is in the catalogue anyway. Versions end with their segment. A deleted segment is kept with
its last definition.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from zoneinfo import ZoneInfo

from schemas.catalogue import CatalogueDeletion, CatalogueVersion
from streamseg.catalogue.decision import Decision
from streamseg.catalogue.state import Catalogue, Entry, deletion_key, version_key
from streamseg.errors import Code, RejectedError
from streamseg.json_text import Json
from streamseg.times import DAY_MS, format_ms, parse_timestamp_ms

MOST_VERSIONS: Final = 50
"""How many versions of a segment are kept, the latest one included."""

KEPT_DELETED_MS: Final = 30 * DAY_MS
"""How long a deleted segment can be restored, in ms."""

_UTC: Final = ZoneInfo("UTC")
_NOT_OF_A_VERSION: Final = frozenset(
    ("version", "group", "created_by", "created_at", "updated_by", "updated_at", "shared_with")
)
"""The fields of a definition that are no part of a version: moving and sharing make no version, and the
others are in fields of their own."""


def replacing(catalogue: Catalogue, segment_id: str, successor: int) -> dict[str, Json | None]:
    """Return the rows that keep the latest version of a segment when the version `successor` replaces it, and
    drop the versions that are too many. A segment that does not exist has no latest version.

    Writers of `segment-definitions` give any version. So versions from `successor` on are dropped: they are
    not earlier ones.
    """
    before = catalogue.version_numbers(segment_id)
    entry = catalogue.segments.get(segment_id)
    latest = None if entry is None or entry.built_in else version_of(entry)
    known = {*before} if latest is None else {*before, latest.version}
    kept = sorted(number for number in known if number < successor)[-(MOST_VERSIONS - 1) :]
    rows: dict[str, Json | None] = {
        version_key(segment_id, number): None for number in before if number not in kept
    }
    if latest is not None and latest.version in kept:
        rows[version_key(segment_id, latest.version)] = latest.model_dump(mode="json")
    return rows


def dropping(catalogue: Catalogue, segment_id: str, since: int = 1) -> dict[str, Json | None]:
    """Return the rows that drop the kept versions of a segment from `since` on."""
    numbers = catalogue.version_numbers(segment_id)
    return {version_key(segment_id, number): None for number in numbers if number >= since}


def version_of(entry: Entry) -> CatalogueVersion:
    """Return the latest version of a segment in the form of an earlier one."""
    definition, row = entry.definition, entry.row
    return CatalogueVersion(
        segment_id=row.segment_id,
        # The row of another writer's definition is written later than the definition, so it may be behind.
        version=definition.get("version", row.version),
        saved_by=definition.get("updated_by"),
        saved_at=definition.get("updated_at"),
        definition={key: value for key, value in definition.items() if key not in _NOT_OF_A_VERSION},
    )


def versions(catalogue: Catalogue, segment_id: str) -> Iterator[CatalogueVersion]:
    """Yield the versions of a segment, the latest one first. A built-in segment has none."""
    entry = catalogue.segments[segment_id]
    if entry.built_in:
        return
    latest = version_of(entry)
    yield latest
    for number in reversed(catalogue.version_numbers(segment_id)):
        version = catalogue.earlier_version(segment_id, number)
        if version is not None and number < latest.version:
            yield version


def version(catalogue: Catalogue, segment_id: str, number: int) -> CatalogueVersion | None:
    """Return one version of a segment; None if it is not kept."""
    entry = catalogue.segments[segment_id]
    if not entry.built_in and version_of(entry).version == number:
        return version_of(entry)
    return catalogue.earlier_version(segment_id, number)


# --- deleted segments -------------------------------------------------------------------------------


def deleted(entry: Entry, *, account: str, now_ms: int, offset: int) -> CatalogueDeletion:
    """Return what is kept of a segment that the command at `offset` deletes at `now_ms` (epoch ms)."""
    row = entry.row
    return CatalogueDeletion(
        segment_id=row.segment_id,
        deletion=offset,
        deleted_by=account,
        deleted_at=format_ms(now_ms),
        # A definition that another writer wrote to the topic may lack both.
        definition={"group": row.group, "version": row.version, **entry.definition},
    )


def restorable(catalogue: Catalogue, account: str, *, now_ms: int) -> list[CatalogueDeletion]:
    """Return the deleted segments that the account can restore at `now_ms` (epoch ms), the latest deletion
    first. Cost: O(deleted segments)."""
    found = [
        one
        for one in catalogue.deletions
        if one.definition.get("created_by") == account and now_ms < restorable_until_ms(one)
    ]
    return sorted(found, key=lambda one: (-one.deletion, one.segment_id))


def check_restorable(
    catalogue: Catalogue, account: str, segment_id: str, deletion: int | None, *, now_ms: int
) -> CatalogueDeletion:
    """Return the deleted segment to restore: the last one with the id, or that of one deletion.

    Raises RejectedError `unknown_reference` if the account has no such segment to restore.
    """
    for one in restorable(catalogue, account, now_ms=now_ms):
        if one.segment_id == segment_id and deletion in (None, one.deletion):
            return one
    raise RejectedError(
        Code.UNKNOWN_REFERENCE,
        "you have no such deleted segment; it may have been deleted too long ago",
        "segment_id" if deletion is None else "deletion",
    )


def expire(catalogue: Catalogue, *, now_ms: int) -> Decision:
    """Return the rows that remove the deleted segments that can no longer be restored at `now_ms` (epoch
    ms)."""
    return Decision(
        rows=tuple(
            (deletion_key(one.segment_id, one.deletion), None)
            for one in catalogue.deletions
            if now_ms >= restorable_until_ms(one)
        )
    )


def restorable_until_ms(deletion: CatalogueDeletion) -> int:
    """Return the time (epoch ms) from which on a deleted segment can no longer be restored."""
    return parse_timestamp_ms(deletion.deleted_at, _UTC) + KEPT_DELETED_MS
