"""What is given out about contacts: `membership-changes`, `segment-memberships`, `channel-suppressions`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.scalars import NonEmptyText, SegmentId
from schemas.timestamps import UtcTimestamp
from schemas.wire import WireModel


class Reason(WireModel):
    """Why a membership changed."""

    kind: Literal["contact_update", "behavior_event", "time", "definition", "unsubscribe_window", "deletion"]
    ref: str | None
    """What the kind refers to, such as an event_id; null where there is nothing to refer to."""


class MembershipChange(WireModel):
    """A contact entered or exited a segment."""

    change_id: NonEmptyText
    """Deterministic and opaque: a change that is given out twice has the same one; drop repeats by it."""
    segment_id: SegmentId
    segment_version: int
    contact_id: NonEmptyText
    change: Literal["entered", "exited"]
    sequence: int = Field(ge=1)
    """1, 2, 3 ... per segment and contact: odd is entered, even exited. Starts anew at 1 once the contact
    was erased or the segment deleted."""
    effective_at: UtcTimestamp
    """The stream time at which the membership flipped."""
    reason: Reason


class SegmentMembership(WireModel):
    """A contact is a member of a segment; the tombstone of the key says that it no longer is."""

    segment_id: SegmentId
    segment_version: int
    contact_id: NonEmptyText
    entered_at: UtcTimestamp
    sequence: int = Field(ge=1)
    """That of the change by which the contact entered."""
    next_change_at: UtcTimestamp | None = None
    """When time alone will end the membership, if nothing else happens; absent where it will not."""


class ChannelSuppression(WireModel):
    """Do not send to this contact on this channel, at once; the tombstone of the key ends it."""

    contact_id: NonEmptyText
    channel: Literal["email", "sms"]
    suppressed: Literal[True]
    since: UtcTimestamp
