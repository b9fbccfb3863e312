"""The rules for commands: each is refused or turned into the records that it writes.

Any account may make segments and groups, and may file segments in any group. Only the account that made a
segment or a group may change it; other accounts may copy a segment that is shared with them or has no owner.
A command over many segments is one unit: if one of them is refused, nothing changes.

`update` and `revert` increase the version by one, and keep the version before. Moving, sharing and the group
commands write the definition again under the same version, since they cannot change any membership.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from schemas import commands as wire
from streamseg.catalogue.decision import NOTHING, Decision
from streamseg.catalogue.ruling import Ruling
from streamseg.catalogue.state import Catalogue
from streamseg.errors import Code, RejectedError
from streamseg.settings import Settings

PRECONDITION: Final = "If-Match"
"""The path of a refusal because the segment has none of the versions in the request's If-Match header."""


def decide(
    catalogue: Catalogue,
    command: wire.SegmentCommand,
    *,
    now_ms: int,
    offset: int,
    settings: Settings,
    versions: Collection[int] | None = None,
) -> Decision:
    """Return the records that a command from `segment-commands` at `offset` writes. The catalogue is not
    changed.

    Write the whole decision or nothing (one Kafka transaction), then call `catalogue.apply`. The decision
    contains the offset. A command at or below `catalogue.command_offset` was applied or refused before and
    gives NOTHING. So reading commands again after a crash is harmless, even those that created or deleted
    segments.

    `versions`, if given, are the accepted versions of the command's one segment.

    Raises RejectedError with the path below the command, such as `segment_ids[2]`, `definition.group` or
    `definition.clusters[0].conditions[1].value`.
    """
    if offset <= catalogue.command_offset:
        return NOTHING
    ruling = Ruling(catalogue, account=command.account, now_ms=now_ms, offset=offset, settings=settings)
    match command:
        case wire.CreateCommand():
            ruling.create(command)
        case wire.UpdateCommand():
            ruling.update(command)
        case wire.CopyCommand():
            ruling.copy(command)
        case wire.DeleteCommand():
            ruling.delete(command)
        case wire.RevertCommand():
            ruling.revert(command)
        case wire.RestoreCommand():
            ruling.restore(command)
        case wire.MoveCommand():
            ruling.move(command)
        case wire.ShareCommand():
            ruling.share(command)
        case wire.CalculateCommand():
            ruling.calculate(command)
        case wire.CreateGroupCommand():
            ruling.create_group(command)
        case wire.RenameGroupCommand():
            ruling.rename_group(command)
        case wire.DeleteGroupCommand():
            ruling.delete_group(command)
    _check_version(catalogue, command, versions)
    return ruling.decision()


def _check_version(
    catalogue: Catalogue, command: wire.SegmentCommand, versions: Collection[int] | None
) -> None:
    """This check comes last, as HTTP requires: a command that other rules refuse is refused for their
    reason."""
    current = current_version(catalogue, command)
    if versions is not None and current is not None and current not in versions:
        raise RejectedError(Code.CONFLICT, f"the current version is {current}", PRECONDITION)


def current_version(catalogue: Catalogue, command: wire.SegmentCommand) -> int | None:
    """Return the current version of the one segment in a command; None if the command has no segment, many
    segments or an unknown one."""
    segment_id: str | None = None
    if isinstance(command, wire.DefinitionCommand):
        segment_id = command.definition.segment_id
    elif isinstance(command, wire.SegmentsCommand | wire.RevertCommand):
        segment_id = command.segment_id
    entry = None if segment_id is None else catalogue.segments.get(segment_id)
    return None if entry is None else entry.row.version
