"""Commands to the catalogue: the value on `segment-commands`."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Discriminator, Field, Tag, TypeAdapter, model_validator

from schemas.definitions import SegmentDefinition
from schemas.paths import problem
from schemas.scalars import (
    LARGEST_COUNT,
    LONGEST_NAME,
    NOT_IN_ADDRESSES,
    GroupText,
    NonEmptyText,
    SegmentId,
    fits_address,
)
from schemas.wire import WireModel

_LONGEST_COPIED_ID: Final = LONGEST_NAME - len("-copy-") - 20
"""The longest id, in characters, from which the id of a copy can be made up: the copy's id is the same text
followed by `-copy` and a number."""


class Command(WireModel):
    """A request of an account to change the catalogue."""

    account: NonEmptyText
    """The account that sends the command."""


class DefinitionCommand(Command):
    """A command that carries a whole definition."""

    segment_id: SegmentId | None = None
    """The definition's own id; may be left out."""
    definition: SegmentDefinition

    @model_validator(mode="after")
    def _same_segment(self) -> Self:
        if self.segment_id is not None and self.segment_id != self.definition.segment_id:
            raise problem("differs from the definition's segment_id", at="segment_id")
        return self

    @model_validator(mode="after")
    def _name_is_short(self) -> Self:
        # The name is limited here and not in definitions: copying lengthens a name, and the copy has to be
        # accepted.
        if len(self.definition.name) > LONGEST_NAME:
            raise problem(f"must have at most {LONGEST_NAME} characters", at="definition.name")
        return self


class SegmentsCommand(Command):
    """A command about one segment or many. It has exactly one of `segment_id` and `segment_ids`."""

    segment_id: SegmentId | None = None
    segment_ids: list[SegmentId] | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _some_segment(self) -> Self:
        if (self.segment_id is None) == (self.segment_ids is None):
            raise problem("give exactly one of segment_id and segment_ids", at="segment_id")
        return self

    @property
    def targets(self) -> list[str]:
        """The ids of the command's segments, in the order given."""
        return list(self.segment_ids) if self.segment_ids is not None else [str(self.segment_id)]


class CreateCommand(DefinitionCommand):
    """Makes a segment that belongs to the account."""

    command: Literal["create"]

    @model_validator(mode="after")
    def _id_fits_address(self) -> Self:
        # The id is checked here and not in definitions: a definition that was accepted on the topic before
        # this rule existed has to stay valid.
        if not fits_address(self.definition.segment_id):
            raise problem(NOT_IN_ADDRESSES, at="definition.segment_id")
        return self


class UpdateCommand(DefinitionCommand):
    """Replaces a segment's definition."""

    command: Literal["update"]


class CopyCommand(SegmentsCommand):
    """Makes a segment with the same conditions under a new id. Its name is the original name followed by
    `_复制`."""

    command: Literal["copy"]
    new_segment_id: SegmentId | None = None
    """The id of the copy; if absent, one is made up. Only with `segment_id`."""

    @model_validator(mode="after")
    def _one_copy(self) -> Self:
        if self.new_segment_id is not None and self.segment_ids is not None:
            raise problem("only with segment_id: many copies cannot have one id", at="new_segment_id")
        return self

    @model_validator(mode="after")
    def _new_ids_fit(self) -> Self:
        if self.new_segment_id is not None:
            if not fits_address(self.new_segment_id):
                raise problem(NOT_IN_ADDRESSES, at="new_segment_id")
        elif any(len(one) > _LONGEST_COPIED_ID for one in self.targets):
            raise problem("too long to make up an id for the copy; give one", at="new_segment_id")
        elif not all(fits_address(f"{one}-copy") for one in self.targets):
            raise problem(
                "no id can be made up out of one with control characters; give one", at="new_segment_id"
            )
        return self


class DeleteCommand(SegmentsCommand):
    """Deletes segments to which no other segment refers."""

    command: Literal["delete"]


class RevertCommand(Command):
    """Makes an earlier version the latest one again, as a new version. Group and sharing stay as they are."""

    command: Literal["revert"]
    segment_id: SegmentId
    version: int = Field(ge=1, le=LARGEST_COUNT)
    """The earlier version."""


class RestoreCommand(Command):
    """Makes a deleted segment of the account again."""

    command: Literal["restore"]
    segment_id: SegmentId
    deletion: int | None = Field(None, ge=0, le=LARGEST_COUNT)
    """The offset of the command that deleted it; if absent, the account's last deletion of that id."""
    new_segment_id: SegmentId | None = None
    """The id under which it is made again; if absent, its own."""

    @model_validator(mode="after")
    def _new_id_fits(self) -> Self:
        if self.new_segment_id is not None and not fits_address(self.new_segment_id):
            raise problem(NOT_IN_ADDRESSES, at="new_segment_id")
        return self


class MoveCommand(SegmentsCommand):
    """Files segments in another group."""

    command: Literal["move"]
    group: GroupText


class ShareCommand(SegmentsCommand):
    """Lets other accounts see and copy segments."""

    command: Literal["share"]
    accounts: list[NonEmptyText] = Field(min_length=1)


class CalculateCommand(SegmentsCommand):
    """Starts the calculation of segments' members."""

    command: Literal["calculate"]


class CreateGroupCommand(Command):
    """Makes an empty group."""

    command: Literal["create_group"]
    group: GroupText

    @model_validator(mode="after")
    def _name_fits_address(self) -> Self:
        if not fits_address(self.group):
            raise problem(NOT_IN_ADDRESSES, at="group")
        return self


class RenameGroupCommand(Command):
    """Gives a group another name; its segments stay in it."""

    command: Literal["rename_group"]
    group: GroupText
    new_group: GroupText
    """The group's new name."""

    @model_validator(mode="after")
    def _name_fits_address(self) -> Self:
        if not fits_address(self.new_group):
            raise problem(NOT_IN_ADDRESSES, at="new_group")
        return self


class DeleteGroupCommand(Command):
    """Deletes a group; its segments fall to `default`."""

    command: Literal["delete_group"]
    group: GroupText


_NAMES: Final = (
    "create",
    "update",
    "copy",
    "delete",
    "revert",
    "restore",
    "move",
    "share",
    "calculate",
    "create_group",
    "rename_group",
    "delete_group",
)


def _recognise(value: Any) -> str | None:
    name = value.get("command") if isinstance(value, dict) else getattr(value, "command", None)
    return f"<{name}>" if name in _NAMES else None


SegmentCommand = Annotated[
    Annotated[CreateCommand, Tag("<create>")]
    | Annotated[UpdateCommand, Tag("<update>")]
    | Annotated[CopyCommand, Tag("<copy>")]
    | Annotated[DeleteCommand, Tag("<delete>")]
    | Annotated[RevertCommand, Tag("<revert>")]
    | Annotated[RestoreCommand, Tag("<restore>")]
    | Annotated[MoveCommand, Tag("<move>")]
    | Annotated[ShareCommand, Tag("<share>")]
    | Annotated[CalculateCommand, Tag("<calculate>")]
    | Annotated[CreateGroupCommand, Tag("<create_group>")]
    | Annotated[RenameGroupCommand, Tag("<rename_group>")]
    | Annotated[DeleteGroupCommand, Tag("<delete_group>")],
    Discriminator(
        _recognise,
        custom_error_type="refused",
        custom_error_message="{problem}",
        custom_error_context={
            "problem": f"must be an object whose command is one of {', '.join(_NAMES)}",
            "at": "command",
        },
    ),
]
"""A command, recognised by its `command`."""

SEGMENT_COMMAND: Final[TypeAdapter[SegmentCommand]] = TypeAdapter(SegmentCommand)
"""The validator for a command: `SEGMENT_COMMAND.validate_python(value)`."""
