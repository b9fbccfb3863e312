"""The list of segments and groups: the values on `segment-catalog`.

A row has the segment's id as its key, a group `group|NAME`, the position `commands|`; ids hold no `|`.
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
    """The group it is filed in."""
    version: int = Field(ge=1)
    """That of the latest accepted definition."""
    status: Status
    """`shared` is what an account sees of a segment that another one shared with it."""
    progress: float = Field(ge=0, le=1)
    """How much of a calculation is done: 1 once it is completed."""
    contacts: int = Field(ge=0)
    """The members by the last completed calculation, kept up to date since."""
    created_by: str | None
    created_at: Timestamp | None
    updated_by: str | None
    updated_at: Timestamp | None
    shared_with: list[str]
    """The accounts that may see and copy it."""
    formula_digest: str | None = None
    """SHA-256 over the conditions of the latest accepted definition; null in rows of earlier releases."""
    live_version: int | None = Field(None, ge=1)
    """The version whose memberships stand; null before the first calculation is completed."""
    live_definition: dict[str, Any] | None = None
    """The definition of `live_version`, as on `segment-definitions`; only while another is the latest."""
    draft: dict[str, Any] | None = None
    """The latest definition of an advanced segment, while it waits to be told to calculate; until then it is
    not on `segment-definitions`."""
    generation: int | None = None
    """The offset on `segment-definitions` that the running calculation is for, once it began."""
    command_offset: int = Field(-1, ge=-1)
    """The last record of `segment-commands` applied to this row; -1: none."""

    def wire(self) -> dict[str, Any]:
        """The value on `segment-catalog`."""
        value = self.model_dump(mode="json")
        for name in ("live_definition", "draft"):
            if value[name] is None:
                del value[name]
        return value


class CatalogueGroup(WireModel):
    """A group that an account made; the built-in ones and `default` are always there."""

    group: GroupText
    created_by: NonEmptyText
    command_offset: int = Field(ge=0)
    """The last record of `segment-commands` applied to this group."""


class CataloguePosition(WireModel):
    """How far commands have been applied: of a deleted segment nothing else tells."""

    command_offset: int = Field(ge=0)
    """The last record of `segment-commands` that changed anything."""


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
"""Validates a value of `segment-catalog`."""
