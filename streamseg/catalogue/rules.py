"""Commands: refused, or turned into what they write.

Anybody may make segments and groups and file segments in any group. A segment is changed by the account that
made it, a group too; others may copy what is shared with them, or what belongs to nobody. A command over many
segments is one: if one of them is refused, nothing changes.

`update` counts the version on. Moving, sharing and the group commands write the definition anew under the
same version, since nobody's membership can change by them.
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
"""The path of the refusal of a command whose segment has none of the versions that were demanded."""


def decide(
    catalogue: Catalogue,
    command: wire.SegmentCommand,
    *,
    now_ms: int,
    offset: int,
    settings: Settings,
    versions: Collection[int] | None = None,
) -> Decision:
    """What a command from `segment-commands` at `offset` writes; the catalogue is not changed by it.

    Publish the whole decision or nothing (one Kafka transaction), then `catalogue.apply` it. The offset goes
    with it: a command at or below `catalogue.command_offset` was applied, or refused, before, and gives
    NOTHING, so that reading commands again after a crash is harmless, also those that created or deleted
    segments.

    `versions`, if given, are those of which the command's one segment has to have one.

    Raises RejectedError with the path below the command, such as `segment_ids[2]`, `definition.group` or
    `definition.clusters[0].conditions[1].value`."""
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
    """After everything else, as HTTP has it: what would be refused anyway is refused for that."""
    current = current_version(catalogue, command)
    if versions is not None and current is not None and current not in versions:
        raise RejectedError(Code.CONFLICT, f"the current version is {current}", PRECONDITION)


def current_version(catalogue: Catalogue, command: wire.SegmentCommand) -> int | None:
    """That of the one segment that a command is about, None where it is about none or many."""
    if isinstance(command, wire.DefinitionCommand):
        segment_id: str | None = command.definition.segment_id
    else:
        segment_id = command.segment_id if isinstance(command, wire.SegmentsCommand) else None
    entry = None if segment_id is None else catalogue.segments.get(segment_id)
    return None if entry is None else entry.row.version
