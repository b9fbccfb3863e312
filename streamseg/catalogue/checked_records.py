"""The records that one command writes, and the checks that commands share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from schemas import commands as wire
from schemas.catalogue import CatalogueGroup, CataloguePosition, CatalogueRow
from schemas.definitions import SegmentDefinition
from streamseg.catalogue.decision import Decision
from streamseg.catalogue.labels import BUILT_IN_NAMES, is_built_in_group
from streamseg.catalogue.reading import check_references_calculated, check_references_readable
from streamseg.catalogue.state import (
    DEFAULT_GROUP,
    POSITION_KEY,
    VIEW_GROUPS,
    Catalogue,
    Entry,
    group_key,
)
from streamseg.errors import Code, RejectedError, located_below
from streamseg.json_text import Json, dumps
from streamseg.language.compiler import compile_segment
from streamseg.language.reference_checks import check_references
from streamseg.settings import Settings
from streamseg.times import format_ms


class CheckedRecords:
    """The records that one command writes. Methods raise RejectedError; after that `decision` must not be
    called."""

    def __init__(
        self, catalogue: Catalogue, *, account: str, now_ms: int, offset: int, settings: Settings
    ) -> None:
        self._catalogue = catalogue
        self._account = account
        self._now_ms = now_ms
        self._now = format_ms(now_ms)
        self._offset = offset
        self._settings = settings
        self._definitions: dict[str, Json | None] = {}
        self._rows: dict[str, Json | None] = {}

    def decision(self) -> Decision:
        """Return all records noted, with the command's offset."""
        position = CataloguePosition(command_offset=self._offset)
        return Decision(
            tuple(self._definitions.items()), (*self._rows.items(), (POSITION_KEY, position.model_dump()))
        )

    # --- what is noted ----------------------------------------------------------------------------

    def _write(self, definition: Json, row: CatalogueRow) -> None:
        """Note a definition and its row. The definition of an advanced segment stays a draft until the
        command `calculate`."""
        waits = row.type == "advanced" and row.status == "not_calculated"
        if not waits:
            self._definitions[row.segment_id] = definition
        draft = definition if waits else None
        self._rows[row.segment_id] = self._stamped(row.model_copy(update={"draft": draft}))

    def _note(self, rows: Mapping[str, Json | None]) -> None:
        """Note records of `segment-catalog` that are no rows of segments."""
        self._rows.update(rows)

    def _stamped(self, row: CatalogueRow) -> Json:
        return row.model_copy(update={"command_offset": self._offset}).wire()

    def _write_group(self, group: str, creator: str) -> None:
        value = CatalogueGroup(group=group, created_by=creator, command_offset=self._offset)
        self._rows[group_key(group)] = value.model_dump()

    def _file(self, entry: Entry, group: str, path: str) -> None:
        body = {**entry.definition, "group": group}
        self._check_size(body, path)
        self._write(body, entry.row.model_copy(update={"group": group}))

    def _file_all(self, old: str, new: str, path: str) -> None:
        for _, entry in self._catalogue.filed_in(old):
            self._file(entry, new, path)

    def _others(self, accounts: Iterable[str]) -> list[str]:
        """Return each account once, without the asking account."""
        return [account for account in dict.fromkeys(accounts) if account != self._account]

    # --- checks -----------------------------------------------------------------------------------

    def _targets(self, command: wire.SegmentsCommand) -> Iterator[tuple[str, str, Entry]]:
        """Yield path, id and entry of each segment once. Raises RejectedError for unknown segments."""
        seen: set[str] = set()
        for index, segment_id in enumerate(command.targets):
            if segment_id not in seen:
                seen.add(segment_id)
                path = "segment_id" if command.segment_ids is None else f"segment_ids[{index}]"
                yield path, segment_id, self._entry(segment_id, path)

    def _own_targets(self, command: wire.SegmentsCommand) -> Iterator[tuple[str, str, Entry]]:
        for path, segment_id, entry in self._targets(command):
            self._check_own(entry, path)
            yield path, segment_id, entry

    def _entry(self, segment_id: str, path: str) -> Entry:
        entry = self._catalogue.segments.get(segment_id)
        if entry is None:
            raise RejectedError(Code.UNKNOWN_REFERENCE, "there is no such segment; check its id", path)
        return entry

    def _own(self, segment_id: str, path: str) -> Entry:
        entry = self._entry(segment_id, path)
        self._check_own(entry, path)
        return entry

    def _check_own(self, entry: Entry, path: str) -> None:
        if entry.built_in:
            raise RejectedError(Code.NOT_PERMITTED, "a built-in segment cannot be changed", path)
        if entry.owner != self._account:
            raise RejectedError(
                Code.NOT_PERMITTED, "belongs to another account; copy it and use the copy", path
            )

    def _check_readable(self, entry: Entry, path: str) -> None:
        if entry.built_in:
            raise RejectedError(Code.NOT_PERMITTED, "a built-in segment cannot be copied; refer to it", path)
        entry.check_readable_by(self._account, path)

    def _check_new(self, segment_id: str, path: str) -> None:
        if segment_id in BUILT_IN_NAMES:
            raise RejectedError(Code.NOT_PERMITTED, "the id of a built-in segment; choose another one", path)
        if segment_id in self._catalogue.segments:
            raise RejectedError(
                Code.CONFLICT, "there is such a segment already; update it or choose another id", path
            )

    def _check_group(self, group: str, path: str) -> None:
        if group in VIEW_GROUPS:
            raise RejectedError(
                Code.NOT_PERMITTED, "nothing can be filed in a built-in group; choose another one", path
            )
        if not self._catalogue.can_file_in(group):
            raise RejectedError(Code.UNKNOWN_REFERENCE, "there is no such group; create it first", path)

    def _check_new_group(self, group: str, path: str) -> None:
        if is_built_in_group(group):
            raise RejectedError(Code.NOT_PERMITTED, "the name of a built-in group; choose another one", path)
        if group in self._catalogue.groups:
            raise RejectedError(Code.CONFLICT, "there is such a group already; choose another name", path)

    def _own_group(self, name: str) -> CatalogueGroup:
        if name in VIEW_GROUPS or name == DEFAULT_GROUP:
            raise RejectedError(Code.NOT_PERMITTED, "a built-in group cannot be changed", "group")
        group = self._catalogue.groups.get(name)
        if group is None:
            raise RejectedError(Code.UNKNOWN_REFERENCE, "there is no such group", "group")
        if group.created_by != self._account:
            raise RejectedError(Code.NOT_PERMITTED, "only the account that made a group changes it", "group")
        return group

    def _check_size(self, body: Json, path: str) -> bytes:
        source = dumps(body)
        if len(source) > self._settings.max_record_bytes:
            raise RejectedError(
                Code.TOO_LARGE,
                f"the definition would be longer than {self._settings.max_record_bytes} bytes",
                path,
            )
        return source

    def _check_definition(self, definition: SegmentDefinition, body: Json, row: CatalogueRow) -> None:
        source = self._check_size(body, "definition")
        with located_below("definition"):
            segment = compile_segment(
                definition,
                source=source,
                version=body["version"],
                introduced=-1,
                born=-1,
                settings=self._settings,
            )
            check_references(segment, self._catalogue.segments)
            check_references_readable(body, self._catalogue, self._account)
            if row.status != "not_calculated":
                check_references_calculated(body, self._catalogue)
                entries = self._catalogue.segments.items()
                check_references(segment, {key: one for key, one in entries if one.in_force is not None})
