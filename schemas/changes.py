"""The output about contacts: `membership-changes`, `segment-memberships`, `channel-suppressions`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.scalars import NonEmptyText, SegmentId
from schemas.timestamps import UtcTimestamp
from schemas.wire import WireModel


class Reason(WireModel):
    """The cause of a membership change."""

    kind: Literal["contact_update", "behavior_event", "time", "definition", "unsubscribe_window", "deletion"]
    ref: str | None
    """The cause that belongs to the kind, such as an event_id; null if there is none."""


class MembershipChange(WireModel):
    """A contact entered or exited a segment."""

    change_id: NonEmptyText
    """A deterministic, opaque id. A change that is sent twice has the same id both times: drop repeats by
    it."""
    segment_id: SegmentId
    segment_version: int
    contact_id: NonEmptyText
    change: Literal["entered", "exited"]
    sequence: int = Field(ge=1)
    """1, 2, 3 ... per segment and contact; odd means entered, even means exited. It starts again at 1 after
    the contact was erased or the segment deleted."""
    effective_at: UtcTimestamp
    """The stream time at which the membership changed."""
    reason: Reason


class SegmentMembership(WireModel):
    """A contact is a member of a segment. A tombstone for the key means that the contact is no longer a
    member."""

    segment_id: SegmentId
    segment_version: int
    contact_id: NonEmptyText
    entered_at: UtcTimestamp
    sequence: int = Field(ge=1)
    """The sequence of the change by which the contact entered."""
    next_change_at: UtcTimestamp | None = None
    """The time at which the membership will end if no further record arrives; absent if time alone will not
    end it."""


class ChannelSuppression(WireModel):
    """An immediate instruction not to send to this contact on this channel. The tombstone of the key ends
    it."""

    contact_id: NonEmptyText
    channel: Literal["email", "sms"]
    suppressed: Literal[True]
    since: UtcTimestamp
