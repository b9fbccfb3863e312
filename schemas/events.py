"""Behaviour events: the value on `behavior-events`."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from schemas.scalars import NonEmptyText
from schemas.timestamps import Timestamp
from schemas.wire import WireModel


class BehaviorEvent(WireModel):
    """Something that a contact did, or that happened to one."""

    event_id: NonEmptyText
    """Unique for the contact: a repeated one changes nothing."""
    contact_id: NonEmptyText
    """The record's key as well."""
    event: NonEmptyText
    """A standard event's name or any other, for a custom event."""
    occurred_at: Timestamp
    properties: dict[str, Any] = Field(default_factory=dict)
    """Any JSON object."""
