"""The list of segments and groups: the values on `segment-catalog`.

The key of a row is the segment's id, the key of a group is `group|NAME`, and the key of the position is
`commands|`. Ids contain no `|`, so the keys cannot collide.
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


class CataloguePosition(WireModel):
    """The offset up to which commands have been applied. It has its own record because a deleted segment
    leaves no row that could hold it."""

    command_offset: int = Field(ge=0)
    """The offset of the last record of `segment-commands` that changed anything."""


def _recognise(value: Any) -> str:
    keys = value if isinstance(value, dict) else type(value).model_fields
    return "<row>" if "segment_id" in keys else "<group>" if "group" in keys else "<position>"


CatalogueValue = Annotated[
    Annotated[CatalogueRow, Tag("<row>")]
    | Annotated[CatalogueGroup, Tag("<group>")]
    | Annotated[CataloguePosition, Tag("<position>")],
    Discriminator(_recognise),
]
"""A row, a group or the position, recognised by its keys."""

CATALOGUE_VALUE: Final[TypeAdapter[CatalogueValue]] = TypeAdapter(CatalogueValue)
"""The validator for a value of `segment-catalog`."""
