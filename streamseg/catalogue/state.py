"""All segments and groups, with earlier versions and deleted segments, as they are on `segment-definitions`
and `segment-catalog`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from schemas.catalogue import (
    CATALOGUE_VALUE,
    CatalogueDeletion,
    CatalogueGroup,
    CatalogueRow,
    CatalogueValue,
    CatalogueVersion,
    SegmentType,
)
from streamseg.catalogue.decision import Decision
from streamseg.catalogue.formula import formula_digest
from streamseg.catalogue.labels import BUILT_IN_NAMES
from streamseg.catalogue.references import references_of
from streamseg.errors import Code, RejectedError
from streamseg.json_text import Json, dumps, loads
from streamseg.records.messages import checked_by

ALL_GROUP, MINE_GROUP, CHANNEL_GROUP = "all", "mine", "channel-unsubscribed"
VIEW_GROUPS = (ALL_GROUP, MINE_GROUP, CHANNEL_GROUP)
"""The built-in groups. They are views, so nothing can be filed in them."""
DEFAULT_GROUP = "default"

POSITION_KEY = "commands|"
_GROUP_KEY = "group|"
_VERSION_KEY = "version|"
_DELETION_KEY = "deleted|"


def group_key(group: str) -> str:
    """Return the key of a group's record on `segment-catalog`."""
    return f"{_GROUP_KEY}{group}"


def version_key(segment_id: str, version: int) -> str:
    """Return the key of an earlier version's record on `segment-catalog`."""
    return f"{_VERSION_KEY}{segment_id}|{version}"


def deletion_key(segment_id: str, deletion: int) -> str:
    """Return the key of a deleted segment's record on `segment-catalog`."""
    return f"{_DELETION_KEY}{segment_id}|{deletion}"


def is_segment_key(key: str) -> bool:
    """Return whether the key of a record on `segment-catalog` is a segment's id."""
    return "|" not in key


@dataclass(frozen=True, slots=True)
class Entry:
    """A segment.

    definition  the latest one: `row.draft`, else that on `segment-definitions`; {} for a built-in segment
    in_force    the definition on `segment-definitions`; None if there is only a draft
    row         the row of the list, with the progress of the calculation
    references  the segments to which any of these definitions or `row.live_definition` refers
    """

    definition: Json
    in_force: Json | None
    row: CatalogueRow
    references: frozenset[str]

    @classmethod
    def of(cls, in_force: Json | None, row: CatalogueRow) -> Entry:
        definition = row.draft if row.draft is not None else in_force or {}
        versions = (definition, in_force or {}, row.live_definition or {})
        references = frozenset(one for version in versions for one, _ in references_of(version))
        return cls(definition, in_force, row, references)

    @property
    def built_in(self) -> bool:
        return self.row.type == "built_in"

    @property
    def owner(self) -> str | None:
        """The account that owns the segment; None if operators wrote it or it is built in."""
        return self.row.created_by

    def readable_by(self, account: str) -> bool:
        """Return whether an account sees the segment: its own, one that is shared with it, or one without an
        owner."""
        return self.owner in (None, account) or account in self.row.shared_with

    def check_readable_by(self, account: str, path: str) -> None:
        """Raise RejectedError `not_permitted` with `path`, the path of the reference, if the account may not
        see the segment."""
        if not self.readable_by(account):
            raise RejectedError(
                Code.NOT_PERMITTED, "belongs to another account; ask that account to share it", path
            )


class Catalogue:
    """All segments, the built-in ones always included, and all groups. Only `apply` changes a catalogue."""

    def __init__(self) -> None:
        self._definitions: dict[str, Json] = {}
        self._rows: dict[str, CatalogueRow] = {}
        self._groups: dict[str, CatalogueGroup] = {}
        # There may be fifty versions of each segment, and they are rarely read, so their bytes are kept.
        self._versions: dict[str, dict[int, bytes]] = {}
        self._deletions: dict[str, CatalogueDeletion] = {}
        self._entries: dict[str, Entry] = {}
        self._command_offset = -1
        for segment_id in BUILT_IN_NAMES:
            self._settle(segment_id)

    @classmethod
    def load(
        cls, definitions: Iterable[tuple[str, Json | None]], rows: Iterable[tuple[str, Json | None]]
    ) -> Catalogue:
        """Return the catalogue of two whole topics, (key, value) each in topic order; None is a tombstone.

        A definition without a row gets the row of a segment that waits to be calculated. A row without a
        definition is not listed (`adoption.catch_up` writes the missing records). Raises RejectedError,
        naming the key, for a row that does not match the schema.
        """
        catalogue = cls()
        catalogue.apply(Decision(rows=tuple(rows)))
        catalogue.apply(Decision(definitions=tuple(definitions)))
        return catalogue

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Catalogue):
            return NotImplemented
        return (
            self._entries == other._entries
            and self._groups == other._groups
            and self._versions == other._versions
            and self._deletions == other._deletions
            and self._command_offset == other._command_offset
        )

    __hash__ = None  # type: ignore[assignment]  # it changes

    @property
    def command_offset(self) -> int:
        """The offset of the last record of `segment-commands` that changed anything; -1 means none."""
        return self._command_offset

    @property
    def segments(self) -> Mapping[str, Entry]:
        """All segments by id, built-in ones included."""
        return MappingProxyType(self._entries)

    @property
    def rows(self) -> Mapping[str, CatalogueRow]:
        """All rows by segment id, including those whose definition is gone."""
        return MappingProxyType(self._rows)

    @property
    def groups(self) -> Mapping[str, CatalogueGroup]:
        """The groups that accounts made, by name."""
        return MappingProxyType(self._groups)

    @property
    def with_versions(self) -> Collection[str]:
        """The ids of the segments with earlier versions."""
        return self._versions.keys()

    @property
    def deletions(self) -> Collection[CatalogueDeletion]:
        """The deleted segments that are kept."""
        return self._deletions.values()

    def version_numbers(self, segment_id: str) -> list[int]:
        """Return the numbers of a segment's earlier versions that are kept, in ascending order."""
        return sorted(self._versions.get(segment_id, ()))

    def earlier_version(self, segment_id: str, version: int) -> CatalogueVersion | None:
        """Return an earlier version of a segment; None if it is not kept."""
        source = self._versions.get(segment_id, {}).get(version)
        return None if source is None else CatalogueVersion.model_validate(loads(source))

    def unused_id(self, stem: str) -> str:
        """Return an id that no segment has: the stem itself, else `stem-2`, `stem-3` …"""
        number, candidate = 1, stem
        while candidate in self._entries:
            number += 1
            candidate = f"{stem}-{number}"
        return candidate

    def can_file_in(self, group: str) -> bool:
        """Return whether segments can be filed in a group of that name."""
        return group == DEFAULT_GROUP or group in self._groups

    def filed_in(self, group: str) -> Iterator[tuple[str, Entry]]:
        """Yield the id and the entry of each segment in one group."""
        for segment_id, entry in self._entries.items():
            if entry.row.group == group:
                yield segment_id, entry

    def referrers(self, segment_id: str) -> list[str]:
        """Return the ids of the segments that refer to one segment, sorted."""
        return sorted(key for key, entry in self._entries.items() if segment_id in entry.references)

    def apply(self, decision: Decision) -> None:
        """Apply the records of a decision, or records as they are read from the topics. Raises RejectedError
        for a row that does not match the schema."""
        touched = {segment_id for segment_id, _ in decision.definitions}
        for key, value in decision.rows:
            if is_segment_key(key):
                self._take_row(key, value)
                touched.add(key)
            elif key.startswith(_VERSION_KEY):
                self._take_version(key, value)
            elif key.startswith(_DELETION_KEY):
                self._take_deletion(key, value)
            else:
                self._take_group(key, value)
        for segment_id, definition in decision.definitions:
            if definition is None:
                self._definitions.pop(segment_id, None)
            else:
                self._definitions[segment_id] = definition
        for segment_id in touched:
            self._settle(segment_id)

    def _take_group(self, key: str, value: Json | None) -> None:
        if value is None:
            self._groups.pop(key.removeprefix(_GROUP_KEY), None)
            return
        group = _valid(key, value)
        if isinstance(group, CatalogueVersion | CatalogueDeletion):
            raise RejectedError(Code.INVALID_SCHEMA, f"not the record of {key}", "")
        if isinstance(group, CatalogueGroup):
            self._groups[group.group] = group
        self._command_offset = max(self._command_offset, group.command_offset)

    def _take_version(self, key: str, value: Json | None) -> None:
        segment_id, _, number = key.removeprefix(_VERSION_KEY).rpartition("|")
        if value is None:
            versions = self._versions.get(segment_id, {})
            if number.isascii() and number.isdigit():
                versions.pop(int(number), None)
            if not versions:
                self._versions.pop(segment_id, None)
            return
        version = _valid(key, value)
        if not isinstance(version, CatalogueVersion) or key != version_key(
            version.segment_id, version.version
        ):
            raise RejectedError(Code.INVALID_SCHEMA, f"not the record of {key}", "segment_id")
        self._versions.setdefault(segment_id, {})[version.version] = dumps(value)

    def _take_deletion(self, key: str, value: Json | None) -> None:
        if value is None:
            self._deletions.pop(key, None)
            return
        deletion = _valid(key, value)
        if not isinstance(deletion, CatalogueDeletion) or key != deletion_key(
            deletion.segment_id, deletion.deletion
        ):
            raise RejectedError(Code.INVALID_SCHEMA, f"not the record of {key}", "segment_id")
        self._deletions[key] = deletion

    def _take_row(self, key: str, value: Json | None) -> None:
        if value is None:
            self._rows.pop(key, None)
            return
        row = _valid(key, value)
        if not isinstance(row, CatalogueRow) or row.segment_id != key:
            raise RejectedError(Code.INVALID_SCHEMA, f"not the row of segment {key}", "segment_id")
        self._rows[key] = row
        self._command_offset = max(self._command_offset, row.command_offset)

    def _settle(self, segment_id: str) -> None:
        in_force = {} if segment_id in BUILT_IN_NAMES else self._definitions.get(segment_id)
        row = self._rows.get(segment_id)
        if in_force is None and (row is None or row.draft is None):
            self._entries.pop(segment_id, None)
            return
        if row is None:
            row = self.waiting_row(in_force) if in_force else _built_in_row(segment_id)
        self._entries[segment_id] = Entry.of(in_force, row)

    def waiting_row(self, definition: Json) -> CatalogueRow:
        """Return the row of a definition that was written straight to the topic: it calculates at once. A
        group that does not exist is replaced by `default`."""
        group = definition.get("group", DEFAULT_GROUP)
        return row_of(
            {**definition, "group": group if self.can_file_in(group) else DEFAULT_GROUP},
            **({} if definition["type"] == "static" else {"status": "calculating", "progress": 0}),
        )


def row_of(definition: Json, **more: Any) -> CatalogueRow:
    """Return a row with every field that comes from a definition, and `more`. Without `more` the row is
    completed and has no contacts."""
    version = definition.get("version", 1)
    fields: Json = {
        "segment_id": definition["segment_id"],
        "name": definition["name"],
        "type": definition["type"],
        "group": definition.get("group", DEFAULT_GROUP),
        "version": version,
        "status": "completed",
        "progress": 1,
        "contacts": 0,
        "created_by": definition.get("created_by"),
        "created_at": definition.get("created_at"),
        "updated_by": definition.get("updated_by"),
        "updated_at": definition.get("updated_at"),
        "shared_with": definition.get("shared_with", []),
        "formula_digest": formula_digest(definition),
        "live_version": version if more.get("status", "completed") == "completed" else None,
    }
    return CatalogueRow(**{**fields, **more})


def _built_in_row(segment_id: str) -> CatalogueRow:
    kind: SegmentType = "built_in"
    name = BUILT_IN_NAMES[segment_id].zh
    return row_of({"segment_id": segment_id, "name": name, "type": kind, "group": CHANNEL_GROUP})


def _valid(key: str, value: Json) -> CatalogueValue:
    try:
        return checked_by(CATALOGUE_VALUE, value)
    except RejectedError as error:
        raise RejectedError(error.code, f"the record with key {key}: {error.message}", error.path) from error
