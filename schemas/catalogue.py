"""The list of segments and groups: the values on `segment-catalog`.

The key of a row is the segment's id, the key of a group is `group|NAME`, and the key of the position is
`commands|`. The key of an earlier version is `version|ID|VERSION`, and that of a deleted segment is
`deleted|ID|COMMAND_OFFSET`. Ids contain no `|`, so the keys cannot collide.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, Tag, TypeAdapter

from schemas.scalars import GroupText, NonEmptyText, SegmentId
from schemas.timestamps import Timestamp
from schemas.wire import WireModel

SegmentType = Literal["standard", "advanced", "static", "built_in"]
Status = Literal["not_calculated", "calculating", "completed", "shared"]


class CatalogueRow(WireModel):
    """One segment as the list shows it."""

    segment_id: SegmentId
    name: NonEmptyText
    type: SegmentType
    group: GroupText
    """The group in which the segment is filed."""
    version: int = Field(ge=1)
    """The version of the latest accepted definition."""
    status: Status
    """`shared` is the status that an account sees for a segment that another account shared with it."""
    progress: float = Field(ge=0, le=1)
    """The share of the calculation that is done; 1 once it is completed."""
    contacts: int = Field(ge=0)
    """The number of members by the last completed calculation, kept up to date since then."""
    created_by: str | None
    created_at: Timestamp | None
    updated_by: str | None
    updated_at: Timestamp | None
    shared_with: list[str]
    """The accounts that may see and copy the segment."""
    formula_digest: str | None = None
    """SHA-256 over the conditions of the latest accepted definition; null in rows of earlier releases."""
    live_version: int | None = Field(None, ge=1)
    """The version whose memberships are in force; null before the first calculation is completed."""
    live_definition: dict[str, Any] | None = None
    """The definition of `live_version`, as on `segment-definitions`; present only while a later version is
    the latest one."""
    draft: dict[str, Any] | None = None
    """The latest definition of an advanced segment that waits for the command `calculate`. Until that command
    it is not on `segment-definitions`."""
    generation: int | None = None
    """The offset on `segment-definitions` for which the calculation runs; null before it begins."""
    command_offset: int = Field(-1, ge=-1)
    """The offset of the last record of `segment-commands` that was applied to this row; -1 means none."""

    def wire(self) -> dict[str, Any]:
        """Return the value for `segment-catalog`."""
        value = self.model_dump(mode="json")
        for name in ("live_definition", "draft"):
            if value[name] is None:
                del value[name]
        return value


class CatalogueGroup(WireModel):
    """A group that an account made. The built-in groups and `default` always exist and have no record."""

    group: GroupText
    created_by: NonEmptyText
    command_offset: int = Field(ge=0)
    """The offset of the last record of `segment-commands` that was applied to this group."""


class CatalogueVersion(WireModel):
    """An earlier version of a segment: a definition that another one has replaced."""

    segment_id: SegmentId
    version: int = Field(ge=1)
    saved_by: str | None
    """The account that saved this version."""
    saved_at: Timestamp | None
    definition: dict[str, Any]
    """The definition without the fields that streamseg adds, without group and without sharing."""


class CatalogueDeletion(WireModel):
    """A deleted segment that its owner can restore."""

    segment_id: SegmentId
    deletion: int = Field(ge=0)
    """The offset of the command that deleted the segment: tells apart the segments that have had the same id,
    one after the other."""
    deleted_by: NonEmptyText
    deleted_at: Timestamp
    definition: dict[str, Any]
    """The latest definition, with the group and the sharing."""


class CataloguePosition(WireModel):
    """The offset up to which commands have been applied. It has its own record because a deleted segment
    leaves no row that could hold it."""

    command_offset: int = Field(ge=0)
    """The offset of the last record of `segment-commands` that changed anything."""


def _recognise(value: Any) -> str:
    keys = value if isinstance(value, dict) else type(value).model_fields
    for name, tag in _TAGS.items():
        if name in keys:
            return tag
    return "<position>"


_TAGS: Final = {
    "deletion": "<deletion>",
    "definition": "<version>",
    "segment_id": "<row>",
    "group": "<group>",
}
"""A key that only one kind of value has, apart from the kinds before it."""


CatalogueValue = Annotated[
    Annotated[CatalogueRow, Tag("<row>")]
    | Annotated[CatalogueGroup, Tag("<group>")]
    | Annotated[CatalogueVersion, Tag("<version>")]
    | Annotated[CatalogueDeletion, Tag("<deletion>")]
    | Annotated[CataloguePosition, Tag("<position>")],
    Discriminator(_recognise),
]
"""A row, a group, an earlier version, a deleted segment or the position, recognised by its keys."""

CATALOGUE_VALUE: Final[TypeAdapter[CatalogueValue]] = TypeAdapter(CatalogueValue)
"""The validator for a value of `segment-catalog`."""
