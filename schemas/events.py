"""Behaviour events: the value on `behavior-events`."""

from __future__ import annotations

from typing import Any

from schemas.scalars import NonEmptyText
from schemas.timestamps import StatedTimestamp
from schemas.wire import WireModel


class BehaviorEvent(WireModel):
    """Something that a contact did, or that happened to one."""

    event_id: NonEmptyText
    """Unique for the contact: a repeated one changes nothing."""
    contact_id: NonEmptyText
    """The record's key as well."""
    event: NonEmptyText
    """A standard event's name or any other, for a custom event."""
    occurred_at: StatedTimestamp
    properties: dict[str, Any] | None = None
    """Any JSON object; null is as if it were left out."""
