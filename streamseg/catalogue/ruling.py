"""The ruling on one command: each method checks everything first, then notes the records to write."""

from __future__ import annotations

from schemas import commands as wire
from schemas.definitions import SegmentDefinition
from streamseg.catalogue.checked_records import CheckedRecords
from streamseg.catalogue.references import references_of
from streamseg.catalogue.saving import edited, new_row
from streamseg.catalogue.state import DEFAULT_GROUP, Entry, deletion_key, group_key
from streamseg.catalogue.versions import check_restorable, deleted, dropping, replacing
from streamseg.errors import Code, RejectedError
from streamseg.json_text import Json
from streamseg.language.condition_count import check_condition_count
from streamseg.records.messages import checked

COPY_SUFFIX = "_复制"
"""The suffix of a copy's name; a copy of a copy has it twice."""


_STARTED: Json = {"status": "calculating", "progress": 0.0, "generation": None}


class Ruling(CheckedRecords):
    """Turns commands into records."""

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
        self._replace(entry, definition)

    def _replace(self, entry: Entry, definition: SegmentDefinition) -> None:
        """Save a definition as the next version, and keep the version before."""
        row = entry.row
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
        kept = replacing(self._catalogue, row.segment_id, row.version + 1)
        row = edited(entry, body, new_row(body))
        self._check_definition(definition, body, row)
        self._note(kept)
        self._write(body, row)

    def revert(self, command: wire.RevertCommand) -> None:
        """Save the definition of an earlier version as the next version."""
        segment_id = command.segment_id
        entry = self._own(segment_id, "segment_id")
        version = self._catalogue.earlier_version(segment_id, command.version)
        if version is None or command.version >= entry.row.version:
            raise RejectedError(
                Code.UNKNOWN_REFERENCE, "there is no such earlier version; list the versions", "version"
            )
        self._replace(entry, self._read_kept(version.definition))

    def _read_kept(self, definition: Json) -> SegmentDefinition:
        """Read a definition that was accepted before, perhaps by another release or with another limit."""
        check_condition_count(definition, self._settings.max_conditions, at="definition")
        return checked(SegmentDefinition, definition, at="definition")

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
        """Delete definitions, rows and earlier versions, and keep what is needed to restore the segments. A
        segment that refers to another is deleted before that other one."""
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
                self._end(segment_id)

    def _end(self, segment_id: str) -> None:
        entry = self._catalogue.segments[segment_id]
        if entry.in_force is not None:
            self._definitions[segment_id] = None
        self._rows[segment_id] = None
        kept = deleted(entry, account=self._account, now_ms=self._now_ms, offset=self._offset)
        self._note({deletion_key(segment_id, self._offset): kept.model_dump(mode="json")})
        self._note(dropping(self._catalogue, segment_id))

    def restore(self, command: wire.RestoreCommand) -> None:
        """Make a deleted segment of the account again, in the version after its last one. It calculates like
        any new segment, and has a new birth. If its group is gone, it is in `default`."""
        found = check_restorable(
            self._catalogue, self._account, command.segment_id, command.deletion, now_ms=self._now_ms
        )
        segment_id = command.new_segment_id or found.segment_id
        self._check_new(segment_id, "segment_id" if command.new_segment_id is None else "new_segment_id")
        group = found.definition.get("group", DEFAULT_GROUP)
        body = {
            **found.definition,
            "segment_id": segment_id,
            "group": group if self._catalogue.can_file_in(group) else DEFAULT_GROUP,
            "version": found.definition["version"] + 1,
            "updated_by": self._account,
            "updated_at": self._now,
        }
        row = new_row(body)
        self._check_definition(self._read_kept(body), body, row)
        self._note({deletion_key(found.segment_id, found.deletion): None})
        self._write(body, row)

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


def _wire(definition: SegmentDefinition) -> Json:
    """Return the definition with the fields that were given."""
    return definition.model_dump(mode="json", exclude_unset=True)
