"""The list of segments: the value on `segment-catalog`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.scalars import NonEmptyText, SegmentId
from schemas.timestamps import Timestamp
from schemas.wire import WireModel

SegmentType = Literal["standard", "advanced", "static", "built_in"]
Status = Literal["not_calculated", "calculating", "completed", "shared"]


class CatalogueRow(WireModel):
    """One segment as the list shows it."""

    segment_id: SegmentId
    name: NonEmptyText
    type: SegmentType
    group: NonEmptyText
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
