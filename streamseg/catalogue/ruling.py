"""The ruling on one command: each method checks everything first, then notes the records to write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from schemas import commands as wire
from schemas.catalogue import CatalogueGroup, CataloguePosition, CatalogueRow
from schemas.definitions import SegmentDefinition
from streamseg.catalogue.decision import Decision
from streamseg.catalogue.labels import BUILT_IN_NAMES, is_built_in_group
from streamseg.catalogue.reading import check_references_calculated, check_references_readable
from streamseg.catalogue.references import references_of
from streamseg.catalogue.saving import edited, new_row
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

COPY_SUFFIX = "_复制"
"""The suffix of a copy's name; a copy of a copy has it twice."""


_STARTED: Json = {"status": "calculating", "progress": 0.0, "generation": None}


class Ruling:
    """Collects the records that one command writes. Methods raise RejectedError; after that `decision` must
    not be called."""

    def __init__(
        self, catalogue: Catalogue, *, account: str, now_ms: int, offset: int, settings: Settings
    ) -> None:
        self._catalogue = catalogue
        self._account = account
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

    # --- definitions ------------------------------------------------------------------------------

    def create(self, command: wire.CreateCommand) -> None:
        """Make a new segment of the account, version 1."""
        definition = command.definition
        self._check_new(definition.segment_id, "definition.segment_id")
        self._check_group(definition.group, "definition.group")
        body = {
            **_wire(definition),
            "group": definition.group,
            "version": 1,
            "created_by": self._account,
            "created_at": self._now,
            "updated_by": self._account,
            "updated_at": self._now,
            "shared_with": self._others(definition.shared_with),
        }
        row = new_row(body)
        self._check_definition(definition, body, row)
        self._write(body, row)

    def update(self, command: wire.UpdateCommand) -> None:
        """Replace a segment's definition. Group and sharing stay as they are if the new definition gives
        none."""
        definition = command.definition
        segment_id = definition.segment_id
        entry = self._own(segment_id, "definition.segment_id")
        row = entry.row
        if definition.version not in (None, row.version):
            raise RejectedError(
                Code.CONFLICT,
                f"the current version is {row.version}; edit this version and give its number",
                "definition.version",
            )
        if definition.type != row.type:
            raise RejectedError(
                Code.INVALID_SCHEMA,
                f"the segment is {row.type} and cannot become another type; make a new segment",
                "definition.type",
            )
        given = definition.model_fields_set
        group = definition.group if "group" in given else row.group
        self._check_group(group, "definition.group")
        body = {
            **_wire(definition),
            "group": group,
            "version": row.version + 1,
            "created_by": row.created_by,
            "created_at": row.created_at,
            "updated_by": self._account,
            "updated_at": self._now,
            "shared_with": self._others(
                definition.shared_with if "shared_with" in given else row.shared_with
            ),
        }
        row = edited(entry, body, new_row(body))
        self._check_definition(definition, body, row)
        self._write(body, row)

    def copy(self, command: wire.CopyCommand) -> None:
        """Make new segments of the account with the same conditions. They are in the original's group if the
        account owns the original, else in `default`. Members of a static list are not copied. A sample
        without salt selects other contacts, since it depends on the segment's id."""
        for path, segment_id, entry in self._targets(command):
            self._check_readable(entry, path)
            if command.new_segment_id is not None:
                self._check_new(command.new_segment_id, "new_segment_id")
            body = {
                **entry.definition,
                "segment_id": command.new_segment_id or self._catalogue.unused_id(f"{segment_id}-copy"),
                "name": entry.row.name + COPY_SUFFIX,
                "group": entry.row.group if entry.owner == self._account else DEFAULT_GROUP,
                "version": 1,
                "created_by": self._account,
                "created_at": self._now,
                "updated_by": self._account,
                "updated_at": self._now,
                "shared_with": [],
            }
            self._check_size(body, path)
            self._write(body, new_row(body))

    def delete(self, command: wire.DeleteCommand) -> None:
        """Delete definitions and rows. A segment that refers to another is deleted before that other one."""
        doomed = {segment_id: path for path, segment_id, _ in self._own_targets(command)}
        users = {one: set(self._catalogue.referrers(one)) for one in doomed}
        for segment_id, path in doomed.items():
            others = sorted(users[segment_id] - doomed.keys())
            if others:
                raise RejectedError(
                    Code.IN_USE, f"{others[0]} refers to it; change or delete that first", path
                )
        while users:
            # `isdisjoint` would walk through all remaining segments for each of them, so it is not used here.
            free = [one for one in users if not any(user in users for user in users[one])] or list(users)
            for segment_id in free:
                del users[segment_id]
                if self._catalogue.segments[segment_id].in_force is not None:
                    self._definitions[segment_id] = None
                self._rows[segment_id] = None

    # --- filing and sharing -----------------------------------------------------------------------

    def move(self, command: wire.MoveCommand) -> None:
        """File segments in another group."""
        self._check_group(command.group, "group")
        for path, _, entry in self._own_targets(command):
            self._file(entry, command.group, path)

    def share(self, command: wire.ShareCommand) -> None:
        """Let more accounts see segments."""
        for path, _, entry in self._own_targets(command):
            accounts = self._others([*entry.row.shared_with, *command.accounts])
            body = {**entry.definition, "shared_with": accounts}
            self._check_size(body, path)
            self._write(body, entry.row.model_copy(update={"shared_with": accounts}))

    def calculate(self, command: wire.CalculateCommand) -> None:
        """Start the calculation of segments; those that are calculating already continue. Drafts are written
        to `segment-definitions`, each after the drafts to which it refers."""
        drafts: dict[str, tuple[str, Entry]] = {}
        for path, segment_id, entry in self._own_targets(command):
            if entry.row.type == "static":
                raise RejectedError(
                    Code.NOT_PERMITTED, "a static segment has nothing to calculate; leave it out", path
                )
            if entry.row.draft is not None:
                drafts[segment_id] = (path, entry)
                continue
            update = {} if entry.row.status == "calculating" else _STARTED
            self._rows[segment_id] = self._stamped(entry.row.model_copy(update=update))
        while drafts:
            ready = [one for one, (_, entry) in drafts.items() if self._missing(entry) is None]
            if not ready:
                path, entry = next(iter(drafts.values()))
                missing = self._missing(entry)
                # An operator may write a tombstone for a segment to which a draft refers: a draft's
                # references are not on the topic, so nothing refuses the tombstone.
                problem = (
                    "was never calculated; calculate that first"
                    if missing in self._catalogue.segments
                    else "no longer exists; define it again or change this segment"
                )
                raise RejectedError(Code.UNKNOWN_REFERENCE, f"{missing}, which it refers to, {problem}", path)
            for segment_id in ready:
                _, entry = drafts.pop(segment_id)
                self._write(entry.definition, entry.row.model_copy(update=_STARTED))

    def _missing(self, draft: Entry) -> str | None:
        """Return a segment to which a draft refers and that is not on `segment-definitions`; None if there is
        none."""
        for segment_id in sorted({one for one, _ in references_of(draft.definition)}):
            entry = self._catalogue.segments.get(segment_id)
            if segment_id not in self._definitions and (entry is None or entry.in_force is None):
                return segment_id
        return None

    # --- groups -----------------------------------------------------------------------------------

    def create_group(self, command: wire.CreateGroupCommand) -> None:
        """Make a new, empty group."""
        self._check_new_group(command.group, "group")
        self._write_group(command.group, self._account)

    def rename_group(self, command: wire.RenameGroupCommand) -> None:
        """Rename a group. Its segments stay in it, whichever account owns them."""
        group = self._own_group(command.group)
        self._check_new_group(command.new_group, "new_group")
        self._rows[group_key(command.group)] = None
        self._write_group(command.new_group, group.created_by)
        self._file_all(command.group, command.new_group, "new_group")

    def delete_group(self, command: wire.DeleteGroupCommand) -> None:
        """Delete a group. Its segments fall to `default`, whichever account owns them."""
        self._own_group(command.group)
        self._rows[group_key(command.group)] = None
        self._file_all(command.group, DEFAULT_GROUP, "group")

    # --- what is noted ----------------------------------------------------------------------------

    def _write(self, definition: Json, row: CatalogueRow) -> None:
        """Note a definition and its row. The definition of an advanced segment stays a draft until the
        command `calculate`."""
        waits = row.type == "advanced" and row.status == "not_calculated"
        if not waits:
            self._definitions[row.segment_id] = definition
        draft = definition if waits else None
        self._rows[row.segment_id] = self._stamped(row.model_copy(update={"draft": draft}))

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


def _wire(definition: SegmentDefinition) -> Json:
    """Return the definition with the fields that were given."""
    return definition.model_dump(mode="json", exclude_unset=True)
